"""Turn what the phases found out about one file into the rows of one write batch. Pure: no connection, no clock.

Ids are resolved here, people's edits are respected here, and here it is decided whether a file is complete, a
duplicate, or without audio.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from wkmp_assets import ticks
from wkmp_assets.db import ids
from wkmp_assets.db.passages import PassagePlan, plan_passages
from wkmp_assets.db.reader import LibraryState, expected_of
from wkmp_assets.errors import FileChangedError, OriginalNotImportedError
from wkmp_assets.library.changes import FileStatus
from wkmp_assets.model.batch import PeerLink, WriteBatch
from wkmp_assets.model.rows import (
    AlbumRow,
    ArtistRow,
    FailureRow,
    FileRow,
    PassageAlbumRow,
    PassageRow,
    PassageSongRow,
    ProvenanceRow,
    SongArtistRow,
    SongRow,
    SongWorkRow,
    WorkRow,
)
from wkmp_assets.model.values import FileEntry, FileState, FileTags, PassageEntry, Song
from wkmp_assets.outcomes import Failed

IMPORT_STRATEGY = "DAGSTER1"
_WEIGHT_UNITS = 2**48
_KEEPS_CONTENT = frozenset({FileState.TOUCHED, FileState.MOVED})


@dataclass(frozen=True)
class Stamp:
    """When and by which run rows are written."""

    now: datetime
    run_id: str

    @property
    def text(self) -> str:
        """UTC, `YYYY-MM-DD HH:MM:SS`."""
        return self.now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def candidate_file_guids(entry: FileEntry, most: int = 16) -> list[str]:
    """Return the ids a new file may get, in order of preference."""
    found: list[str] = []
    for _ in range(most):
        found.append(ids.file_id(entry.path, entry.identity.content_hash, found))
    return found


def plan_failure(path: str, failed: Failed, stamp: Stamp) -> WriteBatch:
    """Return the batch that records why a file could not be imported, and changes nothing else."""
    return WriteBatch(path, failure=FailureRow(path, failed.phase, failed.code, failed.message, stamp.text))


def plan_file(entry: FileEntry, state: LibraryState, stamp: Stamp) -> WriteBatch:
    """Return all rows of one file.

    Parameters
    ----------
    entry : FileEntry
        What the phases found out.
    state : LibraryState
        What the library holds now.
    stamp : Stamp
        Time and run of this write.

    Raises
    ------
    OriginalNotImportedError
        The file is a copy of another that could not be imported either.
    FileChangedError
        It was touched or moved, but the library no longer holds its content.
    """
    old = state.file or state.moved_from
    if entry.identity.state in _KEEPS_CONTENT and old is not None and old.hash == entry.identity.content_hash:
        return _plan_same_content(entry, state, stamp, old)
    originals = [row for row in state.copies if row.status == FileStatus.INGEST_COMPLETE]
    if originals:
        return _plan_duplicate(entry, state, stamp, originals)
    if entry.audio is None:
        silent = [row for row in state.copies if row.status == FileStatus.NO_AUDIO]
        if not silent and entry.identity.state in _KEEPS_CONTENT:
            raise FileChangedError(entry.path, "another import changed what the library holds of it meanwhile")
        if not silent:
            raise OriginalNotImportedError(
                entry.path,
                f"has the same content as {entry.identity.duplicate_of}, which could not be imported",
            )
        return _plan_silent_copy(entry, state, stamp, silent[0])
    return _plan_content(entry, state, stamp)


def _file_row(entry: FileEntry, state: LibraryState, stamp: Stamp, status: str) -> FileRow:
    """Build the file's row: known values stay where the new import has none."""
    old = state.file or state.moved_from
    guid = old.guid if old else ids.file_id(entry.path, entry.identity.content_hash, state.taken_file_guids)
    copies = [copy.guid for copy in state.copies]
    # Only what still has the same content: this file's, or another's, may have changed since the list was made.
    listed = [copy for copy in _read_list(old.matching_hashes if old else None) if copy in copies]
    row = FileRow(
        guid=guid,
        path=entry.path,
        hash=entry.identity.content_hash,
        duration_ticks=None,
        format=None,
        sample_rate=None,
        channels=None,
        file_size_bytes=entry.identity.size_bytes,
        artist=None,
        title=None,
        album=None,
        track_number=None,
        year=None,
        modification_time=entry.identity.modified_at,
        status=status,
        matching_hashes=_copies_json(json.dumps(listed), copies),
        created_at=old.created_at if old else stamp.text,
        updated_at=stamp.text,
    )
    return _merge_tags(_merge_audio(row, entry, old), entry.tags, old)


