"""The values that the phases produce for one file, in the order of the phases. The phase store keeps them as JSON.

Positions are integer samples at the file's native rate, counted from the first decoded sample. Intervals are half-open.
Raise `phases.SCHEMA_VERSION` when a stored value changes its meaning, or its shape in a way that old documents do not
have.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, Base64Bytes, BeforeValidator, Field, PlainSerializer, TypeAdapter

from wkmp_assets.model.boundary_evidence import NO_EVIDENCE, BoundaryEvidence, BoundarySource, SheetTrack, TrackSheet
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.name_ranks import NameRank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BYTES: TypeAdapter[bytes] = TypeAdapter(Base64Bytes)


def _to_array(value: Any) -> "NDArray[np.float32]":
    import numpy as np  # here, because many values have no array, and NumPy takes longer to load than to use

    if isinstance(value, str):
        return np.frombuffer(_BYTES.validate_python(value), dtype="<f4")
    return np.asarray(value, dtype=np.float32)


def _to_base64(array: "NDArray[np.float32]") -> str:
    text: str = _BYTES.dump_python(array.astype("<f4").tobytes(), mode="json")
    return text


if TYPE_CHECKING:
    Float32Array = NDArray[np.float32]
else:
    Float32Array = Annotated[Any, BeforeValidator(_to_array), PlainSerializer(_to_base64, return_type=str)]
    """One-dimensional float32 array; little-endian base64 in JSON."""


def _of_any_version(value: Any) -> Any:
    return FileWarning(WarningKind.OTHER, value) if isinstance(value, str) else value


StoredWarning = Annotated[FileWarning, BeforeValidator(_of_any_version)]
"""A warning in a stored phase value. Earlier versions stored the sentence alone."""


class FileState(StrEnum):
    """How a file on disk differs from what the library holds."""

    NEW = "new"
    CHANGED = "changed"
    """The path is known with other bytes, or its import was never completed."""
    UNCHANGED = "unchanged"
    TOUCHED = "touched"
    """Same bytes, other modification time."""
    MOVED = "moved"
    """Same bytes as a file that is no longer under its path in the library."""
    DUPLICATE = "duplicate"
    """Same bytes as another file that exists."""


@dataclass(frozen=True)
class FileIdentity:
    """Phases 1 and 2: which file this is."""

    state: FileState
    content_hash: str
    """SHA-256 of the whole file, 64 lowercase hex digits."""
    size_bytes: int
    modified_at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`."""
    moved_from: str | None = None
    """The path under which the library knows a moved file."""
    moved_guid: str | None = None
    """The guid of that file. Its path may change before this file is written, when another file of the run takes it."""
    duplicate_of: str | None = None
    """Path of the file with the same bytes that is imported in its place."""
    replaces: str | None = None
    """Content hash of what the library holds under its path, if it differs."""


@dataclass(frozen=True)
class Artist:
    """A credited MusicBrainz artist."""

    mbid: str
    name: str
    rank: NameRank = NameRank.TAG
    """Of the name."""


@dataclass(frozen=True)
class Work:
    """A MusicBrainz work (composition)."""

    mbid: str
    title: str
    rank: NameRank = NameRank.TAG
    """Of the title."""


@dataclass(frozen=True)
class Release:
    """A MusicBrainz release: what the library calls an album."""

    mbid: str
    title: str
    date: str | None = None
    """`YYYY[-MM[-DD]]`."""


@dataclass(frozen=True)
class KnownRelease:
    """A release, with what decides among several."""

    release: Release
    is_official: bool
    is_plain_album: bool
    """Whether it is an album and not a compilation, soundtrack or live recording."""


@dataclass(frozen=True)
class PathNames:
    """Texts from a file's path. Any of them may be a title, an artist, an album, or none of these."""

    file: tuple[str, ...] = ()
    """Parts of the file's name, without track number and extension."""
    folders: tuple[str, ...] = ()
    """Folders below the library root, outermost first."""


class CoverKind(StrEnum):
    """What a cover shows."""

    FRONT = "front"
    BACK = "back"
    LINER = "liner"


class CoverSource(StrEnum):
    """Where a cover was found."""

    EMBEDDED = "embedded"
    BESIDE = "beside"
    """A picture file in the same folder."""


