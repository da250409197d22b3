"""Measure ticks of the sensor over large libraries: `python -m wkmp_assets_tests.tools.benchmarks.sensor_benchmark`.

Each is compared with a bare walk of the same tree: `os.walk` and a `stat` per file. Every tick is the real sensor with
a real Dagster instance, in another process, as the daemon's code server calls it. Writes docs/benchmarks/sensor.md.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import dagster as dg
from dagster import DagsterInstance
from rich.console import Console

from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.sensors import SENSOR
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.many_files import LONG_AGO, know_all, make_tree
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS, ROOT

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.sensor_benchmark"
BUDGETS_S = {10_000: 2.0, 100_000: 10.0}
"""Files -> seconds a tick may take."""
CHANGES = 10
"""Files that are added, retagged and deleted for the last kind of tick."""
BARE, FIRST, STEADY, CHANGED = "os.walk and stat", "nothing known yet", "nothing to do", "a few changes"


@dataclass(frozen=True)
class Tick:
    """Costs and result of one tick."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    """Of the whole process, Dagster and our code included."""
    said: str


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when a budget is missed, else 0."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Measure ticks of the sensor.")
    parser.add_argument("--files", type=int, nargs="+", default=list(BUDGETS_S), help="sizes of the libraries")
    parser.add_argument("--rounds", type=int, default=3, help="how often each tick is measured; the median counts")
    parser.add_argument("--out", type=Path, default=DOCS / "sensor.md", help="the page")
    parser.add_argument("--tick", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.tick:
        print(json.dumps(vars(measure_tick(options.tick))))  # noqa: T201 - for the process that started this one
        return 0
    loads = [("at the start", load_now())]
    measured: dict[int, dict[str, Tick]] = {}
    for number in options.files:
        with tempfile.TemporaryDirectory(prefix="wkmp-sensor-") as folder:
            measured[number] = measure_library(Path(folder), number, options.rounds)
    loads.append(("at the end", load_now()))
    shown = [ticks_table(measured), describe_machine(loads, Path(tempfile.gettempdir()))]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(options.out, "Ticks of the sensor", _introduction(options.rounds), shown)
    OUT.print(f"Written: {options.out}")
    return 1 if missed(measured) else 0


def measure_library(place: Path, number: int, rounds: int) -> dict[str, Tick]:
    """Measure every kind of tick over a library of the given size."""
    settings = settings_of(place)
    (place / "home").mkdir()
    shutil.copy(ROOT / "dagster.yaml", place / "home")
    paths = make_tree(settings.library, number)
    found = {BARE: _middle([walk_barely(settings.library) for _ in range(rounds)])}
    found[FIRST] = _middle(list(_ticks(place, rounds)))
    with _instance(place) as instance:
        instance.add_dynamic_partitions(partitions_name(settings), [encode_key(path) for path in paths])
    know_all(settings.database_path, settings.library, paths)
    found[STEADY] = _middle(list(_ticks(place, rounds)))
    change(settings.library, paths)
    found[CHANGED] = _middle(list(_ticks(place, rounds)))
    return found


def settings_of(place: Path) -> Settings:
    """Return the settings of the library below a folder."""
    return load_settings(library_root=place / "music", state_dir=place / "state", workers=1)


def change(root: Path, paths: Sequence[str]) -> None:
    """Add, retag and delete a few files, spread over the library."""
    step = max(len(paths) // (2 * CHANGES), 1)
    for number, path in enumerate(paths[: 2 * CHANGES * step : step]):
        file = root / path
        if number % 2:
            file.unlink()
        else:
            (file.parent / "99 Added.mp3").write_bytes(b"added")
            os.utime(file.parent / "99 Added.mp3", (LONG_AGO, LONG_AGO))
            file.write_bytes(b"retagged")
            os.utime(file, (LONG_AGO, LONG_AGO))


def walk_barely(root: Path) -> Tick:
    """Only list a tree, and `stat` every file."""
    with _clock() as spent:
        files = 0
        for folder, _, names in os.walk(root):
            for name in names:
                os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - the bare way
                files += 1
    return Tick(*spent, f"{files} files seen")


def measure_tick(place: Path) -> Tick:
    """Evaluate the sensor once in this process."""
    repository = build_definitions(settings_of(place)).get_repository_def()
    sensor = repository.get_sensor_def(SENSOR)
    with (
        _instance(place) as instance,
        dg.build_sensor_context(instance=instance, cursor=None, repository_def=repository) as context,
    ):
        with _clock() as spent:
            result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        said = str(result.skip_reason.skip_message) if result.skip_reason else f"{len(result.run_requests or ())} runs"
    return Tick(*spent, said)


@contextmanager
def _clock() -> Iterator[list[float]]:
    """Time a block: wall seconds, CPU seconds and the peak megabytes of the process afterwards."""
    spent: list[float] = []
    wall, cpu = time.perf_counter(), time.process_time()
    yield spent
    spent += [time.perf_counter() - wall, time.process_time() - cpu]
    spent.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _instance(place: Path) -> DagsterInstance:
    os.environ["DAGSTER_HOME"] = str(place / "home")
    return DagsterInstance.from_config(str(place / "home"))


def _ticks(place: Path, rounds: int) -> Iterator[Tick]:
    command = [sys.executable, "-W", "ignore", "-m", MODULE, "--tick", str(place)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(place / "home")}
    for _ in range(rounds):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        yield Tick(**json.loads(done.stdout.splitlines()[-1]))


def _middle(ticks: Sequence[Tick]) -> Tick:
    """Return the tick of median wall time."""
    middle = median([tick.wall_s for tick in ticks])
    return min(ticks, key=lambda tick: abs(tick.wall_s - middle))


def missed(measured: dict[int, dict[str, Tick]]) -> list[str]:
    """Name the ticks that took longer than they may."""
    return [
        f"{number} files, {kind}: {tick.wall_s:.2f} s"
        for number, ticks in measured.items()
        for kind, tick in ticks.items()
        if kind != BARE and tick.wall_s > BUDGETS_S.get(number, float("inf"))
    ]


def ticks_table(measured: dict[int, dict[str, Tick]]) -> Table:
    """Show the time of ticks, absolute and in bare walks."""
    rows = []
    for number, ticks in measured.items():
        bare = ticks[BARE]
        for kind, tick in ticks.items():
            budget = f"{BUDGETS_S[number]:g}" if number in BUDGETS_S and kind != BARE else "-"
            ratio = f"{tick.cpu_s / bare.cpu_s:.1f}" if bare.cpu_s else "-"
            memory = "-" if kind == BARE else f"{tick.peak_mb:.0f}"
            per_file = f"{tick.wall_s / number * 1e6:.1f}"
            cost = (f"{tick.wall_s:.2f}", budget, f"{tick.cpu_s:.2f}", ratio, per_file, memory, tick.said)
            rows.append((f"{number:,}, {kind}", *cost))
    verdict = "; ".join(missed(measured)) or "none"
    columns = ("Files, tick", "Wall, s", "Budget, s", "CPU, s", "CPU / bare walk", "µs a file", "Peak MB", "It said")
    return Table("Ticks", columns, rows, f"Budgets missed: {verdict}.")


def _introduction(rounds: int) -> list[str]:
    how = (
        "`make bench-sensor` writes this page. It calls the sensor `new_files_sensor` as Dagster's daemon does, with a "
        "real instance, over a tree of tiny files. A tick looks at names, sizes and times, and opens no file. Figures "
        f"are medians of {rounds} ticks, each in its own process. The system has the folders in memory."
    )
    kinds = (
        f"*{BARE}* is the least that any look at the tree costs. *{FIRST}*: there is no library and no partition, and "
        f"the tick requests as many runs as may wait at once. *{STEADY}*: every file is imported and has a partition. "
        f"*{CHANGED}*: {CHANGES} files are added, {CHANGES} retagged, {CHANGES} deleted. Peak memory is that of the "
        "whole process, most of it Dagster's."
    )
    return [how, kinds]


if __name__ == "__main__":
    raise SystemExit(main())
