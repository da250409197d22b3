"""Values of the wrong kind in a library that is found: no traceback, and no failure of other files."""

import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.library_flavors import find_similar
from wkmp_assets.cli.main import main
from wkmp_assets.db import checked_rows
from wkmp_assets.db.hand_commit import commit_song_edit, undo_run
from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.db.read.audit import audit_files
from wkmp_assets.db.read.counts import read_counts, read_failures
from wkmp_assets.db.read.described_tables import describe_tables
from wkmp_assets.db.read.duplicates import read_duplicates
from wkmp_assets.db.read.file_details import read_file_details
from wkmp_assets.db.read.file_warnings import read_warnings
from wkmp_assets.db.read.images import read_image_paths
from wkmp_assets.db.read.incomplete import read_incomplete
from wkmp_assets.db.read.known_files import (
    read_file_rows,
    read_hashes_by_size,
    read_known_by_hash,
    read_known_by_path,
    read_known_files,
)
from wkmp_assets.db.read.measures import read_median_measures
from wkmp_assets.db.read.outdated_flavors import read_outdated_flavors, read_without_loudness
from wkmp_assets.db.read.overview import read_overview
from wkmp_assets.db.read.removal import read_removable
from wkmp_assets.errors import AudioFileError, WkmpError
from wkmp_assets.model.file_entry import EntryCover, FileEntry
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.hand_edits import SongEdit, Verdict
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.outcomes import Failed, Result
from wkmp_assets.model.timestamps import normalise_timestamp
from wkmp_assets.model.values import CoverKind, FileState, FileTags
from wkmp_assets.report.browse.pages import read_file_page, read_start_page
from wkmp_assets.report.browse.places import BrowsedLibrary
from wkmp_assets.report.figures import compute_figures
from wkmp_assets.report.library_page import render_page
from wkmp_assets_tests.support.builders import (
    LATER,
    bare,
    column,
    commit,
    entry,
    flavor,
    release,
    sha,
    song,
)
from wkmp_assets_tests.support.paths import ROOT

BYTES, NO_UTF8, TEXT, EMPTY, NUMBER, ENDLESS, HUGE = (
    "x'ff00'", "CAST(x'ff41' AS TEXT)", "'odd'", "''", "17", "9e999", "9223372036854775807",
)  # fmt: skip
VALUES = (BYTES, NO_UTF8, TEXT, EMPTY, NUMBER, "-1.5", ENDLESS, HUGE)

ROWS = {
    "files": "path = 'a.mp3'",
    "passages": "file_id = (SELECT guid FROM files WHERE path = 'a.mp3')",
    "songs": "title LIKE 'Odd%'",
    "artists": "name = 'Odd Ann'",
    "works": "title = 'Odd Opus'",
    "albums": "title = 'Odd Album'",
    "passage_songs": "passage_id IN (SELECT guid FROM passages WHERE file_id = "
    "(SELECT guid FROM files WHERE path = 'a.mp3'))",
    "import_provenance": "source_type = 'Lookup'",
    "import_warnings": "file_id = (SELECT guid FROM files WHERE path = 'a.mp3')",
    "import_images": "file_id = (SELECT guid FROM files WHERE path = 'a.mp3')",
    "import_undo": "path = 'a.mp3'",
    "settings": "key = 'player_volume'",
}
"""Table -> which of its rows get a value. In other tables all do."""
COUNT_AS_NOTHING = [
    ("files", "year", TEXT), ("files", "title", BYTES), ("files", "modification_time", NUMBER),
    ("files", "duration_ticks", ENDLESS), ("files", "status", BYTES), ("passages", "title", NO_UTF8),
    ("passages", "artist", NUMBER), ("passages", "identity_confidence", TEXT), ("passages", "song_id", NUMBER),
    ("passages", "import_timestamp", NUMBER), ("passages", "lead_in_start_ticks", TEXT),
    ("songs", "title_evidence", BYTES), ("artists", "name_evidence", NUMBER), ("works", "title", BYTES),
    ("albums", "release_date", NUMBER), ("import_provenance", "data_extracted", BYTES),
    ("import_provenance", "confidence", ENDLESS),
    ("import_failures", "message", NUMBER), ("import_failures", "attempts", TEXT),
    ("import_warnings", "message", BYTES), ("missing_files", "missing_since", BYTES),
    ("import_undo", "before", TEXT), ("images", "file_path", BYTES),
    ("artists", "name", NO_UTF8), ("songs", "title", NUMBER),
]  # fmt: skip
"""All of them stand in one library, and everything works. In the long form each stands in a library of its own."""
REFUSED = [
    ("files", "guid", BYTES, "guid"), ("files", "hash", BYTES, "hash"), ("passages", "guid", NO_UTF8, "guid"),
    ("passages", "end_time_ticks", BYTES, "end_time_ticks"), ("passage_songs", "start_time_ticks", TEXT, "start_time"),
    ("songs", "guid", NUMBER, "guid"), ("passages", "fade_in_start_ticks", BYTES, "CHECK constraint failed"),
    ("files", "title", NO_UTF8, "title"),
    ("songs", "recording_mbid", TEXT, "contradict each other"), ("songs", "guid", EMPTY, "contradict each other"),
]  # fmt: skip
"""Ids and places, rules of the schema, what no statement can compare, and rows that contradict each other: the file
fails alone, with a sentence."""
LEFT_OUT = [
    ("files", "path", NO_UTF8),
    ("import_undo", "run_id", BYTES),
    ("import_undo", "path", NUMBER),
    ("import_provenance", "source_type", BYTES),
]


