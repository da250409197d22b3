"""The script of a batch's transaction: its statements with their values.

It is made before the lock is taken, so that the lock is held for SQLite's own work only.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wkmp_assets.db.tables import IMAGES_OF_FILES, LINK_TABLES, UNDO, WARNINGS, columns_of
from wkmp_assets.db.write import statements as sql
from wkmp_assets.model.batch import CopyLink, ForgetBatch, MarkBatch, RemovalBatch, WriteBatch
from wkmp_assets.model.rows import SongFlavor

Batch = WriteBatch | MarkBatch | RemovalBatch | ForgetBatch
"""What one transaction writes."""


@dataclass(frozen=True)
class Step:
    """One statement."""

    table: str
    statement: str
    values: Sequence[Any]
    must_change: int | None = None
    """Number of rows that it changes if the library is still what was read; None when any number is right."""
    subject: str = ""
    """What has changed in the library if the number is wrong, for the message."""

    def is_met_by(self, changed: int) -> bool:
        """Tell whether the number of changed rows is right, so that the library is still what was read."""
        return self.must_change is None or changed == self.must_change


def make_script(batch: Batch, max_values: int) -> list[Step]:
    """Return the statements of a batch, in an order that foreign keys allow.

    Parameters
    ----------
    batch : WriteBatch, MarkBatch, RemovalBatch or ForgetBatch
        The rows of one file, the marks of a scan, a file to remove, or runs that can no longer be undone.
    max_values : int
        How many values SQLite binds in one statement. More rows than that take several statements.
    """
    if isinstance(batch, MarkBatch):
        return _marks(batch)
    if isinstance(batch, ForgetBatch):
        return [Step(UNDO, sql.FORGET_RUNS, [batch.before])]
    return _removal(batch) if isinstance(batch, RemovalBatch) else _whole_file(batch, max_values)


def _removal(batch: RemovalBatch) -> list[Step]:
    row, guids = batch.expected.row, json.dumps(batch.passages)
    as_read = [*sql.values_of([row]), batch.expected.passages]
    what = "its row or its passages"
    # This sets what is already there: it only compares, and must come first, while the passages still exist.
    compare = [*sql.file_update_values(row), *as_read, "", row.hash, row.guid]
    steps = [Step("files", sql.UPDATE_FILE, compare, 1, what)]
    ours = {"passages": guids, "files": json.dumps([row.guid])}
    going = [one for one in batch.references if batch.with_references and not one.outlives]
    steps += [Step(one.table, sql.delete_references(one.table, one.column), [ours[one.target]]) for one in going]
    steps += [Step(table, sql.delete_references(table, "passage_id"), [guids]) for table in LINK_TABLES]
    steps.append(Step("images", sql.DELETE_PASSAGE_IMAGES, [guids]))
    steps += _dropped_images(row.guid, batch.images)
    if batch.passages:
        statement = sql.delete_passages(len(batch.passages), _forbidden(batch, "passages"))
        steps.append(Step("passages", statement, batch.passages, len(batch.passages), "what refers to its passages"))
    steps += _peer_links(batch.copy_links, batch.at)
    steps.append(Step(WARNINGS, sql.DELETE_WARNINGS, [row.guid]))
    steps.append(Step("files", sql.delete_file(_forbidden(batch, "files")), [row.guid], 1, "what refers to it"))
    steps.append(Step("missing_files", sql.UNMARK, [json.dumps([row.path])]))
    steps.append(Step("import_failures", sql.DELETE_FAILURE, [row.path]))
    return steps


def _forbidden(batch: RemovalBatch, target: str) -> tuple[tuple[str, str], ...]:
    kept = [] if batch.with_references else batch.references
    return tuple((one.table, one.column) for one in kept if one.target == target)


def _marks(batch: MarkBatch) -> list[Step]:
    steps = [
        Step("missing_files", sql.MARK, [batch.at, json.dumps(batch.missing)]),
        Step("missing_files", sql.UNMARK, [json.dumps(batch.found)]),
        Step("import_failures", sql.FORGET_FAILURES, [json.dumps(batch.forgotten)]),
    ]
    return [step for step, paths in zip(steps, (batch.missing, batch.found, batch.forgotten), strict=True) if paths]


def _whole_file(batch: WriteBatch, max_values: int) -> list[Step]:
    displaced = list(_displaced(batch))
    steps = [*displaced[:1], *_file(batch), *displaced[1:]]
    for rows in (batch.songs, batch.artists, batch.works, batch.albums):
        steps += _insert(rows, max_values)
    steps += _song_flavors(batch.song_flavors, max_values)
    steps += _passages_to_remove(batch)
    steps += _links_to_remove(batch)
    for links in (
        batch.passages, batch.passage_songs, batch.song_artists, batch.song_works, batch.passage_albums,
        batch.provenance, batch.images, batch.file_images,
    ):  # fmt: skip
        steps += _insert(links, max_values)
    if batch.file:
        steps += _dropped_images(batch.file.guid, batch.dropped_images)
        steps += _peer_links(batch.copy_links, batch.file.updated_at)
    if batch.replaces_warnings and batch.file:
        steps.append(Step(WARNINGS, sql.DELETE_WARNINGS, [batch.file.guid]))
    steps += _insert(batch.warning_rows, max_values)
    if batch.found:
        steps.append(Step("missing_files", sql.UNMARK, [json.dumps(batch.found)]))
    if batch.undo is not None:
        # Last, because it notes what the passages are now.
        steps.append(Step(UNDO, sql.REMEMBER, [*sql.values_of([batch.undo]), batch.undo.file]))
    if not batch.keeps_failure:
        steps.append(_failure(batch))
    return steps


def _displaced(batch: WriteBatch) -> Iterator[Step]:
    """Move a row out of the way of the one that gets its path, then to where that one was.

    Paths are unique after every statement. In between the row has its guid as its path, which no reader sees.
    """
    if batch.displaced is None or batch.file is None:
        return
    row, time = batch.displaced.read, batch.file.updated_at
    for path, before in ((row.guid, row.path), (batch.displaced.path, row.guid)):
        values = [path, time, row.guid, before, row.hash, row.status]
        yield Step("files", sql.MOVE_ASIDE, values, 1, "what is under its path")


def _file(batch: WriteBatch) -> Iterator[Step]:
    row = batch.file
    if row is None:
        return
    old = batch.expected.row if batch.expected else None
    was_so_already = old is not None and (old.status, old.hash) == (row.status, row.hash)
    # Only a file that becomes complete needs the guard: an older library may hold two complete copies.
    guard = ["" if was_so_already else row.status, row.hash, row.guid]
    if batch.expected is None:
        statement, values = sql.INSERT_FILE, [*sql.values_of([row]), *guard]
    else:
        as_read = [*sql.values_of([batch.expected.row]), batch.expected.passages]
        statement, values = sql.UPDATE_FILE, [*sql.file_update_values(row), *as_read, *guard]
    yield Step("files", statement, values, 1, "its row, its passages, or another file with the same content,")


def _insert(rows: Sequence[Any], max_values: int) -> Iterator[Step]:
    if not rows:
        return
    row_class = type(rows[0])
    most = _rows_per_statement(row_class, max_values)
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        statement = sql.insert_rows(row_class, len(part))  # type: ignore[arg-type] # mypy: a class has no hash
        yield Step(sql.table_of(row_class), statement, sql.values_of(part))


def _rows_per_statement(row_class: type, max_values: int) -> int:
    """Return how many rows go into one statement: as many as SQLite can bind."""
    return max_values // len(columns_of(row_class))


def _song_flavors(rows: Sequence[SongFlavor], max_values: int) -> Iterator[Step]:
    most = _rows_per_statement(SongFlavor, max_values)
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        yield Step("songs", sql.update_song_flavors(len(part)), sql.values_of(part), len(part), "the flavor of a song")


def _passages_to_remove(batch: WriteBatch) -> Iterator[Step]:
    guids = batch.removed_passages
    if guids:
        statement = sql.delete_passages(len(guids), batch.passage_references)
        yield Step("passages", statement, guids, len(guids), "what refers to its passages")


def _links_to_remove(batch: WriteBatch) -> Iterator[Step]:
    """Delete the old links of all passages.

    New passages may have some as well: a program that deletes passages without foreign keys leaves orphaned links
    behind.
    """
    guids = [passage.guid for passage in batch.passages]
    for table in LINK_TABLES if guids else ():
        yield Step(table, sql.delete_links(table, len(guids)), guids)


def _dropped_images(file_guid: str, guids: Sequence[str]) -> Iterator[Step]:
    """Take images from a file. Those that no other file has go, whichever file was imported first."""
    if guids:
        listed = json.dumps(guids)
        yield Step(IMAGES_OF_FILES, sql.DELETE_FILE_IMAGES, [file_guid, listed])
        yield Step("images", sql.DELETE_UNUSED_IMAGES, [listed])


def _peer_links(copy_links: Sequence[CopyLink], time: str) -> Iterator[Step]:
    for peer in copy_links:
        read = peer.read
        as_read = [read.guid, read.hash, read.status, read.matching_hashes]
        values = [peer.matching_hashes, time, *as_read]
        yield Step("files", sql.UPDATE_COPY, values, 1, "a file with the same content")


def _failure(batch: WriteBatch) -> Step:
    failure = batch.failure
    if failure is None:
        return Step("import_failures", sql.DELETE_FAILURE, [batch.path])
    values = [failure.path, failure.phase, failure.code, failure.message, failure.failed_at]
    return Step("import_failures", sql.INSERT_FAILURE, values)
