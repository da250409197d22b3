"""`kill -9` at random moments of a running import with all its processes, each followed by a resume.

A resume may be killed too, until one completes. Then the library equals that of an undisturbed import.
"""

import random
import shutil
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from wkmp_assets_tests.integration.faults.conftest import Landing, Reference
from wkmp_assets_tests.integration.faults.extent import EXTENT, IS_FULL, repeatable
from wkmp_assets_tests.integration.faults.imports import (
    RunningImports,
    look_at_what_is_left,
    step_reached,
    succeed,
)
from wkmp_assets_tests.support.library_rows import library_rows, paths_in
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.processes import processes_of
from wkmp_assets_tests.support.workplace import Workplace, make_workplace

KILLS_PER_PART = 20
WRITTEN_PER_FILE = 7
"""Six phase values and a decoded sound."""
MAX_DELAY_S = 0.6
"""Longest time between some progress and the kill: a decode, or some commits and the end of the import."""
FOLDERS = [[""], [""], ["", ""], ["", "Destructavator"]]
"""Folders that are imported at once into one library; "" is all of it."""
WORKERS = "2" if IS_FULL else "1"
if IS_FULL:
    FOLDERS.append(["", "Unsorted"])  # with copies, either file may be the original


@pytest.mark.parametrize("part", range(-(-EXTENT.import_kills // KILLS_PER_PART)))
def test_a_killed_import_loses_nothing_and_its_resume_completes_it(
    tmp_path: Path, request: pytest.FixtureRequest, landings: list[Landing], part: int
) -> None:
    reference: Reference = request.getfixturevalue("sample_library" if IS_FULL else "short_library")
    kills = min(KILLS_PER_PART, EXTENT.import_kills - part * KILLS_PER_PART)
    for chain in count():
        if kills <= 0:
            return
        with repeatable(f"part {part}, chain {chain}"):
            moments = random.Random(f"{EXTENT.seed} part {part} chain {chain}")
            (folder := tmp_path / "chain").mkdir()
            landed = import_with_kills(make_workplace(folder, reference.music), reference, moments, kills)
            shutil.rmtree(folder)
        landings += landed
        kills -= len(landed)


def import_with_kills(place: Workplace, reference: Reference, moments: random.Random, most: int) -> list[Landing]:
    """Kill and resume an import repeatedly, until it is complete or no kills are left."""
    place.extra = {"WKMP_FILES_PER_RUN": str(moments.randint(2, 6)), "WKMP_WORKERS": WORKERS}
    folders = [place.music / folder for folder in moments.choice(FOLDERS)]
    files = len(paths_in(reference.databases[0]))
    landed: list[Landing] = []
    present: set[str] = set()
    while len(landed) < most and len(present) < files:
        with repeatable(f"{len(folders)} imports at once, kill {len(landed)}, {len(present)} files in the library"):
            progress = moments.randrange(WRITTEN_PER_FILE * (files - len(present)) + 1)
            if not kill_while_it_runs(place, folders, progress, moments.uniform(0, MAX_DELAY_S)):
                break
            present = look_at_what_is_left(place.database, place.home / "copy", reference.databases)
            landed.append(Landing(step_reached(place), len(present)))
    succeed(place.wkmp("import", place.music))
    assert library_rows(place.database) in [library_rows(database) for database in reference.databases]
    assert len(paths_in(place.database)) == files
    return landed


def kill_while_it_runs(place: Workplace, folders: Sequence[Path], progress: int, delay_s: float) -> bool:
    """Start imports, and kill them some time after some progress. Tell whether one was still running."""
    imports = RunningImports(place, folders)
    wait_until(lambda: imports.have_ended or imports.progress >= progress, f"there are {progress} values")
    wait_until_ended_or(delay_s, imports)
    imports.kill()
    statuses = imports.outcomes()
    wait_until(lambda: not processes_of(place.home), "no process of a killed import is left")
    return any(statuses)


def wait_until_ended_or(delay_s: float, imports: RunningImports) -> None:
    deadline = time.monotonic() + delay_s
    while time.monotonic() < deadline and not imports.have_ended:
        time.sleep(0.002)
