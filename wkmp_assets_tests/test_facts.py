"""What a partition's metadata says of a commit, and what is read back from it."""

from pathlib import Path
from typing import Any

import dagster as dg

from wkmp_assets.facts import describe_commit, describe_outcome, recorded_commit
from wkmp_assets.model.batch import Receipt, Written
from wkmp_assets.model.values import FileState
from wkmp_assets.outcomes import Failed, Result, Skipped, SkipReason
from wkmp_assets_tests.builders import LATER, bare, commit, entry, in_a_row, mbid, phase_values, run_sql, sha


def through_dagster(described: dict[str, Any]) -> dict[str, Any]:
    """As the events keep it: Dagster's metadata values."""
    event = dg.AssetMaterialization("library_entry", metadata=described)
    return {name: value.value for name, value in event.metadata.items()}


def read_back(one: Any, run_id: str = "run-1") -> Any:
    return recorded_commit(through_dagster(describe_commit(one)), run_id)


def test_a_receipt_survives_the_metadata(database: Path) -> None:
    one = commit(database, entry("a.flac", bounds=in_a_row(3)))["a.flac"]
    recorded = read_back(one)
    assert (recorded.result, recorded.run_id) == ("imported", "run-1")
    assert one.receipt is not None
    rounded = {"wait_ms": round(one.receipt.wait_ms, 3), "hold_ms": round(one.receipt.hold_ms, 3)}
    assert recorded.receipt == Receipt(**{**vars(one.receipt), **rounded})


def test_a_receipt_says_what_was_written(database: Path) -> None:
    commits = commit(database, entry("a.flac", bounds=in_a_row(3)), bare("b.flac"))
    a, b = (read_back(commits[path]).receipt.written for path in ("a.flac", "b.flac"))
    stamp = "2026-03-01 12:00:00"
    assert a == Written(a.file, "INGEST COMPLETE", sha("a"), stamp, 3, 3, 3, 6, 0)
    assert b == Written(b.file, "DUPLICATE HASH", sha("a"), stamp, 0, 0, 0, 0, 0)


def test_passages_that_stay_are_said_to_be_kept(database: Path) -> None:
    commit(database, entry("a.flac", bounds=in_a_row(3)))
    run_sql(database, "UPDATE passages SET user_title = 'Mine' WHERE start_time_ticks > 0")
    again = commit(database, entry("a.flac", content="b", bounds=in_a_row(1)), now=LATER)["a.flac"]
    written = read_back(again).receipt.written
    assert (written.passages, written.kept_passages) == (1, 2)
    touched = commit(database, bare("a.flac", "b", FileState.TOUCHED, modified_at="2026-02-02 10:00:00"))["a.flac"]
    written = read_back(touched).receipt.written
    assert (written.passages, written.kept_passages) == (0, 3)
    copy = commit(database, entry("z.flac"), bare("a.flac", "a"))["a.flac"]
    written = read_back(copy).receipt.written
    assert (written.passages, written.kept_passages) == (0, 2)


def test_a_failure_has_a_receipt_that_claims_no_rows(database: Path) -> None:
    one = commit(database, ("a.flac", Failed("file_tags", "X", "broken")))["a.flac"]
    recorded = read_back(one)
    assert recorded.result == "failed"
    assert recorded.receipt.written is None
    assert recorded.receipt.rows == {"import_failures": 1}


def test_what_was_skipped_has_no_receipt(database: Path) -> None:
    one = commit(database, ("a.flac", Skipped(SkipReason.UNCHANGED)))["a.flac"]
    recorded = read_back(one)
    assert (recorded.result, recorded.receipt) == ("unchanged", None)


def test_receipts_of_older_versions_are_read(database: Path) -> None:
    described = describe_commit(commit(database, entry("a.flac"))["a.flac"])
    del described["written"]
    assert recorded_commit(through_dagster(described), "run-1").receipt.written is None  # type: ignore[union-attr] # else the test fails here


def test_metadata_without_anything_is_read() -> None:
    assert recorded_commit({}, "run-1").receipt is None


def test_matches_link_to_both_services_pages() -> None:
    described = through_dagster(describe_outcome(Result(phase_values()["song_matches"], "hash")))
    assert described["recordings"].splitlines()[0].startswith("https://musicbrainz.org/recording/")
    assert described["acoustids"] == f"https://acoustid.org/track/{mbid('acoustid')}"
