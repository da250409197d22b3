"""The first moment: read the library, before a transaction begins."""
