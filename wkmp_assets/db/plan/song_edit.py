"""Plan a person's word about the song of one passage: this recording, none, or what the import found.

Only that passage and its links change. Its source becomes `Person`, which no later import replaces.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from wkmp_assets.db.plan import ids
from wkmp_assets.db.plan.cut_edit import entry_without_passages
from wkmp_assets.db.plan.entities import Entities
from wkmp_assets.db.read.file_state import LibraryState, StoredSong, expect_unchanged
from wkmp_assets.db.tables import PERSON_SOURCE
from wkmp_assets.errors import EditRefusedError
from wkmp_assets.model.batch import WriteBatch
from wkmp_assets.model.file_entry import EntryLeadPoints, FileEntry, PassageEntry
from wkmp_assets.model.flavor import (
    classes_of,
    completeness,
    flavor_json,
    measured_of,
    parse_flavor,
    renew,
    sources_of,
)
from wkmp_assets.model.hand_edits import SongEdit, Verdict
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel, level_of
from wkmp_assets.model.rows import FileRows, PassageAlbumRow, PassageRow, PassageSongRow, ProvenanceRow, SongFlavor
from wkmp_assets.model.statuses import SongStatus
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import PassageLookup, PassageMatch, Song, Span

_SERVICES = frozenset({"AcoustID", "MusicBrainz"})
_TO_JUDGE = frozenset({MatchLevel.MEDIUM, MatchLevel.LOW})
_MUSICBRAINZ = "MusicBrainz"


@dataclass(frozen=True)
class SongEditPlan:
    """What a person's word changes."""

    batch: WriteBatch
    before: PassageRow
    after: PassageRow
    number: int
    """Of the passage in its file, from 1."""


def entry_for_edit(edit: SongEdit, rows: FileRows) -> FileEntry:
    """Return an entry of the file that names the song of the edit only, to read what its rows depend on."""
    nowhere = Span(0, 0)
    passages: tuple[PassageEntry, ...] = ()
    if edit.song is not None:
        lookup = PassageLookup(nowhere, LookupOutcome.MATCH, releases=edit.releases)
        match = PassageMatch(
            nowhere, MatchLevel.HIGH, 1.0, PERSON_SOURCE, song=edit.song, release=edit.release, lookup=lookup
        )
        passages = (PassageEntry(0, 0, match, EntryLeadPoints(None, None, 0.0, False, False)),)
    return replace(entry_without_passages(rows), passages=passages)


def choose_passage(rows: FileRows, number: int | None) -> tuple[int, PassageRow]:
    """Return the number and row of the passage that a person means.

    Raises
    ------
    EditRefusedError
        The file has no such passage, or several and none was named.
    """
    count = len(rows.passages)
    if number is None and count != 1:
        raise EditRefusedError(rows.file.path, f"it has {count} passages; name one with --passage N")
    wanted = number or 1
    if wanted > count:
        raise EditRefusedError(rows.file.path, f"it has no passage {wanted}, but {count}")
    return wanted, rows.passages[wanted - 1]


