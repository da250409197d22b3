"""Plan the songs, artists, albums and works of one file, and their links."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from wkmp_assets.db.plan import ids
from wkmp_assets.db.read.file_state import LibraryState
from wkmp_assets.model.file_entry import PassageEntry
from wkmp_assets.model.rows import AlbumRow, ArtistRow, SongArtistRow, SongRow, SongWorkRow, WorkRow
from wkmp_assets.model.statuses import SongStatus
from wkmp_assets.model.timestamps import Stamp

if TYPE_CHECKING:
    from wkmp_assets.model.values import Song

_WEIGHT_UNITS = 2**48


class Entities:
    """Songs, artists, works and albums of one file, each once, with their guids."""

    def __init__(self, state: LibraryState, stamp: Stamp) -> None:
        self._state = state
        self._now = stamp.text
        self._credits: dict[str, Song] = {}
        self.songs: dict[str, SongRow] = {}
        self.artists: dict[str, ArtistRow] = {}
        self.works: dict[str, WorkRow] = {}
        self.albums: dict[str, AlbumRow] = {}

    def add(self, passage: PassageEntry) -> None:
        """Add the song and the album of one passage."""
        match = passage.match
        if match.release is not None and match.release.mbid not in self.albums:
            release = match.release
            guid = _guid(self._state.album_guids, release.mbid, ids.entity_id("album", release.mbid))
            self.albums[release.mbid] = AlbumRow(guid, release.mbid, release.title, release.date, self._now, self._now)
        song = match.song
        if song is None or song.recording_mbid in self.songs:
            return
        self._credits[song.recording_mbid] = song
        for artist in song.artists:
            if artist.mbid not in self.artists:
                guid = _guid(self._state.artist_guids, artist.mbid, ids.entity_id("artist", artist.mbid))
                self.artists[artist.mbid] = ArtistRow(guid, artist.mbid, artist.name, self._now, self._now)
        for work in song.works:
            if work.mbid not in self.works:
                guid = _guid(self._state.work_guids, work.mbid, ids.entity_id("work", work.mbid))
                self.works[work.mbid] = WorkRow(guid, work.mbid, work.title, self._now, self._now)
        first_artist = song.artists[0].mbid if song.artists else None
        self.songs[song.recording_mbid] = SongRow(
            guid=_guid(self._state.song_guids, song.recording_mbid, ids.song_id(song.recording_mbid, first_artist)),
            recording_mbid=song.recording_mbid,
            title=song.title,
            artist_name=song.artist_name,
            work_id=self.works[song.works[0].mbid].guid if song.works else None,
            status=SongStatus.PENDING,
            created_at=self._now,
            updated_at=self._now,
        )

    def song_artists(self) -> Iterable[SongArtistRow]:
        """Yield the links to artists, with equal weights. The last artist gets the rest, so that the sum is exactly 1.

        Weights are multiples of 2**-48: their sums are exact in any order, in SQLite as in Python.
        """
        for mbid, song in self._credits.items():
            distinct = list(dict.fromkeys(artist.mbid for artist in song.artists))
            weight = round(_WEIGHT_UNITS / len(distinct)) / _WEIGHT_UNITS if distinct else 1.0
            for number, artist_mbid in enumerate(distinct, start=1):
                share = weight if number < len(distinct) else 1.0 - weight * (len(distinct) - 1)
                yield SongArtistRow(self.songs[mbid].guid, self.artists[artist_mbid].guid, share, self._now)

    def song_works(self) -> Iterable[SongWorkRow]:
        """Yield the links of every song to all its works."""
        for mbid, song in self._credits.items():
            for work_mbid in dict.fromkeys(work.mbid for work in song.works):
                yield SongWorkRow(self.songs[mbid].guid, self.works[work_mbid].guid, self._now)


def _guid(existing: Mapping[str, str] | None, mbid: str, derived: str) -> str:
    return (existing or {}).get(mbid) or derived
