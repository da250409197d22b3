"""What `wkmp cluster`, `wkmp scheduler` and `wkmp worker` refuse before they start anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main


def wkmp(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments], prog_name="wkmp")
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WKMP_CLUSTER", "WKMP_REMOTE_ROOT", "WKMP_CLUSTER_INSECURE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("command", [["scheduler"], ["worker", "--root", "."], ["cluster"]])
def test_an_address_that_others_reach_needs_tls(command: list[str]) -> None:
    status, said = wkmp(command[0], "tcp://192.0.2.7:8786", *command[1:])
    assert status == 2
    assert "tcp://192.0.2.7:8786 is not encrypted" in said
    assert "WKMP_CLUSTER_INSECURE=1" in said


def test_a_worker_must_know_where_the_music_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, said = wkmp("worker")
    assert (status, "Name its folder with --root" in said) == (2, True)
    monkeypatch.setenv("WKMP_REMOTE_ROOT", str(tmp_path / "gone"))
    status, said = wkmp("worker")
    assert (status, "is no folder: mount the music there" in said) == (2, True)


def test_a_cluster_must_be_named() -> None:
    assert wkmp("cluster") == (2, "Error: which cluster? Name its scheduler, like tcp://nas:8786, or set WKMP_CLUSTER")


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WKMP_WORKER_MEMORY_MB", "none")
    for command in ("worker", "cluster"):
        status, said = wkmp(command)
        assert (status, "WKMP_WORKER_MEMORY_MB" in said) == (2, True)
