"""The library database, by the moment: `read`, `plan` and `write`, and `commit`, which does one after the other.

All SQL of the package is here.
"""
