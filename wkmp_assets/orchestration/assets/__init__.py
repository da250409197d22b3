"""The assets, one module each. Thin: collect the run's files, call one domain function, return outcomes.

No SQL here, no signal processing, no environment. Partitions and backfill policy are attached in `build`.
"""
