"""Compare writers: `python -m wkmp_assets_tests.tools.benchmarks.writer_benchmark`. Writes docs/benchmarks/writer.md.

The batch writer of the package beside an unbatched one: same rows, same machine, taking turns.
"""

import argparse
import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from wkmp_assets_tests.tools.benchmarks import writer_tables as tables
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS
from wkmp_assets_tests.tools.benchmarks.writer_figures import Cell, Pair, Series, WriterResults
from wkmp_assets_tests.tools.benchmarks.writer_processes import Load, WriterProcesses

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.writer_benchmark"
PAUSES_S = {1: 0.2, 24: 1.0}
"""By passages: shorter than what it takes to decode such a file."""
_FIRST_IMPORT = re.compile(r"^\| first import \| ([\d.]+) \|", re.MULTILINE)
_FILES = re.compile(r"^(\d+) files \(", re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, budgets kept or not."""
    options = _arguments(arguments)
    loads = [("at the start", load_now())]
    with tempfile.TemporaryDirectory(prefix="wkmp-writers-") as folder:
        results = _measure(options, Path(folder))
    loads.append(("at the end", load_now()))
    shown = [
        describe_machine(loads, Path(tempfile.gettempdir())),
        tables.budget_table(results),
        *tables.cell_tables(results),
    ]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    OUT.print(tables.meaning(results))
    command = shlex.join(["python", "-m", MODULE, *options.given])
    introduction = tables.introduction(results, command)
    write_page(options.out, "One transaction per file, and many", introduction, shown)
    OUT.print(f"Written: {options.out}")
    return 0


def seconds_per_file(page: Path) -> float | None:
    """Return the wall time per file of the import that docs/benchmarks/import.md reports; None when it does not."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    seconds, files = _FIRST_IMPORT.search(text), _FILES.search(text)
    return float(seconds[1]) / int(files[1]) if seconds and files else None


def _measure(options: argparse.Namespace, folder: Path) -> WriterResults:
    pairs = [Pair(cell) for cell in _cells(options.processes)]
    with WriterProcesses(max(options.processes)) as processes:
        for number in range(options.rounds):
            for pair in pairs:
                OUT.print(f"{number + 1} of {options.rounds}: {pair.cell}")
                sides = [(pair.unbatched, False), (pair.batch, True)]
                # They take turns at going first, so that leftovers of the first one affect both alike.
                for series, is_batched in reversed(sides) if number % 2 else sides:
                    _run(processes, pair.cell, series, folder, options.files, is_batched=is_batched)
    return WriterResults(options.files, options.rounds, pairs, options.import_seconds)


def _cells(processes: Sequence[int]) -> list[Cell]:
    return [
        *[
            Cell(passages, count, synchronous)
            for passages in PAUSES_S
            for count in processes
            for synchronous in ("NORMAL", "FULL")
        ],
        *[Cell(passages, max(processes), pause_s=pause_s) for passages, pause_s in PAUSES_S.items()],
    ]


def _run(processes: WriterProcesses, cell: Cell, series: Series, folder: Path, files: int, *, is_batched: bool) -> None:
    """Let one writer fill a new library, and keep its figures."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        load = Load(
            Path(name) / "wkmp.db",
            is_batched,
            cell.processes,
            max(files // cell.processes, 1),
            cell.passages,
            cell.synchronous,
            cell.pause_s,
        )
        written, elapsed_s = processes.run(load)
    series.files += written
    series.rates.append(sum(file.is_complete for file in written) / elapsed_s)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {MODULE}", description="Compare the batch writer with the unbatched one."
    )
    # Few rounds of many: at the start of each, all processes compute at once beside the one that holds the lock.
    parser.add_argument("--files", type=int, default=192, help="files per run, shared among its processes")
    parser.add_argument("--processes", type=_counts, default=[1, 4, 16], help="numbers of processes, as in 1,4,16")
    parser.add_argument("--rounds", type=int, default=2, help="repetitions")
    parser.add_argument(
        "--import-seconds",
        type=float,
        default=seconds_per_file(DOCS / "import.md"),
        help="wall seconds per file of a real import (default: from docs/benchmarks/import.md)",
    )
    parser.add_argument("--out", type=Path, default=DOCS / "writer.md", help="the page")
    options = parser.parse_args(arguments)
    options.given = list(sys.argv[1:] if arguments is None else arguments)
    return options


def _counts(text: str) -> list[int]:
    counts = sorted({int(part) for part in text.split(",")})
    if counts[0] < 1:
        raise argparse.ArgumentTypeError("at least one process")
    return counts


if __name__ == "__main__":
    raise SystemExit(main())
