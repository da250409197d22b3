"""Read what goes when a file is removed from the library."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wkmp_assets.db.connection import open_reader, snapshot
from wkmp_assets.db.read.images import read_images_of
from wkmp_assets.db.read.references import FILES, PASSAGES, find_references
from wkmp_assets.db.read.select import column_list, has_table, read_passages_text, select_in
from wkmp_assets.db.tables import LINK_TABLES, PERSON_SOURCE, columns_of, listed_copies, quote_name
from wkmp_assets.model.references import Reference
from wkmp_assets.model.rows import FileRow, PassageAlbumRow, PassageRow, PassageSongRow


@dataclass(frozen=True)
class Removable:
    """One file, with everything that goes with it."""

    file: FileRow
    missing_since: str | None = None
    """UTC, `YYYY-MM-DD HH:MM:SS`; None when no scan has marked it yet."""
    passages: tuple[str, ...] = ()
    passages_text: bytes | None = None
    """The passages as one text to compare; None without passages, and in a library that no import has written to."""
    edited: int = 0
    """Number of passages with a title, fades or a song from a person."""
    links: int = 0
    """Number of links to songs and albums, and of provenance rows."""
    references: dict[str, int] = field(default_factory=dict)
    """Table of another program -> number of rows that refer to it: play history, queue, timeslots."""
    reference_columns: tuple[Reference, ...] = ()
    """Columns of other programs that may refer to it."""
    copies: tuple[FileRow, ...] = ()
    """Files that list it as a copy."""
    images: tuple[str, ...] = ()
    """Images that the import made for it."""


def read_removable(database: Path, paths: Sequence[str]) -> list[Removable]:
    """Read what would go with each of some files, by path. Paths that the library does not have are left out."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, FILES):
            return []
        with snapshot(connection):
            references = _references(connection)
            is_complete = _has_compared_columns(connection)
            select = f"{_select_files(connection)} WHERE path IN"
            rows = sorted((FileRow(**dict(row)) for row in select_in(connection, select, paths)), key=lambda r: r.path)
            return [_removable(connection, row, references, is_complete=is_complete) for row in rows]


def _select_files(connection: sqlite3.Connection) -> str:
    return f"SELECT {column_list(connection, FILES, columns_of(FileRow))} FROM files"  # noqa: S608 - literals only


def _references(connection: sqlite3.Connection) -> list[Reference]:
    return [*find_references(connection, PASSAGES), *find_references(connection, FILES)]


def _has_compared_columns(connection: sqlite3.Connection) -> bool:
    """Tell whether passages can be compared. A library that no import has written to may lack columns and tables."""
    query = "SELECT name FROM pragma_table_info(?)"
    compared = {PASSAGES: PassageRow, "passage_songs": PassageSongRow, "passage_albums": PassageAlbumRow}
    return all(
        {*columns_of(row_class)} <= {column["name"] for column in connection.execute(query, [table])}
        for table, row_class in compared.items()
    )


def _removable(
    connection: sqlite3.Connection, row: FileRow, references: Sequence[Reference], *, is_complete: bool
) -> Removable:
    names = ("guid", "mbid_source", "user_title", "fade_in_start_ticks", "fade_out_start_ticks")
    query = f"SELECT {column_list(connection, PASSAGES, names)} FROM passages WHERE file_id = ?"  # noqa: S608 - literals only
    passages = connection.execute(query, [row.guid]).fetchall() if has_table(connection, PASSAGES) else []
    guids = [passage["guid"] for passage in passages]
    counted: dict[str, int] = {}
    for one in references:
        rows = _count(connection, one.table, one.column, guids if one.target == PASSAGES else [row.guid])
        counted[one.table] = counted.get(one.table, 0) + rows
    linked = [_count(connection, name, "passage_id", guids) for name in LINK_TABLES if has_table(connection, name)]
    return Removable(
        row,
        _missing_since(connection, row.path),
        tuple(guids),
        read_passages_text(connection, row.guid) if is_complete else None,
        edited=sum(map(_is_edited, passages)),
        links=sum(linked),
        references={table: rows for table, rows in counted.items() if rows},
        reference_columns=tuple(references),
        copies=tuple(_copies(connection, row)),
        images=tuple(read_images_of(connection, row.guid)),
    )


def _is_edited(passage: sqlite3.Row) -> bool:
    return passage["mbid_source"] == PERSON_SOURCE or any(value is not None for value in tuple(passage)[2:])


def _count(connection: sqlite3.Connection, table: str, column: str, guids: Sequence[str]) -> int:
    select = f"SELECT count(*) AS rows FROM {quote_name(table)} WHERE {quote_name(column)} IN"  # noqa: S608 - names from the schema
    return sum(row["rows"] for row in select_in(connection, select, guids))


def _missing_since(connection: sqlite3.Connection, path: str) -> str | None:
    if not has_table(connection, "missing_files"):
        return None
    row = connection.execute("SELECT missing_since FROM missing_files WHERE path = ?", [path]).fetchone()
    return None if row is None else row["missing_since"]


def _copies(connection: sqlite3.Connection, row: FileRow) -> Iterator[FileRow]:
    select = f"{_select_files(connection)} WHERE hash = ? AND guid <> ? ORDER BY path"
    for found in connection.execute(select, [row.hash, row.guid]):
        copy = FileRow(**dict(found))
        if row.guid in listed_copies(copy.matching_hashes):
            yield copy
