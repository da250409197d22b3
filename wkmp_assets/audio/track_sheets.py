"""The sheets of a music file: CUE sheets beside it and in its tags, FLAC's own sheet, and chapters."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import mutagen
from mutagen.id3 import CHAP

from wkmp_assets.audio.cue_sheet import MAX_CHARACTERS, MAX_TRACKS, CueFile, CueSheet, parse_cue
from wkmp_assets.audio.cue_text import decode_cue
from wkmp_assets.audio.ffmpeg_file import HEADER_ONLY, open_with_ffmpeg
from wkmp_assets.audio.tag_fields import LEAKED_BY_MUTAGEN
from wkmp_assets.audio.tag_readers.with_mutagen import is_id3
from wkmp_assets.files.cue_files import find_cue_files, is_named_after, is_only_music, read_cue_file
from wkmp_assets.model.boundary_evidence import BoundarySource, SheetTrack, TrackSheet
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.ticks import TICKS_PER_SECOND, from_samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from av.container import InputContainer

MIN_CHAPTER_TICKS = 2 * TICKS_PER_SECOND
"""A shorter chapter is a mark and no piece of music: it is joined to the one before, the first to the next."""
_CUE_TAG = "cuesheet"
_PROGRAMS_NAMES = re.compile(r"(?:cd ?image|image|range|album|audio|cd|disc)[ _-]?[0-9]*$", re.IGNORECASE)
"""The file names that programs put into sheets, whatever the file is called later."""
_COMMENT_CLOCK = Fraction(1, 1_000)
"""unit=s: in which FFmpeg counts the chapters of Vorbis comments."""
_LEAD_OUT_TRACKS = frozenset({170, 255})


def read_sheets(path: Path) -> tuple[tuple[TrackSheet, ...], tuple[FileWarning, ...]]:
    """Read all sheets of one music file.

    Parameters
    ----------
    path : Path
        The music file.

    Returns
    -------
    tuple of (tuple of TrackSheet) and (tuple of FileWarning)
        The sheets, the strongest first, one of each kind at most: beside the file, in the tags, FLAC's block, chapters.
        A sheet that cannot be read, or that has the file's name and describes another one, is a warning.
    """
    warnings: list[FileWarning] = []
    sheets = [_read_beside(path, warnings)]
    try:
        with open_with_ffmpeg(path, options=HEADER_ONLY) as container:
            sheets += [_read_tag(path, container, warnings), *_read_chapters(path, container, warnings)]
    except (av.FFmpegError, OSError, ValueError):
        pass  # the decode tells whether the file can be read
    return tuple(sheet for sheet in sheets if sheet), tuple(warnings)


def _read_beside(path: Path, warnings: list[FileWarning]) -> TrackSheet | None:
    for name in find_cue_files(path):
        called = f'The CUE sheet "{name}"'
        is_own = is_named_after(name, path) or is_only_music(path)
        try:
            sheet = parse_cue(decode_cue(read_cue_file(path.parent / name)))
        except (OSError, ValueError) as error:
            if is_own:
                warnings.append(_unused(called, error.strerror if isinstance(error, OSError) else str(error)))
            continue
        file = sheet.find_file(path.name)
        if file is None and is_own:
            if len(sheet.files) == 1 and _PROGRAMS_NAMES.match(_stem(sheet.files[0].name)):
                file = sheet.files[0]
            else:
                warnings.append(_unused(called, f'it describes "{sheet.files[0].name[:80]}"'))
        if file is not None and file.tracks:
            return _of_cue(BoundarySource.CUE_FILE, called, sheet, file)
    return None


def _read_tag(path: Path, container: InputContainer, warnings: list[FileWarning]) -> TrackSheet | None:
    data = _find_tag(container)
    if data is None:
        return None
    called = "The CUE sheet in the tags"
    try:
        sheet = parse_cue(decode_cue(data))
    except ValueError as error:
        warnings.append(_unused(called, str(error)))
        return None
    # Nobody renames the file inside a sheet that moves with the file.
    file = sheet.files[0] if len(sheet.files) == 1 else sheet.find_file(path.name)
    if file is None or not file.tracks:
        warnings.append(_unused(called, "it describes other files"))
        return None
    return _of_cue(BoundarySource.CUE_TAG, called, sheet, file)


def _find_tag(container: InputContainer) -> bytes | None:
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        for key, value in metadata.items():
            if key.lower() == _CUE_TAG and value.strip():
                return _bytes_of(value)
    return None


def _of_cue(source: BoundarySource, called: str, sheet: CueSheet, file: CueFile) -> TrackSheet:
    length = None
    if sheet.disc_seconds is not None and len(file.tracks) == sheet.track_count:
        # The disc id counts from the first track, and the file from the pause before it.
        length = sheet.disc_seconds * TICKS_PER_SECOND + file.tracks[0].start_ticks
    return TrackSheet(source, called, tuple(file.tracks), length)


def _read_chapters(path: Path, container: InputContainer, warnings: list[FileWarning]) -> Iterator[TrackSheet]:
    """Yield FLAC's own sheet and the chapters. FFmpeg makes chapters of that sheet, with ISRCs for titles."""
    chapters: list[Any] = container.chapters()
    if not chapters:
        return
    if len(chapters) > MAX_TRACKS:
        warnings.append(_unused("The list of chapters", f"it has more than {MAX_TRACKS}"))
        return
    clock: Fraction = chapters[0]["time_base"]
    if container.format.name == "flac" and clock < _COMMENT_CLOCK:  # the block counts samples
        block = _read_block(path, clock.denominator)
        if block:
            yield block
        return
    untitled = _list_untitled(path)
    titles = {_ticks(one["start"] * one["time_base"]): _title_of(one["metadata"]) for one in chapters}
    tracks = _join_short({start: None if title in untitled else title for start, title in titles.items()})
    if len(tracks) > 1:
        yield TrackSheet(BoundarySource.CHAPTERS, "The list of chapters", tracks)


