"""Folders of a checkout."""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
TEST_DATA = ROOT / "test_data"
SAMPLE_LIBRARY = TEST_DATA / "sample_library"
