"""Find what refers to files and passages, besides the import's own links: play history, queue, timeslots and others.

Other WKMP programs own those tables and change them, so there is no list of them. They are found by foreign keys and by
the names of their columns.
"""

import sqlite3
from collections.abc import Iterator, Sequence

from wkmp_assets.db.read.select import select_in
from wkmp_assets.db.tables import IMAGES_OF_FILES, LINK_TABLES, WARNINGS, quote_name
from wkmp_assets.model.references import Reference


def find_referenced(
    connection: sqlite3.Connection, guids: Sequence[str], references: Sequence[tuple[str, str]]
) -> frozenset[str]:
    """Return the passages that any of some columns refers to."""
    found: set[str] = set()
    for table, column in references:
        name = quote_name(column)
        select = f"SELECT {name} AS guid FROM {quote_name(table)} WHERE {name} IN"  # noqa: S608 - names from the schema
        found.update(row["guid"] for row in select_in(connection, select, guids))
    return frozenset(found)


def find_passage_references(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield the tables and columns that refer to passages."""
    for reference in find_references(connection, PASSAGES):
        yield reference.table, reference.column


PASSAGES = "passages"
FILES = "files"
_COLUMNS = {PASSAGES: ("passage_id", "passage_guid"), FILES: ("file_id", "file_guid")}
_OWN = {PASSAGES: frozenset(LINK_TABLES), FILES: frozenset({PASSAGES, WARNINGS, IMAGES_OF_FILES})}


def find_references(connection: sqlite3.Connection, target: str) -> Iterator[Reference]:
    """Yield the columns that refer to a table.

    Parameters
    ----------
    connection : sqlite3.Connection
        With `sqlite3.Row` rows.
    target : {"files", "passages"}
        The table.
    """
    query = """
        SELECT t.name AS "table", c.name AS "column", COALESCE((
            SELECT k.on_delete FROM pragma_foreign_key_list(t.name) AS k WHERE k."table" = :target AND k."from" = c.name
          ), '') AS on_delete
        FROM sqlite_master AS t, pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND (c.name IN (:one, :other) OR on_delete <> '')"""
    one, other = _COLUMNS[target]
    for row in connection.execute(query, {"target": target, "one": one, "other": other}):
        if row["table"] not in _OWN[target]:
            yield Reference(target, row["table"], row["column"], row["on_delete"] == "SET NULL")
