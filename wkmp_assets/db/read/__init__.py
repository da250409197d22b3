"""Reads of the library, all before a transaction begins."""
