"""Files of a run against the library: originals and copies, moves and failures."""

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.db.read.counts import read_counts, read_failures
from wkmp_assets.db.read.known_files import read_known_by_hash, read_known_by_path, read_known_files
from wkmp_assets.db.tables import MAX_LISTED_COPIES
from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Failed, Result, Skipped, SkipReason
from wkmp_assets.model.values import FileState
from wkmp_assets_tests.support.builders import (
    LATER,
    NOW,
    audio,
    bare,
    column,
    commit,
    done,
    dump,
    entry,
    file_row,
    in_a_row,
    meanwhile_sql,
    prepared,
    problems,
    rows,
    run_sql,
    sha,
    song,
)
from wkmp_assets_tests.support.patience import PATIENCE_S

SILENT: list[tuple[int, int]] = []


def copies(database: Path, path: str) -> list[str]:
    """Return the paths of the copies that a file lists, in order."""
    listed = json.loads(file_row(database, path)["matching_hashes"] or "[]")
    return [column(database, "SELECT path FROM files WHERE guid = ?", guid)[0] for guid in listed]


def statuses(database: Path) -> dict[str, str]:
    return {row["path"]: row["status"] for row in rows(database, "SELECT path, status FROM files")}


def outcome_of(one: FileCommit, kind: type) -> Any:
    assert isinstance(one.outcome, kind)
    return one.outcome


def test_a_copy_is_linked_both_ways_and_has_no_passages(database: Path) -> None:
    commits = commit(database, bare("b.flac"), entry("a.flac"))
    assert statuses(database) == {"a.flac": "INGEST COMPLETE", "b.flac": "DUPLICATE HASH"}
    assert copies(database, "a.flac") == ["b.flac"]
    assert copies(database, "b.flac") == ["a.flac"]
    assert column(database, "SELECT DISTINCT file_id FROM passages") == [file_row(database, "a.flac")["guid"]]
    assert [one.receipt.write_locks for one in commits.values() if one.receipt] == [1, 1]
    assert [one.receipt.selects_in_transaction for one in commits.values() if one.receipt] == [0, 0]


def test_a_third_copy_knows_the_original_first_and_all_know_each_other(database: Path) -> None:
    commit(database, entry("m.flac"))
    commit(database, bare("z.flac"))
    commit(database, bare("a.flac"))
    assert copies(database, "a.flac") == ["m.flac", "z.flac"]
    assert copies(database, "z.flac")[0] == "m.flac"
    for path in ("a.flac", "m.flac", "z.flac"):
        assert set(copies(database, path)) == {"a.flac", "m.flac", "z.flac"} - {path}
    assert sorted(statuses(database).values()) == ["DUPLICATE HASH", "DUPLICATE HASH", "INGEST COMPLETE"]


def test_an_original_is_committed_before_its_copies_whatever_their_names(database: Path) -> None:
    commits = commit(database, bare("a.flac"), entry("z.flac"))
    assert isinstance(commits["a.flac"].outcome, Result)
    assert statuses(database)["z.flac"] == "INGEST COMPLETE"


def test_a_file_thought_new_whose_copy_was_imported_meanwhile_is_a_duplicate(database: Path) -> None:
    commit(database, entry("a.flac"))
    commit(database, entry("b.flac"))
    assert statuses(database) == {"a.flac": "INGEST COMPLETE", "b.flac": "DUPLICATE HASH"}
    assert problems(database) == []


def test_a_copy_says_what_its_original_said_about_the_sound(database: Path) -> None:
    commit(database, entry("a.flac"), bare("b.flac"))
    names = ("duration_ticks", "format", "sample_rate", "channels")
    a, b = file_row(database, "a.flac"), file_row(database, "b.flac")
    assert [a[name] for name in names] == [b[name] for name in names]


def test_a_file_that_becomes_a_copy_loses_its_passages(database: Path) -> None:
    commit(database, entry("a.flac"), entry("b.flac", content="b"))
    commit(database, bare("b.flac", "a"), now=LATER)
    assert column(database, "SELECT DISTINCT file_id FROM passages") == [file_row(database, "a.flac")["guid"]]


def test_a_file_that_becomes_a_silent_copy_loses_its_passages(database: Path) -> None:
    commit(database, entry("a.flac", bounds=SILENT), entry("b.flac", content="b"))
    commit(database, bare("b.flac", "a"), now=LATER)
    assert statuses(database) == {"a.flac": "NO AUDIO", "b.flac": "NO AUDIO"}
    assert column(database, "SELECT count(*) FROM passages") == [0]


