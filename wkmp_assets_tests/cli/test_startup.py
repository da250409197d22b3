"""Commands that read the library start without what only an import needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.paths import ROOT

HEAVY = ("av", "dagster", "librosa", "matplotlib", "mutagen", "numpy", "requests", "sqlalchemy")
CODE = """
import sys
from wkmp_assets.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*{name.split(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def loaded(*arguments: str, home: Path) -> set[str]:
    """Return the packages that a command has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        cwd=ROOT,
        env={"DAGSTER_HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("list",), ("show", "a.mp3"), ("export", "--format", "csv")], ids=" ".join)
def test_a_command_that_reads_loads_nothing_of_an_import(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """`wkmp list` would take two seconds longer."""
    commit(tmp_path / "wkmp.db", entry("a.mp3"))
    assert loaded(*arguments, str(tmp_path), home=tmp_path).isdisjoint(HEAVY)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["status", "failures", "missing", "duplicates", "warnings"])
def test_a_command_about_an_import_does_without_dagster(tmp_path: Path, command: str) -> None:
    commit(tmp_path / "wkmp.db", entry("a.mp3"))
    assert loaded(command, str(tmp_path), home=tmp_path).isdisjoint({"dagster", "av", "librosa", "matplotlib"})