@dataclass(frozen=True)
class Cover:
    """A picture of a file, as it is kept in the folder of covers."""

    kind: CoverKind
    path: str
    """Below the folder of covers, with `/` separators: `ab/<SHA-256 of its bytes>.jpg` or `.png`."""
    width: int
    """unit=px"""
    height: int
    """unit=px"""
    source: CoverSource


@dataclass(frozen=True)
class TagDetails:
    """What the tags say beside what has columns in the library. What they do not say is empty or None."""

    track_count: int | None = None
    """Of the disc."""
    track_side: str | None = None
    """The place on a record with sides, such as `A1`."""
    disc_number: int | None = None
    disc_count: int | None = None
    album_artist: str | None = None
    is_compilation: bool | None = None
    date: str | None = None
    """`YYYY[-MM[-DD]]`, as all dates."""
    original_date: str | None = None
    """Of the first release."""
    genres: tuple[str, ...] = ()
    """Under the names of MusicBrainz; lower case."""
    composers: tuple[str, ...] = ()
    isrcs: tuple[str, ...] = ()
    bpm: float | None = None
    """Beats per minute."""
    key: str | None = None
    """The musical key, as the tag writes it."""
    artist_mbids: tuple[str, ...] = ()
    album_artist_mbids: tuple[str, ...] = ()
    release_mbid: str | None = None
    release_group_mbid: str | None = None
    release_track_mbid: str | None = None
    """Of the track on the release."""
    work_mbids: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileTags:
    """Phase 3: the tags and covers of a file. Blank texts are None."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    track_number: int | None = None
    year: int | None = None
    recording_mbid: str | None = None
    artists: tuple[Artist, ...] = ()
    release: Release | None = None
    works: tuple[Work, ...] = ()
    warnings: tuple[StoredWarning, ...] = ()
    """Tags that could not be read or believed."""
    names: PathNames = PathNames()
    """Weak evidence, never written to the library."""
    field_sources: dict[str, str] = field(default_factory=dict, compare=False)
    """For each field of the tags (`title`, `recording_ids`, ...) the kind of tag that it is from."""
    details: TagDetails = TagDetails()
    covers: tuple[Cover, ...] = ()
    """At most one of each kind."""
    evidence: BoundaryEvidence = NO_EVIDENCE
    """What the file says about its passages."""


@dataclass(frozen=True)
class Span:
    """Half-open interval `[start_sample, end_sample)`."""

    start_sample: int
    end_sample: int

    @property
    def length_samples(self) -> int:
        """Number of samples inside."""
        return self.end_sample - self.start_sample


@dataclass(frozen=True)
class AudioProperties:
    """Properties of the decoded audio."""

    format: str
    """`MP3`, `FLAC`, `Opus`, `OGG Vorbis`, `AAC`, `ALAC`, `WAV`, `AIFF`, `WavPack`, `WMA`, `APE`; else the codec."""
    sample_rate_hz: int
    channels: int
    total_samples: int
    """Number of decoded frames, after the container's gapless trimming."""
    peak: float
    """Largest absolute sample over all channels, full scale = 1."""
    warnings: tuple[StoredWarning, ...] = ()
    """Skipped packets and the like."""


@dataclass(frozen=True, eq=False)
class LoudnessCurve:
    """K-weighted power of all channels in consecutive slots of about 100 ms, after ITU-R BS.1770, full scale = 1."""

    slot_samples: int
    power: Float32Array
    """shape=(total_samples // slot_samples,), range >= 0: weighted sum over the channels' mean squares."""


@dataclass(frozen=True, eq=False)
class Envelope:
    """Mean square level of the loudest channel, in consecutive hops of about 10 ms, full scale = 1.

    Offset and infrasound do not count, see `wkmp_assets.audio.audible_levels`.
    """

    sample_rate_hz: int
    hop_samples: int
    total_samples: int
    mean_square: Float32Array
    """shape=(ceil(total_samples / hop_samples),), range >= 0; the last hop may be shorter."""
    loudness: LoudnessCurve | None = None
    """None in values of earlier versions."""