def plan_song_edit(edit: SongEdit, rows: FileRows, state: LibraryState, stamp: Stamp) -> SongEditPlan:
    """Return what a person's word changes.

    Parameters
    ----------
    edit : SongEdit
        The word.
    rows : FileRows
        Of the file, as they were just read.
    state : LibraryState
        What the rows of the edit depend on, read in the same snapshot.
    stamp : Stamp
        Time and run of this write.

    Raises
    ------
    EditRefusedError
        The file has no such passage, or no match to accept or reject.
    """
    number, before = choose_passage(rows, edit.number)
    if edit.verdict is not Verdict.IDENTIFY:
        _check_match(edit, before)
    if edit.verdict is Verdict.ACCEPT:
        after = _stamped(replace(before, mbid_confidence=1.0, identity_confidence=1.0), stamp)
        batch = _batch(edit, rows, state, before, after, stamp, keeps_links=True)
        return SongEditPlan(batch, before, after, number)
    entities = Entities(entry_for_edit(edit, rows), rows.file, [edit.song], state, stamp)
    is_same = edit.song is not None and edit.song.recording_mbid == before.recording_mbid
    flavor = _FlavorOfEdit(before, edit.song, state)
    guid = entities.songs[edit.song.recording_mbid].guid if edit.song else None
    after = replace(
        _renamed(before, edit, rows),
        song_id=guid,
        recording_mbid=edit.song.recording_mbid if edit.song else None,
        mbid_confidence=1.0,
        identity_confidence=1.0 if edit.song else 0.0,
        **flavor.columns(is_same=is_same),
    )
    after = _stamped(after, stamp)
    batch = _batch(edit, rows, state, before, after, stamp, keeps_links=False)
    albums = [album.guid for album in entities.albums.values()]
    kept = {link.album_id for link in batch.passage_albums}
    return SongEditPlan(
        replace(
            batch,
            songs=tuple(entities.songs.values()),
            artists=tuple(entities.artists.values()),
            works=tuple(entities.works.values()),
            albums=tuple(entities.albums.values()),
            song_artists=tuple(entities.song_artists()),
            song_works=tuple(entities.song_works()),
            song_flavors=tuple(flavor.song_rows(guid, stamp)),
            passage_albums=(
                *batch.passage_albums,
                *(PassageAlbumRow(after.guid, album, stamp.text) for album in albums if album not in kept),
            ),
        ),
        before,
        after,
        number,
    )


def _check_match(edit: SongEdit, before: PassageRow) -> None:
    if before.recording_mbid is None and before.song_id is None:
        problem = "its passage has no song; the command `identify` names one"
    elif before.mbid_source == PERSON_SOURCE:
        problem = "a person named its song already; the command `identify` changes it"
    elif (level := level_of(before.identity_confidence or 0.0)) not in _TO_JUDGE:
        problem = f"its match is {level}, not Medium or Low; the command `identify` changes it"
    else:
        return
    raise EditRefusedError(edit.path, problem)


def _stamped(row: PassageRow, stamp: Stamp) -> PassageRow:
    return replace(
        row,
        mbid_source=PERSON_SOURCE,
        import_session_id=stamp.run_id,
        import_timestamp=stamp.text,
        updated_at=stamp.text,
    )


def _renamed(before: PassageRow, edit: SongEdit, rows: FileRows) -> PassageRow:
    """Return the row with the names of MusicBrainz' answer, or without those that a service gave for another song.

    Without an answer the names stay, because a person has named only the recording.
    """
    song = edit.song
    if song is not None and song.answered_at is None:
        return before
    if song is not None:
        album = edit.release.title if edit.release else None
        names = {"title": song.title, "artist": song.artist_name, "album": album}
        named: dict[str, str | None] = {name: text for name, text in names.items() if text}
        return _with_names(before, named, _MUSICBRAINZ)
    gone = [name for name in ("title", "artist", "album") if getattr(before, f"{name}_source") in _SERVICES]
    # Of a file with several passages, the tags do not tell which one they mean.
    tagged = rows.file if len(rows.passages) == 1 else None
    return _with_names(before, {name: getattr(tagged, name, None) for name in gone}, "ID3")


def _with_names(row: PassageRow, names: dict[str, str | None], source: str) -> PassageRow:
    changes: dict[str, Any] = {}
    for name, text in names.items():
        changes |= {
            name: text,
            f"{name}_source": source if text else None,
            f"{name}_confidence": 1.0 if text else None,
        }
    return replace(row, **changes)