def odd_entry(content: str, state: FileState = FileState.NEW) -> FileEntry:
    """Return the entry of the file that gets the odd values. It shares nothing with other files."""
    one = entry(
        "a.mp3", content, songs=[song("Odd", ("Odd Ann",), ("Odd Opus",))], state=state, tags=FileTags(title=content)
    )
    (passage,) = one.passages
    match = replace(passage.match, release=release("Odd Album"))
    cover = EntryCover(CoverKind.FRONT, sha("cover"), "/covers/odd.jpg", 600, 500)
    doubt = FileWarning(WarningKind.CLIPPED, "much of it")
    return replace(
        one,
        passages=(replace(passage, match=match, flavor=flavor(passage.match.span)),),
        covers=(cover,),
        warnings=(doubt,),
    )


def heard(path: str, content: str, state: FileState = FileState.NEW) -> FileEntry:
    one = entry(path, content, songs=[song(content, ("Ann",))], state=state)
    return replace(one, passages=tuple(replace(p, flavor=flavor(p.match.span, 0.3)) for p in one.passages))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with rows in every table that an import or a command reads."""
    database = tmp_path_factory.mktemp("made") / "wkmp.db"
    failed = ("broken.mp3", Failed("passage_segments", "DECODE_ERROR", "broken.mp3: it is broken"))
    commit(database, odd_entry("first"), heard("b.mp3", "b"), heard("gone.mp3", "gone"), failed)
    commit(database, bare("copy.mp3", "b", duplicate_of="b.mp3"), run_id="run-2")
    commit(database, odd_entry("second", FileState.CHANGED), now=LATER, run_id="run-3")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO missing_files VALUES ('gone.mp3', '2026-03-01 12:00:00')")
        connection.execute("INSERT INTO settings (key, value) VALUES ('player_volume', '0.5')")
        connection.execute(
            "INSERT INTO import_provenance SELECT 'waits', guid, 'Lookup', ?, 0.5, 0 FROM passages "
            "WHERE file_id = (SELECT guid FROM files WHERE path = 'a.mp3')",
            [json.dumps({"outcome": LookupOutcome.DEFERRED})],
        )
    return database


@pytest.fixture
def music(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(checked_rows, "_named", set())
    folder = tmp_path / "music"
    folder.mkdir()
    shutil.copy(made, folder / "wkmp.db")
    return folder


def plant(database: Path, table: str, name: str, value: str) -> None:
    """Put a value into a column, as a program may that knows neither the types of columns nor their rules."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON", "writable_schema = ON"):
            connection.execute(f"PRAGMA {pragma}")
        # A column without a type keeps a number that is put where text belongs.
        (ddl,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", [table]
        ).fetchone()
        untyped = ddl.replace(f"{name} TEXT", name).replace(f"{name} TIMESTAMP", name)
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", [untyped, table])
        connection.execute("PRAGMA writable_schema = RESET")
        rows = f"rowid = (SELECT min(rowid) FROM {table} WHERE {ROWS.get(table, 'true')})"  # noqa: S608 - literals
        changed = connection.execute(f"UPDATE {table} SET {name} = {value} WHERE {rows}").rowcount  # noqa: S608 - literals
    assert changed == 1


