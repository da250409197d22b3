"""Measure Dagster's history and orchestration: `python -m wkmp_assets_tests.tools.benchmarks.history_benchmark`.

Each measurement is an import of generated files of two seconds, in a process of its own, with workers that cost
nothing: their results were computed before. So nearly all that is left is Dagster's work and ours around it. Writes
docs/benchmarks/history.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile
from dagster import DagsterInstance
from rich.console import Console

from wkmp_assets.report.text import counted
from wkmp_assets.runtime.loading import loading_modules
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.tools.benchmarks.event_sizes import Sizes, measure_sizes
from wkmp_assets_tests.tools.benchmarks.free_workers import FreeWorkers
from wkmp_assets_tests.tools.benchmarks.import_run import without_storage
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.many_files import know_all, make_tree, paths_of
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS, ROOT

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.history_benchmark"
RATE_HZ = 44_100
OURS, DAGSTERS = "our storage", "Dagster's own class"
MORE = "more files"
MANY = 4
"""So many times the files: what an import takes whatever it carries is a small part then."""

HISTORY_KB, ORCHESTRATION_MS, FILES_PER_S, MANY_RATIO, AGAIN_MS = (30, 15), (12, 6), (80, 150), (1.10, 1.02), (0.5, 0.1)
"""Each: required, aimed at."""


@dataclass(frozen=True)
class Run:
    """What one import cost."""

    files: int
    wall_s: float
    cpu_s: float
    """Of the main process, where everything happens but the work of the workers."""
    history: Sizes
    again_s: float
    """Of a second import, which finds all files unchanged."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, budgets kept or not."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Measure Dagster's history.")
    parser.add_argument("--files", type=int, default=100, help="files of an import; one other has four times as many")
    parser.add_argument("--partitions", type=int, default=100_000, help="registered partitions of the large library")
    parser.add_argument("--rounds", type=int, default=3, help="how often each import is measured; medians count")
    parser.add_argument("--out", type=Path, default=DOCS / "history.md", help="the page")
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--unchanged", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(measure(**options.measure)))  # noqa: T201 - for the process that started this one
        return 0
    if options.unchanged:
        print(json.dumps(measure_unchanged(options.unchanged)))  # noqa: T201 - as above
        return 0
    loads = [("at the start", load_now())]
    found = _measure_all(options)
    (unchanged_s,) = _start("--unchanged", str(options.partitions))
    loads.append(("at the end", load_now()))
    shown = [
        budget_table(found, options, unchanged_s),
        size_table(found),
        event_table(found),
        describe_machine(loads, Path(tempfile.gettempdir())),
    ]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(options.out, "Dagster's history and orchestration", _introduction(options), shown)
    OUT.print(f"Written: {options.out}")
    return 0


def _measure_all(options: argparse.Namespace) -> dict[str, list[Run]]:
    kinds = {
        DAGSTERS: {"files": options.files, "own_storage": False},
        OURS: {"files": options.files},
        MORE: {"files": MANY * options.files},
        "many": {"files": options.files, "partitions": options.partitions},
    }
    found: dict[str, list[Run]] = {kind: [] for kind in kinds}
    for number in range(options.rounds):
        OUT.print(f"round {number + 1} of {options.rounds} ...")
        for kind, task in kinds.items():
            one = _start("--measure", json.dumps(task))
            found[kind].append(Run(**{**one, "history": Sizes(**one["history"])}))
    return found


