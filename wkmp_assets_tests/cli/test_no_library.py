"""A folder without a library is no library in which all is well: every command that reads says so."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wkmp_assets.cli.main import main
from wkmp_assets.db.connection import open_writer

READING = {
    ("status",): 0, ("list",): 0, ("search", "song"): 1, ("failures",): 0, ("missing",): 0, ("warnings",): 0,
    ("duplicates",): 0, ("undo",): 0, ("accept-key",): 0,
}  # fmt: skip
"""Command -> its exit status where it finds nothing."""
FOR_PROGRAMS = (
    ("list", "--json"), ("failures", "--json"), ("missing", "--json"), ("warnings", "--json"), ("duplicates", "--json"),
    ("undo", "--json"), ("export", "--format", "json"),
)  # fmt: skip


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of music whose name needs quotes, without a library."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    folder = tmp_path / "my music"
    folder.mkdir()
    (folder / "cover.txt").touch()
    return folder


def wkmp(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def no_library(music: Path) -> str:
    return f"No library yet at {music}/wkmp.db; make one with: wkmp import '{music}'\n"


@pytest.mark.parametrize("command", READING)
def test_a_command_says_that_there_is_no_library(music: Path, command: tuple[str, ...]) -> None:
    done = wkmp(*command, music)
    assert (done.exit_code, done.stdout) == (READING[command], no_library(music))
    assert [path.name for path in music.iterdir()] == ["cover.txt"]


@pytest.mark.slow
def test_a_command_that_loads_dagster_says_so_too(music: Path) -> None:
    done = wkmp("prune", music)
    assert (done.exit_code, no_library(music) in done.stdout) == (0, True), done.output


def test_checks_that_have_no_library_to_judge_do_not_pass(music: Path) -> None:
    report = music.parent / "checks.xml"
    done = wkmp("checks", music, "--junit", report)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", no_library(music))
    assert not report.exists()


@pytest.mark.parametrize("command", FOR_PROGRAMS)
def test_programs_get_their_json_and_people_the_reason(music: Path, command: tuple[str, ...]) -> None:
    done = wkmp(*command, music)
    assert (done.exit_code, done.stderr) == (0, no_library(music))
    schema, *found = json.loads(done.stdout).values()
    assert (schema, found) == (1, [[]])


def test_the_database_that_was_named_is_the_one_to_make(music: Path) -> None:
    said = wkmp("failures", "--database", music.parent / "other.db", music).stdout
    assert said.endswith(f"wkmp import '{music}' --database {music.parent}/other.db\n")


def test_an_empty_library_is_one(music: Path) -> None:
    open_writer(music / "wkmp.db", busy_timeout_ms=0).close()
    assert wkmp("failures", music).output == "Nothing failed.\n"
    done = wkmp("failures", "--json", music)
    assert (json.loads(done.stdout)["failures"], done.stderr) == ([], "")
