"""Import damaged files until the time is up: `python -m wkmp_assets_tests.integration.fuzz --seconds 600 --seed 1`.

Exit status 1 when a file broke the run, a process took too much memory, or a worker was left behind.
"""

import logging
import resource
import sys
import time
import warnings
from pathlib import Path

import click
from rich.console import Console

from wkmp_assets_tests.integration.fuzz.target import WORKER_LIMITS, Fuzzer, fuzz_workers

BATCH = 40
OUT = Console(highlight=False, markup=False)
MAX_MEMORY_MB = WORKER_LIMITS.memory_mb + 200
"""Limit for a worker: its own memory, and the libraries mapped into it."""


@click.command()
@click.option("--seconds", type=click.IntRange(1), default=600, help="How long.")
@click.option("--seed", type=int, default=None, help="Of all damage. Default: the time of day.")
@click.option("--first", type=click.IntRange(0), default=0, help="Number of the first file, to repeat one.")
@click.option("--workers", type=click.IntRange(1, 64), default=2)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), default=Path(".fuzz"))
def main(seconds: int, seed: int | None, first: int, workers: int, keep: Path) -> None:
    """Import damaged files until the time is up."""
    warnings.filterwarnings("ignore", module="dagster")
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    fuzzer = Fuzzer(int(time.time()) if seed is None else seed, keep)
    OUT.print(f"seed {fuzzer.seed}, {seconds} s")
    end = time.monotonic() + seconds
    number = first
    with fuzz_workers(workers) as pool:
        while time.monotonic() < end:
            fuzzer.import_next(pool, number, BATCH)
            number += BATCH
            if number // BATCH % 10 == 0:
                OUT.print(f"{number - first} files: {_counted(fuzzer)}")
    whose = (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
    peak_mb, own_mb = (resource.getrusage(who).ru_maxrss // 1024 for who in whose)
    OUT.print(f"{number - first} files: {_counted(fuzzer)}")
    OUT.print(f"largest worker {peak_mb} MB, this process {own_mb} MB")
    for path in fuzzer.broken:
        OUT.print(f"BROKE THE RUN: {path}")
    sys.exit(1 if fuzzer.broken or peak_mb > MAX_MEMORY_MB else 0)


def _counted(fuzzer: Fuzzer) -> str:
    return ", ".join(f"{count} {end}" for end, count in fuzzer.counts.most_common())


if __name__ == "__main__":
    main()
