"""Where the system limits the address space, a command says so before its libraries are loaded."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.address_space import MEGABYTE, MIN_MB, explain_shortage
from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.patience import PATIENCE_S

LITTLE_KB = 500_000
"""unit=KiB: of address space. FFmpeg's libraries and Dagster do not fit in, those of `wkmp status` do."""


def limited(*arguments: str | Path, limit_kb: int = LITTLE_KB) -> list[str]:
    """Return the command line of `wkmp` under a limit."""
    command = [sys.executable, "-m", "wkmp_assets.cli.main", *(str(argument) for argument in arguments)]
    return ["sh", "-c", f'ulimit -v {limit_kb} && exec "$@"', "sh", *command]


def run_limited(*arguments: str | Path, limit_kb: int = LITTLE_KB) -> subprocess.CompletedProcess[str]:
    command = limited(*arguments, limit_kb=limit_kb)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


@pytest.mark.slow
def test_an_import_with_too_little_address_space_says_so(tmp_path: Path) -> None:
    done = run_limited("import", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "wkmp import needs 900 MB of address space, and this shell or service allows 512 MB" in done.stderr
    assert "ulimit -v unlimited" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["worker", "scheduler", "cluster", "ui", "browse"])
def test_a_service_with_too_little_address_space_says_so_and_starts_nothing(tmp_path: Path, command: str) -> None:
    """Without a word, a worker would try for ever to start processes that cannot load their libraries."""
    arguments = [tmp_path] if command in {"ui", "browse"} else ["tcp://127.0.0.1:1"]
    done = run_limited(command, *arguments, limit_kb=300_000)
    assert done.returncode == 1
    assert f"wkmp {command} needs {MIN_MB[command]} MB of address space" in done.stderr
    assert "allows 307 MB" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_a_cluster_runs_with_the_least_address_space_of_its_commands(tmp_path: Path) -> None:
    with ExitStack() as running:

        def start(*arguments: str | Path) -> Iterator[str]:
            command = limited(*arguments, limit_kb=MIN_MB[str(arguments[0])] * MEGABYTE // 1024 + 1)
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            process = running.enter_context(subprocess.Popen(command, cwd=ROOT, text=True, **pipes))  # type: ignore[call-overload] # mypy joins their types
            running.callback(process.terminate)
            return iter(process.stdout)

        said = next(start("scheduler", "tcp://127.0.0.1:0", "--dashboard-port", "0"))
        address = said.split()[-1].rstrip(".")
        assert address.startswith("tcp://127.0.0.1:"), said
        assert "A worker has joined" in next(start("worker", address, "--root", tmp_path, "--slots", "1"))
        found = run_limited("cluster", address, limit_kb=MIN_MB["cluster"] * MEGABYTE // 1024 + 1)
        assert (found.returncode, found.stdout.splitlines()[0][:18]) == (0, "1 workers, 1 slots")


@pytest.mark.slow
def test_a_command_that_needs_little_runs_with_little(tmp_path: Path) -> None:
    commit(tmp_path / "wkmp.db", entry("a.mp3"))
    done = run_limited("status", tmp_path)
    assert done.returncode == 0, done.stderr


def test_only_a_limit_below_the_minimum_of_a_command_matters() -> None:
    assert explain_shortage("import", None) is None
    assert explain_shortage("import", MIN_MB["import"] * MEGABYTE) is None
    assert explain_shortage("import", MIN_MB["import"] * MEGABYTE - 1)
    assert explain_shortage("status", 1) is None


def test_the_limit_of_this_process_is_the_one_that_is_judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(MIN_MB, "status", 4_000_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (3_000_000 * MEGABYTE, hard))  # more than this process will ever map
    try:
        result = CliRunner().invoke(main, ["status", str(tmp_path)])
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert result.exit_code == 1
    assert "needs 4000000 MB of address space, and this shell or service allows 3000000 MB" in result.stderr


def test_only_commands_that_exist_have_a_minimum() -> None:
    assert MIN_MB.keys() <= set(main.list_commands(None))  # type: ignore[attr-defined] # of the group


def test_a_command_that_does_not_exist_is_named_whatever_the_limit() -> None:
    result = CliRunner().invoke(main, ["improt"])
    assert result.exit_code == 2
    assert "improt" in result.stderr
