"""What the report counts."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from wkmp_assets.db.read.counts import LibraryCounts, StoredFailure
from wkmp_assets.db.read.overview import LibraryOverview, read_overview
from wkmp_assets.model.batch import Receipt, WrittenRows
from wkmp_assets.report.bars import bin_values
from wkmp_assets.report.commits import TimedReceipt, compute_commit_figures
from wkmp_assets.report.figures import MAX_EXAMPLES, ReportFigures, compute_figures
from wkmp_assets_tests.support.builders import commit, entry, in_a_row, opened, run_sql

EMPTY = LibraryCounts({}, {}, 0)


def committed(
    written_at: str | None = None, *, locks: int = 1, hold_ms: float = 1.0, passages: int = 2, began: str | None = None
) -> TimedReceipt:
    written = WrittenRows("guid", "INGEST COMPLETE", "hash", written_at, passages, 0, 0, 0, 0) if written_at else None
    receipt = Receipt(locks, locks, 9, 0, hold_ms=hold_ms, wait_ms=0.0, written=written)
    return TimedReceipt(receipt, datetime.fromisoformat(began) if began else None)


def figures_of(database: Path) -> ReportFigures:
    return compute_figures(EMPTY, (), read_overview(database), ())


def set_flavor(database: Path, number: int, vector: object) -> None:
    with opened(database) as connection:
        values = [json.dumps(vector), number]
        connection.execute("UPDATE passages SET musical_flavor_vector = ? WHERE rowid = ?", values)


def shown(bars: object) -> dict[str, int]:
    assert isinstance(bars, tuple)
    return {bar.label: bar.count for bar in bars}


def test_values_are_counted_between_bounds_and_empty_ends_are_left_out() -> None:
    found = bin_values([1.0, 1.5, 3.0], [1, 2, 3, 4], ["< 1", "1", "2", "3", "4"])
    assert shown(found) == {"1": 2, "2": 0, "3": 1}
    assert [bar.height for bar in found] == [1.0, 0.0, 0.5]
    assert bin_values([], [1], ["< 1", "1"]) == ()


def test_passages_are_counted_by_level_length_and_leads(database: Path) -> None:
    commit(database, entry(bounds=in_a_row(3), songs=[None, None, None]))
    run_sql(
        database,
        "UPDATE passages SET identity_confidence = 0.85, lead_in_start_ticks = start_time_ticks WHERE rowid = 1",
        "UPDATE passages SET lead_in_start_ticks = NULL, lead_out_start_ticks = NULL WHERE rowid = 2",
    )
    figures = figures_of(database)
    assert shown(figures.levels) == {"High": 1, "Medium": 0, "Low": 0, "None": 2}
    assert shown(figures.lengths) == {"15 s": 3}
    assert shown(figures.leads["Lead-in"])["0 s"] == 1
    assert shown(figures.leads["Lead-out"]) == {"5": 2}
    assert figures.without_leads == 1
    assert figures.with_song == 0


def test_failures_are_grouped_by_cause_and_named_up_to_a_limit() -> None:
    failed = [StoredFailure(f"{number}.mp3", "passage_segments", "DECODE_ERROR", "m", 1, "t") for number in range(50)]
    other = StoredFailure("x.mp3", "file_identity", "READ_ERROR", "m", 2, "t")
    figures = compute_figures(EMPTY, [other, *failed], LibraryOverview(), ())
    assert [(group.code, group.files) for group in figures.failures] == [("DECODE_ERROR", 50), ("READ_ERROR", 1)]
    assert len(figures.failures[0].examples) == MAX_EXAMPLES
    assert figures.failed == 51


def test_a_file_that_took_two_locks_is_seen() -> None:
    figures = compute_commit_figures([committed(), committed(), committed(locks=2, hold_ms=70.0)])
    assert figures is not None
    assert shown(figures.locks) == {"1": 2, "2": 1}
    assert figures.mean_locks == pytest.approx(4 / 3)
    assert figures.hold.max_ms == 70.0
    assert shown(figures.hold.bars)["50"] == 1


def test_imports_are_told_apart_by_long_pauses_and_the_largest_is_drawn() -> None:
    first = [f"2026-03-01 12:00:{second:02}" for second in (0, 1, 1, 2, 20)]
    figures = compute_commit_figures([committed(time) for time in [*first, "2026-03-01 13:00:00"]] + [committed()])
    assert figures is not None
    found = [(session.files, session.passages, session.seconds) for session in figures.sessions]
    assert found == [(1, 2, 1), (5, 10, 20)]
    assert figures.largest == figures.sessions[1]
    assert figures.sessions[1].files_per_s == 0.25
    counts = [bar.count for bar in figures.pace]
    assert (sum(counts), counts[1], len(counts), figures.pace_s) == (5, 2, 21, 1)


def test_an_import_takes_from_the_beginning_of_its_first_run_not_from_its_first_write() -> None:
    """A run computes all of its files before it writes the first one."""
    first = [committed("2026-03-01 12:00:29", began="2026-03-01 12:00:00") for _ in range(50)]
    second = [committed("2026-03-01 12:00:50", began="2026-03-01 12:00:30") for _ in range(50)]
    figures = compute_commit_figures([*second, *first])
    assert figures is not None
    assert figures.largest is not None
    assert (figures.largest.seconds, figures.largest.files_per_s) == (50, 2.0)
    assert [bar.count for bar in figures.pace if bar.count] == [50, 50]
    assert figures.pace[29].count == 50


def test_idle_time_between_two_runs_is_no_working_time() -> None:
    """Two runs of the sensor, of ten seconds each, eight minutes apart."""
    first = [committed("2026-03-01 12:00:10", began="2026-03-01 12:00:00") for _ in range(20)]
    second = [committed("2026-03-01 12:08:10", began="2026-03-01 12:08:00") for _ in range(20)]
    figures = compute_commit_figures([*first, *second])
    assert figures is not None
    assert [(one.files, one.seconds, one.files_per_s) for one in figures.sessions] == [(40, 20, 2.0)]
    assert sum(bar.count for bar in figures.pace) == 40


def test_a_run_that_paused_for_hours_does_not_count_its_first_part_again() -> None:
    """Its first files count as one import, so the second one cannot begin before their end."""
    early = [committed("2026-03-01 09:00:10", began="2026-03-01 09:00:00") for _ in range(10)]
    late = [committed(f"2026-03-01 12:00:{second:02}", began="2026-03-01 09:00:00") for second in (10, 20)]
    figures = compute_commit_figures([*early, *late])
    assert figures is not None
    assert [one.seconds for one in figures.sessions] == [10, 10]


def test_a_long_import_is_drawn_with_few_bars() -> None:
    times = [f"2026-03-01 {minute // 60:02}:{minute % 60:02}:00" for minute in range(0, 1440, 5)]
    figures = compute_commit_figures([committed(time) for time in times])
    assert figures is not None
    assert len(figures.pace) <= 61
    assert sum(bar.count for bar in figures.pace) == len(times)


def test_receipts_that_do_not_say_when_have_no_throughput() -> None:
    figures = compute_commit_figures([committed()])
    assert figures is not None
    assert (figures.sessions, figures.largest, figures.pace) == ((), None, ())
    assert compute_commit_figures([]) is None


def test_a_library_that_is_older_than_our_columns_is_read(database: Path) -> None:
    commit(database, entry())
    run_sql(
        database,
        "DROP INDEX idx_passages_title",
        *(f"ALTER TABLE passages DROP COLUMN {name}" for name in ("title", "identity_confidence", "recording_mbid")),
    )
    overview = read_overview(database)
    assert [passage.confidence for passage in overview.passages] == [None]
    assert overview.longest[0].title is None


def test_there_is_nothing_to_see_before_the_first_import(database: Path) -> None:
    assert read_overview(database) == LibraryOverview()
    figures = figures_of(database)
    assert (figures.levels, figures.lengths, figures.flavors, figures.commits) == ((), (), None, None)


def test_vectors_that_are_none_are_left_out_of_the_map(database: Path) -> None:
    commit(database, entry(bounds=in_a_row(5)))
    for number, high in enumerate((0.1, 0.5, 0.9), 1):
        set_flavor(database, number, {"user.energy": {"high": high, "low": 1 - high}})
    set_flavor(database, 4, {"bpm": "120"})
    flavors = figures_of(database).flavors
    assert flavors is not None
    assert len(flavors.passages) == len(flavors.flavor_map.positions) == 3
    assert flavors.total == 4


def test_the_longest_and_shortest_are_named_by_what_a_person_called_them(database: Path) -> None:
    commit(database, entry(bounds=[(0, 441_000), (500_000, 2_000_000)]))
    run_sql(database, "UPDATE passages SET user_title = 'Mine' WHERE start_time_ticks = 0")
    overview = read_overview(database)
    assert [passage.title for passage in overview.shortest] == ["Mine", "a 1"]
    assert overview.longest == tuple(reversed(overview.shortest))
