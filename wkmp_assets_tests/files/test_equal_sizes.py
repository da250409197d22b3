"""Files of one size that wait for their import are noted, the best path first."""

from wkmp_assets.files.equal_sizes import group_equal_sizes
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
