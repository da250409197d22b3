"""Libraries of real music for tests and benchmarks, built from Debian packages.

`sample_library` and `broken_files` are small and committed; `hundred_files` is built on demand. Nothing here
imports `wkmp_assets`: the truth in a manifest comes from how a file was made, never from an importer.
"""
