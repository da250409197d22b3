"""Read which files have flavors or loudness of an earlier version."""

import sqlite3
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import column_list, has_table
from wkmp_assets.model.flavor import TAGGER
from wkmp_assets.model.ticks import TICKS_PER_SECOND

_COLUMNS = (
    "file_id", "start_time_ticks", "end_time_ticks", "musical_flavor_vector", "flavor_source_blend",
    "additional_metadata",
)  # fmt: skip

MIN_LOUDNESS_TICKS = TICKS_PER_SECOND // 2
"""Shorter passages may have no whole block of 400 ms, so that no decode gives them a loudness."""


def read_outdated_flavors(database: Path) -> frozenset[str]:
    """Read the paths of files with a passage whose flavor lacks the tags of this version; none without a library."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "passages"):
            return frozenset()
        query = (
            f"SELECT DISTINCT f.path {_of_passages(connection)} "
            "WHERE p.musical_flavor_vector IS NOT NULL AND instr(coalesce(p.flavor_source_blend, ''), ?) = 0"
        )
        return frozenset(row["path"] for row in connection.execute(query, (f'"{TAGGER}"',)))


def read_without_loudness(database: Path) -> dict[str, int]:
    """Count, by path of the file, the passages that could have a loudness and have none; none without a library."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "passages"):
            return {}
        query = (
            f"SELECT f.path, count(*) AS passages {_of_passages(connection)} "
            "WHERE p.musical_flavor_vector IS NOT NULL AND p.end_time_ticks - p.start_time_ticks >= ? "
            "AND json_extract(iif(json_valid(p.additional_metadata), p.additional_metadata, '{}'), "
            "'$.measured.integrated_lufs') IS NULL GROUP BY f.path"
        )
        return {row["path"]: row["passages"] for row in connection.execute(query, (MIN_LOUDNESS_TICKS,))}


def _of_passages(connection: sqlite3.Connection) -> str:
    """Return the FROM clause for files `f` and passages `p`."""
    return (
        f"FROM files AS f JOIN (SELECT {column_list(connection, 'passages', _COLUMNS)} FROM passages) AS p "  # noqa: S608 - literals only
        "ON p.file_id = f.guid"
    )
