"""What a batch's transaction will execute, statement by statement with its values.

Pure, and worked out before the lock is taken: the lock is held for SQLite's own work only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wkmp_assets.db import statements as sql
from wkmp_assets.model.batch import WriteBatch
from wkmp_assets.model.rows import SongFlavor


@dataclass(frozen=True)
class Step:
    """One statement."""

    table: str
    statement: str
    values: Sequence[Any]
    must_change: int | None = None
    """Rows it changes if the library still is what was read; None where any number is right."""
    subject: str = ""
    """What has changed if not, for the message."""


def script_of(batch: WriteBatch, most_values: int) -> list[Step]:
    """Return the statements of a batch, in the order in which foreign keys allow them.

    Parameters
    ----------
    batch : WriteBatch
        One file.
    most_values : int
        How many values SQLite binds in one statement; more rows than that take several.
    """
    steps = list(_file(batch))
    for rows in (batch.songs, batch.artists, batch.works, batch.albums):
        steps += _insert(rows, most_values)
    steps += _song_flavors(batch.song_flavors, most_values)
    steps += _passages_to_remove(batch)
    steps += _links_to_remove(batch)
    for links in (
        batch.passages, batch.passage_songs, batch.song_artists, batch.song_works, batch.passage_albums,
        batch.provenance,
    ):  # fmt: skip
        steps += _insert(links, most_values)
    steps += _peers(batch)
    steps.append(_failure(batch))
    return steps


def _file(batch: WriteBatch) -> Iterator[Step]:
    row = batch.file
    if row is None:
        return
    old = batch.expected.row if batch.expected else None
    was_so_already = old is not None and (old.status, old.hash) == (row.status, row.hash)
    # An older library may hold two complete copies; the guard is for a file that becomes complete.
    guard = ["" if was_so_already else row.status, row.hash, row.guid]
    if batch.expected is None:
        statement, values = sql.INSERT_FILE, [*sql.values_of([row]), *guard]
    else:
        as_read = [*sql.values_of([batch.expected.row]), batch.expected.passages]
        statement, values = sql.UPDATE_FILE, [*sql.file_update_values(row), *as_read, *guard]
    yield Step("files", statement, values, 1, "its row, its passages, or another file with the same content,")


def _insert(rows: Sequence[Any], most_values: int) -> Iterator[Step]:
    if not rows:
        return
    row_class = type(rows[0])
    most = most_values // len(sql.columns_of(row_class))
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        statement = sql.insert_rows(row_class, len(part))  # type: ignore[arg-type] # mypy: a class has no hash
        yield Step(sql.table_of(row_class), statement, sql.values_of(part))


def _song_flavors(rows: Sequence[SongFlavor], most_values: int) -> Iterator[Step]:
    most = most_values // len(sql.columns_of(SongFlavor))
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        yield Step("songs", sql.update_song_flavors(len(part)), sql.values_of(part), len(part), "the flavor of a song")


def _passages_to_remove(batch: WriteBatch) -> Iterator[Step]:
    guids = batch.removed_passages
    if guids:
        statement = sql.delete_passages(len(guids), batch.passage_references)
        yield Step("passages", statement, guids, len(guids), "what refers to its passages")


def _links_to_remove(batch: WriteBatch) -> Iterator[Step]:
    """Make way for the links of all passages.

    Of new ones, too: a program that deletes passages without foreign keys leaves orphaned links behind.
    """
    guids = [passage.guid for passage in batch.passages]
    for table in sql.LINK_TABLES if guids else ():
        yield Step(table, sql.delete_links(table, len(guids)), guids)


def _peers(batch: WriteBatch) -> Iterator[Step]:
    if batch.file is None:
        return
    for peer in batch.peers:
        read = peer.read
        as_read = [read.guid, read.hash, read.status, read.matching_hashes]
        values = [peer.matching_hashes, batch.file.updated_at, *as_read]
        yield Step("files", sql.UPDATE_PEER, values, 1, "a file with the same content")


def _failure(batch: WriteBatch) -> Step:
    failure = batch.failure
    if failure is None:
        return Step("import_failures", sql.DELETE_FAILURE, [batch.path])
    values = [failure.path, failure.phase, failure.code, failure.message, failure.failed_at]
    return Step("import_failures", sql.INSERT_FAILURE, values)
