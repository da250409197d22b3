"""`wkmp undo`: files get back what they had before a run, unless they were changed since."""

import json
import sqlite3
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.db import hand_commit
from wkmp_assets.db.hand_commit import forget_runs
from wkmp_assets.db.plan import undo
from wkmp_assets.db.read.undo_runs import read_undoable_runs
from wkmp_assets.model.batch import WriteBatch
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets_tests.support.builders import (
    LATER,
    NOW,
    column,
    commit,
    entry,
    flavor,
    problems,
    rows,
    run_sql,
    seconds,
    song,
)

STAMPS = {"import_session_id", "import_timestamp", "updated_at", "created_at"}


def heard(path: str, *bounds: tuple[float, float], **known: Any) -> FileEntry:
    one = entry(path, path, seconds(*bounds), **known)
    return replace(one, passages=tuple(replace(p, flavor=flavor(p.match.span)) for p in one.passages))


FIRST = (heard("a.flac", (0, 60)), heard("b.flac", (0, 20), (23, 43)), heard("c.flac", (0, 60)))
SECOND = (
    heard("a.flac", (0, 60), songs=[song("Another")]),
    heard("b.flac", (0, 43), songs=[song("Joined")]),
    heard("c.flac", (0, 60), songs=[song("Another")]),
    heard("new.flac", (0, 60)),
)


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    folder = tmp_path / "music"
    folder.mkdir()
    commit(folder / "wkmp.db", *FIRST, run_id="first-run")
    return folder


