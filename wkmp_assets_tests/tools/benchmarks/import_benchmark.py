"""Measure an import: `python -m wkmp_assets_tests.tools.benchmarks.import_benchmark`. Writes docs/benchmarks/import.md.

Costs are compared with a bare decode of the same files in the same run, because ratios carry over to other machines.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.tools.benchmarks import cost_tables, run_tables
from wkmp_assets_tests.tools.benchmarks.file_costs import bare_pass, measure_costs
from wkmp_assets_tests.tools.benchmarks.import_run import Measured, Task, run_import
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import (
    DOCS,
    HUNDRED_FILES,
    MusicFile,
    NoMusicError,
    find_music,
    link_library,
)
from wkmp_assets_tests.tools.benchmarks.results import Results

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.import_benchmark"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no music, else 0, budgets kept or not."""
    options = _arguments(arguments)
    try:
        files = find_music(options.music, subset=options.subset)
    except NoMusicError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    loads = [("at the start", load_now())]
    with tempfile.TemporaryDirectory(prefix="wkmp-benchmark-") as folder:
        results = _measure(files, options, Path(folder))
    loads.append(("at the end", load_now()))
    shown = [
        describe_machine(loads, Path(tempfile.gettempdir())),
        cost_tables.budget_table(results),
        cost_tables.format_table(results),
        cost_tables.phase_table(results),
        cost_tables.whole_table(results),
        run_tables.orchestration_table(results),
        run_tables.storage_table(results),
        run_tables.lock_table(results),
        run_tables.again_table(results),
    ]
    _publish(shown, files, options)
    return 0


def _measure(files: list[MusicFile], options: argparse.Namespace, folder: Path) -> Results:
    own_content = [file for file in files if file.kind != "duplicate"]
    music = link_library(files, folder / "music") if options.subset else options.music
    workers = options.workers
    scratch = folder / "pcm"
    OUT.print(f"{len(files)} files, {workers} workers: CPU per file, {options.rounds} rounds ...")
    costs = measure_costs(own_content, workers, options.rounds, scratch)
    OUT.print("import, between two bare decodes of the library ...")
    before = bare_pass(own_content, workers)
    library = run_import(Task(music, folder / "library", workers))
    after = bare_pass(own_content, workers)
    own: list[Measured] = []
    plain: list[Measured] = []
    for number in range(options.rounds):
        OUT.print(f"event storage, {number + 1} of {options.rounds} ...")
        own.append(run_import(Task(SAMPLE_LIBRARY, folder / f"own{number}", workers)))
        plain.append(run_import(Task(SAMPLE_LIBRARY, folder / f"plain{number}", workers, own_storage=False)))
    return Results(workers, options.rounds, costs, [before, after], library, own, plain)


def _publish(shown: list[Table], files: list[MusicFile], options: argparse.Namespace) -> None:
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    command = shlex.join(["python", "-m", MODULE, *options.given])
    what = (
        f"`{command}` (`make bench`) writes this page. Every figure comes from that one run over {len(files)} files. "
        "Do not edit the page: run the command again."
    )
    yardstick = (
        "*Bare decode* is the yardstick. It decodes the same file to mono float at 22,050 Hz, with PyAV's filter "
        "graph in frames of 65,536 samples. It runs on one thread, in the same worker process. PyAV's `AudioResampler` "
        "does the same and stands beside it. Absolute times belong to the machine, ratios carry over."
    )
    write_page(options.out, "What an import costs", [what, yardstick], shown)
    OUT.print(f"Written: {options.out}")


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {MODULE}", description="Measure an import and write a page about it."
    )
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="root of the library to import")
    parser.add_argument("--subset", action="store_true", help="only the ten files that the manifest marks")
    parser.add_argument(
        "--workers", type=int, default=load_settings().workers, help="worker processes (default: as wkmp)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="repetitions, for medians")
    parser.add_argument("--out", type=Path, default=DOCS / "import.md", help="the page")
    options = parser.parse_args(arguments)
    options.given = list(sys.argv[1:] if arguments is None else arguments)
    options.music = options.music.absolute()
    return options


if __name__ == "__main__":
    raise SystemExit(main())
