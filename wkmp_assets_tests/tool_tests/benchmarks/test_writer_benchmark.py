"""The benchmark runs, prints its measurements, and its verdicts can be red."""

from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets.errors import LibraryLockedError
from wkmp_assets_tests.tools.benchmarks import writer_benchmark
from wkmp_assets_tests.tools.benchmarks.budgets import MISSED, budgets, judged
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS
from wkmp_assets_tests.tools.benchmarks.writer_figures import Cell, FileFigures, Pair, Series, WriterResults, of_failure
from wkmp_assets_tests.tools.benchmarks.writer_tables import budget_table, cell_tables, meaning

GOOD = FileFigures(is_complete=True, locks=1, writes=15, waits_ms=[1.0], holds_ms=[2.0])
HARD = "24 passages, 16 processes, without a break"
UNBATCHED = FileFigures(is_complete=True, locks=8, writes=20, waits_ms=[1.0] * 8, holds_ms=[2.0] * 8)


def results(*batch: FileFigures, cell: Cell | None = None, import_s: float | None = None) -> WriterResults:
    series = Series(list(batch), [100.0])
    pair = Pair(cell or Cell(24, 16), Series([UNBATCHED], [50.0]), series)
    return WriterResults(1, 1, [pair], import_s)


def missed(measured: WriterResults) -> list[str]:
    return [row[0] for row in budget_table(measured).rows if row[-1] == MISSED]


@pytest.mark.slow
@pytest.mark.long
def test_a_short_run_prints_and_writes_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "writer.md"
    given = ["--files", "4", "--processes", "1,2", "--rounds", "1", "--import-seconds", "0.2", "--out", str(page)]
    assert writer_benchmark.main(given) == 0
    written, printed = page.read_text(encoding="utf-8"), capsys.readouterr().out
    for heading in (
        "Machine",
        "Budgets",
        "1 passage, 1 process, without a break",
        "24 passages, 2 processes, paused 1000 ms",
    ):
        assert f"## {heading}\n" in written
        assert heading in printed
    assert "| write locks per file | 77.00 | 1.00 | 77.00 | 77.00 | 1.00 | 77.00 |" in written
    assert "An import takes 200 ms of wall clock per file" in written
    locks = [line for line in written.splitlines() if line.startswith("| write locks per file, ")]
    assert [line.split(" | ")[-1] for line in locks] == ["within the aim |"] * 2


def test_good_figures_keep_all_budgets() -> None:
    assert missed(results(GOOD)) == []


@pytest.mark.parametrize(
    ("figures", "name"),
    [
        (replace(GOOD, locks=2), "write locks per file, 24 passages, highest"),
        (replace(GOOD, reads_in_transaction=1), "reads inside a transaction, all files"),
        (replace(GOOD, holds_ms=[10.1]), f"lock held, {HARD}, p99, ms"),
        (replace(GOOD, waits_ms=[101.0]), f"waited for the lock, {HARD}, longest, ms"),
        (replace(GOOD, refused=1), "attempts that met a lock"),
        (replace(GOOD, retries=1), "retries"),
        (replace(GOOD, failed_operations=1), "operations that failed"),
    ],
)
def test_each_budget_can_be_missed(figures: FileFigures, name: str) -> None:
    assert missed(results(GOOD, figures)) == [name]
    assert name in budget_table(results(GOOD, figures)).reading


def test_what_the_package_does_not_use_is_not_judged() -> None:
    kept = results(GOOD)
    full = results(replace(GOOD, waits_ms=[500.0]), cell=Cell(24, 16, "FULL"))
    both = replace(kept, pairs=[*kept.pairs, *full.pairs])
    assert missed(both) == []
    (table,) = cell_tables(both)
    assert ("- longest", "1.0", "1.0", "1.00", "1.0", "500.0", "0.00") in [tuple(row) for row in table.rows]


def test_a_file_that_the_batch_writer_gives_up_counts_as_failed() -> None:
    figures = of_failure(LibraryLockedError(Path("wkmp.db"), 5100.0, 10))
    assert not figures.is_complete
    assert (figures.refused, figures.retries, figures.failed_operations, figures.waits_ms) == (10, 9, 1, [5100.0])
    nothing = cell_tables(results(figures))[0]
    assert ("files left incomplete", "0", "1", "0.00") in [tuple(row) for row in nothing.rows]


def test_the_meaning_is_computed_from_the_figures() -> None:
    assert "10.0 ms while nobody else writes, unbatched 20.0 ms" in meaning(results(GOOD))
    assert "writing is 5.0% of it, unbatched 10.0%" in meaning(results(GOOD, import_s=0.2))
    assert "a lone import by -5.0%. The lock is held 1.00% of the time: 100 such" in meaning(
        results(GOOD, import_s=0.2)
    )


def test_a_budget_is_kept_short_of_its_aim_or_missed() -> None:
    rows = [judged("a", value, 10, 5, "{:.0f}") for value in (5, 6, 11)]
    assert [row[-1] for row in rows] == ["within the aim", "short of the aim", MISSED]
    assert budgets(rows).reading == "Budgets missed: a. Short of the aim only: a."


def test_the_length_of_an_import_is_read_from_its_own_benchmark(tmp_path: Path) -> None:
    page = tmp_path / "import.md"
    assert writer_benchmark.seconds_per_file(page) is None
    page.write_text("| first import | 19.9 | 32.9 |\n\n100 files (97 with content of their own), 132 passages")
    assert writer_benchmark.seconds_per_file(page) == pytest.approx(0.199)
    assert writer_benchmark.seconds_per_file(DOCS / "import.md") is not None
