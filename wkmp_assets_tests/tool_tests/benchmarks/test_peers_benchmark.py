"""The page about other programs compares with the bare decode, and leaves out what was not measured."""

from pathlib import Path

from wkmp_assets_tests.tools.benchmarks import peers_benchmark as peers
from wkmp_assets_tests.tools.benchmarks.music_library import MusicFile

COSTS = {peers.BARE: peers.Cost(4, 2.0, 4.0), peers.WKMP: peers.Cost(3, 3.0, 8.0)}


def test_every_cost_stands_beside_the_bare_decode() -> None:
    table = peers.cost_table(COSTS, 4, 120.0)
    assert table.rows[0] == ["bare decode", "4 of 4", "2.0 s", "4.0 s", "1.00", "1.00"]
    assert table.rows[1] == ["wkmp import", "3 of 4", "3.0 s", "8.0 s", "1.50", "2.00"]
    assert table.reading.startswith("2 minutes of sound.")


def test_what_was_not_measured_has_no_column_and_no_line_of_its_own() -> None:
    table = peers.ability_table(COSTS)
    assert table.columns == ("", peers.WKMP)
    assert len(table.rows) == sum(peers.WKMP in who for who in peers.ABILITIES.values()) < len(peers.ABILITIES)


def test_a_short_run_takes_files_from_the_whole_library_without_duplicates() -> None:
    kinds = ["single", "duplicate"] * 10
    files = [MusicFile(Path(f"{n}"), f"{n}", "MP3", kind, None, ()) for n, kind in enumerate(kinds)]
    assert [file.relative for file in peers._choose(files, 2)] == ["0", "10"]
    assert len(peers._choose(files, None)) == 10
