"""CUE sheets: the text that says where the tracks of a long file begin, and what they are called.

The format is that of CDRWIN; see also https://wiki.hydrogenaudio.org/index.php?title=Cue_sheet.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from wkmp_assets.model.boundary_evidence import SheetTrack
from wkmp_assets.model.mbid import parse_mbid
from wkmp_assets.model.ticks import TICKS_PER_SECOND

MAX_TRACKS = 999
"""Of one sheet. A CD has up to 99; audiobooks have more chapters."""
MAX_LINES = 20_000
MAX_CHARACTERS = 1_000
"""Of one text."""
FRAMES_PER_SECOND = 75
MUSICBRAINZ = "MUSICBRAINZ"
"""The beginning of the remarks that hold MBIDs."""
TICKS_PER_FRAME = TICKS_PER_SECOND // FRAMES_PER_SECOND

_INDEX = re.compile(r"0*([0-9]{1,2})\s+([0-9]{1,5}):([0-9]{1,2})[:.]([0-9]{1,2})$")
_TRACK = re.compile(r"0*([0-9]{1,3})\s+(\S+)$")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$")
_DISC_ID = re.compile(r"[0-9a-fA-F]{8}$")


@dataclass
class CueFile:
    """A `FILE` line with the tracks whose music begins in that file."""

    name: str
    tracks: list[SheetTrack] = field(default_factory=list)


@dataclass
class CueSheet:
    """A sheet. Tracks carry the performer and the title of the whole sheet where they have none."""

    files: list[CueFile] = field(default_factory=list)
    disc_seconds: int | None = None
    """Length of all tracks, after the disc id; None without one, or when it counts other tracks than the sheet."""

    @property
    def track_count(self) -> int:
        """Number of tracks in all files."""
        return sum(len(file.tracks) for file in self.files)

    def find_file(self, name: str) -> CueFile | None:
        """Return what the sheet says of a music file; None when it does not name it.

        Case does not count, nor does the ending: sheets of rips name the `.wav` that was encoded afterwards.
        """
        for normalize in (_fold, _fold_stem):
            for file in self.files:
                if normalize(_base_name(file.name)) == normalize(name):
                    return file
        return None


@dataclass
class _Draft:
    """A track while it is read."""

    number: int
    is_audio: bool
    texts: dict[str, str] = field(default_factory=dict)
    file: CueFile | None = None
    start_ticks: int | None = None


def parse_cue(text: str) -> CueSheet:
    """Parse a sheet.

    A track begins at its INDEX 01, in the file that is named last before it. INDEX 00 and other indexes are passed
    over: a CD player shows the pause before a track as the end of the track before. Data tracks are left out.

    Parameters
    ----------
    text : str
        Commands may be of either case, and unknown ones are passed over.

    Raises
    ------
    ValueError
        No track with a place, a place that is none, tracks out of order, or more than `MAX_TRACKS`; the message is a
        clause about the sheet.
    """
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise ValueError(f"it has more than {MAX_LINES} lines")
    sheet = CueSheet()
    common: dict[str, str] = {}
    drafts: list[_Draft] = []
    for line in lines:
        command, value = _command(line)
        if command == "FILE":
            sheet.files.append(CueFile(_file_name(value)))
        elif command == "TRACK":
            drafts.append(_track(value))
            if len(drafts) > MAX_TRACKS:
                raise ValueError(f"it has more than {MAX_TRACKS} tracks")
        elif command == "INDEX" and drafts:
            _place(drafts[-1], value, sheet)
        else:
            _note(drafts[-1].texts if drafts else common, command, value)
    _finish(sheet, drafts, common)
    return sheet


def _command(line: str) -> tuple[str, str]:
    words = [*line.strip().split(maxsplit=1), "", ""]
    return words[0].upper(), words[1]


def _track(value: str) -> _Draft:
    match = _TRACK.match(value)
    if not match:
        raise ValueError(f'"TRACK {value[:40]}" has no number and type')
    return _Draft(int(match[1]), match[2].upper() == "AUDIO")


def _place(draft: _Draft, value: str, sheet: CueSheet) -> None:
    match = _INDEX.match(value)
    if not match or int(match[3]) >= 60 or int(match[4]) >= FRAMES_PER_SECOND:
        raise ValueError(f'"INDEX {value[:40]}" is no place in a file')
    if int(match[1]) != 1:
        return
    if not sheet.files:
        sheet.files.append(CueFile(""))
    seconds = 60 * int(match[2]) + int(match[3])
    draft.file = sheet.files[-1]
    draft.start_ticks = (seconds * FRAMES_PER_SECOND + int(match[4])) * TICKS_PER_FRAME


def _note(texts: dict[str, str], command: str, value: str) -> None:
    if command == "REM":
        command, value = _command(value)
        if command.startswith(MUSICBRAINZ):  # MUSICBRAINZ_TRACKID, MusicBrainz Track Id
            *name, value = [command, *value.split()]
            command = "".join(name).upper().replace("_", "")
    text = _clean(_unquote(value))
    if text:
        texts.setdefault(command, text)


def _finish(sheet: CueSheet, drafts: list[_Draft], common: dict[str, str]) -> None:
    for draft in drafts:
        if not draft.is_audio:
            continue
        if draft.file is None or draft.start_ticks is None:
            raise ValueError(f"its track {draft.number} has no INDEX 01")
        tracks = draft.file.tracks
        if tracks and tracks[-1].start_ticks >= draft.start_ticks:
            raise ValueError(f"its track {draft.number} does not begin after the one before")
        tracks.append(_sheet_track(draft, draft.start_ticks, common))
    if not sheet.track_count:
        raise ValueError("it names no track")
    disc_id = common.get("DISCID", "")
    if _DISC_ID.match(disc_id) and int(disc_id[6:], 16) == sheet.track_count == len(drafts):
        sheet.disc_seconds = int(disc_id[2:6], 16)


def _sheet_track(draft: _Draft, start_ticks: int, common: dict[str, str]) -> SheetTrack:
    texts = draft.texts
    isrc = texts.get("ISRC", "").upper().replace("-", "")
    return SheetTrack(
        start_ticks,
        number=draft.number or None,
        title=texts.get("TITLE"),
        artist=texts.get("PERFORMER") or common.get("PERFORMER"),
        album=common.get("TITLE"),
        isrc=isrc if _ISRC.match(isrc) else None,
        recording_mbid=_first_id(texts, "TRACKID", "RECORDINGID"),
        release_mbid=_first_id(common, "ALBUMID", "RELEASEID"),
    )


def _first_id(texts: dict[str, str], *names: str) -> str | None:
    return next((mbid for name in names if (mbid := parse_mbid(texts.get(MUSICBRAINZ + name, "")))), None)


def _file_name(value: str) -> str:
    """Return the name of a FILE line; its last word is the type of the file."""
    return _unquote(value) if value.startswith('"') else value.rsplit(maxsplit=1)[0] if value else ""


def _unquote(value: str) -> str:
    """Return what stands between the first and the last quotation mark: titles hold such marks too."""
    if not value.startswith('"'):
        return value
    end = value.rfind('"')
    return value[1:end] if end > 0 else value[1:]


def _clean(text: str) -> str:
    words = "".join(char if char.isprintable() or char.isspace() else "" for char in text).split()
    return " ".join(words)[:MAX_CHARACTERS]


def _base_name(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _fold_stem(name: str) -> str:
    return _fold(PurePosixPath(name).stem)
