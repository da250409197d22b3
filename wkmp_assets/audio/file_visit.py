"""One visit of a worker to a file: it hashes the file and measures everything that needs only the file.

The tasks of the single phases do the same work one by one, in `wkmp_assets.audio.worker_tasks`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from wkmp_assets.audio.lead_points import measure_lead_points
from wkmp_assets.audio.pcm_store import FORMAT_VERSION
from wkmp_assets.audio.visit import VISITED_PHASES, Visit
from wkmp_assets.audio.worker_tasks import fingerprint_file, measure_flavors, segment_file, tag_file
from wkmp_assets.errors import AudioFileError
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.boundary_evidence import TrackSheet
from wkmp_assets.model.findings import Findings
from wkmp_assets.model.outcomes import Failed, Result
from wkmp_assets.model.phases import FINGERPRINTS, FLAVORS, LEAD_POINTS, SEGMENTS, TAGS
from wkmp_assets.model.values import FileTags
from wkmp_assets.runtime.visit_store import StoredVisit


def visit_file(path: Path, visit: Visit) -> Findings:
    """Hash a file, read its tags and covers, decode it once, and measure its passages.

    What an interrupted run found out about the same content, with the same parameters and the same sheets and tags, is
    taken over. The tags are read again, because sheets and covers lie beside the file.

    Raises
    ------
    UnreadableFileError
        It cannot be hashed. What fails later is a `Failed` of its phase.
    """
    content_hash = visit.content_hash or hash_file(path, visit.display_path)
    if visit.is_hash_only or content_hash in visit.known_hashes:
        return Findings(content_hash)
    basis = _basis_of(visit, content_hash)
    earlier = visit.visits.find(visit.key, basis, VISITED_PHASES)
    results: dict[str, Result[Any]] = {}

    def value_of(phase: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            results[phase] = Result(function(*arguments), content_hash)
        except AudioFileError as error:
            raise _VisitEndsError(Failed(phase, error.code, str(error))) from error
        return results[phase].value

    file = (path, visit.display_path, ExpectedContent(content_hash, visit.on_disk))
    try:
        tags = value_of(TAGS, _tag_file, *file, visit)
        if earlier is not None and earlier.values[SEGMENTS].evidence == tags.evidence:
            return _take_over(earlier, results[TAGS], visit, basis)
        segments = value_of(
            SEGMENTS, segment_file, *file, visit.pcm, visit.segmentation, tags.evidence, visit.track_list
        )
        spans = segments.passages
        value_of(FINGERPRINTS, fingerprint_file, *file, visit.pcm, segments)
        value_of(LEAD_POINTS, measure_lead_points, segments, spans, visit.lead_points)
        value_of(FLAVORS, measure_flavors, *file, visit.pcm, segments, spans)
    except _VisitEndsError as end:
        return Findings(content_hash, {**results, end.failed.phase: end.failed})
    return Findings(content_hash, results, visit.track_list, visit.visits.keep(visit.key, basis, results))


def _tag_file(path: Path, display_path: str, expected: ExpectedContent, visit: Visit) -> FileTags:
    return replace(tag_file(path, display_path, expected, visit.covers), names=visit.names)


def _basis_of(visit: Visit, content_hash: str) -> dict[str, Any]:
    """Return what the values of a visit are computed from, as JSON has it."""
    return {
        "content_hash": content_hash,
        "version": _version(),
        "segmentation": asdict(visit.segmentation),
        "lead_points": asdict(visit.lead_points),
        "track_list": _track_list_adapter().dump_python(visit.track_list, mode="json"),
    }


@cache
def _version() -> str:
    return f"{version('wkmp-assets')}, {FORMAT_VERSION}"


@cache
def _track_list_adapter() -> TypeAdapter[TrackSheet | None]:
    return TypeAdapter(TrackSheet | None)


def _take_over(earlier: StoredVisit, tags: Result[Any], visit: Visit, basis: Mapping[str, Any]) -> Findings:
    results = {phase: Result(value, tags.content_hash) for phase, value in earlier.values.items()} | {TAGS: tags}
    is_same = earlier.values[TAGS] == tags.value
    token = earlier.token if is_same else visit.visits.keep(visit.key, basis, results)
    return Findings(tags.content_hash, results, visit.track_list, token)


class _VisitEndsError(Exception):
    """A phase failed, and later ones need its value."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message)
        self.failed = failed
