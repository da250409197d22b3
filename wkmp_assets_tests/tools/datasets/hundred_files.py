"""Build a library of 100 files of real music: `python -m wkmp_assets_tests.tools.datasets.hundred_files`.

Resumable: a finished file is not made again. The truth about the files is in `manifest.json` beside them.
"""

import argparse
import json
import logging
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wkmp_assets_tests.support.paths import TEST_DATA
from wkmp_assets_tests.tools.datasets.catalogue import load_catalogue
from wkmp_assets_tests.tools.datasets.debian_music import (
    PackageUnavailableError,
    fetch_package,
    package_version,
)
from wkmp_assets_tests.tools.datasets.encode import encoder_versions
from wkmp_assets_tests.tools.datasets.hundred_build import make_file, source_file
from wkmp_assets_tests.tools.datasets.hundred_plan import SEED, Job, plan_library
from wkmp_assets_tests.tools.datasets.hundred_verify import find_problems

WORKERS = 2
STATE_FOLDER = ".build"

log = logging.getLogger(__name__)


class Build:
    """One build into one folder, with its memory of what is finished."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._state = out / STATE_FOLDER
        self._encoders = encoder_versions()
        self._state.mkdir(parents=True, exist_ok=True)

    def pending(self, jobs: list[Job]) -> list[Job]:
        """Return the jobs that are not finished; forgets and removes what an older plan left."""
        return [job for job in jobs if self._finished_entry(job) is None]

    def make(self, jobs: list[Job]) -> Iterator[Job]:
        """Make the files of the jobs, originals before duplicates; yields each job when done."""
        makers = [job for job in jobs if job.original is None]
        # Not forked: the decoders' own threads and locks do not survive that.
        pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"))
        try:
            running = {pool.submit(make_file, job, self._out, self._state): job for job in makers}
            for done in as_completed(running):
                self._remember(running[done], done.result())
                yield running[done]
        finally:
            # Not a `with` block: leaving that would first finish everything that is queued.
            pool.shutdown(cancel_futures=True)

    def duplicate(self, job: Job, original: Job) -> None:
        """Copy a finished file to its duplicate's name."""
        entry = self._finished_entry(original)
        if entry is None:
            raise RuntimeError(f"{original.path} is not finished, so it cannot be copied")
        target = self._out / job.path
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._state / target.name
        shutil.copyfile(self._out / original.path, unfinished)
        unfinished.replace(target)
        changes = {"path": job.path, "kind": "duplicate", "duplicate_of": original.path}
        self._remember(job, {**entry, **changes, "in_subset": job.in_subset})

    def write_manifest(self, jobs: list[Job]) -> Path:
        """Write the manifest over everything that is finished."""
        entries = [entry for job in jobs if (entry := self._finished_entry(job))]
        packages = sorted({source["package"] for entry in entries for source in entry["sources"]})
        manifest = {
            "seed": SEED,
            "encoders": self._encoders,
            "packages": {package: package_version(package) for package in packages},
            "files": sorted(entries, key=lambda entry: str(entry["path"])),
        }
        path = self._out / "manifest.json"
        path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    def _finished_entry(self, job: Job) -> dict[str, Any] | None:
        note = self._note(job)
        if not note.is_file():
            return None
        kept = json.loads(note.read_text(encoding="utf-8"))
        entry: dict[str, Any] = kept["entry"]
        file = self._out / entry["path"]
        if kept["digest"] != job.digest(self._encoders):
            file.unlink(missing_ok=True)
            note.unlink()
            return None
        return entry if file.is_file() and file.stat().st_size == entry["bytes"] else None

    def _remember(self, job: Job, entry: dict[str, Any]) -> None:
        kept = {"digest": job.digest(self._encoders), "entry": entry}
        unfinished = self._note(job).with_suffix(".partial")
        unfinished.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        unfinished.replace(self._note(job))

    def _note(self, job: Job) -> Path:
        return self._state / f"{job.number:03d}.json"


def build_library(out: Path, *, subset: bool) -> Path:
    """Build what is missing of the library and return the path of its manifest.

    Parameters
    ----------
    out : Path
        Root of the library.
    subset : bool
        Only the ten files marked `in_subset`, which need two packages instead of ten.

    Raises
    ------
    PackageUnavailableError
        A package cannot be had. What is finished stays.
    """
    planned = plan_library(load_catalogue())
    wanted = [job for job in planned if job.in_subset or not subset]
    build = Build(out)
    pending = build.pending(wanted)
    with _progress() as progress:
        packages = sorted({track.package for job in pending for track in job.sources})
        for package in progress.track(packages, description="packages"):
            fetch_package(package)
        for job in pending:
            for track in job.sources:
                source_file(track)  # all there, before any work is done
        task = progress.add_task("files", total=len(wanted), completed=len(wanted) - len(pending))
        for job in build.make(pending):
            progress.advance(task)
            if not progress.console.is_terminal:
                log.info("%s", job.path)
        for job in pending:
            if job.original is not None:
                build.duplicate(job, planned[job.original - 1])
                progress.advance(task)
    return build.write_manifest(planned)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hundred_files", description="Build a library of 100 real music files.")
    parser.add_argument("--out", type=Path, default=TEST_DATA / "100_file_dataset", help="root of the library")
    parser.add_argument("--subset", action="store_true", help="only the 10-file subset")
    parser.add_argument("--verify", action="store_true", help="afterwards, decode every file and compare")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status, 1 when a package is not to be had or a file is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    options = _arguments(arguments)
    try:
        manifest = build_library(options.out, subset=options.subset)
    except PackageUnavailableError as error:
        log.error("%s", error)  # noqa: TRY400 - the message says what to do, a traceback would bury it
        return 1
    entries = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    log.info("%d files, %.0f MB: %s", len(entries), sum(entry["bytes"] for entry in entries) / 1e6, manifest)
    problems = find_problems(options.out, entries) if options.verify else []
    for problem in problems:
        log.error("%s", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
