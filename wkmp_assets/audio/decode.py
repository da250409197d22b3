"""The one decode of a file, in bounded memory: its properties, its level envelope and its PCM.

See Also
--------
wkmp_assets.audio.silence : passages, from the envelope.
wkmp_assets.audio.lead_points : lead-in and lead-out points, from the envelope.
wkmp_assets.audio.fingerprint : fingerprints, from the PCM.
"""

from __future__ import annotations

import codecs
import contextlib
from typing import TYPE_CHECKING

from wkmp_assets.audio.decode_ffmpeg import decode_with_ffmpeg
from wkmp_assets.audio.decode_libsndfile import decode_with_libsndfile
from wkmp_assets.audio.decode_pass import DecodePass, NothingDecodedError
from wkmp_assets.audio.pcm_store import pcm_file
from wkmp_assets.errors import ProtectedAudioError, UndecodableAudioError, UnreadableFileError
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.values import AudioProperties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from wkmp_assets.audio.decode_graph import DecodeGraph
    from wkmp_assets.model.values import Envelope

MAX_SHORTFALL_S = 1.0
"""unit=s: a decode that is shorter than announced by more gets a warning."""
_HEAD_BYTES = 65_536
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_ENCRYPTION = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
"""Objects in the header of a WMA file whose sound is encrypted: FFmpeg decodes it to noise."""


def measure_file(
    path: Path, *, pcm_path: Path | None, display_path: str, verify: Callable[[], object] = lambda: None
) -> tuple[AudioProperties, Envelope]:
    """Decode a file from beginning to end, once, and measure it.

    Parameters
    ----------
    path : Path
        The file.
    pcm_path : Path or None
        Receives the whole file as mono little-endian int16 PCM at 11,025 Hz, for `fingerprint_passages`. It is
        written under a temporary name and renamed at the end, so that it is whole or absent. None: no PCM.
    display_path : str
        The file's name in messages.
    verify : callable, optional
        Called after the file was read. When it raises, the PCM is discarded.

    Returns
    -------
    AudioProperties, Envelope
        Both count samples at the file's native rate, after the container's gapless trimming. Damaged packets are left
        out, NaN and infinity count as 0, and a stream that changes its rate or layout midway is converted to that of
        its beginning; `warnings` has a sentence about each.

    Raises
    ------
    UnreadableFileError
        The file does not exist, is no file, or may not be read.
    UndecodableAudioError
        Neither FFmpeg nor libsndfile decodes a single sample.
    ProtectedAudioError, TooLongError
        The sound is encrypted, or lasts longer than 48 hours.
    StateDiskError
        `pcm_path` cannot be written.
    """
    head = _require_content(path, display_path)
    with pcm_file(pcm_path) if pcm_path else contextlib.nullcontext() as pcm:
        done = _decode(path, head, pcm, display_path)
        verify()
    if done.graph is None:
        raise AssertionError("a pass without frames raises NothingDecodedError")
    return _summarise(done, done.graph)


def _decode(path: Path, head: bytes, pcm: BinaryIO | None, display_path: str) -> DecodePass:
    """Decode with FFmpeg, else with libsndfile."""
    try:
        return decode_with_ffmpeg(path, pcm, display_path)
    except NothingDecodedError as error:
        ffmpeg_cause = str(error)
    if pcm is not None:
        pcm.seek(0)
        pcm.truncate()
    try:
        done = decode_with_libsndfile(path, pcm, display_path)
    except NothingDecodedError as error:
        found = "no sound in it, only text" if _is_text(head) else "no sound in it"
        raise UndecodableAudioError(display_path, f"{found} (FFmpeg: {ffmpeg_cause}; libsndfile: {error})") from error
    done.warn(WarningKind.OTHER_DECODER, f"Read with libsndfile because FFmpeg could not ({ffmpeg_cause}).")
    return done


def _require_content(path: Path, display_path: str) -> bytes:
    """Return the beginning of a file, which is not empty and not encrypted."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise UnreadableFileError(display_path, error.strerror or str(error)) from error
    if not head:
        raise UndecodableAudioError(display_path, "it is empty (0 bytes)")
    if head.startswith(_ASF_HEADER) and any(encryption in head for encryption in _ASF_ENCRYPTION):
        raise ProtectedAudioError(display_path, "it is copy-protected (Windows Media)")
    return head


def _is_text(head: bytes) -> bool:
    """Tell whether a file begins as text: UTF-8, or UTF-16 with its mark, and no control characters."""
    coding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        # Incrementally, because the head may end within a character.
        text = codecs.getincrementaldecoder(coding)().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\n\r\f" for character in text)


def _summarise(done: DecodePass, graph: DecodeGraph) -> tuple[AudioProperties, Envelope]:
    levels = graph.levels
    audio = AudioProperties(
        format=done.format,
        sample_rate_hz=levels.sample_rate_hz,
        channels=graph.channels,
        total_samples=levels.total_samples,
        peak=levels.peak,
        warnings=(*done.warnings, *_damage_warnings(done, graph)),
    )
    return audio, levels.finish()


def _damage_warnings(done: DecodePass, graph: DecodeGraph) -> Iterator[FileWarning]:
    """Yield a warning about each kind of damage."""
    rate = graph.levels.sample_rate_hz
    if done.skipped_packets:
        yield FileWarning(WarningKind.DAMAGED, f"Damaged audio packets left out: {done.skipped_packets}.")
    bad_samples = done.bad_samples + graph.levels.bad_samples
    if bad_samples:
        text = f"Samples that are not numbers or far beyond full scale, replaced by silence: {bad_samples}."
        yield FileWarning(WarningKind.DAMAGED, text)
    if graph.has_changed:
        text = f"The stream changes midway and was converted to {rate} Hz, {graph.channels} channels."
        yield FileWarning(WarningKind.CHANGES_MIDWAY, text)
    decoded_s = graph.levels.total_samples / rate
    if done.announced_s is not None and decoded_s < done.announced_s - MAX_SHORTFALL_S:
        text = f"The file is cut short: {decoded_s:.1f} s of the {done.announced_s:.1f} s it announces."
        yield FileWarning(WarningKind.CUT_SHORT, text)
    elif done.ends_midway:
        text = f"The file is cut short: it ends within a page of sound, after {decoded_s:.1f} s."
        yield FileWarning(WarningKind.CUT_SHORT, text)
