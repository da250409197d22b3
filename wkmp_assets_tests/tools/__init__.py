"""Tools, not tests: benchmarks, datasets, the coverage gate, safety proofs, the table of the plan's tests."""
