"""Measurements, not tests: each writes a page of `docs/` with what it measured in that run."""
