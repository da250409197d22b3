"""Measure what the guards of a library cost: `make bench-guards`. Writes docs/benchmarks/guards.md.

The limit on computing is compared with commits of the same files without it, file by file in turns. The checks of a
library that is found are timed beside a whole import of the sample library.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from rich.console import Console

from wkmp_assets.db.commit import FileCommitter
from wkmp_assets.db.read.found_library import check_found_library
from wkmp_assets.db.write.hold_limit import HoldLimit
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_key import encode_key
from wkmp_assets_tests.support.builders import NOW, done
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.workplace import make_workplace
from wkmp_assets_tests.tools.benchmarks.budgets import budgets, judged
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS
from wkmp_assets_tests.tools.benchmarks.writer_files import files_of

OUT = Console(highlight=False)
PASSAGES = (1, 24)
_CHECKS = 200


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure what the guards of a library cost.")
    parser.add_argument("--files", type=int, default=400, help="files that are committed with each number of passages")
    parser.add_argument("--out", type=Path, default=DOCS / "guards.md", help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    with tempfile.TemporaryDirectory(prefix="wkmp-guards-") as scratch:
        holds = {count: _commit_in_turns(Path(scratch), options.files, count) for count in PASSAGES}
        check_s, import_s = _check_beside_an_import(Path(scratch))
    loads.append(("at the end", load_now()))
    more = {
        count: statistics.median(with_limit) / statistics.median(bare) for count, (with_limit, bare) in holds.items()
    }
    rows = [
        (
            f"the commit of a file, passages: {count}",
            *(f"{1000 * statistics.median(one):.3f}" for one in holds[count]),
            f"{100 * (more[count] - 1):+.1f} %",
        )
        for count in PASSAGES
    ]
    share = 100 * check_s / import_s
    tables = [
        Table("The limit on computing", ("CPU, ms, median", "with", "without", "more"), rows),
        Table(
            "The checks of a library that is found",
            ("", "CPU"),
            [
                ("one check of the sample library", f"{1000 * check_s:.2f} ms"),
                ("the import of the sample library", f"{import_s:.1f} s"),
                ("share, with one check for each run", f"{share:.3f} %"),
            ],
        ),
        budgets(
            [
                *(
                    judged(f"more of a commit, passages: {count}, %", 100 * (more[count] - 1), 3, 1, "{:+.1f}")
                    for count in PASSAGES
                ),
                judged("share of an import, %", share, 1, 0.1, "{:.3f}"),
            ]
        ),
        describe_machine(loads, Path(tempfile.gettempdir())),
    ]
    for table in tables:
        OUT.print(table.to_rich())
        OUT.print()
    what = (
        "`make bench-guards` writes this page. Each file is committed to two libraries in turns, one of which has no "
        "limit on what a transaction may compute. [Security](../explanation/security.md) says what the guards are for."
    )
    write_page(options.out, "What the guards of a library cost", [what], tables)
    OUT.print(f"Written: {options.out}")
    return 0


def _commit_in_turns(folder: Path, files: int, passages: int) -> tuple[list[float], list[float]]:
    """Return the CPU time of each commit with the limit, and without it, in seconds."""
    taken: tuple[list[float], list[float]] = ([], [])
    with (
        _committer(folder / f"limited {passages}.db") as limited,
        _without_limit(),
        _committer(folder / f"bare {passages}.db") as bare,
    ):
        for number, file in enumerate(files_of(0, files, passages)):
            turns = [(limited, taken[0]), (bare, taken[1])]
            for commit, times in turns if number % 2 else reversed(turns):
                times.append(commit(file))
    return taken


@contextmanager
def _committer(database: Path) -> Iterator[Callable[[FileEntry], float]]:
    with FileCommitter(database, run_id="benchmark", now=lambda: NOW) as committer:

        def commit(file: FileEntry) -> float:
            outcome = {encode_key(file.path): done(file)}
            start = time.thread_time()
            written = list(committer.commit_all(outcome))
            taken = time.thread_time() - start
            assert len(written) == 1
            return taken

        yield commit


@contextmanager
def _without_limit() -> Iterator[None]:
    """Let writers that are opened in the block have no progress handler."""
    with patch.object(HoldLimit, "watch", lambda _limit, _connection: None):
        yield


def _check_beside_an_import(folder: Path) -> tuple[float, float]:
    """Return the CPU time of one check, and of the import of the sample library with its workers, in seconds."""
    place = make_workplace(folder, SAMPLE_LIBRARY)
    before = os.times()
    place.wkmp_process("import", place.music).check_returncode()
    after = os.times()
    import_s = after.children_user + after.children_system - before.children_user - before.children_system
    times = []
    for _ in range(_CHECKS):
        start = time.thread_time()
        check_found_library(place.database)
        times.append(time.thread_time() - start)
    return statistics.median(times), import_s


if __name__ == "__main__":
    sys.exit(main())
