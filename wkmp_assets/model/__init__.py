"""The words of the package: plain data and pure functions that several packages share, without input or output."""
