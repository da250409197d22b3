"""Plan the batch of one file, from its entry and what the library holds.

This decides ids, and whether a file is complete, a duplicate or without audio. It keeps what people edited.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from wkmp_assets.db.plan import ids
from wkmp_assets.db.plan.cuts import follow_cuts
from wkmp_assets.db.plan.earlier_knowledge import (
    describe_kept,
    follow_persons,
    link_songs_of_kept,
    plan_knowledge,
    recall_song,
    recall_songs_of_kept,
    warn_of_lost_songs,
)
from wkmp_assets.db.plan.entities import Entities
from wkmp_assets.db.plan.flavors import FlavorPlan
from wkmp_assets.db.plan.images import find_albums, plan_images
from wkmp_assets.db.plan.passage_pairing import plan_passages
from wkmp_assets.db.plan.passage_rows import (
    link_albums,
    link_songs,
    make_passage_rows,
    make_provenance_rows,
)
from wkmp_assets.db.read.file_state import LibraryState, expect_unchanged
from wkmp_assets.db.tables import MAX_LISTED_COPIES, listed_copies
from wkmp_assets.errors import FileChangedError, OriginalNotImportedError
from wkmp_assets.model.batch import CopyLink, DisplacedFile, WriteBatch
from wkmp_assets.model.copy_ranks import rank_copy
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, merge_warnings
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.model.rows import (
    FailureRow,
    FileRow,
    WarningRow,
)
from wkmp_assets.model.statuses import FileStatus
from wkmp_assets.model.timestamps import Stamp, rfc3339_timestamp
from wkmp_assets.model.values import FileState, FileTags

_KEEPS_CONTENT = frozenset({FileState.TOUCHED, FileState.MOVED})


def candidate_file_guids(entry: FileEntry) -> Iterator[str]:
    """Return the ids that a new file may get, in order of preference, without an end."""
    return ids.file_ids(entry.path, entry.identity.content_hash)


def plan_failure(path: str, failed: Failed, stamp: Stamp) -> WriteBatch:
    """Return the batch that records why a file could not be imported. It changes nothing else."""
    return WriteBatch(path, failure=FailureRow(path, failed.phase, failed.code, failed.message, stamp.text))


def plan_file(entry: FileEntry, state: LibraryState, stamp: Stamp) -> WriteBatch:
    """Return the batch with all rows of one file.

    Parameters
    ----------
    entry : FileEntry
        What the phases found out.
    state : LibraryState
        What the library held when it was read, just before.
    stamp : Stamp
        Time and run of this write.

    Raises
    ------
    OriginalNotImportedError
        The file is a copy of another one that could not be imported either.
    FileChangedError
        The file was touched or moved, and the library no longer holds its content.
    """
    displaced = None
    if state.moved_from and state.file and state.file.guid != state.moved_from.guid:
        displaced = DisplacedFile(state.file, state.moved_from.path)
    # When another row takes the path of a missing file, the row that makes way is missing afterwards.
    found = sorted(path for path in state.marked if displaced is None or path == entry.path)
    batch = replace(_plan_file(entry, state, stamp), displaced=displaced, found=tuple(found))
    return _store_warnings(batch, state)


def _store_warnings(batch: WriteBatch, state: LibraryState) -> WriteBatch:
    """Add the rows of the warnings, unless the library has the same."""
    if batch.file is None or set(batch.warnings) == set(state.warnings):
        return batch
    rows = [WarningRow(batch.file.guid, str(one.kind), one.text) for one in batch.warnings]
    return replace(batch, replaces_warnings=bool(state.warnings), warning_rows=tuple(rows))


def _warn_of_silence(status: str) -> tuple[FileWarning, ...]:
    if status != FileStatus.NO_AUDIO:
        return ()
    return (
        FileWarning(
            WarningKind.NO_AUDIO,
            "The file holds no sound as long as the shortest passage, so the library has no passage of it. If it is "
            "quiet music, raise silence_threshold_dB in the library's settings and import it with --force.",
        ),
    )


def _plan_file(entry: FileEntry, state: LibraryState, stamp: Stamp) -> WriteBatch:
    old = state.owner
    keeps_content = entry.identity.state in _KEEPS_CONTENT and entry.audio is None
    if keeps_content and old is not None and old.hash == entry.identity.content_hash:
        return _plan_same_content(entry, state, stamp, old)
    originals = [row for row in state.copies if row.status == FileStatus.INGEST_COMPLETE]
    originals.sort(key=lambda row: rank_copy(row.path))
    if entry.audio is not None and old is not None and _is_complete_with(old, entry.identity.content_hash):
        # WKMP may have imported two copies. The better stays, and the other becomes its copy.
        originals = [row for row in originals if rank_copy(row.path) < rank_copy(entry.path)]
    if originals:
        return _plan_copy(entry, state, stamp, originals[0], FileStatus.DUPLICATE_HASH)
    if entry.audio is None:
        silent = [row for row in state.copies if row.status == FileStatus.NO_AUDIO]
        if not silent and entry.identity.state in _KEEPS_CONTENT:
            raise FileChangedError(entry.path, "another import has replaced its content in the library meanwhile")
        if not silent:
            raise OriginalNotImportedError(
                entry.path,
                f"has the same content as {entry.identity.duplicate_of}, which could not be imported",
            )
        return _plan_copy(entry, state, stamp, silent[0], FileStatus.NO_AUDIO)
    return _plan_content(entry, state, stamp)


def _is_complete_with(row: FileRow, content_hash: str) -> bool:
    return row.status == FileStatus.INGEST_COMPLETE and row.hash == content_hash


def _file_row(entry: FileEntry, state: LibraryState, stamp: Stamp, status: str) -> FileRow:
    """Return the file's row. Known values stay where the new import has none."""
    old = state.owner
    guid = old.guid if old else next(one for one in candidate_file_guids(entry) if one not in state.taken_file_guids)
    copies = [copy.guid for copy in state.copies]
    # Only files that still have the same content: it may have changed since the list was made.
    listed = [copy for copy in listed_copies(old.matching_hashes if old else None) if copy in copies]
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
        modification_time=rfc3339_timestamp(entry.identity.modified_at),
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
            duration_ticks=entry.duration_ticks,
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
    """Replace old tags by new ones, and keep an old one where there is no new one."""
    names = ("artist", "title", "album", "track_number", "year")
    merged: dict[str, Any] = {name: getattr(tags, name, None) for name in names}
    if old is not None:
        merged = {name: getattr(old, name) if value is None else value for name, value in merged.items()}
    return replace(row, **merged)


