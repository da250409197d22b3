"""Time what people do with a large library: `python -m wkmp_assets_tests.tools.benchmarks.reading_benchmark`.

The sample library is imported and multiplied. Every command is a process of its own; the pages of `wkmp browse` come
from one server. CPU counts, because other programs of the machine do not change it. Writes docs/benchmarks/reading.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import psutil
from rich.console import Console

from wkmp_assets.db.read.browsing import read_guids
from wkmp_assets.db.read.canned_queries import LIBRARY_QUERIES
from wkmp_assets.db.read.listing import read_file_passages
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.workplace import Workplace, make_workplace
from wkmp_assets_tests.tools.benchmarks.budgets import MISSED, budgets, judged
from wkmp_assets_tests.tools.benchmarks.large_library import multiply_library
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.reading_benchmark"
PASSAGES = 100_000
LIKED = "Unsorted/untitled take.wav"
"""A file of the sample library with one passage."""
ONE_FILE_S, ONE_ANSWER_S, WHOLE_S = 1.0, 5.0, 20.0
"""Budgets in seconds of CPU: to show one file or folder, to look at all for one answer, and to print all."""
_PORT = 39_117


@dataclass(frozen=True)
class Cost:
    """Of one command or page."""

    wall_s: float
    cpu_s: float
    """User and system, of the command or of the server."""
    size_kb: float
    """Of what it printed or sent."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when a budget is missed, else 0."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Time what people do with a library.")
    parser.add_argument("--passages", type=int, default=PASSAGES, help="of the library, at least")
    parser.add_argument("--keep", type=Path, help="a folder for the library; used again when it has one")
    parser.add_argument("--out", type=Path, default=DOCS / "reading.md", help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    with _folder(options.keep) as folder:
        place, passages = _library(folder, options.passages)
        size_mb = place.database.stat().st_size / 1e6
        commands = dict(_commands(place))
        pages = dict(_pages(place))
    loads.append(("at the end", load_now()))
    judgement = budgets([*_judge(commands), *_judge(pages)])
    shown = [
        _costs("Commands", commands),
        _costs("Pages", pages),
        judgement,
        describe_machine(loads, Path(tempfile.gettempdir())),
    ]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(options.out, "Reading a large library", _introduction(passages, size_mb), shown)
    OUT.print(f"Written: {options.out}")
    return 1 if any(row[-1] == MISSED for row in judgement.rows) else 0


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="wkmp-reading-") as name:
        yield Path(name)


def _library(folder: Path, passages: int) -> tuple[Workplace, int]:
    """Return a library with that many passages, and how many it has."""
    count = folder / "passages"
    if count.exists():
        return Workplace(folder / "home", folder / "music"), int(count.read_text())
    place = make_workplace(folder, SAMPLE_LIBRARY)
    place.wkmp_process("import", place.music).check_returncode()
    has = multiply_library(place.database, passages)
    count.write_text(str(has))
    return place, has


def _commands(place: Workplace) -> Iterator[tuple[str, Cost]]:
    """Yield what each command costs; the flavors are kept after the first `similar`."""
    liked = place.music / LIKED
    one = place.music / Path(LIKED).parent
    for kept in place.home.rglob("flavors.npz"):
        kept.unlink()
    for arguments in (
        ("show", str(liked)),
        ("list", str(one)),
        ("search", "coherence 00423"),
        ("search", "coherence"),
        ("similar", str(liked)),
        ("similar", str(liked)),
        ("playlist", "--like", str(liked), "--minutes", "90", "--smooth"),
        ("status",),
        ("duplicates",),
        ("warnings",),
        ("list",),
        ("list", "--json"),
        ("export", "--format", "csv"),
        ("export", "--format", "sqlite", "--output", str(place.home / "copy.db")),
    ):
        name = " ".join(argument.replace(f"{place.music}/", "") for argument in arguments if "copy.db" not in argument)
        again = ", numbers kept" if name.startswith(("similar", "playlist")) and _has_numbers(place) else ""
        yield f"wkmp {name}{again}", _run(place, arguments)
        (place.home / "copy.db").unlink(missing_ok=True)


