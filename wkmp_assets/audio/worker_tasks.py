"""The tasks of worker processes, each for one file: find its passages, fingerprint them, measure their flavors."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.fingerprint import fingerprint_passages
from wkmp_assets.audio.flavor.measure import measure_passages
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.silence import find_passages, over_segmentation_warning
from wkmp_assets.errors import FileChangedError, UndecodableAudioError
from wkmp_assets.files.identity import look_at
from wkmp_assets.model import ticks
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.values import (
    Envelope,
    FileIdentity,
    Fingerprints,
    Flavors,
    PassageSegments,
    SegmentationParameters,
    Span,
)

MAX_CHANNELS = 32
"""The limit of the library's schema."""


def segment_file(
    path: Path, display_path: str, identity: FileIdentity, pcm: PcmStore, parameters: SegmentationParameters
) -> PassageSegments:
    """Decode a file and find its passages.

    Parameters
    ----------
    path : Path
        The file.
    display_path : str
        Its path in the library, for messages.
    identity : FileIdentity
        Of the file when it was hashed.
    pcm : PcmStore
        Receives the PCM, for later phases.
    parameters : SegmentationParameters
        What counts as silence, and the shortest passage.

    Returns
    -------
    PassageSegments
        With the properties and the envelope of the file.

    Raises
    ------
    UndecodableAudioError, UnreadableFileError
        The file cannot be decoded, or has more than 32 channels.
    FileChangedError
        The file was written to since it was hashed.
    """
    audio, envelope = measure_file(path, pcm_path=pcm.path_for(identity.content_hash), display_path=display_path)
    if audio.channels > MAX_CHANNELS:
        raise UndecodableAudioError(
            display_path, f"it has {audio.channels} channels, and the library allows {MAX_CHANNELS}"
        )
    if not _is_still(path, identity):
        pcm.path_for(identity.content_hash).unlink(missing_ok=True)
        raise FileChangedError(display_path, "it was written to during the import")
    passages = find_passages(
        envelope,
        silence_threshold_db=parameters.silence_threshold_db,
        min_silence_ticks=parameters.min_silence_ticks,
        min_passage_ticks=parameters.min_passage_ticks,
    )
    return PassageSegments(audio, envelope, passages, parameters, tuple(_warnings(envelope, passages)))


def _is_still(path: Path, identity: FileIdentity) -> bool:
    """Tell whether a file is what was hashed, as far as its size and time say so."""
    on_disk = look_at(path.parent, path.name)
    return (on_disk.size_bytes, on_disk.modified_at) == (identity.size_bytes, identity.modified_at)


def _warnings(envelope: Envelope, passages: Sequence[Span]) -> Iterator[FileWarning]:
    too_many = over_segmentation_warning(envelope, passages)
    if too_many:
        yield FileWarning(WarningKind.OVER_SEGMENTED, too_many)
    if not ticks.is_exact(envelope.sample_rate_hz):
        text = f"A sample at {envelope.sample_rate_hz} Hz is not a whole number of ticks: positions are rounded."
        yield FileWarning(WarningKind.ROUNDED_POSITIONS, text)


def fingerprint_file(
    path: Path, display_path: str, content_hash: str, pcm: PcmStore, segments: PassageSegments
) -> Fingerprints:
    """Fingerprint the passages of a file from its stored PCM; the file is decoded again only if that is gone.

    See Also
    --------
    wkmp_assets.audio.fingerprint.fingerprint_passages
    """
    pcm_path = _pcm_of(path, display_path, content_hash, pcm)
    spans = segments.passages
    return Fingerprints(fingerprint_passages(pcm_path, spans, sample_rate_hz=segments.audio.sample_rate_hz))


def measure_flavors(
    path: Path,
    display_path: str,
    content_hash: str,
    pcm: PcmStore,
    segments: PassageSegments,
    spans: tuple[Span, ...],
) -> Flavors:
    """Measure the flavors of spans from the stored PCM of a file; it is decoded again only if that is gone.

    See Also
    --------
    wkmp_assets.audio.flavor.measure.measure_passages
    """
    pcm_path = _pcm_of(path, display_path, content_hash, pcm)
    audio = segments.audio
    return Flavors(measure_passages(pcm_path, spans, sample_rate_hz=audio.sample_rate_hz, channels=audio.channels))


def _pcm_of(path: Path, display_path: str, content_hash: str, pcm: PcmStore) -> Path:
    pcm_path = pcm.get(content_hash)
    if pcm_path is None:
        pcm_path = pcm.path_for(content_hash)
        measure_file(path, pcm_path=pcm_path, display_path=display_path)
    return pcm_path