def _copies_json(stored: str | None, guids: Iterable[str], first: str | None = None) -> str | None:
    """Add guids to a JSON list of copies, without repeats. `first` goes to the front."""
    listed = listed_copies(stored)
    merged = list(dict.fromkeys([*([first] if first else []), *listed, *guids]))[:MAX_LISTED_COPIES]
    return json.dumps(merged) if merged else None


def _copy_links(row: FileRow, copies: Sequence[FileRow]) -> tuple[CopyLink, ...]:
    """Return the changes to copies whose own list lacks this file, and has room for it."""
    lists = [(copy, listed_copies(copy.matching_hashes)) for copy in copies]
    return tuple(
        CopyLink(copy, json.dumps([*dict.fromkeys(listed), row.guid]))
        for copy, listed in lists
        if row.guid not in listed and len(listed) < MAX_LISTED_COPIES
    )


def _plan_same_content(entry: FileEntry, state: LibraryState, stamp: Stamp, old: FileRow) -> WriteBatch:
    """Plan a touched or moved file. It has the same bytes, so only path, time and size change."""
    row = _file_row(entry, state, stamp, old.status)
    return WriteBatch(
        entry.path,
        file=row,
        expected=expect_unchanged(state, old),
        kept_passages=len(state.passages),
        copy_links=_copy_links(row, state.copies),
        warnings=state.warnings,
    )


def _plan_copy(entry: FileEntry, state: LibraryState, stamp: Stamp, other: FileRow, status: str) -> WriteBatch:
    """Plan a copy: a row and its links to the other copies, without passages."""
    row = _as_copy_of(other, _file_row(entry, state, stamp, status))
    if status == FileStatus.DUPLICATE_HASH:
        row = replace(row, matching_hashes=_copies_json(row.matching_hashes, [], first=other.guid))
    outdated = plan_passages((), (), state.passages)
    return WriteBatch(
        entry.path,
        file=row,
        expected=expect_unchanged(state, state.owner),
        removed_passages=outdated.removed,
        kept_passages=len(outdated.kept),
        passage_references=state.passage_references,
        passage_songs=tuple(link_songs_of_kept(outdated, stamp)),
        dropped_images=tuple(state.images),
        copy_links=_copy_links(row, state.copies),
        warnings=merge_warnings(_warn_of_silence(status), outdated.warnings),
    )