def _has_numbers(place: Workplace) -> bool:
    return any(place.home.rglob("flavors.npz"))


def _run(place: Workplace, arguments: Sequence[str]) -> Cost:
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "wkmp_assets.cli.main", *arguments], env=place.environment(), stdout=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(f"wkmp {' '.join(arguments)} failed")
        return Cost(wall_s, usage.ru_utime + usage.ru_stime, os.fstat(output.fileno()).st_size / 1000)


def _pages(place: Workplace) -> Iterator[tuple[str, Cost]]:
    """Yield what each page costs the server."""
    file = quote(read_guids(place.database, [LIKED])[LIKED])
    passage = read_file_passages(place.database, LIKED)[0].passage
    addresses = {
        "the start": "/",
        "a search": "/?q=coherence+00423",
        "a search with many hits": "/?q=coherence",
        "a file": f"/file/{file}",
        "a file with neighbours": f"/file/{file}?passage=1",
        "the tables": "/library",
        "the table of passages": "/library/passages",
        "the table of files, by album": "/library/files?_sort=album",
    } | {f"question: {one.title}": f"/library/{name}?passage={passage}" for name, one in LIBRARY_QUERIES.items()}
    with _serving(place) as (url, server):
        for name, address in addresses.items():
            before, started = server.cpu_times(), time.perf_counter()
            try:
                with urlopen(url + address, timeout=600) as answer:  # noqa: S310 - of this machine
                    size = len(answer.read())
            except HTTPError as error:  # a query may run for 15 seconds
                name, size = f"{name}: REFUSED, status {error.code}", len(error.read())
            after = server.cpu_times()
            cpu_s = after.user + after.system - before.user - before.system
            yield name, Cost(time.perf_counter() - started, cpu_s, size / 1000)


@contextmanager
def _serving(place: Workplace) -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "-m", "wkmp_assets.cli.main", "browse", "--port", str(_PORT), str(place.music)]
    with subprocess.Popen(command, env=place.environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if f":{_PORT}" not in said:
                raise RuntimeError(f"wkmp browse said: {said}")
            yield f"http://127.0.0.1:{_PORT}", psutil.Process(process.pid)
        finally:
            process.terminate()


def _budget_of(name: str) -> float:
    if name.startswith(("wkmp list", "wkmp export")) and "Unsorted" not in name:
        return WHOLE_S
    is_one = name.startswith(("wkmp show", "wkmp list")) or name in {"a file", "the start", "the tables"}
    return ONE_FILE_S if is_one else ONE_ANSWER_S


def _judge(costs: Mapping[str, Cost]) -> Iterator[tuple[str, ...]]:
    for name, cost in costs.items():
        budget = 0.0 if "REFUSED" in name else _budget_of(name)
        # It parses every flavor once.
        is_first = name.startswith("wkmp similar") and "kept" not in name
        yield judged(f"{name}, CPU s", cost.cpu_s, None if is_first else budget, budget / 2, "{:.2f}")


def _costs(title: str, costs: Mapping[str, Cost]) -> Table:
    rows = [(name, f"{one.cpu_s:.2f}", f"{one.wall_s:.2f}", f"{one.size_kb:,.0f}") for name, one in costs.items()]
    return Table(title, ("", "CPU, s", "Wall, s", "KB sent"), rows)


def _introduction(passages: int, size_mb: float) -> list[str]:
    how = (
        f"`make bench-reading` writes this page. The sample library is imported, and its rows are multiplied to "
        f"{passages:,} passages with names, songs and flavors of their own: {size_mb:,.0f} MB. Each command is a "
        "process of its own. The pages come from one `wkmp browse`. CPU counts, because the machine "
        "may be busy."
    )
    kept = (
        "The first `similar` reads every flavor and keeps its numbers; later ones read what is new. `search` makes its "
        "index anew each time. [Decisions](../explanation/decisions.md) says why."
    )
    return [how, kept]


if __name__ == "__main__":
    raise SystemExit(main())