def _merge_audio(row: FileRow, entry: FileEntry, old: FileRow | None) -> FileRow:
    audio = entry.audio
    if audio is not None:
        return replace(
            row,
            duration_ticks=ticks.from_samples(audio.total_samples, audio.sample_rate_hz) or None,
            format=audio.format,
            sample_rate=audio.sample_rate_hz,
            channels=audio.channels,
        )
    if old is not None and old.hash == row.hash:
        return replace(
            row,
            duration_ticks=old.duration_ticks,
            format=old.format,
            sample_rate=old.sample_rate,
            channels=old.channels,
        )
    return row


def _merge_tags(row: FileRow, tags: FileTags | None, old: FileRow | None) -> FileRow:
    """Let a new value replace the old, and a missing one keep it."""
    names = ("artist", "title", "album", "track_number", "year")
    merged: dict[str, Any] = {name: getattr(tags, name, None) for name in names}
    if old is not None:
        merged = {name: getattr(old, name) if value is None else value for name, value in merged.items()}
    return replace(row, **merged)


def _copies_json(stored: str | None, guids: Iterable[str], first: str | None = None) -> str | None:
    """Add guids to a JSON list of copies, without repeats; `first` goes to the front."""
    listed = _read_list(stored)
    merged = list(dict.fromkeys([*([first] if first else []), *listed, *guids]))
    return json.dumps(merged) if merged else None


def _read_list(stored: str | None) -> list[str]:
    try:
        value = json.loads(stored or "[]")
    except ValueError:
        return []
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _peers(row: FileRow, copies: Sequence[FileRow]) -> tuple[PeerLink, ...]:
    """Return the copies whose own list lacks this file."""
    return tuple(
        PeerLink(expected_of(copy), _copies_json(copy.matching_hashes, [row.guid]) or "[]")
        for copy in copies
        if row.guid not in _read_list(copy.matching_hashes)
    )


def _plan_same_content(entry: FileEntry, state: LibraryState, stamp: Stamp, old: FileRow) -> WriteBatch:
    """Touched or moved: the same bytes, so only path, time and size change."""
    row = _file_row(entry, state, stamp, old.status)
    return WriteBatch(entry.path, file=row, expected=expected_of(old), peers=_peers(row, state.copies))


def _plan_duplicate(entry: FileEntry, state: LibraryState, stamp: Stamp, originals: Sequence[FileRow]) -> WriteBatch:
    original = originals[0]
    row = _as_copy_of(original, _file_row(entry, state, stamp, FileStatus.DUPLICATE_HASH))
    row = replace(row, matching_hashes=_copies_json(row.matching_hashes, [], first=original.guid))
    outdated = plan_passages((), (), state.passages)
    return WriteBatch(
        entry.path,
        file=row,
        expected=expected_of(state.file) if state.file else None,
        removed_passages=outdated.removed,
        peers=_peers(row, state.copies),
        warnings=outdated.warnings,
    )


def _plan_silent_copy(entry: FileEntry, state: LibraryState, stamp: Stamp, silent: FileRow) -> WriteBatch:
    row = _as_copy_of(silent, _file_row(entry, state, stamp, FileStatus.NO_AUDIO))
    outdated = plan_passages((), (), state.passages)
    return WriteBatch(
        entry.path,
        file=row,
        expected=expected_of(state.file) if state.file else None,
        removed_passages=outdated.removed,
        peers=_peers(row, state.copies),
        warnings=outdated.warnings,
    )


_SAID_BY_CONTENT = (
    "duration_ticks", "format", "sample_rate", "channels", "artist", "title", "album", "track_number", "year"
)  # fmt: skip


def _as_copy_of(other: FileRow, row: FileRow) -> FileRow:
    """Take over what the same bytes have already said, without reading them again."""
    return replace(row, **{name: getattr(other, name) for name in _SAID_BY_CONTENT})