_CONTENT_COLUMNS = (
    "duration_ticks", "format", "sample_rate", "channels", "artist", "title", "album", "track_number", "year"
)  # fmt: skip


def _as_copy_of(other: FileRow, row: FileRow) -> FileRow:
    """Fill a row with what the same bytes gave for another file."""
    return replace(row, **{name: getattr(other, name) for name in _CONTENT_COLUMNS})


def _plan_content(entry: FileEntry, state: LibraryState, stamp: Stamp) -> WriteBatch:
    entry, state = follow_cuts(entry, state)
    is_cut = any(passage.is_cut for passage in state.passages)
    status = FileStatus.INGEST_COMPLETE if entry.passages or is_cut else FileStatus.NO_AUDIO
    file = _file_row(entry, state, stamp, status)
    plan = plan_passages(
        [(passage.start_ticks, passage.end_ticks) for passage in entry.passages],
        [(passage.lead_points.lead_in_ticks, passage.lead_points.lead_out_ticks) for passage in entry.passages],
        state.passages,
        new_guid=lambda start, end, taken: ids.passage_id(file.guid, start, end, taken),
    )
    is_same_content = state.owner is not None and state.owner.hash == file.hash
    knowledge = plan_knowledge(entry.passages, plan, state.passages, is_same_content=is_same_content)
    entry = replace(entry, passages=follow_persons(entry.passages, knowledge))
    songs = [
        recall_song(passage, kept, entry.tags, is_whole_file=len(entry.passages) == 1)
        for passage, kept in zip(entry.passages, knowledge, strict=True)
    ]
    entities = Entities(entry, file, [*songs, *recall_songs_of_kept(plan, entry.tags)], state, stamp)
    flavors = FlavorPlan(entry, songs, state, entities)
    partners = {passage.guid: passage for passage in state.passages}
    columns = [
        flavors.plan_passage(
            passage, song, partners.get(placed.guid), kept.stored if kept and kept.keeps_song else None
        )
        for passage, song, placed, kept in zip(entry.passages, songs, plan.placed, knowledge, strict=True)
    ]
    passages = tuple(make_passage_rows(entry, file, plan, entities, columns, knowledge, stamp))
    albums = tuple(link_albums(entry, plan, entities, knowledge, stamp))
    albums_of = find_albums(plan, albums, {album.guid for album in entities.albums.values()}, stamp)
    images = plan_images(entry.covers, file.guid, albums_of, state.images, stamp)
    return WriteBatch(
        entry.path,
        file=file,
        expected=expect_unchanged(state, state.owner),
        songs=tuple(entities.songs.values()),
        song_flavors=tuple(flavors.plan_songs(stamp)),
        artists=tuple(entities.artists.values()),
        works=tuple(entities.works.values()),
        albums=tuple(entities.albums.values()),
        removed_passages=plan.removed,
        kept_passages=len(plan.kept),
        passage_references=state.passage_references,
        passages=passages,
        passage_songs=(
            *link_songs(songs, plan, entities, knowledge, stamp),
            *link_songs_of_kept(plan, stamp),
        ),
        song_artists=tuple(entities.song_artists()),
        song_works=tuple(entities.song_works()),
        passage_albums=albums,
        provenance=tuple(make_provenance_rows(entry, plan, columns, knowledge, stamp)),
        images=images.images,
        file_images=images.links,
        dropped_images=images.dropped,
        copy_links=_copy_links(file, state.copies),
        kept_because=tuple(
            reason
            for passage, row, kept in zip(entry.passages, passages, knowledge, strict=True)
            if (reason := describe_kept(passage.match, row, kept))
        ),
        warnings=merge_warnings(
            entry.warnings,
            _warn_of_silence(status),
            plan.warnings,
            warn_of_lost_songs(entry.passages, plan, state.passages, knowledge),
        ),
    )
