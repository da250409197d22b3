"""`wkmp` with workers that measure one file each, for benchmarks of many files.

What the main process does with 100,000 files does not depend on what the workers hear, and to hear all of them takes
hours. So a worker measures its first file. Of every other one it reads the hash and the tags, and returns the measures
of the first. All else is that of any import: the processes, the queue, the stored visits, the runs and the commits.
Run it as `python -m wkmp_assets_tests.tools.benchmarks.light_workers import FOLDER`.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from loky.process_executor import ProcessPoolExecutor

from wkmp_assets.audio.sent_tasks import visit_file
from wkmp_assets.audio.visit import Visit
from wkmp_assets.model.findings import Findings

_FIRST: list[Findings] = []
"""What this worker has measured."""


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
    from wkmp_assets.audio.worker_tasks import tag_file
    from wkmp_assets.files.hashing import hash_file
    from wkmp_assets.files.verification import ExpectedContent
    from wkmp_assets.model.outcomes import Result
    from wkmp_assets.model.phases import TAGS

    if not _FIRST or visit.is_hash_only:
        found = file_visit.visit_file(path, visit)
        _FIRST.extend([found] if found.values else [])
        return found
    content_hash = visit.content_hash or hash_file(path, visit.display_path)
    if content_hash in visit.known_hashes:
        return Findings(content_hash)
    tags = tag_file(path, visit.display_path, ExpectedContent(content_hash, visit.on_disk), visit.covers)
    values = {**_FIRST[0].values, TAGS: replace(tags, names=visit.names)}
    results = {phase: Result(value, content_hash) for phase, value in values.items()}
    token = visit.visits.keep(visit.key, file_visit.basis_of(visit, content_hash), results)
    return Findings(content_hash, results, visit.track_list, token)


if __name__ == "__main__":
    from wkmp_assets.cli.main import main
    from wkmp_assets.runtime import worker_queue
    from wkmp_assets_tests.tools.benchmarks import light_workers  # under its own name, which the workers know

    vars(worker_queue)["ProcessPoolExecutor"] = light_workers.LightPool
    sys.exit(main())