def _plan_content(entry: FileEntry, state: LibraryState, stamp: Stamp) -> WriteBatch:
    status = FileStatus.INGEST_COMPLETE if entry.passages else FileStatus.NO_AUDIO
    file = _file_row(entry, state, stamp, status)
    entities = _Entities(state, stamp)
    for passage in entry.passages:
        entities.add(passage)
    rate_hz = entry.audio.sample_rate_hz if entry.audio else 1
    bounds = [
        (
            ticks.from_samples(passage.match.span.start_sample, rate_hz),
            ticks.from_samples(passage.match.span.end_sample, rate_hz),
        )
        for passage in entry.passages
    ]
    plan = plan_passages(
        bounds,
        [_lead_ticks(passage, rate_hz) for passage in entry.passages],
        state.passages,
        new_guid=lambda start, end, taken: ids.passage_id(file.guid, start, end, taken),
    )
    return WriteBatch(
        entry.path,
        file=file,
        expected=expected_of(state.file) if state.file else None,
        songs=tuple(entities.songs.values()),
        artists=tuple(entities.artists.values()),
        works=tuple(entities.works.values()),
        albums=tuple(entities.albums.values()),
        removed_passages=plan.removed,
        passages=tuple(_passage_rows(entry, file, plan, entities, stamp)),
        relinked_passages=plan.updated,
        passage_songs=tuple(_passage_songs(entry, plan, entities, stamp)),
        song_artists=tuple(entities.song_artists()),
        song_works=tuple(entities.song_works()),
        passage_albums=tuple(_passage_albums(entry, plan, entities, stamp)),
        provenance=tuple(_provenance(entry, plan, stamp)),
        peers=_peers(file, state.copies),
        warnings=plan.warnings,
    )


def _lead_ticks(passage: PassageEntry, rate_hz: int) -> tuple[int | None, int | None]:
    points = passage.lead_points
    return (
        None if points.lead_in_sample is None else ticks.from_samples(points.lead_in_sample, rate_hz),
        None if points.lead_out_sample is None else ticks.from_samples(points.lead_out_sample, rate_hz),
    )


class _Entities:
    """Songs, artists, works and albums of one file, each once, with the guid the library will know them by."""

    def __init__(self, state: LibraryState, stamp: Stamp) -> None:
        self._state = state
        self._now = stamp.text
        self._credits: dict[str, Song] = {}
        self.songs: dict[str, SongRow] = {}
        self.artists: dict[str, ArtistRow] = {}
        self.works: dict[str, WorkRow] = {}
        self.albums: dict[str, AlbumRow] = {}

    def add(self, passage: PassageEntry) -> None:
        match = passage.match
        if match.release is not None and match.release.mbid not in self.albums:
            release = match.release
            guid = _guid(self._state.album_guids, "album", release.mbid)
            self.albums[release.mbid] = AlbumRow(guid, release.mbid, release.title, release.date, self._now, self._now)
        song = match.song
        if song is None or song.recording_mbid in self.songs:
            return
        self._credits[song.recording_mbid] = song
        for artist in song.artists:
            guid = _guid(self._state.artist_guids, "artist", artist.mbid)
            self.artists.setdefault(artist.mbid, ArtistRow(guid, artist.mbid, artist.name, self._now, self._now))
        for work in song.works:
            guid = _guid(self._state.work_guids, "work", work.mbid)
            self.works.setdefault(work.mbid, WorkRow(guid, work.mbid, work.title, self._now, self._now))
        self.songs[song.recording_mbid] = SongRow(
            guid=_guid(self._state.song_guids, "song", song.recording_mbid),
            recording_mbid=song.recording_mbid,
            title=song.title,
            artist_name=song.artist_name,
            work_id=self.works[song.works[0].mbid].guid if song.works else None,
            status="PENDING",
            created_at=self._now,
            updated_at=self._now,
        )

    def song_artists(self) -> Iterable[SongArtistRow]:
        """Equal weights over distinct artists; the last takes what is left, so that the sum is exactly 1.

        Weights are multiples of 2**-48: their sums are exact whatever the order, in SQLite as in Python.
        """
        for mbid, song in self._credits.items():
            distinct = list(dict.fromkeys(artist.mbid for artist in song.artists))
            weight = round(_WEIGHT_UNITS / len(distinct)) / _WEIGHT_UNITS if distinct else 1.0
            for number, artist_mbid in enumerate(distinct, start=1):
                share = weight if number < len(distinct) else 1.0 - weight * (len(distinct) - 1)
                yield SongArtistRow(self.songs[mbid].guid, self.artists[artist_mbid].guid, share, self._now)

    def song_works(self) -> Iterable[SongWorkRow]:
        for mbid, song in self._credits.items():
            for work_mbid in dict.fromkeys(work.mbid for work in song.works):
                yield SongWorkRow(self.songs[mbid].guid, self.works[work_mbid].guid, self._now)


def _guid(existing: Mapping[str, str] | None, kind: str, mbid: str) -> str:
    return (existing or {}).get(mbid) or ids.entity_id(kind, mbid)