def wkmp(*arguments: str | Path, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


def stored(music: Path, path: str) -> list[Any]:
    """Return a file's passages and links, without the stamps of runs."""
    where = "WHERE file_id = (SELECT guid FROM files WHERE path = ?)"
    found = rows(music / "wkmp.db", f"SELECT * FROM passages {where} ORDER BY guid", path)  # noqa: S608
    links = [
        rows(music / "wkmp.db", f"SELECT * FROM {table} WHERE passage_id IN (SELECT guid FROM passages {where})", path)  # noqa: S608
        for table in ("passage_songs", "passage_albums", "import_provenance")
    ]
    plain = [[{n: v for n, v in row.items() if n not in STAMPS} for row in some] for some in (found, *links)]
    return [sorted(map(str, some)) for some in plain]


def test_a_run_is_undone_except_where_somebody_changed_something_since(music: Path) -> None:
    before = {path: stored(music, path) for path in ("a.flac", "b.flac")}
    commit(music / "wkmp.db", *SECOND, now=LATER, run_id="second-run")
    assert stored(music, "a.flac") != before["a.flac"]
    assert len(stored(music, "b.flac")[0]) == 1
    run_sql(music / "wkmp.db", "UPDATE passages SET user_title = 'mine' WHERE song_id = (SELECT song_id FROM passages "
            "WHERE file_id = (SELECT guid FROM files WHERE path = 'c.flac')) AND file_id = "
            "(SELECT guid FROM files WHERE path = 'c.flac')")  # fmt: skip
    changed = stored(music, "c.flac")
    listed = wkmp("undo", music)
    assert "1 run that can be undone" in listed
    assert "second-run import 2026-03-02 12:00:00 3 a.flac" in listed
    assert "first-run" not in listed, "it has added files, and changed none"

    text = wkmp("undo", "second", music, status=1)
    assert "c.flac stays: it was changed since" in text
    assert "Restored 2 files, with at most 1 write lock each" in text
    assert {path: stored(music, path) for path in before} == before
    assert stored(music, "c.flac") == changed
    assert len(stored(music, "new.flac")[0]) == 1
    assert problems(music / "wkmp.db") == []


def test_undoing_can_be_undone(music: Path) -> None:
    commit(music / "wkmp.db", SECOND[1], now=LATER, run_id="second-run")
    imported = stored(music, "b.flac")
    done = json.loads(CliRunner().invoke(main, ["undo", "second-run", str(music), "--json"]).stdout)
    assert (done["schema"], [one["path"] for one in done["files"]]) == (1, ["b.flac"])
    assert stored(music, "b.flac") != imported
    wkmp("undo", done["run"], music)
    assert stored(music, "b.flac") == imported
    runs = json.loads(CliRunner().invoke(main, ["undo", str(music), "--json"]).stdout)["runs"]
    assert [one["command"] for one in runs] == ["undo", "undo", "import"]
    assert wkmp("undo", "second-run", music), "the rows are again those of that run"


def test_a_word_by_hand_is_undone(music: Path) -> None:
    before = stored(music, "a.flac")
    said = json.loads(
        CliRunner().invoke(main, ["identify", "a.flac", "--recording", "none", str(music), "--json"]).stdout
    )
    assert stored(music, "a.flac") != before
    wkmp("undo", said["run"][:8].upper(), music)
    assert stored(music, "a.flac") == before


def test_what_became_of_a_file_is_said(music: Path) -> None:
    commit(music / "wkmp.db", *SECOND, now=LATER, run_id="second-run")
    run_sql(music / "wkmp.db", "UPDATE files SET path = 'moved.flac' WHERE path = 'a.flac'",
            "UPDATE files SET status = 'DUPLICATE HASH' WHERE path = 'b.flac'",
            "CREATE TABLE queue (guid TEXT PRIMARY KEY, passage_id TEXT)")  # fmt: skip
    text = wkmp("undo", "second-run", music, status=1)
    assert "a.flac stays: it was moved or removed since" in text
    assert "b.flac stays: it was changed since" in text
    assert "Restored 1 file" in text


def test_a_passage_that_would_go_and_is_used_stays(music: Path) -> None:
    commit(music / "wkmp.db", heard("a.flac", (0, 9), (10, 60)), now=LATER, run_id="second-run")
    run_sql(music / "wkmp.db", "CREATE TABLE queue (guid TEXT PRIMARY KEY, passage_id TEXT)",
            "INSERT INTO queue SELECT guid, guid FROM passages WHERE start_time = 0 AND end_time = 9")  # fmt: skip
    assert "a.flac stays: somebody uses a passage that would go" in wkmp("undo", "second-run", music, status=1)
    assert len(stored(music, "a.flac")[0]) == 2


def test_another_file_under_the_path_stays_as_it_is(music: Path) -> None:
    commit(music / "wkmp.db", *SECOND, now=LATER, run_id="second-run")
    run_sql(music / "wkmp.db", "UPDATE files SET path = 'moved.flac' WHERE path = 'a.flac'",
            "UPDATE files SET path = 'a.flac' WHERE path = 'new.flac'")  # fmt: skip
    other = stored(music, "a.flac")
    assert "a.flac stays: it was moved or removed since" in wkmp("undo", "second-run", music, status=1)
    assert stored(music, "a.flac") == other


def test_a_file_that_changes_between_reading_and_writing_is_read_again(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(music, "b.flac")
    commit(music / "wkmp.db", SECOND[1], now=LATER, run_id="second-run")
    touches = iter(["UPDATE files SET updated_at = '2030-01-01 00:00:00'"])
    plan = hand_commit.plan_restore

    def plan_then_touch(*arguments: Any) -> WriteBatch:
        batch = plan(*arguments)
        for statement in touches:
            run_sql(music / "wkmp.db", statement)
        return batch

    monkeypatch.setattr(hand_commit, "plan_restore", plan_then_touch)
    assert "Restored 1 file, with at most 2 write locks each" in wkmp("undo", "second-run", music)
    assert stored(music, "b.flac") == before


PLANTED = {
    "no zlib": b"\x00",
    "text": "text",
    "no JSON": zlib.compress(b"{"),
    "no rows": zlib.compress(b'{"file": {}}'),
    "a list": zlib.compress(b"[]"),
    "nested": zlib.compress(b"[" * 200_000),
}
"""Instead of the rows of a file, in a library that somebody else made."""


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_what_was_kept_and_is_damaged_is_left_alone(music: Path, planted: bytes | str) -> None:
    commit(music / "wkmp.db", *SECOND[:2], now=LATER, run_id="second-run")
    with sqlite3.connect(music / "wkmp.db") as connection:
        connection.execute("UPDATE import_undo SET before = ? WHERE path = 'a.flac'", (planted,))
    connection.close()
    imported = stored(music, "a.flac")
    text = wkmp("undo", "second-run", music, status=1)
    assert "a.flac stays: what was kept of it is damaged" in text
    assert "Restored 1 file" in text
    assert stored(music, "a.flac") == imported


def test_what_was_kept_is_not_unpacked_without_end(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four megabytes can unpack to four gigabytes."""
    commit(music / "wkmp.db", SECOND[0], now=LATER, run_id="second-run")
    monkeypatch.setattr(undo, "MAX_REMEMBERED_BYTES", 1000)
    assert "a.flac stays: what was kept of it is damaged" in wkmp("undo", "second-run", music, status=1)
    monkeypatch.undo()
    assert "Restored 1 file" in wkmp("undo", "second-run", music)


def test_what_cannot_be_is_a_sentence(music: Path) -> None:
    assert "No run can be undone" in wkmp("undo", music)
    assert "first-run is no run that can be undone" in wkmp("undo", "first-run", music, status=2)
    commit(music / "wkmp.db", SECOND[0], now=LATER, run_id="second-run-1")
    commit(music / "wkmp.db", SECOND[1], now=LATER, run_id="second-run-2")
    assert "is more than one run" in wkmp("undo", "second", music, status=2)
    assert "is no run" in wkmp("undo", "s", music, status=2)


def test_an_import_that_changes_nothing_leaves_nothing_to_undo(music: Path) -> None:
    commit(music / "wkmp.db", *FIRST, now=LATER, run_id="second-run")
    assert column(music / "wkmp.db", "SELECT DISTINCT import_session_id FROM passages") == ["second-run"]
    assert "No run can be undone" in wkmp("undo", music)


CHANGES: dict[str, tuple[FileEntry, bool]] = {
    "a song": (SECOND[0], True),
    "a boundary": (heard("a.flac", (0, 59.9)), True),
    "one more passage": (heard("a.flac", (0, 20), (23, 60)), True),
    "the file's tags": (replace(FIRST[0], tags=replace(FIRST[0].tags, artist="Another")), True),
    "content without other rows": (replace(FIRST[0], identity=replace(FIRST[0].identity, size_bytes=1)), False),
}


@pytest.mark.parametrize(("changed", "is_kept"), CHANGES.values(), ids=CHANGES)
def test_whatever_undoing_restores_is_kept(music: Path, changed: FileEntry, *, is_kept: bool) -> None:
    commit(music / "wkmp.db", changed, *FIRST[1:], now=LATER, run_id="second-run")
    assert column(music / "wkmp.db", "SELECT path FROM import_undo") == ["a.flac"] * is_kept


def test_old_runs_are_forgotten(music: Path) -> None:
    commit(music / "wkmp.db", SECOND[0], now=NOW, run_id="second-run")
    commit(music / "wkmp.db", SECOND[1], now=LATER, run_id="third-run")
    assert forget_runs(music / "wkmp.db", NOW) == 0
    assert forget_runs(music / "wkmp.db", NOW + timedelta(hours=1)) == 1
    assert [run.run_id for run in read_undoable_runs(music / "wkmp.db")] == ["third-run"]
