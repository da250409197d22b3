"""Plan the flavors of one file's songs and passages, from the new flavors and the stored ones."""

import json
from collections.abc import Sequence

from wkmp_assets.db.plan.additional_metadata import add_measures
from wkmp_assets.db.plan.entities import Entities
from wkmp_assets.db.read.file_state import LibraryState, StoredFlavor, StoredPassage, StoredSong
from wkmp_assets.model.file_entry import FileEntry, PassageEntry
from wkmp_assets.model.flavor import (
    Flavor,
    completeness,
    flavor_json,
    measured_of,
    parse_flavor,
    peoples_of,
    renew,
    sources_of,
)
from wkmp_assets.model.rows import SongFlavor
from wkmp_assets.model.statuses import SongStatus
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import Song

NEW_SONG = StoredSong(None, None, SongStatus.PENDING, None)


class FlavorPlan:
    """The flavors that the songs and passages of one file get.

    A song's flavor has three parts: AcousticBrainz' classes, what was measured of the longest passage in the library
    that plays it, and what people defined. A passage has its song's flavor, with what was measured of itself. A part
    without new values keeps the old ones.
    """

    def __init__(self, entry: FileEntry, songs: Sequence[Song | None], state: LibraryState, entities: Entities) -> None:
        self._heard = list(zip(songs, entry.passages, strict=True))
        self._state = state
        heard = {song.recording_mbid for song in songs if song}
        self._guids = {mbid: row.guid for mbid, row in entities.songs.items() if mbid in heard}
        self._songs = {mbid: self._song(mbid) for mbid in self._guids}

    def plan_songs(self, stamp: Stamp) -> list[SongFlavor]:
        """Return the songs whose flavor changes."""
        rows = []
        for mbid, flavor in self._songs.items():
            read = self._stored_song(mbid)
            text, blend = flavor_json(flavor), json.dumps(sources_of(flavor))
            columns = (text, blend, SongStatus.FLAVOR_READY)
            if flavor and columns != _compared(read):
                rows.append(SongFlavor(self._guids[mbid], *columns, stamp.text, *_compared(read)))
        return rows

    def plan_passage(
        self,
        passage: PassageEntry,
        played: Song | None,
        stored: StoredPassage | None,
        known: StoredPassage | None = None,
    ) -> StoredFlavor:
        """Return the flavor columns of one passage; `known` is the stored passage whose song it keeps."""
        old = stored.flavor if stored else StoredFlavor()
        if passage.flavor is None:
            return old
        song = self._songs.get(played.recording_mbid, {}) if played else {}
        if known is not None and played is None:
            song = renew(parse_flavor(known.flavor.vector).flavor, measured={}, classes=passage.flavor.classes)
        own = {**peoples_of(parse_flavor(old.vector).flavor), **passage.flavor.measured}
        net = {**song, **own}
        return StoredFlavor(
            vector=flavor_json(net),
            blend=json.dumps(sources_of(net)),
            completeness=completeness(net),
            metadata=add_measures(old.metadata, passage.flavor.measures),
        )

    def _stored_song(self, mbid: str) -> StoredSong:
        return (self._state.songs or {}).get(mbid, NEW_SONG)

    def _song(self, mbid: str) -> Flavor:
        """Return a song's flavor. Of several passages in this file the longest counts."""
        heard = [
            (passage.length_ticks, passage.flavor)
            for song, passage in self._heard
            if song and song.recording_mbid == mbid and passage.flavor
        ]
        read = self._stored_song(mbid)
        stored = parse_flavor(read.vector).flavor
        if not heard:
            return stored
        length_ticks, longest = max(heard, key=lambda one: one[0])
        is_measured_elsewhere = read.elsewhere_ticks is not None and bool(measured_of(stored))
        is_longest = not is_measured_elsewhere or length_ticks >= (read.elsewhere_ticks or 0)
        classes = next((flavor.classes for _, flavor in heard if flavor.classes), {})
        return renew(stored, measured=longest.measured if is_longest else {}, classes=classes)


def _compared(read: StoredSong) -> tuple[str | None, str | None, str | None]:
    return read.vector, read.blend, read.status