def _passage_rows(
    entry: FileEntry, file: FileRow, plan: PassagePlan, entities: _Entities, stamp: Stamp
) -> Iterable[PassageRow]:
    for passage, placed in zip(entry.passages, plan.placed, strict=True):
        match = passage.match
        source = match.source
        yield PassageRow(
            guid=placed.guid,
            file_id=file.guid,
            start_time_ticks=placed.start_ticks,
            lead_in_start_ticks=placed.lead_in_ticks,
            lead_out_start_ticks=placed.lead_out_ticks,
            end_time_ticks=placed.end_ticks,
            title=match.title,
            artist=match.artist,
            album=match.album,
            recording_mbid=match.song.recording_mbid if match.song else None,
            song_id=entities.songs[match.song.recording_mbid].guid if match.song else None,
            import_metadata=_amplitude_json(entry, passage, stamp),
            decode_status="successful",
            title_source=source if match.title else None,
            title_confidence=match.score if match.title else None,
            artist_source=source if match.artist else None,
            artist_confidence=match.score if match.artist else None,
            album_source=source if match.album else None,
            album_confidence=match.score if match.album else None,
            mbid_source=source if match.song else None,
            mbid_confidence=match.score if match.song else None,
            identity_confidence=match.score,
            validation_status="Pending",
            import_session_id=stamp.run_id,
            import_timestamp=stamp.text,
            import_strategy=IMPORT_STRATEGY,
            status="INGEST COMPLETE",
            created_at=stamp.text,
            updated_at=stamp.text,
        )


def _amplitude_json(entry: FileEntry, passage: PassageEntry, stamp: Stamp) -> str:
    points, used = passage.lead_points, entry.lead_point_parameters
    rate_hz = entry.audio.sample_rate_hz if entry.audio else 1
    lead_in, lead_out = points.lead_in_sample, points.lead_out_sample
    analysis = {
        "peak_rms": round(points.peak_rms, 6),
        "lead_in_detected_s": None if lead_in is None else (lead_in - points.span.start_sample) / rate_hz,
        "lead_out_detected_s": None if lead_out is None else (points.span.end_sample - lead_out) / rate_hz,
        "quick_ramp_up": points.quick_ramp_up,
        "quick_ramp_down": points.quick_ramp_down,
        "parameters_used": None
        if used is None
        else {
            "rms_window_ms": used.rms_window_ms,
            "lead_in_threshold_dB": used.lead_in_threshold_db,
            "lead_out_threshold_dB": used.lead_out_threshold_db,
            "quick_ramp_threshold": used.quick_ramp_threshold,
            "quick_ramp_duration_s": used.quick_ramp_duration_s,
            "max_lead_in_duration_s": used.max_lead_in_duration_s,
            "max_lead_out_duration_s": used.max_lead_out_duration_s,
            "apply_a_weighting": False,
        },
        "analyzed_at": stamp.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return json.dumps({"amplitude_analysis": analysis})


def _passage_songs(entry: FileEntry, plan: PassagePlan, entities: _Entities, stamp: Stamp) -> Iterable[PassageSongRow]:
    for passage, placed in zip(entry.passages, plan.placed, strict=True):
        if passage.match.song:
            song = entities.songs[passage.match.song.recording_mbid]
            yield PassageSongRow(placed.guid, song.guid, 0, placed.end_ticks - placed.start_ticks, stamp.text)


def _passage_albums(
    entry: FileEntry, plan: PassagePlan, entities: _Entities, stamp: Stamp
) -> Iterable[PassageAlbumRow]:
    for passage, placed in zip(entry.passages, plan.placed, strict=True):
        if passage.match.release:
            yield PassageAlbumRow(placed.guid, entities.albums[passage.match.release.mbid].guid, stamp.text)


def _provenance(entry: FileEntry, plan: PassagePlan, stamp: Stamp) -> Iterable[ProvenanceRow]:
    """One row per source that said something about a passage."""
    seconds = int(stamp.now.timestamp())
    for passage, placed in zip(entry.passages, plan.placed, strict=True):
        match = passage.match
        if match.source is not None:
            said = {
                "title": match.title,
                "artist": match.artist,
                "album": match.album,
                "recording_mbid": match.song.recording_mbid if match.song else None,
                "release_mbid": match.release.mbid if match.release else None,
            }
            guid = ids.provenance_id(placed.guid, match.source)
            yield ProvenanceRow(guid, placed.guid, match.source, json.dumps(said), match.score, seconds)
        if passage.fingerprint.fingerprint is not None:
            heard = {
                "duration_s": passage.fingerprint.duration_s,
                "fingerprint": passage.fingerprint.fingerprint,
            }
            guid = ids.provenance_id(placed.guid, "Chromaprint")
            yield ProvenanceRow(guid, placed.guid, "Chromaprint", json.dumps(heard), None, seconds)