def test_a_file_without_music_is_no_audio(database: Path) -> None:
    commit(database, entry("a.flac", bounds=SILENT))
    assert statuses(database) == {"a.flac": "NO AUDIO"}
    assert file_row(database, "a.flac")["duration_ticks"] == audio().total_samples * 640


def test_the_copy_of_a_failed_original_fails_too_and_says_why(database: Path) -> None:
    commits = commit(
        database,
        ("a.flac", Failed("passage_segments", "DECODE_ERROR", "a.flac: broken")),
        bare("b.flac", duplicate_of="a.flac"),
    )
    failed = outcome_of(commits["b.flac"], Failed)
    assert failed.code == "ORIGINAL_FAILED"
    assert "a.flac" in failed.message
    assert statuses(database) == {}
    assert [failure.path for failure in read_failures(database)] == ["a.flac", "b.flac"]


@pytest.mark.slow
def test_two_processes_that_both_believe_to_be_first_leave_one_original(database: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    names = ["a.flac", "b.flac", "c.flac"]
    processes = [context.Process(target=_commit_when_told, args=(database, name, barrier)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_S)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert sorted(statuses(database).values()) == ["DUPLICATE HASH", "DUPLICATE HASH", "INGEST COMPLETE"]
    assert column(database, "SELECT count(DISTINCT file_id) FROM passages") == [1]
    for name in names:
        assert set(copies(database, name)) == {*names} - {name}
    assert problems(database) == []


def _commit_when_told(database: Path, name: str, barrier: Any) -> None:
    one = entry(name, bounds=in_a_row(3))
    barrier.wait()
    commit(database, one)


def test_a_moved_file_keeps_its_guid_and_passages(database: Path) -> None:
    commit(database, entry("old.flac", bounds=in_a_row(2)))
    guid, passages = file_row(database, "old.flac")["guid"], rows(database, "SELECT * FROM passages")
    commit(database, bare("new.flac", state=FileState.MOVED, moved_from="old.flac"), now=LATER)
    assert statuses(database) == {"new.flac": "INGEST COMPLETE"}
    row = file_row(database, "new.flac")
    assert (row["guid"], row["title"], row["updated_at"]) == (guid, "Title", "2026-03-02 12:00:00")
    assert rows(database, "SELECT * FROM passages") == passages


def test_a_copy_put_where_a_moved_file_was_gets_a_guid_of_its_own(database: Path) -> None:
    commit(database, entry("old.flac"))
    commit(database, bare("new.flac", state=FileState.MOVED, moved_from="old.flac"), now=LATER)
    commit(database, bare("old.flac"), now=LATER)
    assert statuses(database) == {"new.flac": "INGEST COMPLETE", "old.flac": "DUPLICATE HASH"}
    assert len(set(column(database, "SELECT guid FROM files"))) == 2


def test_a_path_that_twenty_files_were_moved_away_from_has_an_id_for_the_next(database: Path) -> None:
    for number in range(20):
        commit(database, bare("in.flac") if number else entry("in.flac"))
        commit(database, bare(f"{number}.flac", state=FileState.MOVED, moved_from="in.flac"), now=LATER)
    commit(database, bare("in.flac"))
    assert len(set(column(database, "SELECT guid FROM files"))) == 21


def test_of_two_copies_of_a_moved_file_one_takes_its_place(database: Path) -> None:
    commit(database, entry("old.flac"))
    commit(database, bare("x.flac", state=FileState.MOVED, moved_from="old.flac"), bare("y.flac"), now=LATER)
    assert statuses(database) == {"x.flac": "INGEST COMPLETE", "y.flac": "DUPLICATE HASH"}
    assert copies(database, "y.flac") == ["x.flac"]


def test_a_file_two_runs_believe_moved_is_moved_once_and_copied_once(database: Path) -> None:
    commit(database, entry("old.flac"))
    for name in ("x.flac", "y.flac"):
        commit(database, bare(name, state=FileState.MOVED, moved_from="old.flac"), now=LATER)
    assert statuses(database) == {"x.flac": "INGEST COMPLETE", "y.flac": "DUPLICATE HASH"}


def moved(path: str, content: str, origin: dict[str, Any], **known: Any) -> Any:
    known = {"state": FileState.MOVED, "moved_from": origin["path"], "moved_guid": origin["guid"]} | known
    return bare(path, content, **known)


def owners(database: Path) -> dict[str, tuple[str, str]]:
    """Return path -> guid of its row and of that row's passage."""
    query = "SELECT f.path, f.guid, p.guid AS passage FROM files AS f LEFT JOIN passages AS p ON p.file_id = f.guid"
    return {row["path"]: (row["guid"], row["passage"]) for row in rows(database, query)}


def test_rows_follow_their_content_when_names_are_swapped(database: Path) -> None:
    commit(database, entry("a.flac", "a"), entry("b.flac", "b"))
    before = owners(database)
    a, b = file_row(database, "a.flac"), file_row(database, "b.flac")
    swapped = (moved("a.flac", "b", b, replaces=sha("a")), moved("b.flac", "a", a, replaces=sha("b")))
    commits = commit(database, *swapped, now=LATER)
    assert owners(database) == {"a.flac": before["b.flac"], "b.flac": before["a.flac"]}
    assert [file_row(database, path)["hash"] for path in ("a.flac", "b.flac")] == [sha("b"), sha("a")]
    assert [one.receipt.write_locks for one in commits.values() if one.receipt] == [1, 1]
    assert problems(database) == []


def test_rows_follow_their_content_round_a_ring_and_up_by_one(database: Path) -> None:
    commit(database, *(entry(f"{number}.flac", str(number)) for number in range(4)))
    before, found = owners(database), [file_row(database, f"{number}.flac") for number in range(4)]
    commit(database, *(moved(f"{n}.flac", str((n + 1) % 4), found[(n + 1) % 4]) for n in range(4)), now=LATER)
    assert owners(database) == {f"{n}.flac": before[f"{(n + 1) % 4}.flac"] for n in range(4)}
    commit(database, *(moved(f"{n + 1}.flac", str((n + 1) % 4), found[(n + 1) % 4]) for n in range(4)), now=LATER)
    assert owners(database) == {f"{n + 1}.flac": before[f"{(n + 1) % 4}.flac"] for n in range(4)}


def test_what_a_moved_file_was_put_over_is_missing_and_keeps_its_passages(database: Path) -> None:
    commit(database, entry("a.flac", "a"), entry("b.flac", "b"))
    before = owners(database)
    commit(database, moved("b.flac", "a", file_row(database, "a.flac"), replaces=sha("b")), now=LATER)
    assert owners(database) == {"b.flac": before["a.flac"], "a.flac": before["b.flac"]}
    assert statuses(database) == {"a.flac": "INGEST COMPLETE", "b.flac": "INGEST COMPLETE"}


def test_a_copy_whose_original_was_deleted_gets_its_row_and_passages(database: Path) -> None:
    commit(database, entry("a.flac"), bare("b.flac"))
    before = owners(database)
    commit(database, moved("b.flac", "a", file_row(database, "a.flac")), now=LATER)
    assert owners(database) == {"b.flac": before["a.flac"], "a.flac": before["b.flac"]}
    assert statuses(database) == {"a.flac": "DUPLICATE HASH", "b.flac": "INGEST COMPLETE"}
    assert (copies(database, "a.flac"), copies(database, "b.flac")) == (["b.flac"], ["a.flac"])


def test_a_retagged_original_and_its_copy_are_both_imported_at_once(database: Path) -> None:
    commit(database, entry("b.flac"), bare("a.flac"))
    guid = file_row(database, "b.flac")["guid"]
    retagged = entry("b.flac", "retagged", state=FileState.CHANGED, replaces=sha("a"))
    commit(database, entry("a.flac", state=FileState.CHANGED), retagged, now=LATER)
    assert statuses(database) == {"a.flac": "INGEST COMPLETE", "b.flac": "INGEST COMPLETE"}
    assert (file_row(database, "b.flac")["guid"], file_row(database, "b.flac")["hash"]) == (guid, sha("retagged"))
    assert (copies(database, "a.flac"), copies(database, "b.flac")) == ([], [])


def test_a_file_that_takes_a_place_which_changed_meanwhile_is_looked_at_again(database: Path) -> None:
    """Another run gives the path to another row between reading and writing."""
    commit(database, entry("a.flac", "a"), entry("b.flac", "b"))
    before = owners(database)
    one = moved("b.flac", "a", file_row(database, "a.flac"))
    with meanwhile_sql(database, "UPDATE files SET path = 'c.flac' WHERE path = 'b.flac'"):
        receipt = commit(database, one)[one.path].receipt
    assert receipt is not None
    assert receipt.conflicts == 1
    assert owners(database) == {"b.flac": before["a.flac"], "c.flac": before["b.flac"]}


def test_a_later_phase_of_a_moved_file_still_reaches_the_library(database: Path) -> None:
    """A later lookup or flavor: its identity still says moved, although the entry has content."""
    commit(database, entry("old.flac"))
    commit(database, moved("new.flac", "a", file_row(database, "old.flac")), now=LATER)
    again = entry("new.flac", songs=[song("found later")], state=FileState.MOVED, moved_from="old.flac")
    commit(database, again, now=LATER, run_id="run-2")
    assert "found later" in column(database, "SELECT title FROM songs")
    assert column(database, "SELECT DISTINCT import_session_id FROM passages") == ["run-2"]


def test_a_copy_and_a_silent_file_that_moved_keep_their_rows_and_links(database: Path) -> None:
    commit(database, entry("a.flac"), bare("b.flac"), entry("silent.flac", "s", bounds=SILENT))
    before = owners(database)
    copy, silent = file_row(database, "b.flac"), file_row(database, "silent.flac")
    commit(database, moved("n/b.flac", "a", copy), moved("n/silent.flac", "s", silent), now=LATER)
    assert statuses(database) == {
        "a.flac": "INGEST COMPLETE", "n/b.flac": "DUPLICATE HASH", "n/silent.flac": "NO AUDIO"
    }  # fmt: skip
    assert owners(database)["n/b.flac"] == before["b.flac"]
    assert owners(database)["n/silent.flac"] == before["silent.flac"]
    assert (copies(database, "a.flac"), copies(database, "n/b.flac")) == (["n/b.flac"], ["a.flac"])


def mark(database: Path, *paths: str) -> None:
    changes = LibraryChanges((), (), (), paths)
    assert mark_missing(database, changes, NOW).changes.missing == paths


def marked(database: Path) -> list[str]:
    return column(database, "SELECT path FROM missing_files ORDER BY path")


def test_a_file_that_is_imported_again_or_moved_is_no_longer_missing(database: Path) -> None:
    commit(database, entry("a.flac", "a"), entry("b.flac", "b"), entry("c.flac", "c"))
    mark(database, "a.flac", "b.flac", "c.flac")
    commit(database, entry("a.flac", "other", state=FileState.CHANGED), now=LATER)
    assert marked(database) == ["b.flac", "c.flac"]
    commits = commit(database, moved("d.flac", "b", file_row(database, "b.flac")), now=LATER)
    assert marked(database) == ["c.flac"]
    receipt = commits["d.flac"].receipt
    assert receipt
    assert receipt.rows["missing_files"] == 1


def test_where_a_row_takes_the_place_of_a_moved_one_the_path_stays_missing(database: Path) -> None:
    commit(database, entry("a.flac", "a"), entry("b.flac", "b"))
    mark(database, "a.flac")
    commit(database, moved("b.flac", "a", file_row(database, "a.flac")), now=LATER)
    assert marked(database) == ["a.flac"]


def test_a_touched_file_gets_its_time_and_nothing_else(database: Path) -> None:
    commit(database, entry())
    before, passages = file_row(database, entry().path), rows(database, "SELECT * FROM passages")
    time = "2026-02-20 20:20:20"
    commit(database, bare(entry().path, state=FileState.TOUCHED, modified_at=time), now=LATER)
    after = file_row(database, entry().path)
    assert after == before | {"modification_time": "2026-02-20T20:20:20+00:00", "updated_at": "2026-03-02 12:00:00"}
    assert rows(database, "SELECT * FROM passages") == passages


def test_a_touched_file_whose_row_changed_meanwhile_fails_alone(database: Path) -> None:
    """Otherwise the passages of one content would be stored with the hash of another."""
    commit(database, entry(content="new"))
    before = dump(database)
    commits = commit(database, bare(entry().path, "old", FileState.TOUCHED), entry("b.flac", content="b"))
    assert outcome_of(commits[entry().path], Failed).code == "FILE_CHANGED"
    assert statuses(database)["b.flac"] == "INGEST COMPLETE"
    assert file_row(database, entry().path)["hash"] == sha("new")
    # Both files have the same artists, works and album, which are as old as the newer evidence for their names.
    shared = ('INSERT INTO "artists"', 'INSERT INTO "works"', 'INSERT INTO "albums"')
    assert {line for line in before if not line.startswith(shared)} <= set(dump(database))


def test_copies_of_what_a_file_held_before_are_no_copies_any_more(database: Path) -> None:
    """The original has new tags, so only its copy has the stored bytes."""
    commit(database, entry("a.flac"), bare("b.flac"))
    assert [one.original_is_complete for one in read_known_files(database)] == [True, True]
    commit(database, entry("a.flac", content="retagged", state=FileState.CHANGED), now=LATER)
    assert copies(database, "a.flac") == []
    (copy,) = read_known_by_hash(database, [sha("a")])[sha("a")]
    assert not copy.original_is_complete
    commit(database, entry("b.flac", state=FileState.CHANGED), now=LATER)
    assert statuses(database) == {"a.flac": "INGEST COMPLETE", "b.flac": "INGEST COMPLETE"}
    assert copies(database, "b.flac") == []


def test_a_failure_leaves_one_row_and_the_library_alone(database: Path) -> None:
    commit(database, entry("a.flac"))
    files = rows(database, "SELECT * FROM files"), rows(database, "SELECT * FROM passages")
    failed = Failed("passage_segments", "DECODE_ERROR", "a.flac: no sound")
    for attempts in (1, 2, 3):
        commits = commit(database, ("a.flac", failed), now=LATER)
        assert commits["a.flac"].outcome == failed
        (stored,) = read_failures(database)
        assert (stored.path, stored.phase, stored.code, stored.message) == (
            "a.flac",
            "passage_segments",
            "DECODE_ERROR",
            failed.message,
        )
        assert (stored.attempts, stored.failed_at) == (attempts, "2026-03-02 12:00:00")
    assert (rows(database, "SELECT * FROM files"), rows(database, "SELECT * FROM passages")) == files
    commit(database, entry("a.flac", state=FileState.CHANGED))
    assert read_failures(database) == []


def test_a_file_whose_name_is_not_utf8_is_recorded_under_its_key(database: Path) -> None:
    path = "caf\udce9.flac"
    commit(database, (path, Failed("file_identity", "NAME_NOT_UTF8", "no")))
    assert [failure.path for failure in read_failures(database)] == [encode_key(path)]


@pytest.mark.parametrize("reason", [SkipReason.UNCHANGED, SkipReason.INTERRUPTED])
def test_a_file_with_nothing_to_do_opens_no_database(database: Path, reason: SkipReason) -> None:
    commits = commit(database, *((f"{number}.flac", Skipped(reason)) for number in range(3)))
    assert [(one.outcome, one.receipt) for one in commits.values()] == [(Skipped(reason), None)] * 3
    assert list(database.parent.iterdir()) == []


def test_every_file_of_a_run_is_a_transaction_of_its_own(database: Path) -> None:
    outcomes = [(f"{number}.flac", done(entry(f"{number}.flac", content=str(number)))) for number in range(10)]
    commits = commit(
        database, *outcomes, ("bad.flac", Failed("p", "C", "m")), ("same.flac", Skipped(SkipReason.UNCHANGED))
    )
    receipts = [one.receipt for one in commits.values() if one.receipt]
    assert [receipt.write_locks for receipt in receipts] == [1] * 11
    report = read_counts(database)
    assert report is not None
    assert (report.files_by_status, report.failures) == ({"INGEST COMPLETE": 10}, 1)
    assert report.rows["passages"] == 10


def test_an_older_library_without_today_s_columns_can_be_read_before_it_is_written(database: Path) -> None:
    run_sql(
        database,
        "CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT, hash TEXT, modification_time TIMESTAMP)",
        "INSERT INTO files VALUES ('F', 'a.mp3', 'h', NULL)",
    )
    (known,) = read_known_files(database)
    assert (known.guid, known.status, known.size_bytes) == ("F", None, None)
    assert read_known_by_path(database, ["a.mp3", "caf\udce9.mp3"]) == {"a.mp3": known}
    assert read_known_by_hash(database, ["h"]) == {"h": [known]}


def test_any_number_of_files_can_be_looked_up(database: Path) -> None:
    commit(database, entry("a.flac"))
    paths = [f"{number}.flac" for number in range(1200)] + ["a.flac"]
    assert list(read_known_by_path(database, paths)) == ["a.flac"]
    assert read_known_by_path(database.with_name("none.db"), paths) == {}


@pytest.mark.long
def test_thousands_of_equal_files_do_not_rewrite_each_other_s_rows(tmp_path: Path) -> None:
    """Each lists its original first, and a row is full at some time; the transaction does not grow with the group."""
    database = tmp_path / "wkmp.db"
    count = 2 * MAX_LISTED_COPIES
    commit(database, entry("original.flac"), *(bare(f"{number:03d}.flac") for number in range(count)))
    assert len(copies(database, "original.flac")) == MAX_LISTED_COPIES
    for number in (0, MAX_LISTED_COPIES, count - 1):
        listed = copies(database, f"{number:03d}.flac")
        assert listed[0] == "original.flac"
        assert len(listed) <= MAX_LISTED_COPIES
    last = prepared(database, bare("one more.flac"))
    assert last.copy_links == ()
    assert column(database, "SELECT count(*) FROM files WHERE status = 'DUPLICATE HASH'") == [count]
