"""What a worker is to find out about a file. What does it, `wkmp_assets.audio.file_visit`, is loaded in the worker."""

from dataclasses import dataclass, field

from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.model.boundary_evidence import TrackSheet
from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.phases import FINGERPRINTS, FLAVORS, LEAD_POINTS, SEGMENTS, TAGS
from wkmp_assets.model.values import LeadPointParameters, PathNames, SegmentationParameters
from wkmp_assets.runtime.visit_store import VisitStore

VISITED_PHASES = (TAGS, SEGMENTS, FINGERPRINTS, LEAD_POINTS, FLAVORS)
"""Phases whose values need nothing but the file."""


@dataclass(frozen=True)
class Visit:
    """What a worker is to find out about a file. Two visits are equal when they find the same."""

    key: str
    """Partition key."""
    display_path: str
    """Its path in the library, for messages."""
    names: PathNames
    """Texts from that path, part of the tags."""
    on_disk: FileStat
    """Size and time of the file when the run looked at it."""
    segmentation: SegmentationParameters
    lead_points: LeadPointParameters
    pcm: PcmStore = field(compare=False)
    """Receives the PCM, for joined passages and later runs."""
    covers: CoverStore = field(compare=False)
    """Receives the covers."""
    visits: VisitStore = field(compare=False)
    """Receives what the visit finds, and has what an interrupted run found."""
    is_hash_only: bool = field(default=False, compare=False)
    """Whether the visit ends after the hash, because other files may have the same content."""
    known_hashes: frozenset[str] = field(default=frozenset(), compare=False)
    """Contents that the library has already. The visit ends after the hash of such a file."""
    content_hash: str | None = None
    """The content, where the run has hashed the file before."""
    track_list: TrackSheet | None = None
    """Of the release, when an earlier lookup found one for this content."""
