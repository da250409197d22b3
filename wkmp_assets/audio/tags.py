"""The tags of a file: texts, numbers and MBIDs.

Tags are untrusted: every MBID must be a UUID, and what cannot be used becomes a warning, never an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wkmp_assets.audio.artist_credits import LIST_SEPARATORS, Credit, name_artists
from wkmp_assets.audio.genres import name_genres
from wkmp_assets.audio.tag_fields import (
    LEAKED_BY_MUTAGEN,
    MAX_CHARACTERS,
    MAX_VALUES,
    TagFields,
    read_fields,
)
from wkmp_assets.audio.tag_values import (
    Position,
    parse_bpm,
    parse_count,
    parse_date,
    parse_disc,
    parse_flag,
    parse_isrcs,
    parse_track,
    unique_names,
    unique_texts,
)
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, warn_each
from wkmp_assets.model.mbid import parse_mbid
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.values import Artist, FileTags, Release, TagDetails, Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_ID_SEPARATORS = re.compile(r"[/;,{}\s]+")
"""Braces stand around the ids of Windows programs."""
_MAX_QUOTED_CHARACTERS = 60


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
    title, album = _joined(fields.title), _joined(fields.album)
    credit = Credit(_ids("artist", fields.artist_ids, warnings), fields.artist, fields.artist_names)
    of_release = Credit(
        _ids("album artist", fields.release_artist_ids, warnings), fields.album_artist, fields.album_artist_names
    )
    work_ids = _ids("work", fields.work_ids, warnings)
    release_mbid = _one_id("release", fields.release_ids, warnings)
    track = parse_track(fields.track)
    date = parse_date((*fields.date, *fields.original_date))
    return FileTags(
        title=title,
        artist="; ".join(unique_names(fields.artist)) or None,
        album=album,
        track_number=track.number,
        year=int(date[:4]) if date else None,
        recording_mbid=_one_id("recording", fields.recording_ids, warnings),
        artists=_artists(credit, of_release, warnings),
        release=_release(release_mbid, album, date, warnings),
        works=_works(work_ids, fields.work_titles, title, warnings),
        details=TagDetails(
            **_places(fields, track),
            album_artist=of_release.text or None,
            is_compilation=parse_flag(fields.compilation),
            date=parse_date(fields.date),
            original_date=parse_date(fields.original_date),
            genres=name_genres(fields.genre),
            composers=unique_names(fields.composer),
            isrcs=_isrcs(fields.isrc, warnings),
            bpm=parse_bpm(fields.bpm),
            key=_first(fields.key),
            artist_mbids=_known(credit.ids),
            album_artist_mbids=_known(of_release.ids),
            release_mbid=release_mbid,
            release_group_mbid=_one_id("release group", fields.release_group_ids, warnings),
            release_track_mbid=_one_id("release track", fields.release_track_ids, warnings),
            work_mbids=_known(work_ids),
        ),
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


def _joined(texts: Sequence[str]) -> str | None:
    """Return all that a field says as one text: of several titles, nobody knows which is the right one."""
    return "; ".join(unique_texts(texts)) or None


def _known(ids: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mbid for mbid in ids if mbid))


def _places(fields: TagFields, track: Position) -> dict[str, Any]:
    """Return the places of the track and of its disc. A disc tag is better than a disc in the track's text."""
    disc = parse_disc(fields.disc)
    return {
        "track_count": track.out_of or parse_count(fields.track_total),
        "track_side": track.side,
        "disc_number": disc.number or track.disc,
        "disc_count": disc.out_of or parse_count(fields.disc_total),
    }


def _isrcs(texts: Sequence[str], warnings: list[str]) -> tuple[str, ...]:
    codes, others = parse_isrcs(texts)
    warnings += [f'The ISRC "{_shorten(text)}" is none and was ignored.' for text in others]
    return codes


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
    ids = _known(_ids(what, texts, warnings))
    if len(ids) > 1:
        warnings.append(f"The tags name {len(ids)} MusicBrainz {what} ids; the first was taken.")
    return ids[0] if ids else None


def _artists(credit: Credit, of_release: Credit, warnings: list[str]) -> tuple[Artist, ...]:
    if not any(credit.ids):
        return ()
    if not credit.text:
        warnings.append("The MusicBrainz artist ids were ignored because the tags name no artist.")
        return ()
    artists, is_told_apart = name_artists(credit, of_release)
    if not is_told_apart:
        warnings.append(
            f'The artist "{_shorten(credit.text)}" could not be told apart into {len(artists)} artists, so each has '
            "the whole text as its name. List them in the tag ARTISTS, or have the file looked up."
        )
    return artists


def _works(
    ids: Sequence[str | None], titles: Sequence[str], title: str | None, warnings: list[str]
) -> tuple[Work, ...]:
    """Pair works with their titles. Where titles and ids differ in number, all titles together stand for each work."""
    split = [part for text in titles for part in filter(None, LIST_SEPARATORS.split(text))]
    paired: Sequence[tuple[str | None, NameRank]]
    for names in (titles, split, unique_texts(split)):
        if len(names) == len(ids):
            paired = [(name, NameRank.TAG) for name in names]
            break
    else:
        joint = "; ".join(unique_texts(titles))
        paired = [(joint, NameRank.CREDIT) if joint else (title, NameRank.GUESS)] * len(ids)
    by_id: dict[str, Work] = {}
    for mbid, (work_title, rank) in zip(ids, paired, strict=True):
        if mbid and work_title:
            by_id.setdefault(mbid, Work(mbid, work_title, rank))
        elif mbid:
            warnings.append("A MusicBrainz work id was ignored because the tags give no title for it.")
    return tuple(by_id.values())


def _release(mbid: str | None, title: str | None, date: str | None, warnings: list[str]) -> Release | None:
    if mbid is None:
        return None
    if title is None:
        warnings.append("The MusicBrainz release id was ignored because the tags give no album title.")
        return None
    return Release(mbid, title, date)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_QUOTED_CHARACTERS else text[: _MAX_QUOTED_CHARACTERS - 1] + "…"