class _FlavorOfEdit:
    """The flavor of a passage whose song changes: the new song's classes, and what was measured of the passage."""

    def __init__(self, before: PassageRow, song: Song | None, state: LibraryState) -> None:
        self._own = parse_flavor(before.musical_flavor_vector).flavor
        self._read: StoredSong | None = (state.songs or {}).get(song.recording_mbid) if song else None
        stored = parse_flavor(self._read.vector).flavor if self._read else {}
        self._stored = stored
        self._net = {**classes_of(stored), **{n: v for n, v in self._own.items() if n not in classes_of(self._own)}}

    def columns(self, *, is_same: bool) -> dict[str, Any]:
        """Return the passage's flavor columns; none where the song stays, or without a flavor."""
        if is_same or not self._own:
            return {}
        return {
            "musical_flavor_vector": flavor_json(self._net),
            "flavor_source_blend": json.dumps(sources_of(self._net)),
            "flavor_completeness": completeness(self._net),
        }

    def song_rows(self, guid: str | None, stamp: Stamp) -> Iterator[SongFlavor]:
        """Yield the song's new flavor, where it has none that was measured."""
        measured = measured_of(self._own)
        if guid is None or not measured or measured_of(self._stored):
            return
        flavor = renew(self._stored, measured=measured, classes={})
        read = self._read or StoredSong(None, None, SongStatus.PENDING, None)
        yield SongFlavor(
            guid,
            flavor_json(flavor),
            json.dumps(sources_of(flavor)),
            SongStatus.FLAVOR_READY,
            stamp.text,
            read.vector,
            read.blend,
            read.status,
        )


def _batch(
    edit: SongEdit,
    rows: FileRows,
    state: LibraryState,
    before: PassageRow,
    after: PassageRow,
    stamp: Stamp,
    *,
    keeps_links: bool,
) -> WriteBatch:
    file = rows.file
    is_named_by_service = before.album_source in _SERVICES
    drops_albums = not keeps_links and (edit.release is not None or (edit.song is None and is_named_by_service))
    word = {
        "said": str(edit.verdict),
        "recording_mbid": after.recording_mbid,
        "title": after.title,
        "artist": after.artist,
        "before": {
            "recording_mbid": before.recording_mbid,
            "source": before.mbid_source,
            "confidence": before.mbid_confidence,
        },
    }
    person = ids.provenance_id(after.guid, PERSON_SOURCE)
    return WriteBatch(
        edit.path,
        file=replace(file, updated_at=stamp.text),
        expected=expect_unchanged(state, file),
        kept_passages=len(rows.passages) - 1,
        keeps_failure=True,
        passages=(after,),
        passage_songs=tuple(_song_links(rows, before, after, stamp, keeps_links=keeps_links)),
        passage_albums=tuple(_album_links(rows, before, stamp, drops_own=drops_albums)),
        provenance=(
            *(row for row in rows.provenance if row.passage_id == after.guid and row.id != person),
            ProvenanceRow(person, after.guid, PERSON_SOURCE, json.dumps(word), 1.0, int(stamp.now.timestamp())),
        ),
        warnings=state.warnings,
    )


def _song_links(
    rows: FileRows, before: PassageRow, after: PassageRow, stamp: Stamp, *, keeps_links: bool
) -> Iterator[PassageSongRow]:
    """Yield the links that stay, and that to the new song. Links that the import did not make are people's and stay."""
    linked = set()
    for link in rows.passage_songs:
        is_ours = link.song_id == before.song_id or link.created_at == before.import_timestamp
        if link.passage_id != after.guid or (is_ours and not keeps_links):
            continue
        linked.add(link.song_id)
        yield replace(link, created_at=stamp.text) if is_ours else link
    if after.song_id is not None and after.song_id not in linked:
        yield PassageSongRow(after.guid, after.song_id, 0, after.end_time_ticks - after.start_time_ticks, stamp.text)


def _album_links(rows: FileRows, before: PassageRow, stamp: Stamp, *, drops_own: bool) -> Iterator[PassageAlbumRow]:
    for link in rows.passage_albums:
        is_ours = link.created_at == before.import_timestamp
        if link.passage_id == before.guid and not (is_ours and drops_own):
            yield replace(link, created_at=stamp.text) if is_ours else link
