"""Tests of the package, in the same tree as the code."""
