"""Where the state is, what the config file says, and what a command does outside a checkout."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wkmp_assets import settings
from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.paths import ROOT


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a user who has installed a wheel and set nothing. It does not exist yet."""
    for name in [name for name in os.environ if name.startswith(("WKMP_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", "")  # it is set by what is tested, and then restored
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(settings, "_CHECKOUT", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "music").mkdir()
    return tmp_path / "state/wkmp"


def wkmp(*arguments: str | Path, status: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def in_use() -> dict[str, tuple[str, str]]:
    found: dict[str, Any] = json.loads(wkmp("config", "--json").stdout)
    return {one["name"]: (one["value"], one["source"]) for one in found["settings"]}


def test_the_state_folder_is_made_on_first_use_with_our_dagster_yaml(state: Path) -> None:
    assert "No library yet" in wkmp("status", "music").stdout
    assert (state / "dagster.yaml").read_bytes() == (ROOT / "dagster.yaml").read_bytes()
    assert [path.name for path in state.iterdir()] == ["dagster.yaml"], "no temporary file stays"
    assert state.stat().st_mode & 0o077 == 0, "it may hold a key"


def test_a_dagster_yaml_that_is_there_stays(state: Path) -> None:
    state.mkdir(parents=True)
    (state / "dagster.yaml").write_text("# mine\n")
    wkmp("status", "music")
    assert (state / "dagster.yaml").read_text() == "# mine\n"


def test_a_state_folder_that_cannot_be_made_is_a_sentence(state: Path) -> None:
    state.parent.touch()
    said = wkmp("status", "music", status=2).stderr
    assert f"the state folder {state} cannot be made" in said
    assert "set DAGSTER_HOME" in said


def test_the_environment_wins_over_the_config_file_and_both_over_the_default(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.mkdir(parents=True)
    (state / "wkmp.toml").write_text('workers = 3\npcm_cache_mb = 99\nacoustid_api_key = "secret"\nwatch = true\n')
    monkeypatch.setenv("WKMP_WORKERS", "5")
    found, file = in_use(), str(state / "wkmp.toml")
    assert found["DAGSTER_HOME"] == (str(state), "default")
    assert found["workers"] == ("5", "WKMP_WORKERS")
    assert found["pcm_cache_mb"] == ("99", file)
    assert found["watch"] == ("True", file)
    assert found["worker_memory_mb"] == ("1024", "default")
    assert found["acoustid_api_key"] == ("**********", file)
    text = wkmp("config").stdout
    assert file in text
    assert "secret" not in text


def test_the_config_file_names_the_music(state: Path, tmp_path: Path) -> None:
    commit(tmp_path / "music/wkmp.db", entry("a.mp3"))
    said = wkmp("list", status=2).stderr
    assert "name the folder of your music" in said
    assert str(state / "wkmp.toml") in said
    (state / "wkmp.toml").write_text(f"library_root = '{tmp_path / 'music'}'\n")
    assert "1 passage of 1 file" in wkmp("list").stdout
    (state / "wkmp.toml").write_text(f"library_root = '{tmp_path / 'gone'}'\n")
    assert f"library_root in {state}/wkmp.toml is {tmp_path}/gone, which is no folder" in wkmp("list", status=2).stderr
    (state / "wkmp.toml").write_text(f"library_root = '{tmp_path / 'music'}'\n")
    assert wkmp("--quiet", "list").stdout == ""
    assert "1 passage" in wkmp("--no-color", "list").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workers = 0", "wkmp.toml: must be a whole number from 1 to 64 (got 0)"),
        ("acoustid_api_key = 'sec ret'", "wkmp.toml: must have no spaces"),
        ("workers = true", "wkmp.toml: must be a whole number from 1 to 64 (got True)"),
        ("worker = 3", "wkmp.toml: there is no setting worker"),
        ("workers = ", "wkmp.toml cannot be read: "),
    ],
)
def test_a_wrong_config_file_is_named(state: Path, text: str, said: str) -> None:
    state.mkdir(parents=True)
    (state / "wkmp.toml").write_text(text)
    for arguments in (("config",), ("status", "music")):
        assert said in " ".join(wkmp(*arguments, status=2).stderr.split())


@pytest.mark.slow
def test_a_machine_without_libchromaprint_is_told_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "chromaprint.py").write_text('raise ImportError("couldn\'t find libchromaprint")')
    (tmp_path / "music").mkdir()
    (tmp_path / "music/a.mp3").touch()
    done = subprocess.run(
        [sys.executable, "-m", "wkmp_assets.cli.main", "import", str(tmp_path / "music")],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "DAGSTER_HOME": str(tmp_path), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    for command in ("apt install libchromaprint1", "dnf install libchromaprint", "pacman -S", "brew install"):
        assert command in done.stderr, done.stderr