COMMANDS = [
    ("list",), ("list", "--json"), ("search", "odd"), ("search", "--json", "b"), ("show", "a.mp3"),
    ("show", "--json", "a.mp3"), ("show", "b.mp3"), ("similar", "b.mp3"), ("similar", "--json", "b.mp3"),
    ("similar", "a.mp3"), ("export", "--format", "json"), ("export", "--format", "csv"),
    ("export", "--format", "m3u8"), ("status",), ("status", "--json"), ("failures",), ("failures", "--json"),
    ("missing",), ("missing", "--json"), ("warnings",), ("duplicates",), ("undo",), ("undo", "--json"),
    ("playlist", "--like", "b.mp3"),
]  # fmt: skip


def ask(music: Path, commands: Sequence[tuple[str, ...]] = COMMANDS) -> None:
    """Ask what people ask: commands that read, the report and the pages."""
    for command in commands:
        result = CliRunner().invoke(main, [*command, str(music)])
        assert result.exception is None or isinstance(result.exception, SystemExit), (command, result.exc_info)
        assert "Traceback" not in result.output
        if "--json" in command and result.exit_code == 0:
            json.loads(result.stdout, parse_constant=_refuse)
    database = music / "wkmp.db"
    counts = read_counts(database)
    assert counts is not None
    figures = compute_figures(counts, read_failures(database), read_overview(database), [], read_warnings(database))
    assert render_page(figures, str(music), datetime.now(UTC))
    pages = BrowsedLibrary(
        music,
        database,
        *(music.parent / name for name in "rdcp"),
        Path,
        partial(find_similar, database, music.parent / "flavors.npz"),
    )
    assert read_start_page(pages, "b").found_count >= 1
    for guid in column(database, "SELECT CAST(guid AS BLOB) FROM files WHERE typeof(guid) = 'text'"):
        if text := guid.decode(errors="ignore"):
            read_file_page(pages, text, 1)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def scan(database: Path) -> None:
    """Read what a run of Dagster reads of the whole library."""
    known = read_known_files(database)
    assert "b.mp3" in {one.path for one in known}
    assert all(isinstance(normalise_timestamp(one.modified_at), str) for one in known)
    assert set(read_known_by_path(database, ["a.mp3", "b.mp3"])) >= {"b.mp3"}
    assert read_known_by_hash(database, [sha("b")])
    assert sha("b") in read_hashes_by_size(database, [1000])[1000]
    assert read_file_rows(database, "b.mp3")
    read_file_rows(database, "a.mp3")
    for read in (read_incomplete, read_outdated_flavors, read_without_loudness, read_image_paths, read_median_measures):
        read(database)
    read_duplicates(database)
    audit = audit_files(database, ["a.mp3", "b.mp3"], column(database, "SELECT guid FROM files WHERE path = 'b.mp3'"))
    assert audit.by_path["b.mp3"].passages
    assert read_removable(database, ["b.mp3"])
    read_removable(database, ["a.mp3"])
    mark_missing(database, LibraryChanges(new=(), changed=(), unchanged=("b.mp3",), missing=("gone.mp3",)), LATER)


