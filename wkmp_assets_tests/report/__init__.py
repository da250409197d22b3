"""The library report."""
