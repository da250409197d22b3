"""The metadata of a partition about a commit, written and read back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from wkmp_assets.model.batch import Receipt, WrittenRows
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.outcomes import Failed, Result, Skipped, SkipReason
from wkmp_assets.model.values import FileState
from wkmp_assets.orchestration.dagster_values import to_metadata
from wkmp_assets.report.partition_metadata import (
    MAX_SHOWN_KEY,
    Link,
    describe_commit,
    describe_outcome,
    parse_commit,
)
from wkmp_assets_tests.support.builders import (
    LATER,
    bare,
    commit,
    entry,
    in_a_row,
    mbid,
    phase_values,
    run_sql,
    sha,
    song,
)


def through_dagster(described: dict[str, Any]) -> dict[str, Any]:
    """As the events keep it: Dagster's metadata values."""
    event = dg.AssetMaterialization("library_entry", metadata=to_metadata(described))
    return {name: value.value for name, value in event.metadata.items()}


def read_back(one: Any, run_id: str = "run-1") -> Any:
    return parse_commit(through_dagster(describe_commit(one)), run_id)


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
    assert a == WrittenRows(a.file, "INGEST COMPLETE", sha("a"), stamp, 3, 3, 3, 6, 0)
    assert b == WrittenRows(b.file, "DUPLICATE HASH", sha("a"), stamp, 0, 0, 0, 0, 0)


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
    assert parse_commit(through_dagster(described), "run-1").receipt.written is None  # type: ignore[union-attr] # else the test fails here


def test_metadata_without_anything_is_read() -> None:
    assert parse_commit({}, "run-1").receipt is None


def test_matches_link_to_both_services_pages() -> None:
    described = describe_outcome(Result(phase_values()["song_matches"], "hash"))
    first, second = (song(f"a {number}").recording_mbid for number in range(2))
    assert described["recording_1"] == Link(f"https://musicbrainz.org/recording/{first}")
    assert described["recording_2"] == Link(f"https://musicbrainz.org/recording/{second}")
    assert described["acoustid"] == Link(f"https://acoustid.org/track/{mbid('acoustid')}")


def test_a_commit_says_first_what_was_found(database: Path) -> None:
    described = describe_commit(commit(database, entry("a.flac", bounds=in_a_row(2)))["a.flac"])
    assert list(described)[:3] == ["result", "found", "passages"]
    assert described["found"] == "10:00.0 of FLAC: 2 passages, 2 of them with a known song"
    first, second = described["passages"].lines
    assert first == {
        "passage": "1", "from": "0:00.0", "to": "0:20.0", "title": "a 0", "artist": "Ann", "song": "High, 1.00",
        "lead-in": "5.0 s", "lead-out": "5.0 s",
    }  # fmt: skip
    assert (second["passage"], second["from"], second["to"]) == ("2", "0:23.0", "0:43.0")
    assert described["recording_1"].url.endswith(song("a 0").recording_mbid)


def test_what_is_not_known_of_a_passage_is_a_dash(database: Path) -> None:
    one = entry("a.flac", bounds=in_a_row(1), songs=[None])
    silent = replace(one.passages[0].lead_points, lead_in_ticks=None, lead_out_ticks=None)
    one = replace(one, passages=(replace(one.passages[0], lead_points=silent),))
    described = describe_commit(commit(database, one)["a.flac"])
    (row,) = described["passages"].lines
    assert {row[name] for name in ("title", "lead-in", "lead-out")} == {"-"}
    assert row["song"] == "not known"
    assert not [name for name in described if name.startswith("recording")]


LONG = f"{'Cantatas/' * 21}Wachet auf.flac"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Artist/Album/01 Title.flac", None),
        ("a" * MAX_SHOWN_KEY, None),
        ("a" * (MAX_SHOWN_KEY + 1), "a" * (MAX_SHOWN_KEY + 1)),
        (LONG, LONG),
        ("Cantatas, Vol. 1 [live]/100%.flac", "Cantatas, Vol. 1 [live]/100%.flac"),
        ("one\x1b[2Jline.flac", "one\\x1b[2Jline.flac"),
    ],
)
def test_the_path_is_told_where_the_key_does_not_show_it(database: Path, path: str, said: str | None) -> None:
    key = encode_key(path)
    written = commit(database, entry("a.flac"))["a.flac"]
    assert describe_commit(replace(written, key=key)).get("path") == said


def test_a_copy_and_a_silent_file_say_what_they_are(database: Path) -> None:
    commits = commit(
        database, entry("a.flac"), bare("b.flac", duplicate_of="a.flac"), entry("c.flac", content="c", bounds=())
    )
    assert describe_commit(commits["b.flac"])["found"] == "the same bytes as a.flac, which stands for both"
    assert describe_commit(commits["c.flac"])["found"] == "10:00.0 of FLAC: nothing but silence"


def test_titles_stay_text_in_tables(database: Path) -> None:
    one = commit(database, entry("a.flac", songs=[song("<b>[x](javascript:alert(1))</b>")]))["a.flac"]
    table = to_metadata(describe_commit(one))["passages"]
    assert isinstance(table, dg.TableMetadataValue)
    assert table.records[0].data["title"] == "<b>[x](javascript:alert(1))</b>"


def test_what_a_passage_sounds_like_is_a_line_of_a_table() -> None:
    (first, _) = describe_outcome(Result(phase_values()["flavors"], "hash"))["sound"].lines
    assert first == {"passage": "1", "sound": "dark (75 %), 123 bpm, Eb minor, -14.9 LUFS"}


def test_where_passages_are_is_a_line_of_a_table_each() -> None:
    (first, second) = describe_outcome(Result(phase_values()["passage_segments"], "hash"))["where"].lines
    assert first == {"passage": "1", "from": "0:00.0", "to": "0:20.0", "length": "0:20.0"}
    assert second["from"] == "0:23.0"
