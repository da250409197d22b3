"""A wrong setting is one sentence and exit status 2, whatever the command."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.builders import commit, entry, run_sql

WITHOUT_FOLDER = {"cluster", "config", "help", "scheduler", "worker"}
"""They have tests of their own: test_home.py, test_help_topics.py, and those of the cluster."""
COMMANDS = sorted({*main.list_commands(click.Context(main))} - WITHOUT_FOLDER)
ARGUMENTS = {
    "identify": ["a.wav", "--recording", "none"],
    "split": ["a.wav", "1:00"],
    "join": ["a.wav", "1", "2"],
    "search": ["air"],
    "show": ["a.wav"],
    "similar": ["air"],
    "playlist": ["--like", "air"],
    "export": ["--format", "csv"],
}
"""What a command needs before the folder."""


def run(command: str, music: Path, home: str) -> tuple[int, str]:
    (music / "a.wav").touch()
    target = music / "a.wav" if command == "picture" else music
    result = CliRunner().invoke(
        main, [command, *ARGUMENTS.get(command, []), str(target)], env={"DAGSTER_HOME": home, "COLUMNS": "300"}
    )
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


def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library, and a Dagster of its own."""
    home, music = tmp_path / "home", tmp_path / "music"
    for folder in (home, music):
        folder.mkdir()
    (music / "a.wav").touch()
    for name, value in {"DAGSTER_HOME": home, "HOME": tmp_path, "COLUMNS": 400}.items():
        monkeypatch.setenv(name, str(value))
    return music


def said_by_import(music: Path) -> str:
    """Import with a wrong setting; return the sentence about it."""
    result = CliRunner().invoke(main, ["import", str(music)])
    assert isinstance(result.exception, SystemExit)
    assert (result.exit_code, "Traceback" in result.stderr) == (2, False), result.stderr
    assert result.stdout == "", "it is said before the import begins"
    return result.stderr


@pytest.mark.slow
def test_a_wrong_cron_expression_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    music = workplace(tmp_path, monkeypatch)
    monkeypatch.setenv("WKMP_RESCAN_CRON", "every night")
    assert "WKMP_RESCAN_CRON is 'every night', which is no cron expression" in said_by_import(music)


@pytest.mark.slow
def test_a_wrong_setting_inside_the_library_is_named_before_the_import_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music = workplace(tmp_path, monkeypatch)
    commit(music / "wkmp.db", entry())
    run_sql(music / "wkmp.db", "INSERT INTO settings (key, value) VALUES ('silence_threshold_dB', '500')")
    assert "silence_threshold_dB in the library's settings table is '500'" in said_by_import(music)


@pytest.mark.slow
def test_a_broken_file_with_the_key_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    music = workplace(tmp_path, monkeypatch)
    toml = tmp_path / ".config/wkmp/wkmp-ai.toml"
    toml.parent.mkdir(parents=True)
    toml.write_text("acoustid_api_key = = secret")
    said = said_by_import(music)
    assert f"{toml} cannot be read as TOML" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "text", ["storage: [", "storage: {sqlite: {nonsense: 1}}", "run_launcher: {module: no, class: no}"]
)
def test_a_broken_dagster_yaml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    music = workplace(tmp_path, monkeypatch)
    (tmp_path / "home/dagster.yaml").write_text(text)
    said = said_by_import(music)
    assert f"{tmp_path}/home/dagster.yaml cannot be used: " in said
    assert "correct it, then try again" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_in_a_folder_that_does_not_exist_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("WKMP_DATABASE", str(tmp_path / "not here/wkmp.db"))
    status, said = run(command, tmp_path, str(tmp_path))
    assert (status, "Traceback" in said) == (2, False)
    assert f"the library database is {tmp_path}/not here/wkmp.db, in a folder that does not exist" in said


def test_a_default_that_cannot_be_is_named_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WKMP_STATE_DIR", raising=False)
    (tmp_path / ".wkmp").touch()
    status, said = run("import", tmp_path, str(tmp_path))
    assert status == 2
    state = f"{tmp_path}/.wkmp"
    assert f"the default of WKMP_STATE_DIR is {state}, but {state} is no folder: move it away, or set" in said


@pytest.mark.parametrize("name", ["WKMP_STATE_DIR", "WKMP_COVERS_DIR"])
def test_a_folder_of_the_state_that_cannot_be_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(name, str(tmp_path / "file/state"))
    status, said = run("import", tmp_path, str(tmp_path))
    assert status == 2
    assert f"{name} is {tmp_path}/file/state, but {tmp_path}/file is no folder" in said
    monkeypatch.delenv(name)
    (tmp_path / "wkmp.toml").write_text(f"{name.removeprefix('WKMP_').lower()} = '{tmp_path}/file/state'\n")
    in_file = f"{name.removeprefix('WKMP_').lower()} in {tmp_path}/wkmp.toml is {tmp_path}/file/state, but"
    assert in_file in run("import", tmp_path, str(tmp_path))[1]
    (tmp_path / "wkmp.toml").unlink()
    monkeypatch.setenv(name, str(tmp_path / "new/state"))
    assert run("status", tmp_path, str(tmp_path))[0] == 0
    assert not (tmp_path / "new").exists()