def _start(*arguments: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WKMP_")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-W", "ignore", "-m", MODULE, *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def make_sounds(folder: Path, number: int) -> None:
    """Write that many WAV files of two seconds of noise, each with its own sound and size."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    for index in range(number):
        noise = (random.standard_normal(2 * RATE_HZ + index) * 0.1).astype("float32")
        soundfile.write(folder / f"{index:04} A title of usual length.wav", noise, RATE_HZ)


def measure(files: int, partitions: int = 0, own_storage: bool = True) -> dict[str, object]:
    """Import generated files twice in this process: once to learn what the workers return, then for the figures."""
    warnings.filterwarnings("ignore", module="dagster")
    with tempfile.TemporaryDirectory(prefix="wkmp-history-") as place:
        make_sounds(Path(place, "music", "Artist", "Album"), files)
        workers = FreeWorkers()
        _import(Path(place), "learned", workers, 0, own_storage=True)
        return _import(Path(place), "measured", workers, partitions, own_storage=own_storage)


def _import(place: Path, name: str, workers: FreeWorkers, partitions: int, *, own_storage: bool) -> dict[str, object]:
    with loading_modules():  # as `wkmp import` does, so that the collector leaves the modules alone
        from wkmp_assets.cli.importer import LibraryImporter
        from wkmp_assets.orchestration.partitions import partitions_name
        from wkmp_assets.runtime.run_control import RunControl

    settings = _settings(place, name)
    with (
        _instance(place / name, own_storage=own_storage) as instance,
        closing(LibraryImporter(settings, instance, RunControl())) as importer,
    ):
        workers.serve(importer)
        registered = [f"Other artist/{key}" for key in paths_of(partitions)]
        instance.add_dynamic_partitions(partitions_name(settings), registered)
        before = measure_sizes(place / name / "home")
        ranges = importer.plan(importer.scan("Artist").to_import)
        wall, cpu = time.perf_counter(), time.process_time()
        list(importer.run(ranges))
        spent = time.perf_counter() - wall, time.process_time() - cpu
        again = time.perf_counter()
        importer.plan(importer.scan("Artist").to_import)
        again_s = time.perf_counter() - again
    files = sum(len(one.keys) for one in ranges)
    history = measure_sizes(place / name / "home").without(before)
    return {"files": files, "wall_s": spent[0], "cpu_s": spent[1], "history": vars(history), "again_s": again_s}


def measure_unchanged(number: int) -> list[float]:
    """Return the seconds of an import of a library in which no file has changed."""
    with loading_modules():
        from wkmp_assets.cli.importer import LibraryImporter
        from wkmp_assets.model.file_key import encode_key
        from wkmp_assets.orchestration.partitions import partitions_name
        from wkmp_assets.runtime.run_control import RunControl

    warnings.filterwarnings("ignore", module="dagster")
    with tempfile.TemporaryDirectory(prefix="wkmp-history-") as place:
        settings = _settings(Path(place), "large")
        paths = make_tree(settings.library, number)
        know_all(settings.database_path, settings.library, paths)
        with (
            _instance(Path(place, "large"), own_storage=True) as instance,
            closing(LibraryImporter(settings, instance, RunControl())) as importer,
        ):
            instance.add_dynamic_partitions(partitions_name(settings), [encode_key(path) for path in paths])
            started = time.perf_counter()
            assert not importer.plan(importer.scan().to_import)
            return [time.perf_counter() - started]


def _settings(place: Path, name: str) -> Settings:
    folder = place / name
    (folder / "home").mkdir(parents=True)
    return load_settings(
        library_root=place / "music", database=folder / "wkmp.db", state_dir=folder / "state", workers=8
    )


def _instance(folder: Path, *, own_storage: bool) -> DagsterInstance:
    text = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
    (folder / "home" / "dagster.yaml").write_text(text if own_storage else without_storage(text), encoding="utf-8")
    shutil.rmtree(folder / "home" / "history", ignore_errors=True)
    os.environ["DAGSTER_HOME"] = str(folder / "home")
    return DagsterInstance.from_config(str(folder / "home"))


def _kb(runs: Sequence[Run]) -> float:
    return median(run.history.bytes_in_all / run.files / 1000 for run in runs)


def _marginal_kb(many: Sequence[Run], few: Sequence[Run]) -> float:
    """Return what another file takes, without what any history takes."""
    more = median(run.history.bytes_in_all for run in many) - median(run.history.bytes_in_all for run in few)
    return more / (many[0].files - few[0].files) / 1000


def _cpu_ms(runs: Sequence[Run]) -> float:
    return median(run.cpu_s / run.files * 1000 for run in runs)


def _wall_ms(runs: Sequence[Run]) -> float:
    return median(run.wall_s / run.files * 1000 for run in runs)


def budget_table(found: dict[str, list[Run]], options: argparse.Namespace, unchanged_s: float) -> Table:
    """Show the figures beside what is required of them."""
    ours, theirs, more = found[OURS], found[DAGSTERS], found[MORE]
    few, many = (f"import of {runs[0].files} files" for runs in (ours, more))
    ratio = median(many.cpu_s / one.cpu_s for many, one in zip(found["many"], ours, strict=True))
    again = median(run.again_s / run.files * 1000 for run in ours)
    large = f"{options.partitions:,}"
    unchanged = unchanged_s / options.partitions * 1000

    def row(
        what: str, before: str, now: float, limits: tuple[float, float], unit: str, *, most: bool = True
    ) -> list[str]:
        kept = now <= limits[0] if most else now >= limits[0]
        shown = f"{now:.2f}" if now < 10 else f"{now:.0f}"
        return [
            what,
            before,
            f"{shown} {unit}",
            *(f"{limit:g} {unit}" for limit in limits),
            "yes" if kept else "MISSED",
        ]

    rows = [
        row("history, another file", "-", _marginal_kb(more, ours), HISTORY_KB, "KB"),
        row(f"history, all of it / {ours[0].files} files", f"{_kb(theirs):.0f} KB", _kb(ours), HISTORY_KB, "KB"),
        row(f"{many}, CPU per file", "-", _cpu_ms(more), ORCHESTRATION_MS, "ms"),
        row(f"{many}, wall per file", "-", _wall_ms(more), ORCHESTRATION_MS, "ms"),
        row(f"{many}, files per second", "-", 1000 / _wall_ms(more), FILES_PER_S, "", most=False),
        row(f"{few}, CPU per file", f"{_cpu_ms(theirs):.0f} ms", _cpu_ms(ours), ORCHESTRATION_MS, "ms"),
        row(f"{few}, wall per file", f"{_wall_ms(theirs):.0f} ms", _wall_ms(ours), ORCHESTRATION_MS, "ms"),
        row(f"CPU with {large} partitions / with none", "-", ratio, MANY_RATIO, ""),
        row(f"second import, per file of {ours[0].files}", "-", again, AGAIN_MS, "ms"),
        row(f"second import, per file of {large}", "-", unchanged, AGAIN_MS, "ms"),
    ]
    columns = ("What", DAGSTERS, OURS, "required", "aim", "kept")
    return Table(
        "Figures", columns, rows, f"Medians of {counted(options.rounds, 'round')}, each import in a process of its own."
    )


def size_table(found: dict[str, list[Run]]) -> Table:
    """Show the bytes of each table and index per file."""
    ours, theirs = found[OURS][-1], found[DAGSTERS][-1]
    names = sorted({*ours.history.tables, *theirs.history.tables}, key=lambda one: -theirs.history.tables.get(one, 0))
    rows = [
        [name, *(f"{run.history.tables.get(name, 0) / run.files / 1000:.2f}" for run in (theirs, ours))]
        for name in names
        if max(run.history.tables.get(name, 0) / run.files for run in (theirs, ours)) > 100
    ]
    return Table("Tables and indexes, KB per file", ("name", DAGSTERS, OURS), rows)


def event_table(found: dict[str, list[Run]]) -> Table:
    """Show the length of the text of each kind of event per file."""
    ours, theirs = found[OURS][-1], found[DAGSTERS][-1]
    names = sorted({*ours.history.events, *theirs.history.events}, key=lambda one: -theirs.history.events.get(one, 0))
    rows = [
        [name, *(f"{run.history.events.get(name, 0) / run.files / 1000:.2f}" for run in (theirs, ours))]
        for name in names
        if max(run.history.events.get(name, 0) / run.files for run in (theirs, ours)) > 50
    ]
    return Table("Text of events, KB per file", ("kind of event", DAGSTERS, OURS), rows)


def _introduction(options: argparse.Namespace) -> list[str]:
    how = (
        f"`make bench-history` writes this page. It imports {options.files} generated WAV files of two seconds as "
        "`wkmp import` does, with Dagster's own storage class and with ours, and "
        f"{MANY * options.files} with ours. The workers cost nothing: their results were computed before, and "
        "runs are as large as those of 8 workers. What is left is Dagster, the phase store, the commits and the "
        "checks. The start of an import counts: its first run, the library's tables and what is loaded late. "
        "Times grow with the load of the machine, which the last table gives."
    )
    history = (
        "*History* is what Dagster's databases grow by. *Another file* is the difference between two imports of "
        "different size, without the empty tables and pages that every history has."
    )
    return [how, history]


if __name__ == "__main__":
    raise SystemExit(main())
