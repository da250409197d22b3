"""Findings from rows and receipts, for the cases that are hard to produce in a real library."""

from dataclasses import replace
from typing import Any

import pytest

from wkmp_assets.db.read.audit import AuditedFile, AuditedPassage, BrokenReference, LibraryAudit
from wkmp_assets.model.batch import Receipt, WrittenRows
from wkmp_assets.orchestration.checks.checked_file import CheckedFile, ReceiptState, match_receipt
from wkmp_assets.orchestration.checks.findings import Finding, Severity
from wkmp_assets.orchestration.checks.row_rules import (
    count_receipt_states,
    judge_bounds,
    judge_points,
    judge_reference,
    judge_wholeness,
)
from wkmp_assets.report.partition_metadata import FAILED, RecordedCommit

NOTE, WARNING, ERROR = Severity
RUN, STAMP, EARLIER, LATER = "run", "2026-03-01 12:00:00", "2026-02-01 12:00:00", "2026-04-01 12:00:00"


def passage(guid: str = "p", start: int = 0, end: int = 100, **columns: Any) -> AuditedPassage:
    columns = {"run_id": RUN, "imported_at": STAMP, "status": "INGEST COMPLETE"} | columns
    points = dict.fromkeys(("fade_in_ticks", "lead_in_ticks", "lead_out_ticks", "fade_out_ticks"))
    links = {"songs": 1, "albums": 1, "provenance": 2}
    return AuditedPassage(**{"guid": guid, "start_ticks": start, "end_ticks": end} | points | links | columns)


def file(*passages: AuditedPassage, **columns: Any) -> AuditedFile:
    row = {"guid": "f", "path": "a.flac", "content_hash": "h", "status": "INGEST COMPLETE", "duration_ticks": 1000}
    return AuditedFile(**row | {"has_original": False, "passages": passages} | columns)


def written(count: int = 1, kept: int = 0, **fields: Any) -> WrittenRows:
    claimed = WrittenRows("f", "INGEST COMPLETE", "h", STAMP, count, count, count, 2 * count, kept)
    return replace(claimed, **fields)


def recorded(claims: WrittenRows | None = None, result: str = "imported", **rows: int) -> RecordedCommit:
    return RecordedCommit(RUN, result, Receipt(1, 1, 9, 0, rows=rows, written=claims))


def audit(*files: AuditedFile, **others: Any) -> LibraryAudit:
    return LibraryAudit({one.path: one for one in files}, {one.guid: one for one in files}, **others)


def checked(one: AuditedFile | None, commit: RecordedCommit | None = None, **others: Any) -> CheckedFile:
    return match_receipt("a.flac", commit, audit(*([one] if one else []), **others))


def told(findings: Any) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.text) for finding in findings]


def severities(findings: Any) -> list[Severity]:
    return [finding.severity for finding in findings]


def test_a_whole_file_has_nothing_to_find() -> None:
    whole = checked(file(passage("p", 0, 100), passage("q", 100, 200)), recorded(written(2)))
    assert told(judge_wholeness(whole)) == []
    assert told(judge_bounds(whole)) == []
    assert told(judge_points(whole)) == []


@pytest.mark.parametrize(
    ("one", "commit", "receipt_state"),
    [
        (file(passage()), recorded(written()), ReceiptState.CURRENT),
        (None, recorded(written()), ReceiptState.CURRENT),
        (file(passage()), None, ReceiptState.NO_RECEIPT),
        (file(passage()), recorded(None, FAILED), ReceiptState.NO_RECEIPT),
        (file(passage()), RecordedCommit(RUN, "unchanged", None), ReceiptState.NO_RECEIPT),
        (file(passage(), content_hash="other"), recorded(written()), ReceiptState.OUTDATED),
        (file(passage(run_id="next", imported_at=LATER)), recorded(written()), ReceiptState.OUTDATED),
        (file(passage(run_id="next")), recorded(written()), ReceiptState.OUTDATED),
        (file(passage(), guid="another"), recorded(written()), ReceiptState.OUTDATED),
        (file(passage(), passage("old", 200, 300, run_id="before", imported_at=EARLIER)), recorded(written()),
         ReceiptState.CURRENT),
        (file(passage(), passage("mine", 200, 300, run_id=None, imported_at=LATER)), recorded(written()),
         ReceiptState.CURRENT),
    ],
)  # fmt: skip
def test_a_receipt_counts_until_a_later_import_writes_the_file(
    one: AuditedFile | None, commit: RecordedCommit | None, receipt_state: ReceiptState
) -> None:
    assert checked(one, commit).receipt_state is receipt_state


