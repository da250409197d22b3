"""MusicBrainz: a recording with its artists, releases and works (https://musicbrainz.org/doc/MusicBrainz_API)."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from wkmp_assets.identify.services.answers import (
    Answer,
    Mbid,
    Read,
    Text,
    read_entries,
    undocumented_answer,
)
from wkmp_assets.identify.services.musicbrainz_media import INCLUDE as MEDIA
from wkmp_assets.identify.services.musicbrainz_media import Credit, Medium, Named, ReleaseAnswer, credit_text, media_of
from wkmp_assets.identify.services.names import MUSICBRAINZ
from wkmp_assets.identify.services.session import Service, ServiceSession
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.values import Artist, KnownRelease, Release, Song, Work

NAME = MUSICBRAINZ
KEEP = timedelta(days=180)
KEEP_UNKNOWN = timedelta(days=30)
REFUSED_CODES = frozenset({400, 404})
"""MusicBrainz does not know the recording, or will never answer the question."""
_INCLUDE = "artist-credits releases release-groups work-rels"
"""The API separates these by plus signs, which is how a blank is written in a URL."""

_PARTLY_KNOWN = re.compile(r"([0-9]{4}|\?{4})(-([0-9]{2}|\?{2})){0,2}", re.ASCII)


def _known_part(value: Any) -> Any:
    """Return the part of a date before its first unknown one: MusicBrainz writes `2008-??-02`."""
    if isinstance(value, str) and _PARTLY_KNOWN.fullmatch(value):
        return value.partition("?")[0].rstrip("-")
    return value


Date = Annotated[str, BeforeValidator(_known_part), StringConstraints(pattern=r"^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$")]


class _Artist(Named):
    id: Mbid
    name: Text


class _Credit(Credit):
    artist: _Artist | None = None


class _ReleaseGroup(BaseModel):
    primary: Text | None = Field(default=None, validation_alias="primary-type")
    secondary: list[Text] = Field(default=[], validation_alias="secondary-types")


class _Release(BaseModel):
    id: Mbid
    title: Text
    date: Date | None = None
    status: Text | None = None
    group: _ReleaseGroup = Field(default=_ReleaseGroup(), validation_alias="release-group")


class _Work(BaseModel):
    id: Mbid
    title: Text


class _Relation(BaseModel):
    type: Text
    work: _Work | None = None


class _Recording(BaseModel):
    id: Mbid
    title: Text | None = None
    length: int | None = Field(default=None, ge=0)
    credits: list[_Credit] = Field(default=[], validation_alias="artist-credit", max_length=200)
    releases: list[_Release] = Field(default=[], max_length=500)
    relations: list[_Relation] = Field(default=[], max_length=2_000)


@dataclass(frozen=True)
class Recording:
    """A recording with its length and releases."""

    song: Song
    """With the MBID in the answer: a merged recording has another one than was asked for."""
    length_s: float | None
    releases: tuple[KnownRelease, ...]


def describe_service(url: str, interval_ms: int) -> Service:
    """Return MusicBrainz, at this address and pace."""
    return Service(NAME, url, interval_ms, keep_for=KEEP, keep_none_for=KEEP_UNKNOWN)


def judge(answer: Answer) -> bool | None:
    """Tell whether an answer is kept: recordings and search results, and for a while "nothing is known"."""
    if answer.status in REFUSED_CODES:
        return None
    names = set(answer.value) if isinstance(answer.value, dict) else set()
    shape = _Hits if "recordings" in names else ReleaseAnswer if "media" in names else _Recording
    found = read_entries(shape, answer.value, NAME).value
    if found is None:
        return False
    return None if isinstance(found, _Hits) and not found.recordings else True


class _Hits(BaseModel):
    recordings: list[_Recording] = Field(max_length=100)


class MusicBrainzClient:
    """Looks up and searches for recordings.

    Parameters
    ----------
    session : ServiceSession
        With the service.
    """

    def __init__(self, session: ServiceSession) -> None:
        self.session = session

    def recording(self, mbid: str) -> Read[Recording | None]:
        """Return a recording with its artists, releases and works; None for an unknown MBID.

        Raises
        ------
        ServiceUnavailableError
            No usable answer.
        """
        answer = self.session.get(f"recording/{mbid}", {"fmt": "json", "inc": _INCLUDE})
        if answer.status in REFUSED_CODES:
            return Read(None)
        found = read_entries(_Recording, answer.value, f"{NAME}, recording {mbid}")
        if found.value is None:
            raise undocumented_answer(NAME)
        return Read(_recording(found.value, answer.at), found.warnings)

    def media(self, release_mbid: str) -> Read[tuple[Medium, ...]]:
        """Return the media of a release whose tracks all have lengths; none for an unknown MBID.

        Raises
        ------
        ServiceUnavailableError
            No usable answer.
        """
        answer = self.session.get(f"release/{release_mbid}", {"fmt": "json", "inc": MEDIA})
        if answer.status in REFUSED_CODES:
            return Read(())
        found = read_entries(ReleaseAnswer, answer.value, f"{NAME}, release {release_mbid}")
        if found.value is None:
            raise undocumented_answer(NAME)
        return Read(media_of(found.value), found.warnings)

    def search(self, artist: str, title: str) -> Read[list[Recording]]:
        """Return at most 25 recordings with this artist and title, without their works.

        Raises
        ------
        ServiceUnavailableError
            No usable answer.
        """
        query = f'artist:"{_escaped(artist)}" AND recording:"{_escaped(title)}"'
        answer = self.session.get("recording", {"fmt": "json", "limit": "25", "query": query})
        if answer.status in REFUSED_CODES:
            return Read([])
        found = read_entries(_Hits, answer.value, f"{NAME}, search")
        if found.value is None:
            raise undocumented_answer(NAME)
        return Read([_recording(hit, answer.at) for hit in found.value.recordings], found.warnings)


def _escaped(text: str) -> str:
    """Escape quotes and backslashes for a quoted phrase in Lucene's query language."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _recording(found: _Recording, answered_at: str) -> Recording:
    text = credit_text(found.credits)
    named = (credit.artist for credit in found.credits if credit.artist is not None)
    artists = {artist.id: Artist(artist.id, artist.name, NameRank.MUSICBRAINZ) for artist in named}
    works = {
        relation.work.id: Work(relation.work.id, relation.work.title, NameRank.MUSICBRAINZ)
        for relation in found.relations
        if relation.type == "performance" and relation.work is not None
    }
    song = Song(
        found.id,
        found.title or None,
        text,
        tuple(artists.values()),
        tuple(works.values()),
        NameRank.MUSICBRAINZ,
        answered_at,
    )
    return Recording(
        song,
        found.length / 1000 if found.length else None,
        tuple(
            KnownRelease(
                Release(release.id, release.title, release.date or None),
                release.status == "Official",
                release.group.primary == "Album" and not release.group.secondary,
            )
            for release in found.releases
        ),
    )
