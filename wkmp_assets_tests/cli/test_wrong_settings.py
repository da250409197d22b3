"""A wrong setting is one sentence and exit status 2, whatever the command."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main

COMMANDS = sorted(main.commands)


def run(command: str, music: Path, home: str) -> tuple[int, str]:
    (music / "a.wav").touch()
    target = music / "a.wav" if command == "picture" else music
    result = CliRunner().invoke(main, [command, str(target)], env={"DAGSTER_HOME": home, "COLUMNS": "300"})
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dagster_home_that_does_not_exist_is_named(tmp_path: Path, command: str) -> None:
    status, said = run(command, tmp_path, str(tmp_path / "not here"))
    assert (status, "Traceback" in said) == (2, False)
    assert f"DAGSTER_HOME is {tmp_path / 'not here'}, which is no folder" in said
    assert not (tmp_path / "not here").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_relative_dagster_home_is_named(tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    status, said = run(command, tmp_path, "home")
    assert (status, "Traceback" in said) == (2, False)
    assert f"DAGSTER_HOME is home, which depends on the working folder: set it to {tmp_path / 'home'}" in said


def test_a_dagster_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    assert run("status", tmp_path, str(tmp_path / "home"))[0] == 2


def test_a_dagster_home_below_the_own_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "dagster").mkdir()
    assert run("status", tmp_path, "~/dagster")[0] == 0
