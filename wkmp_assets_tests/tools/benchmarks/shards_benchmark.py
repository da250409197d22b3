"""Measure what grows with the files of one library: `python -m wkmp_assets_tests.tools.benchmarks.shards_benchmark`.

The figures decide how many files one library should have. Writes docs/benchmarks/shards.md; docs/scale.md uses it.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from dagster import DagsterInstance
from rich.console import Console

from wkmp_assets.model.file_key import encode_key
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.many_files import paths_of
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS
from wkmp_assets_tests.tools.benchmarks.writer_files import files_of
from wkmp_assets_tests.tools.benchmarks.writer_processes import batch_writer, create_library

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.shards_benchmark"
SIZES = (10_000, 100_000, 300_000)
PARTITIONS = "audio_files"


@dataclass(frozen=True)
class Growth:
    """Costs of one library that has a number of files."""

    files: int
    add_s: float
    """Wall seconds to register their partitions with Dagster, in batches of 10,000."""
    read_s: float
    """Wall seconds to read all partitions once, as every scan does."""
    disk_mb: float
    """Of Dagster's databases, with nothing in them but the partitions."""
    peak_mb: float
    """Of the process that read them."""


def measure_partitions(home: Path, files: int) -> Growth:
    """Register the partitions of a library with a new Dagster instance, and read them.

    Parameters
    ----------
    home : Path
        An empty folder.
    files : int, >= 1
        How many partitions.
    """
    with DagsterInstance.local_temp(str(home)) as instance:
        keys = [encode_key(path) for path in paths_of(files)]
        started = time.perf_counter()
        for first in range(0, files, 10_000):
            instance.add_dynamic_partitions(PARTITIONS, keys[first : first + 10_000])
        added = time.perf_counter()
        found = instance.get_dynamic_partitions(PARTITIONS)
        read = time.perf_counter()
    assert len(found) == files
    return Growth(files, added - started, read - added, size_mb(home), peak_mb())


def measure_library(folder: Path, files: int) -> tuple[float, float]:
    """Commit files of one passage each to a new library; return KB of `wkmp.db` a file, and files a second."""
    database = folder / "wkmp.db"
    create_library(database)
    with batch_writer(database) as write:
        started = time.perf_counter()
        for one in files_of(0, files, 1):
            write(one)
        seconds = time.perf_counter() - started
    return size_mb(folder) * 1000 / files, files / seconds


def size_mb(folder: Path) -> float:
    """Return the size of all files below a folder, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def peak_mb() -> float:
    """Return the peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Measure what grows with a library.")
    parser.add_argument("--files", type=int, nargs="+", default=list(SIZES), help="sizes of the libraries")
    parser.add_argument("--committed", type=int, default=2000, help="files that are committed to measure wkmp.db")
    parser.add_argument("--out", type=Path, default=DOCS / "shards.md", help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    grown = []
    for files in options.files:
        # A process of its own each, so that the peak is its own.
        with (
            tempfile.TemporaryDirectory(prefix="wkmp-shards-") as folder,
            ProcessPoolExecutor(1, get_context("spawn")) as pool,
        ):
            grown.append(pool.submit(measure_partitions, Path(folder), files).result())
    with tempfile.TemporaryDirectory(prefix="wkmp-shards-") as folder:
        kb_a_file, files_a_s = measure_library(Path(folder), options.committed)
    loads.append(("at the end", load_now()))
    shown = [
        partitions_table(grown),
        library_table(options.committed, kb_a_file, files_a_s),
        describe_machine(loads, Path(tempfile.gettempdir())),
    ]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    introduction = (
        f"`python -m {MODULE}` writes this page. It registers the partitions of libraries of several sizes with a new "
        "instance of Dagster, with Dagster's own storage, and reads them once, as every scan does. No music is read. "
        "[Many recordings](../scale.md) says what follows from it."
    )
    write_page(options.out, "What grows with a library", [introduction], shown)
    return 0


def partitions_table(grown: Sequence[Growth]) -> Table:
    """Tabulate what the partitions of libraries cost."""
    rows = [
        (f"{one.files:,}", f"{one.add_s:.1f}", f"{one.read_s:.2f}", f"{one.disk_mb:.0f}", f"{one.peak_mb:.0f}")
        for one in grown
    ]
    columns = ("Files", "Register, s", "Read once, s", "Dagster's databases, MB", "Peak memory, MB")
    return Table("Partitions", columns, rows)


def library_table(files: int, kb_a_file: float, files_a_s: float) -> Table:
    """Tabulate what committed files cost."""
    columns = ("Files committed", "wkmp.db, KB a file", "Files/s")
    return Table("Library", columns, [(f"{files:,}", f"{kb_a_file:.1f}", f"{files_a_s:.0f}")])


if __name__ == "__main__":
    raise SystemExit(main())