def change(database: Path) -> str:
    """Import the file with the odd value and others, put right and undo; return what failed, as text."""
    others = (heard("b.mp3", "b again", FileState.CHANGED), heard("new.mp3", "new"), bare("b copy.mp3", "b again"))
    commits = commit(database, odd_entry("third", FileState.CHANGED), *others, now=LATER, run_id="run-4")
    outcome = commits.pop("a.mp3").outcome
    assert all(isinstance(one.outcome, Result) for one in commits.values()), commits
    said = []
    if isinstance(outcome, Failed):
        assert outcome.code in {"ODD_VALUE", "ROWS_REFUSED"}, outcome
        said.append(outcome.message)
    for path in ("a.mp3", "b.mp3"):
        try:
            commit_song_edit(database, SongEdit(path, 1, Verdict.IDENTIFY), LATER, "run-5")
        except (AudioFileError, WkmpError) as error:
            said.append(str(error))
            assert path == "a.mp3"
    for run in ("run-4", "run-3"):
        said += [one.left_because for one in undo_run(database, run, LATER, f"undo-{run}")]
    assert column(
        database, "SELECT count(*) FROM passages WHERE file_id IN (SELECT guid FROM files WHERE path = 'b.mp3')"
    )
    return " ".join(said)


def test_values_on_which_nothing_depends_count_as_nothing(music: Path, caplog: pytest.LogCaptureFixture) -> None:
    for table, name, value in COUNT_AS_NOTHING:
        plant(music / "wkmp.db", table, name, value)
    ask(music)
    scan(music / "wkmp.db")
    assert change(music / "wkmp.db").endswith("what was kept of it is damaged")
    assert read_file_details(music / "wkmp.db", "a.mp3")
    (title,) = column(music / "wkmp.db", "SELECT title FROM files WHERE path = 'a.mp3'")
    assert title == "third"
    assert column(music / "wkmp.db", "SELECT title FROM songs WHERE title = 'Odd'") == ["Odd"]
    assert column(music / "wkmp.db", "SELECT name FROM artists WHERE name = 'Odd Ann'") == ["Odd Ann"]
    for said in (
        "holds text in year, where a whole number belongs; it counts as nothing",
        "holds bytes that are no text in title, where text belongs; it counts as nothing",
        "holds text in identity_confidence, where a number belongs; it counts as nothing",
    ):
        assert caplog.text.count(f"wkmp.db {said}") == 1


@pytest.mark.parametrize(("table", "name", "value", "said"), REFUSED)
def test_a_row_that_cannot_be_told_apart_fails_its_file_alone(
    music: Path, table: str, name: str, value: str, said: str
) -> None:
    database = music / "wkmp.db"
    plant(database, table, name, value)
    scan(database)
    assert said in change(database)
    ask(music, [("list", "--json"), ("show", "a.mp3"), ("status", "--json"), ("failures",)])


def test_a_row_without_a_readable_path_does_not_count(music: Path, caplog: pytest.LogCaptureFixture) -> None:
    for table, name, value in LEFT_OUT:
        plant(music / "wkmp.db", table, name, value)
    ask(music)
    scan(music / "wkmp.db")
    assert "bytes that are no text in path, where text belongs; the row does not count" in caplog.text


def cells() -> Iterator[tuple[str, str]]:
    for table in describe_tables():
        for one in table.columns:
            if "computed" not in one.holds and not one.name.endswith(("_guid", "_ms")):
                yield table.name, one.name
    yield from (("import_undo", name) for name in ("run_id", "file", "path", "command", "at", "before", "after"))
    yield from (("settings", name) for name in ("key", "value"))


@pytest.mark.long
@pytest.mark.parametrize(("table", "name"), list(cells()))
def test_no_value_in_any_column_ends_anything(made: Path, music: Path, table: str, name: str) -> None:
    for value in VALUES:
        shutil.copy(made, music / "wkmp.db")
        plant(music / "wkmp.db", table, name, value)
        ask(music)
        scan(music / "wkmp.db")
        change(music / "wkmp.db")
        ask(music, [("list", "--json"), ("show", "--json", "a.mp3"), ("status", "--json"), ("undo", "--json")])
