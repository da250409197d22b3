"""`wkmp missing`, `wkmp prune` and `wkmp status` in the words a person sees, on a terminal and without one."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wkmp_assets.cli.importer import open_instance
from wkmp_assets.cli.main import main
from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.run_tags import tags_of_library
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.builders import NOW, column, commit, entry, in_a_row, run_sql
from wkmp_assets_tests.support.paths import ROOT


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of three files, two of which are missing and one of these in the queue."""
    folder = tmp_path / "music"
    for path in ("A/gone [live].mp3", "A/queued.mp3", "B/there.mp3"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())
        stat = read_stat(folder / path)
        known = {"size_bytes": stat.size_bytes, "modified_at": stat.modified_at}
        commit(folder / "wkmp.db", entry(path, path, in_a_row(2), **known))
    run_sql(
        folder / "wkmp.db",
        "CREATE TABLE queue (guid TEXT PRIMARY KEY, passage_guid TEXT)",
        "INSERT INTO queue SELECT p.guid, p.guid FROM passages AS p JOIN files AS f ON f.guid = p.file_id "
        "WHERE f.path = 'A/queued.mp3'",
        "UPDATE passages SET user_title = 'mine' WHERE guid IN (SELECT guid FROM passages LIMIT 1)",
    )
    (folder / "A/gone [live].mp3").unlink()
    (folder / "A/queued.mp3").unlink()
    (folder / "A/cover.jpg").touch()
    (tmp_path / "home").mkdir()
    (tmp_path / "home/dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
    for name, value in {"DAGSTER_HOME": tmp_path / "home", "COLUMNS": "160", "WKMP_LIBRARY_ROOT": folder}.items():
        monkeypatch.setenv(name, str(value))
    return folder


def wkmp(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def in_library(music: Path) -> list[str]:
    return column(music / "wkmp.db", "SELECT path FROM files ORDER BY path")


def test_missing_files_are_listed_counted_and_told_to_programs(music: Path) -> None:
    assert "Nothing is missing" in wkmp("missing", music).stdout
    gone = ("A/gone [live].mp3", "A/queued.mp3")
    mark_missing(music / "wkmp.db", LibraryChanges((), (), (), gone), NOW)
    listed = wkmp("missing", music)
    assert listed.exit_code == 0
    for words in (*gone, "2026-03-01 12:00:00", "2 queue", "2 missing"):
        assert words in listed.stdout
    assert "Nothing is missing" in wkmp("missing", music / "B").stdout
    assert "2 (see: wkmp missing" in wkmp("status", music).stdout
    told = json.loads(wkmp("status", "--json", music).stdout)["missing"]
    assert told == [{"path": path, "missing_since": "2026-03-01 12:00:00"} for path in gone]
    assert json.loads(wkmp("missing", "--json", music).stdout) == {"schema": 1, "missing": told}
    assert json.loads(wkmp("missing", "--json", music / "B").stdout) == {"schema": 1, "missing": []}
    documented = (ROOT / "docs/guide/ci.md").read_text(encoding="utf-8")
    assert [name for name in ("missing", *told[0]) if f"`{name}`" not in documented] == []


def test_a_prune_without_terminal_and_without_yes_only_shows(music: Path) -> None:
    result = wkmp("prune", music)
    assert result.exit_code == 0
    for words in (
        "1 to be removed", "A/gone [live].mp3", "1 kept, because something refers to them", "2 queue",
        "To be removed: 1 file, 2 passages", "Songs, artists, albums and works stay", "Nothing was removed",
    ):  # fmt: skip
        assert words in result.stdout
    assert len(in_library(music)) == 3
    assert "Nothing is missing" in wkmp("prune", music / "B").stdout


@pytest.mark.slow
def test_a_prune_in_a_script_removes_and_says_so(music: Path) -> None:
    first = wkmp("prune", "--yes", music)
    assert (first.exit_code, in_library(music)) == (0, ["A/queued.mp3", "B/there.mp3"])
    assert "Removed 1 file, with at most 1 write lock each." in first.stdout
    second = wkmp("prune", "--yes", "--with-history", music)
    assert "2 rows of queue" in second.stdout
    assert (second.exit_code, in_library(music)) == (0, ["B/there.mp3"])


def test_a_prune_that_is_refused_is_exit_status_1(music: Path) -> None:
    (music / "B/there.mp3").rename(music / "B/elsewhere.mp3")
    result = wkmp("prune", "--yes", music)
    assert (result.exit_code, "Import first, then prune" in result.stderr) == (1, True)
    assert len(in_library(music)) == 3


@pytest.mark.long
@pytest.mark.parametrize(("answer", "left"), [("n", 3), ("y", 2)])
def test_on_a_terminal_a_prune_asks(music: Path, answer: str, left: int) -> None:
    person, terminal = pty.openpty()
    command = [sys.executable, "-m", "wkmp_assets.cli.main", "prune", str(music)]
    with subprocess.Popen(command, cwd=ROOT, stdin=terminal, stdout=subprocess.PIPE, text=True) as process:
        os.write(person, f"{answer}\n".encode())
        out, _ = process.communicate()
    os.close(person)
    os.close(terminal)
    assert "Remove 1 file from the library?" in out
    assert (process.returncode, len(in_library(music))) == (0, left)


@pytest.mark.slow
def test_an_import_names_folders_that_cannot_be_read_and_says_what_it_has_not_seen(
    public_folder: Path, monkeypatch: pytest.MonkeyPatch, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    folder, home, first = (public_folder / name for name in ("music", "home", "first"))
    for made in (folder, home, first, folder / "locked"):
        made.mkdir()
        made.chmod(0o777)
    for place in (home, first):
        (place / "dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
    for path in ("locked/a.mp3", "there.mp3"):
        (folder / path).write_bytes(path.encode())
        stat = read_stat(folder / path)
        known = {"size_bytes": stat.size_bytes, "modified_at": stat.modified_at}
        commit(folder / "wkmp.db", entry(path, path, **known))
    own = {"HOME": home, "DAGSTER_HOME": first, "COLUMNS": "160", "WKMP_LIBRARY_ROOT": folder}
    for name, value in own.items():
        monkeypatch.setenv(name, str(value))
    # Load all modules now, because the unprivileged user may not be able to read them.
    assert "2 unchanged" in wkmp("import", folder).stdout
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    (folder / "wkmp.db").chmod(0o666)
    (folder / "locked").chmod(0)
    with unprivileged():
        result = wkmp("import", folder)
    assert result.exit_code == 1, result.stderr
    assert "locked: the folder cannot be read (Permission denied)" in result.stdout
    assert "Unreadable  1 folder cannot be read" in result.stdout
    assert "1 in unreadable folders or behind links (kept)" in result.stdout
    assert column(folder / "wkmp.db", "SELECT count(*) FROM missing_files") == [0]


@pytest.mark.slow
def test_a_prune_while_a_run_waits_leaves_the_partitions_to_the_next_one(music: Path) -> None:
    library = load_settings(library_root=music)
    with open_instance() as instance:
        instance.add_dynamic_partitions(partitions_name(library), ["A/gone%20%5Blive%5D.mp3", "B/there.mp3"])
        job = build_definitions(library).resolve_job_def("scan_library")
        waiting = instance.create_run_for_job(job, tags=tags_of_library(library))
    done = wkmp("prune", "--yes", music)
    assert "A run waits or is under way. The next prune drops the partitions" in " ".join(done.stdout.split())
    with open_instance() as instance:
        instance.delete_run(waiting.run_id)
    assert "Dropped 1 partition" in wkmp("prune", "--yes", music).stdout
