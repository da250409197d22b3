"""Files of one size that wait for their import are noted, the best path first."""

import os
from pathlib import Path

from wkmp_assets.files.equal_sizes import SAMPLE_BYTES, group_equal_sizes, read_sample
from wkmp_assets.model.known_files import FileStat


def test_only_waiting_files_of_the_same_size_are_grouped() -> None:
    sizes = {
        "Downloads/1.mp3": 5,
        "A/B/1.mp3": 5,
        "A/B/2.mp3": 6,
        "A/B/3.mp3": 7,
        "backup/3.mp3": 7,
        "in library.mp3": 6,
    }
    found = {path: FileStat(size, "2026-01-01 00:00:00") for path, size in sizes.items()}
    waiting = sorted(found.keys() - {"in library.mp3"})
    assert group_equal_sizes(found, waiting) == (("A/B/1.mp3", "Downloads/1.mp3"), ("A/B/3.mp3", "backup/3.mp3"))


def test_a_sample_is_of_the_middle_and_none_of_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a" * 9_000 + b"b" * 1_000 + b"c" * 8_000)
    assert read_sample(tmp_path / "file", 18_000) == b"b" * 1_000 + b"c" * (SAMPLE_BYTES - 1_000)
    assert read_sample(tmp_path / "file", 1_000_000) == b"", "it was cut since"
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "absent", "."):
        assert read_sample(tmp_path / name, 18_000) is None
