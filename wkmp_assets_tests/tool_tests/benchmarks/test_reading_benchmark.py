"""The benchmark of reading: its large library is whole, and it can say MISSED."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from wkmp_assets.cli.library_flavors import find_similar
from wkmp_assets.db.read.duplicates import read_duplicates
from wkmp_assets.db.read.listing import read_passages
from wkmp_assets.db.read.search import search_passages
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets_tests.support.builders import commit, entry, flavor, seconds, song
from wkmp_assets_tests.tools.benchmarks.budgets import MISSED
from wkmp_assets_tests.tools.benchmarks.large_library import multiply_library
from wkmp_assets_tests.tools.benchmarks.reading_benchmark import Cost, _judge


def heard(path: str, bright: float) -> FileEntry:
    one = entry(path, path, seconds((0, 60)), songs=[song("Air")])
    return replace(one, passages=tuple(replace(p, flavor=flavor(p.match.span, bright)) for p in one.passages))


def test_a_multiplied_library_is_whole(database: Path, tmp_path: Path) -> None:
    commit(database, heard("Ann/air.mp3", 0.2), heard("Ann/two.mp3", 0.8), entry("Bob/mix.mp3", "mix"))
    assert multiply_library(database, 10) == 12
    with closing(sqlite3.connect(database)) as library:
        assert library.execute("PRAGMA foreign_key_check").fetchall() == []
        assert library.execute("SELECT count(DISTINCT hash), count(*) FROM files").fetchone() == (12, 12)
    found = read_passages(database, "Copy 00002")
    assert [one.path for one in found] == [
        f"Copy 00002/{name}" for name in ("Ann/air.mp3", "Ann/two.mp3", "Bob/mix.mp3")
    ]
    assert [one.path for one in search_passages(database, "air 00002").best[:1]] == ["Copy 00002/Ann/air.mp3"]
    near = [one.listed.path for one in find_similar(database, tmp_path / "flavors.npz", found[0].passage)]
    assert len(near) == 7, "each other passage with a flavor"
    assert read_duplicates(database) == []


def test_a_slow_page_is_missed() -> None:
    rows = list(
        _judge({"a file": Cost(9.0, 1.1, 5), "wkmp list": Cost(9.0, 9.9, 5), "wkmp similar x": Cost(90, 90, 5)})
    )
    assert [row[-1] for row in rows] == [MISSED, "within the aim", "short of the aim"]
