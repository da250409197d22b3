"""The asset checks, one module per subject. They look at the library, not at what a run believes it did."""
