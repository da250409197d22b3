"""Whether the tags and the name of a file say that it is one piece."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wkmp_assets.audio.tag_values import fold
from wkmp_assets.model.boundary_evidence import BoundarySource, PieceClaim, TrackSheet
from wkmp_assets.model.file_warnings import FileWarning, WarningKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wkmp_assets.model.values import FileTags

SPEECH_ENDINGS = frozenset({".m4b"})
SPEECH_GENRES = frozenset(
    {"audiobook", "audio book", "audiobooks", "audio books", "audio drama", "audio theatre", "hörbuch", "hörspiel"}
    | {"podcast", "podcasts", "spoken", "spoken word", "speech", "lecture", "lectures", "interview", "radio drama"}
)
_NUMBER = r"(?:[0-9]{1,2}[-.])?[0-9]{1,3}"
_NUMBERED_NAMES = (
    re.compile(rf"(?:{_NUMBER}|[A-H][0-9]{{1,2}}|\({_NUMBER}\)|\[{_NUMBER}\])(?:\s*[._-]\s*|\s+)(?=.*[^\W\d_])"),
    re.compile(rf".*[^\W\d_].*\s-\s*{_NUMBER}(?:\s*[._-]\s*|\s+)(?=.*[^\W\d_])"),
    re.compile(r"(?:audio|cd)?[ _-]?(?:track|titel|piste|pista|traccia)[ _-]*[0-9]{1,3}$", re.IGNORECASE),
)
"""`07 Song`, `1-07 - Song`, `A2 Song`, `(07) Song`; `Artist - Album - 07 - Song`; `Track 07`; not `1979`."""
_COLLECTION = re.compile(
    r"\b(?:sides?|seite|cd|dis[ck]|mixed|mixtape|megamix|medley|full|complete|set)\b", re.IGNORECASE
)
"""Words in the titles and names of files that hold several pieces."""
_VARIOUS = frozenset(
    {"various artists", "various", "va", "v.a.", "v/a", "diverse", "verschiedene", "verschiedene interpreten"}
)
"""The artist of a file that holds several pieces."""


def judge_claim(tags: FileTags, path: Path) -> PieceClaim:
    """Tell how strongly the tags and the name of a file say that it is one piece.

    Parameters
    ----------
    tags : FileTags
        Of the file.
    path : Path
        The file; its name counts where there is no title.

    Returns
    -------
    PieceClaim
        An album in one file has no title or the album's, or is by various artists, and no recording id. A track
        number without a title is that of one track.
    """
    if path.suffix.lower() in SPEECH_ENDINGS or any(genre.lower() in SPEECH_GENRES for genre in tags.details.genres):
        return PieceClaim.SPEECH
    if tags.recording_mbid is not None:
        return PieceClaim.RECORDING
    if tags.artist is not None and tags.artist.casefold() in _VARIOUS:
        return PieceClaim.NONE
    if tags.title is not None:
        is_album = tags.album is not None and tags.title.casefold() == tags.album.casefold()
        if tags.track_number is not None:
            return PieceClaim.NAME if is_album else PieceClaim.TRACK
        return PieceClaim.NONE if is_album or _COLLECTION.search(tags.title) else PieceClaim.NAME
    is_numbered = tags.track_number is not None or (tags.album is None and _has_number(path.stem))
    return PieceClaim.NAME if is_numbered and not _COLLECTION.search(path.stem) else PieceClaim.NONE


def drop_sheets_of_albums(
    sheets: Sequence[TrackSheet], tags: FileTags
) -> tuple[tuple[TrackSheet, ...], tuple[FileWarning, ...]]:
    """Leave out the sheet of an album in the tags of one of its tracks: programs that split albums copy it into each.

    Parameters
    ----------
    sheets : sequence of TrackSheet
        Of the file.
    tags : FileTags
        Of the file. A track has a number, and a recording id or the title of one of the sheet's tracks.

    Returns
    -------
    tuple of (tuple of TrackSheet) and (tuple of FileWarning)
        The other sheets, and a warning about each that was left out.
    """
    dropped = [sheet for sheet in sheets if _is_of_album(sheet, tags)]
    text = "{} was not used: it describes an album, and the tags say that the file is one track of it."
    return (
        tuple(sheet for sheet in sheets if sheet not in dropped),
        tuple(FileWarning(WarningKind.UNUSED_SHEET, text.format(sheet.name)) for sheet in dropped),
    )


def _is_of_album(sheet: TrackSheet, tags: FileTags) -> bool:
    if sheet.source is not BoundarySource.CUE_TAG or len(sheet.tracks) == 1:
        return False
    if tags.title is None or tags.track_number is None or fold(tags.title) == fold(tags.album or ""):
        return False
    titles = {fold(track.title) for track in sheet.tracks if track.title}
    return tags.recording_mbid is not None or fold(tags.title) in titles


def _has_number(name: str) -> bool:
    return any(pattern.match(name) for pattern in _NUMBERED_NAMES)
