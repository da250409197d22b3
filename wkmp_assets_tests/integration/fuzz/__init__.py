"""Imports of real files that are damaged at random and on purpose: `make fuzz`, and a few in the tests."""
