"""The tables of a library with their columns and what these hold, for catalogs; and how many rows each table has."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlite_utils
from sqlite_utils.db import Database

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import has_table
from wkmp_assets.db.read.table_texts import TABLE_TEXTS
from wkmp_assets.db.schema import read_statements
from wkmp_assets.db.tables import quote_name


@dataclass(frozen=True)
class DescribedColumn:
    """One column."""

    name: str
    kind: str
    """Its type, as `schema.sql` declares it; empty for a computed column without one."""
    holds: str
    is_key: bool
    is_required: bool


@dataclass(frozen=True)
class DescribedTable:
    """One table."""

    name: str
    holds: str
    columns: tuple[DescribedColumn, ...]


@cache
def describe_tables() -> tuple[DescribedTable, ...]:
    """Return the tables that people may want to know, in the order of `TABLE_TEXTS`, with their computed columns."""
    with sqlite_utils.Database(memory=True) as library:
        for statement in read_statements():
            library.execute(statement)
        return tuple(
            DescribedTable(name, text.holds, _columns(library, name, text.columns))
            for name, text in TABLE_TEXTS.items()
            if not text.is_hidden
        )


def _columns(library: Database, table: str, texts: dict[str, str]) -> tuple[DescribedColumn, ...]:
    rows = library.execute(f"PRAGMA table_xinfo({quote_name(table)})")
    return tuple(
        DescribedColumn(name, kind, texts.get(name, ""), bool(place), bool(is_required or place))
        for _, name, kind, is_required, _, place, _ in rows
    )


def count_rows(database: Path) -> dict[str, int]:
    """Count the rows of these tables: table -> rows. Tables that the library lacks are left out."""
    with open_reader(database) as connection:
        if connection is None:
            return {}
        names = [table.name for table in describe_tables() if has_table(connection, table.name)]
        counts = (connection.execute(f"SELECT count(*) FROM {quote_name(name)}").fetchone() for name in names)  # noqa: S608 - our own names
        return {name: int(count) for name, (count,) in zip(names, counts, strict=True)}
