"""`wkmp` with workers that measure one file each, for benchmarks of many files.

What the main process does with 100,000 files does not depend on what the workers hear, and to hear all of them takes
hours. So a worker measures its first file. Of every other one it reads the hash and the tags, and returns the measures
of the first. All else is that of any import: the processes, the queue, the stored visits, the runs and the commits.
Run it as `python -m wkmp_assets_tests.tools.benchmarks.light_workers import FOLDER`.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any

from loky.process_executor import ProcessPoolExecutor

from wkmp_assets.audio.sent_tasks import visit_file
from wkmp_assets.audio.visit import Visit
from wkmp_assets.model.findings import Findings

MEASURES = ("segment_file", "fingerprint_file", "measure_lead_points", "measure_flavors")
"""What `wkmp_assets.audio.file_visit` calls to hear a file."""


class LightPool(ProcessPoolExecutor):
    """Worker processes that visit files lightly."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Submit a task; a visit becomes a light one."""
        light = [light_visit if one is visit_file else one for one in (function, *arguments)]
        future: Future[Any] = super().submit(*light)
        return future


def light_visit(path: Path, visit: Visit) -> Findings:
    """Visit a file; all but its hash and tags are those of the first file that this process visited."""
    from wkmp_assets.audio import file_visit

    _hear_once()
    return file_visit.visit_file(path, visit)


@cache
def _hear_once() -> None:
    from wkmp_assets.audio import file_visit

    for name in MEASURES:
        setattr(file_visit, name, _once(getattr(file_visit, name)))


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls another one the first time, and gives that result from then on."""
    found: list[Any] = []

    def first(*arguments: Any) -> Any:
        if not found:
            found.append(function(*arguments))
        return found[0]

    return first


if __name__ == "__main__":
    from wkmp_assets.cli.main import main
    from wkmp_assets.runtime import worker_queue
    from wkmp_assets_tests.tools.benchmarks import light_workers  # under its own name, which the workers know

    vars(worker_queue)["ProcessPoolExecutor"] = light_workers.LightPool
    sys.exit(main())
