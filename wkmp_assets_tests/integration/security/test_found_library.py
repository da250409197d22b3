"""A `wkmp.db` that is found is not believed: what it is, whose it is, what it would run, and its key."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wkmp_assets.cli.main import main
from wkmp_assets.db.commit import FileCommitter
from wkmp_assets.db.hand_commit import undo_run
from wkmp_assets.db.read.found_library import check_found_library
from wkmp_assets.db.tables import listed_copies
from wkmp_assets.db.write.gate import WriterGate
from wkmp_assets.errors import UntrustedLibraryError
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.model.values import FileState
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.orchestration.services import acoustid_key
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.builders import LATER, NOW, commit, done, dump, entry, run_sql
from wkmp_assets_tests.support.paths import ROOT

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n"


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "400")
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


def plant_link(database: Path) -> None:
    run_sql(database.parent.parent / "diary.db", "CREATE TABLE files (a)", "INSERT INTO files VALUES (1)")
    database.symlink_to("../diary.db")


def plant_dangling_link(database: Path) -> None:
    database.symlink_to(database.parent.parent / "autostart.db")


def plant_program(database: Path) -> None:
    run_sql(database, "PRAGMA application_id = 0x0f055112", "CREATE TABLE files (a)")


def plant_tables(database: Path) -> None:
    run_sql(database, "CREATE TABLE bookmarks (a)", "CREATE TABLE history (a)")


def plant_trigger(database: Path) -> None:
    commit(database, entry())
    run_sql(database, f"CREATE TRIGGER tick AFTER UPDATE ON files BEGIN SELECT count(*) FROM ({ENDLESS}); END")  # noqa: S608


def plant_view(database: Path) -> None:
    run_sql(database, "CREATE TABLE files (path)", f"CREATE VIEW import_failures AS {ENDLESS}")


def plant_newer(database: Path) -> None:
    commit(database, entry())
    run_sql(database, "INSERT INTO schema_version (version) VALUES (7)")


PLANTED = {
    "link": (plant_link, "is a link that leads out of its folder", "WKMP_DATABASE="),
    "dangling link": (plant_dangling_link, "is a link that leads out of its folder", "WKMP_DATABASE="),
    "folder": (Path.mkdir, "is a folder, not a file", "Move it away"),
    "pipe": (os.mkfifo, "is a pipe, not a file", "Move it away"),
    "application id": (plant_program, "belongs to another program (application id 0xf055112)", "=program"),
    "other tables": (plant_tables, "a database without WKMP's tables (it has bookmarks, history)", "=program"),
    "trigger": (plant_trigger, "has triggers or views, which WKMP does not make (trigger tick)", "=triggers"),
    "view": (plant_view, "has triggers or views, which WKMP does not make (view import_failures)", "=triggers"),
    "newer": (plant_newer, "was made by a newer WKMP (schema version 7; this program knows 4)", "=newer"),
}


def wkmp(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def contents(folder: Path) -> dict[str, bytes | None]:
    names = (".db-wal", ".db-shm")  # a reader of a library makes them
    paths = {path for path in folder.rglob("*") if path.parent.name != "home" and not path.name.endswith(names)}
    return {str(path): path.read_bytes() if path.is_file() else None for path in paths}


@pytest.mark.parametrize(("plant", "said", "remedy"), PLANTED.values(), ids=PLANTED)
def test_what_is_planted_as_a_library_is_named_and_left_alone(
    music: Path, plant: object, said: str, remedy: str
) -> None:
    database = music / "wkmp.db"
    plant(database)  # type: ignore[operator] # one of the functions above
    before = contents(music.parent)
    result = wkmp("status", music)
    assert result.exit_code == 1, result.output
    assert said in result.stderr
    assert remedy in result.stderr
    assert "left untouched" in result.stderr
    settings = load_settings(library_root=music, state_dir=music.parent / "state")
    with pytest.raises(UntrustedLibraryError):
        assert Library(settings).database
    assert contents(music.parent) == before


@pytest.mark.parametrize(
    ("check", "plant"),
    [("program", plant_program), ("program", plant_tables), ("triggers", plant_trigger), ("newer", plant_newer)],
)
def test_each_check_can_be_left_out(database: Path, check: str, plant: object) -> None:
    plant(database)  # type: ignore[operator] # one of the functions above
    check_found_library(database, load_settings(trust_database=f" owner, {check}").trusted)


def test_a_link_inside_its_folder_is_one_s_own(database: Path) -> None:
    commit(database.with_name("real.db"), entry())
    database.symlink_to("real.db")
    check_found_library(database)


def test_a_library_whose_creation_was_cut_off_is_one_s_own(database: Path) -> None:
    """A full disk or a kill leaves the table of sqlite-utils, which is made first."""
    run_sql(database, "CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set, name, applied_at)")
    check_found_library(database)
    commit(database, entry())
    check_found_library(database)


def test_the_library_of_another_user_is_refused(public_folder: Path) -> None:
    database = public_folder / "wkmp.db"
    commit(database, entry())
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(database, 12345, 12345)
    with pytest.raises(UntrustedLibraryError, match=r"another user \(id 12345; you are 0\).*=owner"):
        check_found_library(database)
    check_found_library(database, {"owner"})


def test_a_link_in_place_of_the_gate_is_not_followed(database: Path) -> None:
    target = database.with_name("elsewhere")
    WriterGate(database).path.symlink_to(target)
    with WriterGate(database).hold(limit_ms=100):
        assert not target.exists()


def test_a_statement_without_end_is_ended_and_its_file_fails_alone(database: Path) -> None:
    """The checks are left out here, as by a user who trusts the triggers."""
    plant_trigger(database)
    again = {encode_key(one.path): done(one) for one in (entry(), entry("Other.flac", "b"))}
    with FileCommitter(database, run_id="run-2", now=lambda: NOW, max_compute_ms=50) as committer:
        commits = {one.key: one.outcome for one in committer.commit_all(again)}
    failed = commits[encode_key(entry().path)]
    assert isinstance(failed, Failed)
    assert failed.code == "TRANSACTION_TOO_LONG"
    assert "computed for more than 50 ms and was undone" in failed.message
    assert not isinstance(commits[encode_key("Other.flac")], Failed)


def test_functions_with_effects_are_closed_to_the_schema(database: Path) -> None:
    commit(database, entry())
    before = dump(database)
    with FileCommitter(database, run_id="run-2", now=lambda: NOW) as committer:
        writer, reader = committer._open_library()
        for connection in (writer._connection, reader):
            assert connection.execute("PRAGMA trusted_schema").fetchone()[0] == 0
    assert dump(database) == before


NESTED = "[" * 200_000
JSON_COLUMNS = {
    "files": ("matching_hashes",),
    "passages": ("musical_flavor_vector", "additional_metadata", "import_metadata", "identity_conflicts"),
    "import_provenance": ("data_extracted",),
}


@pytest.mark.parametrize("command", [("show", "--json"), ("show",), ("similar",)])
def test_json_without_end_in_a_library_counts_as_nothing(music: Path, command: tuple[str, ...]) -> None:
    commit(music / "wkmp.db", entry("a.flac"))
    for table, columns in JSON_COLUMNS.items():
        for column in columns:
            run_sql(music / "wkmp.db", f"UPDATE {table} SET {column} = '{NESTED}'")  # noqa: S608 - literals
    result = wkmp(*command, "a.flac", music)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "a.flac" in result.output
    assert listed_copies(NESTED) == []


@pytest.mark.parametrize("column", ["title", "user_title", "additional_metadata", "musical_flavor_vector"])
def test_bytes_where_text_should_be_hold_up_no_file(database: Path, column: str) -> None:
    """SQLite keeps bytes in any column, and its JSON and ours cannot hold them."""
    commit(database, entry("a.flac", "a"), entry("b.flac", "b"))
    run_sql(database, f"UPDATE passages SET {column} = x'ff00' WHERE file_id = (SELECT min(file_id) FROM passages)")  # noqa: S608 - literals
    changed = (entry("a.flac", "c", state=FileState.CHANGED), entry("b.flac", "d", state=FileState.CHANGED))
    outcomes = [one.outcome for one in commit(database, *changed, now=LATER, run_id="run-2").values()]
    assert [one for one in outcomes if isinstance(one, Failed)] == []
    undone = list(undo_run(database, "run-2", LATER, "run-3"))
    assert [one.left_because for one in undone] == ["", ""]


KEY = "INSERT INTO settings (key, value) VALUES ('acoustid_api_key', 'theirs')"


def with_key(settings: Settings) -> Settings:
    commit(settings.database_path, entry())
    run_sql(settings.database_path, KEY)
    return settings


def key(settings: Settings) -> str | None:
    found = acoustid_key(settings)
    return None if found is None else found.value


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("own_home")
def test_a_key_that_came_with_a_library_is_not_used(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with_key(settings)
    assert key(settings) is None
    assert Library(settings).database  # a first run makes the state folder
    assert key(settings) is None
    assert "wkmp accept-key FOLDER" in caplog.text
    assert "theirs" not in caplog.text
    assert key(replace(settings, acoustid_api_key=Secret("mine"))) == "mine"


@pytest.mark.usefixtures("own_home")
def test_a_key_that_a_person_accepts_is_used_until_it_changes(music: Path) -> None:
    settings = with_key(load_settings(library_root=music))
    accepted = wkmp("accept-key", music)
    assert accepted.exit_code == 0, accepted.output
    assert key(settings) == "theirs"
    run_sql(settings.database_path, "UPDATE settings SET value = 'other' WHERE key = 'acoustid_api_key'")
    assert key(settings) is None


@pytest.mark.usefixtures("own_home")
def test_a_key_with_spaces_inside_is_not_accepted(music: Path) -> None:
    settings = with_key(load_settings(library_root=music))
    run_sql(settings.database_path, "UPDATE settings SET value = 'the irs' WHERE key = 'acoustid_api_key'")
    refused = wkmp("accept-key", music)
    assert (refused.exit_code, "irs" in refused.output) == (2, False), refused.output
    assert "acoustid_api_key in the library's settings table: must have no spaces" in " ".join(refused.output.split())
    assert key(settings) is None


@pytest.mark.usefixtures("own_home")
def test_the_key_of_a_library_that_was_imported_here_before_is_accepted(settings: Settings) -> None:
    with_key(settings)
    settings.phase_dir.mkdir(parents=True)
    assert key(settings) == "theirs"
    assert Library(settings).database
    assert key(settings) == "theirs"
    with closing(sqlite3.connect(settings.database_path)) as connection, connection:
        connection.execute("UPDATE settings SET value = 'planted' WHERE key = 'acoustid_api_key'")
    assert key(settings) is None
