"""Commands that read the library start without what only an import needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.paths import ROOT

HEAVY = {
    "av", "dagster", "httpx", "jinja2", "librosa", "matplotlib", "mutagen", "numpy", "requests", "sqlalchemy",
    "sqlite_utils",
}  # fmt: skip
READING = (
    ("status",), ("failures",), ("missing",), ("duplicates",), ("warnings",), ("list",), ("search", "song"),
    ("show", "a.mp3"), ("similar", "a.mp3"), ("export", "--format", "csv"), ("undo",),
)  # fmt: skip
CODE = """
import json, sys
from wkmp_assets.cli.main import main
folder, commands = sys.argv[1], json.loads(sys.argv[2])
for command in commands:
    try:
        main([*command, folder])
    except SystemExit as end:
        assert end.code in {0, 1}, (command, end.code)
    print(json.dumps([command[0], sorted({name.split(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.mark.slow
def test_a_command_that_reads_loads_nothing_of_an_import(tmp_path: Path) -> None:
    """`wkmp list` would take two seconds longer with Dagster, and half as long again with NumPy."""
    commit(tmp_path / "wkmp.db", entry("a.mp3"))
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path), json.dumps(READING)],
        cwd=ROOT,
        env={"DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [command for command, _ in loaded] == [command for command, *_ in READING]
    assert [(command, HEAVY.intersection(names)) for command, names in loaded if HEAVY.intersection(names)] == []
