"""The library that a command means when it names a file."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.cli.target import folder_of
from wkmp_assets_tests.support.builders import commit, entry


def test_the_folder_is_the_named_one_else_that_of_the_file_else_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "song.flac"
    file.touch()
    assert folder_of(str(file), tmp_path / "named") == tmp_path / "named"
    assert folder_of(str(file), None) == tmp_path
    assert folder_of(str(tmp_path), None) == tmp_path
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("WKMP_LIBRARY_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert folder_of("A song of no file", None) == tmp_path
    monkeypatch.delenv("WKMP_LIBRARY_ROOT")
    with pytest.raises(click.UsageError, match="name the folder of your music"):
        folder_of("A song of no file", None)


BY_FILE = {
    ("show",): (1, 2), ("similar",): (1, 2), ("playlist", "--like"): (1, 2), ("accept",): (2, 2), ("reject",): (2, 2),
    ("identify", "--recording", "none"): (2, 2), ("split",): (2, 2), ("join",): (2, 2),
}  # fmt: skip
"""Command -> its exit status for a file that its library does not have, and where there is no library to look in."""
AFTER = {"split": ["5"], "join": ["1", "2"]}


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of one file, which is gone from disk. The working folder is in no library."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    music = tmp_path / "music"
    music.mkdir()
    commit(music / "wkmp.db", entry("gone.flac"))
    monkeypatch.chdir(tmp_path)
    return music


def wkmp(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.usefixtures("music")
@pytest.mark.parametrize("command", BY_FILE)
def test_a_file_that_is_not_there_is_named(command: tuple[str, ...]) -> None:
    unknown, nowhere = BY_FILE[command]
    after = AFTER.get(command[0], [])
    status, said = wkmp(*command, "music/none.flac", *after)
    assert (status, "the library " in said, "music/none.flac" in said) == (unknown, True, True), said
    status, said = wkmp(*command, "none.flac", *after)
    assert status == nowhere
    assert "there is no file none.flac; to look for it in a library, name the folder of your music, or set" in said


@pytest.mark.parametrize("named", [("music/gone.flac",), ("{}/gone.flac",), ("gone.flac", "--library", "music")])
def test_a_file_that_is_gone_from_disk_is_found_by_its_folder(music: Path, named: tuple[str, ...]) -> None:
    status, said = wkmp("show", *(word.format(music) for word in named))
    assert (status, said.startswith("gone.flac")) == (0, True), said


def test_a_file_outside_the_library_can_be_imported(music: Path) -> None:
    assert "does not have music/none.flac, and there is no such file on disk" in wkmp("show", "music/none.flac")[1]
    (music / "none.flac").touch()
    for named in (["music/none.flac"], ["none.flac", "music"]):
        assert "none.flac. To import it: wkmp import FOLDER" in wkmp("show", *named)[1]


@pytest.mark.usefixtures("music")
@pytest.mark.parametrize("command", BY_FILE)
def test_where_there_is_no_library_a_file_is_not_looked_for(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.flac").touch()
    status, said = wkmp(*command, "new/a.flac", *AFTER.get(command[0], []))
    assert (status, f"there is no library {tmp_path}/new/wkmp.db" in said) == (1, True), said
