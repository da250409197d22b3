"""Faults around an import: exceptions, kills, full disks, locks, damage. Real files, real processes.

The short form is part of the normal suite. `WKMP_TEST_KILLS=200` (`make test-faults`) runs the complete suite with
that many kills; `WKMP_TEST_SEED` moves them to other moments.
"""
