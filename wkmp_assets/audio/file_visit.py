"""One visit of a worker to a file: it hashes the file and measures everything that needs only the file.

The tasks of the single phases do the same work one by one, in `wkmp_assets.audio.worker_tasks`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.audio.lead_points import measure_lead_points
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.worker_tasks import fingerprint_file, measure_flavors, segment_file, tag_file
from wkmp_assets.errors import AudioFileError
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.outcomes import Failed, Result
from wkmp_assets.model.phases import FINGERPRINTS, FLAVORS, LEAD_POINTS, SEGMENTS, TAGS
from wkmp_assets.model.values import LeadPointParameters, SegmentationParameters


@dataclass(frozen=True)
class Visit:
    """What a worker is to find out about a file. Two visits are equal when they find the same."""

    display_path: str
    """Its path in the library, for messages."""
    on_disk: FileStat
    """Size and time of the file when the run looked at it."""
    segmentation: SegmentationParameters
    lead_points: LeadPointParameters
    pcm: PcmStore = field(compare=False)
    """Receives the PCM, for joined passages and later runs."""
    covers: CoverStore = field(compare=False)
    """Receives the covers."""
    is_hash_only: bool = field(default=False, compare=False)
    """Whether the visit ends after the hash, because other files may have the same content."""
    known_hashes: frozenset[str] = field(default=frozenset(), compare=False)
    """Contents that the library has already. The visit ends after the hash of such a file."""
    content_hash: str | None = None
    """The content, where the run has hashed the file before."""


@dataclass(frozen=True)
class Findings:
    """What one visit found out about a file."""

    content_hash: str
    outcomes: Mapping[str, Result[Any] | Failed] = field(default_factory=dict)
    """Phase -> outcome. After a failure there are no later phases; without any, the visit ended after the hash."""
    may_go_on: bool = True
    """Whether a second visit may find the rest; False after one that brought its worker down."""


def visit_file(path: Path, visit: Visit) -> Findings:
    """Hash a file, read its tags and covers, decode it once, and measure its passages.

    Raises
    ------
    UnreadableFileError
        It cannot be hashed. What fails later is a `Failed` of its phase.
    """
    content_hash = visit.content_hash or hash_file(path, visit.display_path)
    if visit.is_hash_only or content_hash in visit.known_hashes:
        return Findings(content_hash)
    outcomes: dict[str, Result[Any] | Failed] = {}

    def value_of(phase: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            value = function(*arguments)
        except AudioFileError as error:
            outcomes[phase] = Failed(phase, error.code, str(error))
            raise _VisitEndsError from error
        outcomes[phase] = Result(value, content_hash)
        return value

    file = (path, visit.display_path, ExpectedContent(content_hash, visit.on_disk))
    try:
        tags = value_of(TAGS, tag_file, *file, visit.covers)
        segments = value_of(SEGMENTS, segment_file, *file, visit.pcm, visit.segmentation, tags.evidence)
        spans = segments.passages
        value_of(FINGERPRINTS, fingerprint_file, *file, visit.pcm, segments)
        value_of(LEAD_POINTS, measure_lead_points, segments, spans, visit.lead_points)
        value_of(FLAVORS, measure_flavors, *file, visit.pcm, segments, spans)
    except _VisitEndsError:
        pass
    return Findings(content_hash, outcomes)


class _VisitEndsError(Exception):
    """A phase failed, and later ones need its value."""
