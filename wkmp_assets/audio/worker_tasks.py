"""The tasks of worker processes, each for one file: read its tags, find its passages, fingerprint and measure them.

Whatever opens the file verifies its content, because results are stored under the content hash.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from wkmp_assets.audio.boundaries import Boundaries, choose_passages
from wkmp_assets.audio.covers.read import read_covers
from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.fingerprint import fingerprint_passages
from wkmp_assets.audio.flavor.measure import measure_passages
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.piece_claim import drop_sheets_of_albums, judge_claim
from wkmp_assets.audio.silence import over_segmentation_warning
from wkmp_assets.audio.tag_readers.entry_count import check_entry_count
from wkmp_assets.audio.tags import read_tags
from wkmp_assets.audio.track_sheets import read_sheets
from wkmp_assets.errors import UndecodableAudioError
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model import ticks
from wkmp_assets.model.boundary_evidence import NO_EVIDENCE, BoundaryEvidence, BoundarySource, TrackSheet
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.values import (
    AudioProperties,
    Envelope,
    FileTags,
    Fingerprints,
    Flavors,
    PassageSegments,
    SegmentationParameters,
    Span,
)

MAX_CHANNELS = 32
"""The limit of the library's schema."""


def tag_file(path: Path, display_path: str, expected: ExpectedContent, covers: CoverStore) -> FileTags:
    """Read the tags and covers of a file, and what it says about its passages; the covers go into the store.

    Raises
    ------
    FileReplacedError, FileChangedError, UnreadableFileError
        As for `segment_file`.
    TooManyTagsError
        Its tags have so many entries that reading them would take minutes.

    See Also
    --------
    wkmp_assets.audio.tags.read_tags
    wkmp_assets.audio.covers.read.read_covers
    wkmp_assets.audio.track_sheets.read_sheets
    """
    verify_again = expected.verify(path, display_path)
    check_entry_count(path, display_path)
    tags = read_tags(path)
    found, doubts = read_covers(path, display_path, covers)
    sheets, unused = read_sheets(path)
    verify_again()
    sheets, of_albums = drop_sheets_of_albums(sheets, tags)
    evidence = BoundaryEvidence(sheets, judge_claim(tags, path))
    return replace(tags, covers=found, evidence=evidence, warnings=(*tags.warnings, *doubts, *unused, *of_albums))


def segment_file(
    path: Path,
    display_path: str,
    expected: ExpectedContent,
    pcm: PcmStore,
    parameters: SegmentationParameters,
    evidence: BoundaryEvidence = NO_EVIDENCE,
    track_list: TrackSheet | None = None,
) -> PassageSegments:
    """Decode a file and find its passages.

    Parameters
    ----------
    path : Path
        The file.
    display_path : str
        Its path in the library, for messages.
    expected : ExpectedContent
        The content that it must have.
    pcm : PcmStore
        Receives the PCM, for later phases.
    parameters : SegmentationParameters
        What counts as silence, and the shortest passage.
    evidence : BoundaryEvidence, optional
        What the file says about its passages.
    track_list : TrackSheet or None
        Of the release, when an earlier lookup found one for this content. It is weaker than the file's own sheets.

    Returns
    -------
    PassageSegments
        With the properties and the envelope of the file.

    Raises
    ------
    UndecodableAudioError, UnreadableFileError
        The file cannot be decoded, or has more than 32 channels.
    FileReplacedError
        The file has other content than at the import that hashed it.
    FileChangedError
        The file was written to since this run hashed it.
    """
    audio, envelope = _decode(path, display_path, expected, pcm)
    if audio.channels > MAX_CHANNELS:
        raise UndecodableAudioError(
            display_path, f"it has {audio.channels} channels, and the library allows {MAX_CHANNELS}"
        )
    sheets = (*evidence.sheets, track_list) if track_list else evidence.sheets
    boundaries = choose_passages(envelope, replace(evidence, sheets=sheets), parameters)
    return PassageSegments(
        audio,
        envelope,
        boundaries.passages,
        parameters,
        tuple(_warnings(envelope, boundaries)),
        decided_by=boundaries.decided_by,
        tracks=boundaries.tracks,
        main_passage=boundaries.main_passage,
        evidence=evidence,
    )


def _warnings(envelope: Envelope, boundaries: Boundaries) -> Iterator[FileWarning]:
    yield from boundaries.warnings
    if boundaries.decided_by is BoundarySource.SILENCE:
        too_many = over_segmentation_warning(envelope, boundaries.passages)
        if too_many:
            yield FileWarning(WarningKind.OVER_SEGMENTED, too_many)
    if not ticks.is_exact(envelope.sample_rate_hz):
        text = f"A sample at {envelope.sample_rate_hz} Hz is not a whole number of ticks: positions are rounded."
        yield FileWarning(WarningKind.ROUNDED_POSITIONS, text)


def fingerprint_file(
    path: Path, display_path: str, expected: ExpectedContent, pcm: PcmStore, segments: PassageSegments
) -> Fingerprints:
    """Fingerprint the passages of a file from its stored PCM; the file is decoded again only if that is gone.

    Raises
    ------
    FileReplacedError, FileChangedError, UnreadableFileError
        As for `segment_file`.

    See Also
    --------
    wkmp_assets.audio.fingerprint.fingerprint_passages
    """
    pcm_path = _pcm_of(path, display_path, expected, pcm)
    spans = segments.passages
    return Fingerprints(fingerprint_passages(pcm_path, spans, sample_rate_hz=segments.audio.sample_rate_hz))


def measure_flavors(
    path: Path,
    display_path: str,
    expected: ExpectedContent,
    pcm: PcmStore,
    segments: PassageSegments,
    spans: tuple[Span, ...],
    decode: bool = False,
) -> Flavors:
    """Measure the flavors of spans from the stored PCM of a file; it is decoded again only if that is gone.

    With `decode` it is also decoded where an earlier version did not keep what the loudness is measured from.

    Raises
    ------
    FileReplacedError, FileChangedError, UnreadableFileError
        As for `segment_file`.

    See Also
    --------
    wkmp_assets.audio.flavor.measure.measure_passages
    """
    loudness = segments.envelope.loudness
    if pcm.get(expected.content_hash) is None or (decode and loudness is None):
        _, envelope = _decode(path, display_path, expected, pcm)
        loudness = envelope.loudness
    pcm_path, audio = pcm.path_for(expected.content_hash), segments.audio
    return Flavors(
        measure_passages(
            pcm_path, spans, sample_rate_hz=audio.sample_rate_hz, channels=audio.channels, loudness=loudness
        )
    )


def _pcm_of(path: Path, display_path: str, expected: ExpectedContent, pcm: PcmStore) -> Path:
    stored = pcm.get(expected.content_hash)
    if stored is not None:
        return stored
    _decode(path, display_path, expected, pcm)
    return pcm.path_for(expected.content_hash)


def _decode(
    path: Path, display_path: str, expected: ExpectedContent, pcm: PcmStore
) -> tuple[AudioProperties, Envelope]:
    """Decode a file; store its PCM only if the file has the expected content from beginning to end."""
    verify_again = expected.verify(path, display_path)
    pcm_path = pcm.path_for(expected.content_hash)
    return measure_file(path, pcm_path=pcm_path, display_path=display_path, verify=verify_again)