def test_a_file_that_moved_is_found_by_the_guid_of_its_receipt() -> None:
    moved = file(passage(run_id="next", imported_at=LATER), path="b.flac")
    found = match_receipt("a.flac", recorded(written()), audit(moved))
    assert (found.receipt_state, found.path, found.file) == (ReceiptState.MOVED, "b.flac", moved)
    assert told(judge_wholeness(found)) == []


def test_rows_of_a_later_import_are_not_held_against_an_older_receipt() -> None:
    later = checked(file(passage(run_id="next", imported_at=LATER)), recorded(written(3)))
    assert told(judge_wholeness(later)) == []


def test_a_receipt_of_an_older_version_is_no_claim() -> None:
    old = RecordedCommit(RUN, "imported", Receipt(1, 1, 9, 0))
    assert told(judge_wholeness(checked(file(passage()), old))) == []


@pytest.mark.parametrize(
    ("one", "claims"),
    [
        (file(passage(songs=0)), written()),
        (file(passage(albums=2)), written()),
        (file(passage(provenance=1)), written()),
        (file(passage()), written(2)),
        (file(passage(), passage("q", 100, 200)), written(1, passage_songs=2, passage_albums=2, provenance=4)),
        (file(passage(status="PENDING")), written()),
        (file(passage(missing=("song s",))), written()),
        (file(status="NO AUDIO"), written(0)),
        (file(passage(), passage("old", run_id="before", imported_at=EARLIER)), written()),
    ],
)
def test_any_difference_from_the_receipt_is_an_error(one: AuditedFile, claims: WrittenRows) -> None:
    assert ERROR in severities(judge_wholeness(checked(one, recorded(claims))))


def test_kept_passages_are_expected_and_people_may_add_more() -> None:
    old = passage("old", 200, 300, run_id="before", imported_at=EARLIER)
    mine = passage("mine", 300, 400, run_id=None, imported_at=None)
    assert told(judge_wholeness(checked(file(passage(), old), recorded(written(1, kept=1))))) == []
    assert told(judge_wholeness(checked(file(passage(), old, mine), recorded(written(1, kept=1))))) == []
    assert severities(judge_wholeness(checked(file(passage()), recorded(written(1, kept=1))))) == [WARNING]


def test_a_touched_file_keeps_the_passages_of_an_earlier_run() -> None:
    touched = checked(file(passage(run_id="before", imported_at=EARLIER)), recorded(written(0, kept=1), "touched"))
    assert touched.receipt_state is ReceiptState.CURRENT
    assert told(judge_wholeness(touched)) == []
    assert [one.guid for one in touched.imported_passages] == ["p"]


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", None])
def test_a_file_other_programs_have_begun_is_theirs_until_we_wrote_passages_of_it(status: str | None) -> None:
    theirs = passage(run_id=None, imported_at=None, status="PENDING")
    assert told(judge_wholeness(checked(file(theirs, status=status)))) == []
    assert severities(judge_wholeness(checked(file(passage(), status=status)))) == [ERROR]


def test_passages_of_people_need_no_import_status() -> None:
    theirs = passage("mine", run_id=None, imported_at=None, status="PENDING")
    assert told(judge_wholeness(checked(file(passage(), theirs)))) == []