@dataclass(frozen=True)
class SegmentationParameters:
    """The thresholds that determined the boundaries."""

    silence_threshold_db: float
    """Positive number: dB below full scale."""
    min_silence_ticks: int
    min_passage_ticks: int


@dataclass(frozen=True, eq=False)
class PassageSegments:
    """Phase 4: the result of decoding a file once, and its passages. Without passages the file is NO AUDIO."""

    audio: AudioProperties
    envelope: Envelope
    passages: tuple[Span, ...]
    parameters: SegmentationParameters
    warnings: tuple[StoredWarning, ...] = ()
    decided_by: BoundarySource = BoundarySource.SILENCE
    tracks: tuple[SheetTrack | None, ...] = ()
    """The track of each passage; empty where no sheet decided."""
    main_passage: int | None = None
    """Index of the passage that the file's own tags name, in a file of several."""
    evidence: BoundaryEvidence | None = None
    """Of the tags, as it was when the passages were determined; None in values of earlier versions."""


@dataclass(frozen=True)
class PassageFingerprint:
    """Phase 5 for one passage."""

    span: Span
    fingerprint: str | None
    """Chromaprint, compressed and base64url-encoded for AcoustID; None when the passage is too short."""
    duration_s: float
    """Length of the whole passage, which may be longer than the fingerprinted part."""


@dataclass(frozen=True)
class Fingerprints:
    """Phase 5: one entry per passage, in order."""

    passages: tuple[PassageFingerprint, ...]
    algorithm: str = "TEST2"
    """Chromaprint's default algorithm (number 1), which AcoustID indexes."""


@dataclass(frozen=True)
class Song:
    """One recording, with everything known about it."""

    recording_mbid: str
    title: str | None
    artist_name: str | None
    """The artist credit as one text."""
    artists: tuple[Artist, ...] = ()
    works: tuple[Work, ...] = ()
    rank: NameRank = NameRank.TAG
    """Of the title and the credit."""
    answered_at: str | None = None
    """When the service named them: UTC, `YYYY-MM-DD HH:MM:SS`; None when the tags do."""


@dataclass(frozen=True)
class Candidate:
    """A recording that a passage may be, with its scores."""

    song: Song
    length_s: float | None
    acoustid: str | None
    """None for a recording that the tags name."""
    fingerprint_score: float
    metadata_score: float
    duration_score: float
    confidence: float
    """All scores 0..1."""
    sources: int | None = None
    """How many submissions at AcoustID say so; None if unknown."""


@dataclass(frozen=True)
class PassageLookup:
    """The lookup of one passage."""

    span: Span
    outcome: LookupOutcome
    candidates: tuple[Candidate, ...] = ()
    """The five best, best first. The first has everything that MusicBrainz knows."""
    releases: tuple[KnownRelease, ...] = ()
    """All releases of the best candidate, from MusicBrainz."""
    detail: str = ""
    """Why it was deferred or skipped."""
    warnings: tuple[StoredWarning, ...] = ()
    """What of the services' answers could not be read, and what they leave in doubt."""
    stands_because: str = ""
    """Why an earlier import's answer was kept: the reason why the lookup could not be repeated."""


@dataclass(frozen=True)
class RecordingLookups:
    """The lookups of a file: one entry per passage, in order."""

    passages: tuple[PassageLookup, ...]
    asked: int = 0
    """Number of requests sent for the file."""
    from_cache: int = 0
    """Number of answers taken from the cache."""
    sheet: TrackSheet | None = None
    """The track list of the release in the tags, where it is as long as the file."""
    warnings: tuple[StoredWarning, ...] = ()


@dataclass(frozen=True)
class PassageMatch:
    """Phase 6 for one passage."""

    span: Span
    level: MatchLevel
    score: float
    """0..1."""
    source: str | None
    """Source of the texts: `ID3` (tags of any container), `CUE`, `Chapters`, `AcoustID` or `MusicBrainz`."""
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    song: Song | None = None
    release: Release | None = None
    lookup: PassageLookup | None = None
    """Its lookup; None when it was not looked up."""
    track: SheetTrack | None = None
    """Of the sheet or the chapters that separate the passages."""