def _list_untitled(path: Path) -> frozenset[str]:
    """Return the internal names of ID3 chapters without a title; FFmpeg gives them for titles."""
    try:
        tags: Any = mutagen.File(path).tags
    except LEAKED_BY_MUTAGEN:
        return frozenset()
    chapters: list[Any] = [frame for frame in tags.values() if isinstance(frame, CHAP)] if is_id3(tags) else []
    return frozenset(one.element_id for one in chapters if not one.sub_frames.getall("TIT2"))


def _join_short(titles: Mapping[int, str | None]) -> tuple[SheetTrack, ...]:
    """Return the chapters in order; the title of a short one is lost, unless it is the last."""
    starts = sorted(titles)
    tracks: list[SheetTrack] = []
    first = None
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        is_short = following is not None and following - start < MIN_CHAPTER_TICKS
        if is_short and tracks:
            continue
        if is_short:
            first = start if first is None else first
            continue
        tracks.append(SheetTrack(start if first is None else first, len(tracks) + 1, titles[start]))
        first = None
    return tuple(tracks)


def _title_of(metadata: Mapping[str, str]) -> str | None:
    return " ".join(decode_cue(_bytes_of(metadata.get("title", ""))).split())[:MAX_CHARACTERS] or None


def _bytes_of(text: str) -> bytes:
    """Return the bytes that PyAV has read as UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _read_block(path: Path, rate_hz: int) -> TrackSheet | None:
    """Read FLAC's CUESHEET block, whose places are samples."""
    try:
        block: Any = getattr(mutagen.File(path), "cuesheet", None)
    except LEAKED_BY_MUTAGEN:
        return None
    length = None
    tracks: list[SheetTrack] = []
    for track in block.tracks if block else ():
        places = {index.index_number: index.index_offset for index in track.indexes}
        if track.track_number in _LEAD_OUT_TRACKS:
            length = from_samples(track.start_offset, rate_hz)
        elif track.type == 0 and places:
            start = from_samples(track.start_offset + places.get(1, min(places.values())), rate_hz)
            isrc = track.isrc.decode("ascii", "ignore").strip("\0") or None
            if not tracks or tracks[-1].start_ticks < start:
                tracks.append(SheetTrack(start, track.track_number, isrc=isrc))
    return TrackSheet(BoundarySource.CUE_BLOCK, "The CUE sheet block", tuple(tracks), length) if tracks else None


def _ticks(seconds: Fraction) -> int:
    return max(0, round(seconds * TICKS_PER_SECOND))


def _stem(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]


def _unused(called: str, reason: str | None) -> FileWarning:
    return FileWarning(WarningKind.UNUSED_SHEET, f"{called} was not used: {reason}.")
