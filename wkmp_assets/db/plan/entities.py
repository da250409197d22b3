"""Plan the songs, artists, albums and works of one file, and their links."""

from collections.abc import Iterable, Mapping, Sequence

from wkmp_assets.db.plan import ids
from wkmp_assets.db.plan.name_evidence import EvidenceOfFile, rank_of
from wkmp_assets.db.read.file_state import LibraryState
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.rows import AlbumRow, ArtistRow, FileRow, SongArtistRow, SongRow, SongWorkRow, WorkRow
from wkmp_assets.model.statuses import SongStatus
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import FileTags, PassageMatch, Song

_WEIGHT_UNITS = 2**48


class Entities:
    """Songs, artists, works and albums of one file, each once, with their guids and the evidence for their names.

    Parameters
    ----------
    entry : FileEntry
        The file's passages.
    file : FileRow
        Its row.
    songs : sequence of Song or None
        Those of the passages.
    state : LibraryState
        Which of them the library has.
    stamp : Stamp
        Time of this write.
    """

    def __init__(
        self, entry: FileEntry, file: FileRow, songs: Sequence[Song | None], state: LibraryState, stamp: Stamp
    ) -> None:
        self._state = state
        self._now = stamp.text
        self._evidence = EvidenceOfFile(file, stamp)
        self._credits = _best_songs(songs)
        self.songs: dict[str, SongRow] = {}
        self.artists: dict[str, ArtistRow] = {}
        self.works: dict[str, WorkRow] = {}
        self.albums: dict[str, AlbumRow] = {}
        for passage in entry.passages:
            self._add_album(passage.match, entry.tags)
        for song in self._credits.values():
            self._add_song(song)

    def _add_album(self, match: PassageMatch, tags: FileTags | None) -> None:
        """Add the release of a passage, named by MusicBrainz if its answer lists it."""
        release = match.release
        if release is None:
            return
        listed = match.lookup.releases if match.lookup else ()
        answer = next((one.release for one in listed if one.release.mbid == release.mbid), None)
        if answer is None:
            named, rank, at = release, NameRank.TAG, None
        else:
            named, rank, at = answer, NameRank.MUSICBRAINZ, _answered_at(match)
        tagged = tags.release if tags and tags.release and tags.release.mbid == release.mbid else None
        date_rank, date_at, date = rank, at, named.date
        if date is None and tagged is not None:
            date_rank, date_at, date = NameRank.TAG, None, tagged.date
        row = AlbumRow(
            _guid(self._state.album_guids, release.mbid, ids.entity_id("album", release.mbid)),
            release.mbid,
            named.title,
            date,
            self._now,
            self._now,
            self._evidence.describe(named.title, rank, at),
            self._evidence.describe(date, date_rank, date_at) if date else None,
        )
        before = self.albums.get(release.mbid)
        if before is None or rank_of(before.title_evidence) < rank_of(row.title_evidence):
            self.albums[release.mbid] = row

    def _add_song(self, song: Song) -> None:
        for artist in song.artists:
            evidence = self._evidence.describe(artist.name, artist.rank, song.answered_at)
            known = self.artists.get(artist.mbid)
            if known is None or rank_of(known.name_evidence) < rank_of(evidence):
                guid = _guid(self._state.artist_guids, artist.mbid, ids.entity_id("artist", artist.mbid))
                self.artists[artist.mbid] = ArtistRow(guid, artist.mbid, artist.name, self._now, self._now, evidence)
        for work in song.works:
            evidence = self._evidence.describe(work.title, work.rank, song.answered_at)
            before = self.works.get(work.mbid)
            if before is None or rank_of(before.title_evidence) < rank_of(evidence):
                guid = _guid(self._state.work_guids, work.mbid, ids.entity_id("work", work.mbid))
                self.works[work.mbid] = WorkRow(guid, work.mbid, work.title, self._now, self._now, evidence)
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
            title_evidence=self._describe_name(song.title, song),
            artist_name_evidence=self._describe_name(song.artist_name, song),
        )

    def _describe_name(self, text: str | None, song: Song) -> str | None:
        return None if text is None else self._evidence.describe(text, song.rank, song.answered_at)

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


def _best_songs(songs: Iterable[Song | None]) -> dict[str, Song]:
    """Return recording -> the song with the best evidence, in the order of the passages."""
    best: dict[str, Song] = {}
    for song in songs:
        if song is None:
            continue
        before = best.get(song.recording_mbid)
        if before is None or _merit(before) < _merit(song):
            best[song.recording_mbid] = song
    return best


def _merit(song: Song) -> tuple[int, str]:
    return song.rank, song.answered_at or ""


def _answered_at(match: PassageMatch) -> str | None:
    return match.song.answered_at if match.song else None


def _guid(existing: Mapping[str, str] | None, mbid: str, derived: str) -> str:
    return (existing or {}).get(mbid) or derived
