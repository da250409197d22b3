"""The media of a release at MusicBrainz, with the lengths of their tracks."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from wkmp_assets.identify.services.answers import JoinPhrase, Mbid, Text, join_names
from wkmp_assets.model.boundary_evidence import BoundarySource, SheetTrack, TrackSheet
from wkmp_assets.model.ticks import TICKS_PER_SECOND

INCLUDE = "recordings artist-credits"
MAX_TRACKS = 999
_TICKS_PER_MS = TICKS_PER_SECOND // 1_000


class Named(BaseModel):
    """An artist, as far as a text needs it."""

    name: Text = ""


class Credit(BaseModel):
    """One artist of a credit."""

    name: Text = ""
    artist: Named | None = None
    joinphrase: JoinPhrase = None


def credit_text(credited: Sequence[Credit]) -> str | None:
    """Return an artist credit as one text; None without artists."""
    return join_names([(one.name or (one.artist.name if one.artist else ""), one.joinphrase) for one in credited])


class _TrackRecording(BaseModel):
    id: Mbid


class _Track(BaseModel):
    position: int | None = Field(default=None, ge=0)
    title: Text | None = None
    length: int | None = Field(default=None, ge=0)
    recording: _TrackRecording | None = None
    credits: list[Credit] = Field(default=[], validation_alias="artist-credit", max_length=200)


class _Medium(BaseModel):
    position: int | None = Field(default=None, ge=0)
    tracks: list[_Track] = Field(default=[], max_length=MAX_TRACKS)


class ReleaseAnswer(BaseModel):
    """A release with its media, as MusicBrainz documents it."""

    id: Mbid
    title: Text = ""
    media: list[_Medium] = Field(max_length=200)


@dataclass(frozen=True)
class Medium:
    """One disc or side of a release."""

    number: int | None
    sheet: TrackSheet


def media_of(release: ReleaseAnswer) -> tuple[Medium, ...]:
    """Return the media of a release.

    Parameters
    ----------
    release : ReleaseAnswer
        As MusicBrainz gives it.

    Returns
    -------
    tuple of Medium
        Only those whose every track has a length, because the others say nothing about places.
    """
    found = ((medium.position, _sheet_of(release, medium)) for medium in release.media)
    return tuple(Medium(number, sheet) for number, sheet in found if sheet is not None)


def _sheet_of(release: ReleaseAnswer, medium: _Medium) -> TrackSheet | None:
    tracks: list[SheetTrack] = []
    start_ticks = 0
    for track in medium.tracks:
        if not track.length:
            return None
        recording_mbid = track.recording.id if track.recording else None
        tracks.append(
            SheetTrack(
                start_ticks,
                track.position,
                track.title or None,
                credit_text(track.credits),
                release.title or None,
                recording_mbid=recording_mbid,
                release_mbid=release.id,
            )
        )
        start_ticks += track.length * _TICKS_PER_MS
    name = f'The track list of the release "{release.title}" at MusicBrainz'
    return TrackSheet(BoundarySource.RELEASE, name, tuple(tracks), start_ticks) if tracks else None
