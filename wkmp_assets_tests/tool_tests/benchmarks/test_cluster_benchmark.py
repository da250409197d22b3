"""What the page about a cluster says of the figures, and which files its imports take."""

from pathlib import Path

from wkmp_assets_tests.tools.benchmarks.cluster_benchmark import (
    Filling,
    Imports,
    choose_music,
    imports_table,
    slots_table,
)
from wkmp_assets_tests.tools.benchmarks.music_library import MusicFile
from wkmp_assets_tests.tools.benchmarks.watched_import import Watched


def watched(wall_s: float, committing_s: float) -> Watched:
    return Watched(wall_s, commits=[(1.0, 1), (1.0 + committing_s, 24)], cpu_s=5.0)


def test_an_import_that_is_slower_in_the_cluster_is_marked() -> None:
    seen = {"local": [watched(10, 8), watched(10, 8)], "cluster": [watched(10.5, 9), watched(10.7, 9)]}
    local, far = imports_table([Imports(2, seen)], 24).rows
    assert local == ("2, local", "10.0 (10.0 to 10.0)", "-", "1.0", "8.0", "-", "5.0")
    assert far == ("2, cluster", "10.6 (10.5 to 10.7)", "1.06", "1.0", "9.0", "1.12 **MISSED**", "5.0")


def test_slots_that_stay_empty_are_marked() -> None:
    rows = slots_table([Filling(4, 32, 16.0, 0.16, 0.8, 77.0), Filling(64, 512, 20.0, 2.56, 30.0, 77.0)]).rows
    assert rows[0] == ("4", "32", "2.0", "2.0", "1.00", "5.0", "0.05", "77")
    assert rows[1] == ("64", "512", "25.6", "32.0", "0.80 **MISSED**", "5.0", "1.50", "77")


def test_files_are_taken_from_the_whole_list_without_copies() -> None:
    files = [
        MusicFile(Path(f"/{number}"), str(number), "MP3", "duplicate" if number % 2 else "single", 1.0, ())
        for number in range(20)
    ]
    assert [file.relative for file in choose_music(files, 5)] == ["0", "4", "8", "12", "16"]
    assert len(choose_music(files, 100)) == 10
