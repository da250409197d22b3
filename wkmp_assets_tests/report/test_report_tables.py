"""The report as tables, which the web UI shows without the page."""

from dataclasses import replace
from pathlib import Path

from wkmp_assets.db.read.counts import read_counts, read_failures
from wkmp_assets.db.read.file_warnings import read_warnings
from wkmp_assets.db.read.overview import read_overview
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.orchestration.dagster_values import to_metadata
from wkmp_assets.report.figures import ReportFigures, compute_figures
from wkmp_assets.report.report_tables import MAX_LINES, number_report, tabulate_report
from wkmp_assets_tests.report.test_figures import committed
from wkmp_assets_tests.support.builders import commit, entry, in_a_row

CUT = FileWarning(WarningKind.CUT_SHORT, "The file is cut short.")


def figures_of(database: Path) -> ReportFigures:
    counts = read_counts(database)
    assert counts is not None
    receipts = [committed("2026-03-01 12:00:00")]
    return compute_figures(counts, read_failures(database), read_overview(database), receipts, read_warnings(database))


def test_everything_that_the_report_says_in_words_is_a_table(database: Path) -> None:
    commit(
        database,
        replace(entry("a.mp3", "a", in_a_row(2), songs=[None, None]), warnings=(CUT,)),
        ("b\x1b[2J.mp3", Failed("passage_segments", "DECODE_ERROR", "b\x1b[2J.mp3: no sound in it; replace it")),
    )
    tables = tabulate_report(figures_of(database))
    assert "2 of 2 passages have no song" in tables["no_song"]
    assert tables["files_by_status"].lines == ({"status": "imported", "files": "1"},)
    (failure,) = tables["failures"].lines
    assert (failure["code"], failure["file"]) == ("DECODE_ERROR", "b\\x1b[2J.mp3")
    assert failure["why, and what to do"] == "no sound in it; replace it"
    (doubt,) = tables["warnings"].lines
    assert doubt == {"kind": "cut short", "files": "1", "for example": "a.mp3", "what is doubtful": CUT.text}
    assert {"what": "write locks per file", "value": "1.00"} in tables["transactions"].lines
    assert [line["files"] for line in tables["imports"].lines] == ["1"]
    assert set(to_metadata(tables)) == set(tables)


def test_what_there_is_nothing_of_has_no_table_and_much_of_it_a_short_one(database: Path) -> None:
    commit(database, entry("a.mp3"))
    assert {"failures", "warnings", "no_song"} & set(tabulate_report(figures_of(database))) == set()
    failed = [(f"{number}.mp3", Failed("p", f"CODE_{number}", "broken")) for number in range(MAX_LINES + 9)]
    commit(database, *failed)
    assert len(tabulate_report(figures_of(database))["failures"].lines) == MAX_LINES


def test_the_numbers_to_plot_leave_out_what_is_not_known(database: Path) -> None:
    commit(database, ("a.mp3", Failed("passage_segments", "DECODE_ERROR", "a.mp3: no sound in it; replace it")))
    empty = replace(figures_of(database), commits=None)
    assert number_report(empty, {}) == {}
    commit(database, entry("b.mp3", "b", in_a_row(2), songs=[None, None]))
    numbers = number_report(figures_of(database), {"bpm": 96.5})
    assert set(numbers) == {"identified_share", "wait_p99_ms", "hold_p99_ms", "files_per_s", "median_bpm"}
    assert (numbers["identified_share"], numbers["median_bpm"]) == (0, 96.5)
