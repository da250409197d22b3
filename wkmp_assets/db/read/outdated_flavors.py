"""Read which files have flavors of an earlier version."""

from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import has_table
from wkmp_assets.model.flavor import TAGGER


def read_outdated_flavors(database: Path) -> frozenset[str]:
    """Read the paths of files with a passage whose flavor lacks the tags of this version; none without a library."""
    query = (
        "SELECT DISTINCT f.path FROM files AS f JOIN passages AS p ON p.file_id = f.guid "
        "WHERE p.musical_flavor_vector IS NOT NULL AND instr(coalesce(p.flavor_source_blend, ''), ?) = 0"
    )
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "passages"):
            return frozenset()
        return frozenset(row["path"] for row in connection.execute(query, (f'"{TAGGER}"',)))