def test_a_failed_import_leaves_its_reason_and_nothing_else() -> None:
    failed = recorded(None, FAILED, import_failures=1)
    assert told(judge_wholeness(checked(None, failed, failures=frozenset({"a.flac"})))) == []
    assert severities(judge_wholeness(checked(None, failed))) == [ERROR]
    more = recorded(None, FAILED, import_failures=1, passages=2)
    assert "passages" in told(judge_wholeness(checked(None, more, failures=frozenset({"a.flac"}))))[0][1]


def test_the_reason_of_a_failure_may_go_when_a_killed_import_has_written_the_file() -> None:
    failed = recorded(None, FAILED, import_failures=1)
    assert told(judge_wholeness(checked(file(passage()), failed))) == []


def test_a_passage_overlaps_all_it_reaches_over() -> None:
    long, first, second = passage("long", 0, 500), passage("first", 100, 200), passage("second", 300, 400)
    found = told(judge_bounds(checked(file(long, first, second), recorded(written(3)))))
    assert [severity for severity, _ in found] == [ERROR, ERROR]
    assert all("overlaps passage long" in text for _, text in found)


def test_a_file_of_unknown_length_has_no_end_to_lie_beyond() -> None:
    assert told(judge_bounds(checked(file(passage(end=10**12), duration_ticks=None)))) == []
    assert severities(judge_bounds(checked(file(passage(end=1001))))) == [ERROR]
    assert severities(judge_bounds(checked(file(passage(end=1000))))) == []


def test_passages_kept_for_people_are_shown_where_they_are_odd() -> None:
    old = passage("old", 50, 2000, run_id="before", imported_at=EARLIER)
    found = told(judge_bounds(checked(file(passage(), old), recorded(written(1, kept=1)))))
    assert [severity for severity, _ in found] == [NOTE, NOTE]
    assert all("people use or edit it" in text for _, text in found)


@pytest.mark.parametrize(
    ("points", "right"),
    [
        ({}, True),
        ({"lead_in_ticks": 0, "lead_out_ticks": 100}, True),
        ({"lead_in_ticks": 50, "lead_out_ticks": 50}, True),
        ({"lead_in_ticks": 51, "lead_out_ticks": 50}, False),
        ({"lead_in_ticks": -1}, False),
        ({"lead_out_ticks": 101}, False),
        ({"fade_in_ticks": 60, "lead_in_ticks": 10, "fade_out_ticks": 60}, True),
        ({"fade_in_ticks": 61, "fade_out_ticks": 60}, False),
    ],
)
def test_points_are_in_order(points: dict[str, int], right: bool) -> None:
    found = list(judge_points(checked(file(passage(**points)))))
    assert severities(found) == ([] if right else [ERROR])


def test_points_are_shown_in_seconds() -> None:
    (found,) = judge_points(checked(file(passage(start=0, end=56_448_000, lead_in_ticks=84_672_000))))
    assert found.values == {"passage": "p", "start_s": 0.0, "end_s": 2.0, "lead_in_s": 3.0}


def test_a_broken_reference_is_of_the_library_not_of_a_file() -> None:
    found = judge_reference(BrokenReference("passage_songs", 3, "songs"))
    assert found == Finding(ERROR, None, "row 3 of table passage_songs refers to a missing row of songs: delete it")
    assert "cannot be checked" in judge_reference(BrokenReference("queue", None, "foreign key mismatch")).text


def test_what_was_judged_by_what_is_counted() -> None:
    files = [
        checked(file(passage()), recorded(written())),
        checked(None, recorded(written())),
        checked(file(passage())),
        checked(None),
        checked(None, recorded(None, FAILED), failures=frozenset({"a.flac"})),
    ]
    expected = {"by receipt": 2, "by rows alone": 1, "not in the library": 1, "recorded as failed": 1}
    assert count_receipt_states(files) == expected
