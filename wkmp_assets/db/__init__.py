"""The library database: schema, connections, the one write transaction per file, and reads.

Knows `model` and SQLite; no audio, no Dagster. All SQL of the package is here.
"""
