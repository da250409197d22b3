"""The commands of docs/guide/ci.md, run as the page writes them."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import click
import pytest
import yaml

from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.checked_library import BROKEN, SONG, TAKE
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.workplace import make_workplace

PAGE = (ROOT / "docs/guide/ci.md").read_text(encoding="utf-8")
BLOCKS = re.compile(r"<!-- commands.*?-->\n```sh\n(.*?)```", re.DOTALL)
ONE = "'Artist/Album/01 Title.flac'"
RANGE = "'Artist/Album/01 Title.flac...Artist/Album/12 Title.flac'"
MATERIALIZE = "dagster asset materialize -m wkmp_assets.definitions --select"
COMMANDS = [
    f"{MATERIALIZE} library_scan",
    f"{MATERIALIZE} 'group:import' --partition {ONE}",
    f"WKMP_FILES_PER_RUN=all {MATERIALIZE} 'group:import' --partition-range {RANGE}",
    "dg check defs",
    "dg list defs",
    "dg launch --assets library_scan",
    f"dg launch --assets 'group:import' --partition {ONE}",
    f"WKMP_FILES_PER_RUN=all dg launch --assets 'group:import' --partition-range {RANGE}",
]
"""They succeed, as the range does that holds a file which cannot be imported."""
FAILING = [
    f"{MATERIALIZE} 'group:import' --partition 'Artist/Album/12 Title.flac'",
    f"{MATERIALIZE} 'group:import' --partition 'not registered.flac'",
    "dg launch --assets 'group:import' --partition 'Artist/Album/12 Title.flac'",
]


def commands_of_page() -> list[str]:
    """Without the lines that prepare the shell, without comments, each on one line."""
    lines = [line for block in BLOCKS.findall(PAGE) for line in block.replace("\\\n", " ").splitlines()]
    commands = (" ".join(line.partition(" #")[0].split()) for line in lines)
    return [command for command in commands if not command.startswith(("source ", "export "))]


def test_the_page_has_the_commands_that_are_run() -> None:
    assert commands_of_page() == COMMANDS


def test_the_job_to_copy_is_a_job_and_calls_commands_that_there_are() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    steps = yaml.safe_load(text)["jobs"]["import"]["steps"]
    ours = [step["run"].split()[1] for step in steps if step.get("run", "").startswith("wkmp ")]
    assert ours == ["import", "checks", "failures"]
    assert set(ours) <= set(main.list_commands(click.Context(main)))


@pytest.mark.long
def test_each_command_does_what_the_page_says(tmp_path: Path) -> None:
    source = tmp_path / "source"
    album = source / "Artist/Album"
    album.mkdir(parents=True)
    for name, file in {"01 Title.flac": SONG, "02 Title.wav": TAKE, "12 Title.flac": BROKEN}.items():
        shutil.copy(file, album / name)
    place = make_workplace(tmp_path, source)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**place.environment(), "PATH": path, "PYTHONPATH": str(ROOT), "VIRTUAL_ENV": sys.prefix}
    for command, status in [*((one, 0) for one in COMMANDS), *((one, 1) for one in FAILING)]:
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == status, (command, done.stdout[-3000:], done.stderr[-3000:])
    with closing(sqlite3.connect(place.database)) as library:
        imported = {name for (name,) in library.execute("SELECT path FROM files WHERE status = 'INGEST COMPLETE'")}
        failed = [name for (name,) in library.execute("SELECT path FROM import_failures")]
    assert imported == {"Artist/Album/01 Title.flac", "Artist/Album/02 Title.wav"}
    assert failed == ["Artist/Album/12 Title.flac"]
