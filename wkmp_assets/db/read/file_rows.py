"""Read all rows of one file that an import or a person's command replaces."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import TypeVar

from wkmp_assets.db.read.select import select_in
from wkmp_assets.db.tables import columns_of
from wkmp_assets.model.rows import FileRow, FileRows, PassageAlbumRow, PassageRow, PassageSongRow, ProvenanceRow

Row = TypeVar("Row", PassageSongRow, PassageAlbumRow, ProvenanceRow)


def read_file_rows(connection: sqlite3.Connection, path: str) -> FileRows | None:
    """Return the rows of the file under a path; None when the library does not have it.

    Parameters
    ----------
    connection : sqlite3.Connection
        A read-only connection with `sqlite3.Row` rows, to a library that a writer has brought up to date.
    path : str
        Below the library root.
    """
    file = connection.execute(f"SELECT {_columns(FileRow)} FROM files WHERE path = ?", [path]).fetchone()  # noqa: S608 - literals only
    if file is None:
        return None
    select = f"SELECT {_columns(PassageRow)} FROM passages WHERE file_id = ? ORDER BY {_ORDER}"  # noqa: S608 - literals only
    passages = tuple(PassageRow(**dict(row)) for row in connection.execute(select, [file["guid"]]))
    guids = [passage.guid for passage in passages]
    return FileRows(
        FileRow(**dict(file)),
        passages,
        tuple(_read(connection, PassageSongRow, "passage_songs", guids)),
        tuple(_read(connection, PassageAlbumRow, "passage_albums", guids)),
        tuple(_read(connection, ProvenanceRow, "import_provenance", guids)),
    )


def _read(connection: sqlite3.Connection, row_class: type[Row], table: str, passages: Sequence[str]) -> Iterator[Row]:
    select = f"SELECT {_columns(row_class)} FROM {table} WHERE passage_id IN"  # noqa: S608 - literals only
    for row in select_in(connection, select, passages):
        yield row_class(**dict(row))


_ORDER = "start_time_ticks, guid"
"""That of the numbers which `wkmp show` prints."""


def _columns(row_class: type) -> str:
    return ", ".join(columns_of(row_class))
