"""Where the system limits the address space, a command says so before its libraries are loaded."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.address_space import MEGABYTE, MIN_MB, explain_shortage
from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.paths import ROOT

LITTLE_KB = 500_000
"""unit=KiB: of address space. FFmpeg's libraries and Dagster do not fit in, those of `wkmp status` do."""


def run_limited(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wkmp_assets.cli.main", *(str(argument) for argument in arguments)]
    limited = ["sh", "-c", f'ulimit -v {LITTLE_KB} && exec "$@"', "sh", *command]
    return subprocess.run(limited, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_an_import_with_too_little_address_space_says_so(tmp_path: Path) -> None:
    done = run_limited("import", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "wkmp import needs 900 MB of address space, and this shell or service allows 512 MB" in done.stderr
    assert "ulimit -v unlimited" in done.stderr
    assert not list(tmp_path.iterdir())


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
