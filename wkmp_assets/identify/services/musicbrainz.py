"""MusicBrainz: a recording with its artists, releases and works (https://musicbrainz.org/doc/MusicBrainz_API)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import AliasPath, BaseModel, Field, StringConstraints, ValidationError

from wkmp_assets.identify.services.answers import Answer, Mbid, Text, undocumented_answer
from wkmp_assets.identify.services.session import Service, ServiceSession
from wkmp_assets.model.values import Artist, KnownRelease, Release, Song, Work

NAME = "MusicBrainz"
KEEP = timedelta(days=180)
KEEP_UNKNOWN = timedelta(days=30)
_INCLUDE = "artist-credits releases release-groups work-rels"
"""The API separates these by plus signs, which is how a blank is written in a URL."""

Date = Annotated[str, StringConstraints(pattern=r"^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$")]


class _Artist(BaseModel):
    id: Mbid
    name: Text


class _Credit(BaseModel):
    artist: _Artist
    name: Text
    joinphrase: Annotated[str, StringConstraints(max_length=100)] = ""


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
    title: Text
    length: int | None = Field(default=None, ge=0)
    credits: list[_Credit] = Field(default=[], validation_alias=AliasPath("artist-credit"), max_length=200)
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
    if answer.status == 404:
        return None
    is_search = isinstance(answer.value, dict) and "recordings" in answer.value
    try:
        found = (_Hits if is_search else _Recording).model_validate(answer.value)
    except ValidationError:
        return False
    if answer.status != 200:
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

    def recording(self, mbid: str) -> Recording | None:
        """Return a recording with its artists, releases and works; None for an unknown MBID.

        Raises
        ------
        ServiceUnavailableError
            No usable answer.
        """
        answer = self.session.get(f"recording/{mbid}", {"fmt": "json", "inc": _INCLUDE})
        if answer.status == 404:
            return None
        try:
            return _recording(_Recording.model_validate(answer.value))
        except ValidationError as error:
            raise undocumented_answer(NAME) from error

    def search(self, artist: str, title: str) -> list[Recording]:
        """Return at most 25 recordings with this artist and title, without their works.

        Raises
        ------
        ServiceUnavailableError
            No usable answer.
        """
        query = f'artist:"{_escaped(artist)}" AND recording:"{_escaped(title)}"'
        answer = self.session.get("recording", {"fmt": "json", "limit": "25", "query": query})
        try:
            return [_recording(hit) for hit in _Hits.model_validate(answer.value).recordings]
        except ValidationError as error:
            raise undocumented_answer(NAME) from error


def _escaped(text: str) -> str:
    """Escape quotes and backslashes for a quoted phrase in Lucene's query language."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _recording(found: _Recording) -> Recording:
    text = "".join(credit.name + credit.joinphrase for credit in found.credits) or None
    artists = {credit.artist.id: Artist(credit.artist.id, credit.artist.name) for credit in found.credits}
    works = {
        relation.work.id: Work(relation.work.id, relation.work.title)
        for relation in found.relations
        if relation.type == "performance" and relation.work is not None
    }
    song = Song(found.id, found.title or None, text, tuple(artists.values()), tuple(works.values()))
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
