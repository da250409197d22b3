"""The tags of a file: texts, numbers and MBIDs.

Tags are untrusted: every MBID must be a UUID, and what cannot be used becomes a warning, never an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from wkmp_assets.audio.tag_fields import (
    LEAKED_BY_MUTAGEN,
    MAX_CHARACTERS,
    MAX_VALUES,
    TagFields,
    read_fields,
)
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, warn_each
from wkmp_assets.model.mbid import parse_mbid
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.values import Artist, FileTags, Release, Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_ID_SEPARATORS = re.compile(r"[/;,\s]+")
_TRACK = re.compile(r"0*([1-9][0-9]{0,4})(?![0-9])")
_DATE = re.compile(r"([1-9][0-9]{3})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?(?![0-9])")
_YEAR = re.compile(r"(?<![0-9])[1-9][0-9]{3}(?=(?:[01][0-9][0-3][0-9])?(?![0-9]))")
_JOIN_PHRASES = re.compile(
    r"\s+\(?(?:feat\.?|ft\.?|featuring|and|x|vs\.?|with|presents|&|\+)\s+|\s*[,;/]\s*", re.IGNORECASE
)
_GUEST_PHRASES = re.compile(r"\s+\(?(?:feat\.?|ft\.?|featuring)\s+", re.IGNORECASE)
"""Join phrases that occur in no artist's own name."""
_LIST_SEPARATORS = re.compile(r"\s*[;/]\s*")
_MAX_QUOTED_CHARACTERS = 60

Item = TypeVar("Item")


def read_tags(path: Path) -> FileTags:
    """Read the tags of one file.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    FileTags
        Blank texts are None. MBIDs are lower-case UUIDs without repetition. An artist without a name, and a work or
        release without a title, is left out. Unreadable tags, an unknown container or a missing file give empty tags
        with a warning, because the decode tells whether the file can be read.
    """
    try:
        read = read_fields(path)
    except LEAKED_BY_MUTAGEN as error:
        return _unreadable(_cause(error))
    if read is None:
        return _unreadable("unknown kind of file")
    return _interpret(read.fields, read.sources)


def _unreadable(cause: str) -> FileTags:
    return FileTags(warnings=(FileWarning(WarningKind.UNREADABLE_TAGS, f"The tags cannot be read ({cause})."),))


