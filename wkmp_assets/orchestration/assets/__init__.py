"""The assets, one module each: an asset collects its files, calls one function of another package, returns outcomes."""
