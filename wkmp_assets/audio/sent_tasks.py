"""The tasks that a run sends to its workers. What they need is loaded where they run.

The process of a run decodes nothing and reads no tags. The decoders would take half a second of its CPU to load.
"""

from typing import Any

from wkmp_assets.model.findings import Findings
from wkmp_assets.model.values import FileTags, Fingerprints, Flavors, PassageSegments


def visit_file(*arguments: Any) -> Findings:
    """Call the function of this name in `wkmp_assets.audio.file_visit`."""
    from wkmp_assets.audio import file_visit

    return file_visit.visit_file(*arguments)


def tag_file(*arguments: Any) -> FileTags:
    """Call the function of this name in `wkmp_assets.audio.worker_tasks`."""
    from wkmp_assets.audio import worker_tasks

    return worker_tasks.tag_file(*arguments)


def segment_file(*arguments: Any) -> PassageSegments:
    """Call the function of this name in `wkmp_assets.audio.worker_tasks`."""
    from wkmp_assets.audio import worker_tasks

    return worker_tasks.segment_file(*arguments)


def fingerprint_file(*arguments: Any) -> Fingerprints:
    """Call the function of this name in `wkmp_assets.audio.worker_tasks`."""
    from wkmp_assets.audio import worker_tasks

    return worker_tasks.fingerprint_file(*arguments)


def measure_flavors(*arguments: Any) -> Flavors:
    """Call the function of this name in `wkmp_assets.audio.worker_tasks`."""
    from wkmp_assets.audio import worker_tasks

    return worker_tasks.measure_flavors(*arguments)