@dataclass(frozen=True)
class SongMatches:
    """Phase 6: one entry per passage, in order."""

    passages: tuple[PassageMatch, ...]
    joined_from: tuple[Span, ...] | None = None
    """The passages before neighbours were joined; None in values of earlier versions."""
    warnings: tuple[StoredWarning, ...] = ()
    """Of the lookups of the file as a whole."""


@dataclass(frozen=True)
class LeadPointParameters:
    """Thresholds of the lead points."""

    lead_in_threshold_db: float
    """Up to 0: dB relative to the passage's peak RMS. Above 0: dB above one step of 16-bit PCM."""
    lead_out_threshold_db: float
    rms_window_ms: float = 100.0
    quick_ramp_threshold: float = 0.75
    quick_ramp_duration_s: float = 1.0
    max_lead_in_duration_s: float = 10.0
    max_lead_out_duration_s: float = 10.0


@dataclass(frozen=True)
class PassageLeadPoints:
    """Phase 8 for one passage. Both points are None when the passage is too quiet or too short to measure."""

    span: Span
    lead_in_sample: int | None
    """Lead-in point: latest position at which the previous passage may still sound, from the file's start."""
    lead_out_sample: int | None
    """Lead-out point: earliest position at which the next passage may start, from the file's start."""
    peak_rms: float
    quick_ramp_up: bool
    quick_ramp_down: bool
    warnings: tuple[StoredWarning, ...] = ()


@dataclass(frozen=True)
class LeadPoints:
    """Phase 8: one entry per passage, in order."""

    passages: tuple[PassageLeadPoints, ...]
    parameters: LeadPointParameters
    warnings: tuple[StoredWarning, ...] = ()
    """Warnings about the whole file."""


class ClassesOutcome(StrEnum):
    """How the lookup of a recording's classes at AcousticBrainz ended."""

    MATCH = "match"
    NO_MATCH = "no match"
    DEFERRED = "deferred"
    """It gave no usable answer. A later run asks again."""
    GONE = "gone"
    """The same, after a week without an answer. A later run asks again, without a warning each time."""
    SKIPPED = "skipped"
    """Not looked up: no recording is known, no key is set, or AcousticBrainz is switched off."""


@dataclass(frozen=True)
class SoundMeasures:
    """Raw measures of one passage; of an excerpt of it, where no other is named."""

    bpm: float
    """Beats per minute; 0 without a beat."""
    key: str
    """`C`, `C#`, `D`, `Eb`, `E`, `F`, `F#`, `G`, `Ab`, `A`, `Bb` or `B`."""
    scale: str
    """`major` or `minor`."""
    key_clarity: float
    """Correlation with the key's profile, -1..1."""
    level_estimate_db: Annotated[float, Field(validation_alias=AliasChoices("level_estimate_db", "loudness_lufs"))]
    """Loudness of the excerpt, estimated from its mono mix; under its former name in values of earlier versions."""
    crest_factor_db: float
    integrated_lufs: float | None = None
    """Of the whole passage, after ITU-R BS.1770-5; None where the file was not decoded for it."""
    loudness_range_lu: float | None = None
    """Of the whole passage, after EBU Tech 3342; None also for a passage shorter than 3 s."""
    replaygain_db: float | None = None
    """The gain that brings the passage to -18 LUFS, as ReplayGain 2.0 has it."""


@dataclass(frozen=True)
class PassageFlavor:
    """Phase 9 for one passage: characteristic -> value -> probability."""

    span: Span
    measured: dict[str, dict[str, float]]
    """The part that was measured from the sound: names begin with `user.`."""
    measures: SoundMeasures
    classes: dict[str, dict[str, float]] = field(default_factory=dict)
    """The recording's classes from AcousticBrainz."""
    detail: str = ""
    """Why a known recording has no classes."""
    warnings: tuple[StoredWarning, ...] = ()
    outcome: ClassesOutcome = ClassesOutcome.SKIPPED


@dataclass(frozen=True)
class Flavors:
    """Phase 9: one entry per passage, in order."""

    passages: tuple[PassageFlavor, ...]
    recordings: tuple[str | None, ...] | None = None
    """The recording MBID whose classes each passage has or lacks; None before the lookup of classes, and in values of
    earlier versions."""
