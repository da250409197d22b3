"""Measurements, not tests: each writes a page of `docs/benchmarks/` with what it measured in that run."""