def _cause(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "they take more memory than a worker may have"
    if isinstance(error, RecursionError):
        return "they are nested too deeply"
    return _shorten(str(error) or repr(error))


def _interpret(fields: TagFields, sources: dict[str, str]) -> FileTags:
    warnings: list[str] = []
    fields = TagFields._make(_bounded(name, texts, warnings) for name, texts in fields._asdict().items())
    title = _first(fields.title)
    artist = "; ".join(fields.artist) or None
    return FileTags(
        title=title,
        artist=artist,
        album=_first(fields.album),
        track_number=_track_number(fields.track),
        year=_year(fields.date or fields.original_date),
        recording_mbid=_one_id("recording", fields.recording_ids, warnings),
        artists=_artists(fields, artist, warnings),
        release=_release(fields, warnings),
        works=_works(fields, title, warnings),
        warnings=warn_each(WarningKind.IGNORED_TAGS, warnings),
        field_sources=sources,
    )


def _bounded(name: str, texts: Sequence[str], warnings: list[str]) -> tuple[str, ...]:
    """Cut a field to `MAX_VALUES` texts of `MAX_CHARACTERS`, with a warning."""
    field = name.replace("_", " ")
    if len(texts) > MAX_VALUES:
        warnings.append(f"The tags hold more than {MAX_VALUES} texts as {field}; the others were left out.")
    if any(len(text) > MAX_CHARACTERS for text in texts):
        warnings.append(f"The tags hold a text of more than {MAX_CHARACTERS} characters as {field}; it was cut.")
    return tuple(text[:MAX_CHARACTERS] for text in texts[:MAX_VALUES])


def _first(texts: Sequence[str]) -> str | None:
    return texts[0] if texts else None


def _track_number(texts: Sequence[str]) -> int | None:
    """Read `3`, `03` or `3/12`; None for 0 and for other texts."""
    match = _TRACK.match(texts[0]) if texts else None
    return int(match[1]) if match else None


def _year(texts: Sequence[str]) -> int | None:
    """Read the year of `2003`, `2003-04-01`, `20030401`, `01.04.2003` and the like."""
    match = _YEAR.search(texts[0]) if texts else None
    return int(match[0]) if match else None


def _date(texts: Sequence[str]) -> str | None:
    """Read `YYYY[-MM[-DD]]`, else the year."""
    match = _DATE.match(texts[0]) if texts else None
    if match:
        return "-".join(part for part in match.groups() if part)
    year = _year(texts)
    return str(year) if year else None


def _ids(what: str, texts: Iterable[str], warnings: list[str]) -> list[str | None]:
    """Read the MBIDs in a field; an invalid one gives None, because names are paired by position."""
    ids: list[str | None] = []
    for text in texts:
        for part in filter(None, _ID_SEPARATORS.split(text)):
            mbid = parse_mbid(part)
            ids.append(mbid)
            if mbid is None:
                warnings.append(f'The MusicBrainz {what} id "{_shorten(part)}" is no UUID and was ignored.')
    return ids


def _one_id(what: str, texts: Iterable[str], warnings: list[str]) -> str | None:
    ids = _unique(mbid for mbid in _ids(what, texts, warnings) if mbid)
    if len(ids) > 1:
        warnings.append(f"The tags name {len(ids)} MusicBrainz {what} ids; the first was taken.")
    return ids[0] if ids else None


def _artists(fields: TagFields, credit: str | None, warnings: list[str]) -> tuple[Artist, ...]:
    ids = _ids("artist", fields.artist_ids, warnings)
    if not any(ids):
        return ()
    credit = credit or " & ".join(fields.artist_names)
    if not credit:
        warnings.append("The MusicBrainz artist ids were ignored because the tags name no artist.")
        return ()
    names: Sequence[tuple[str, NameRank]] | None = None
    for candidate in (ids, _unique(ids)):
        names = _names(fields, credit, len(candidate))
        if names:
            ids = candidate
            break
    if not names:
        warnings.append(f'The artist "{_shorten(credit)}" could not be told apart into {len(ids)} artists.')
        names = [(credit, NameRank.CREDIT)] * len(ids)
    by_id: dict[str, Artist] = {}
    for mbid, (name, rank) in zip(ids, names, strict=True):
        if mbid:
            by_id.setdefault(mbid, Artist(mbid, name, rank))
    return tuple(by_id.values())


def _names(fields: TagFields, credit: str, count: int) -> Sequence[tuple[str, NameRank]] | None:
    """Return as many artist names as there are MBIDs, with their ranks; None when the tags cannot be read as that many.

    Join phrases also occur inside a name ("Simon & Garfunkel"). So one MBID takes a whole text with a join phrase, but
    as a joint credit: a text without one, of another file, is better.
    """
    if count == 1 and len(fields.artist_names) != 1:
        return [(credit, NameRank.CREDIT if fields.artist_names else _rank(credit, _JOIN_PHRASES))]
    readings = (
        (fields.artist_names, _GUEST_PHRASES),
        (_split(_LIST_SEPARATORS, "; ".join(fields.artist_names)), _GUEST_PHRASES),
        (fields.artist, _JOIN_PHRASES),
    )
    for names, phrases in readings:
        if len(names) == count:
            return [(name, _rank(name, phrases)) for name in names]
    guesses = _split(_JOIN_PHRASES, credit)
    return [(name, NameRank.GUESS) for name in guesses] if len(guesses) == count else None


def _rank(name: str, phrases: re.Pattern[str]) -> NameRank:
    return NameRank.CREDIT if len(_split(phrases, name)) > 1 else NameRank.TAG


def _works(fields: TagFields, title: str | None, warnings: list[str]) -> tuple[Work, ...]:
    ids = _ids("work", fields.work_ids, warnings)
    titles: Sequence[str | None] = fields.work_titles
    rank = NameRank.TAG
    if len(titles) != len(ids):
        titles = _split(_LIST_SEPARATORS, "; ".join(fields.work_titles))
    if len(titles) != len(ids):
        rank = NameRank.GUESS
        titles = [_first(fields.work_titles) if len(ids) == 1 and fields.work_titles else title] * len(ids)
    by_id: dict[str, Work] = {}
    for mbid, work_title in zip(ids, titles, strict=True):
        if mbid and work_title:
            by_id.setdefault(mbid, Work(mbid, work_title, rank))
        elif mbid:
            warnings.append("A MusicBrainz work id was ignored because the tags give no title for it.")
    return tuple(by_id.values())


def _release(fields: TagFields, warnings: list[str]) -> Release | None:
    mbid = _one_id("release", fields.release_ids, warnings)
    if mbid is None:
        return None
    title = _first(fields.album)
    if title is None:
        warnings.append("The MusicBrainz release id was ignored because the tags give no album title.")
        return None
    return Release(mbid, title, _date(fields.date or fields.original_date))


def _split(pattern: re.Pattern[str], text: str) -> list[str]:
    return [part for part in (piece.strip(" ()") for piece in pattern.split(text)) if part]


def _unique(items: Iterable[Item]) -> list[Item]:
    return list(dict.fromkeys(items))


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_QUOTED_CHARACTERS else text[: _MAX_QUOTED_CHARACTERS - 1] + "…"
