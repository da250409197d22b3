"""Read which pictures the import gave to the files of a library."""

import sqlite3
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import has_table
from wkmp_assets.db.tables import IMAGES_OF_FILES


def read_images_of(connection: sqlite3.Connection, file_guid: str) -> dict[str, str | None]:
    """Return guid of an image that the import made for a file -> its path; None when its row is gone."""
    if not has_table(connection, IMAGES_OF_FILES):
        return {}
    query = f"""
        SELECT l.image_id, i.file_path FROM {IMAGES_OF_FILES} AS l LEFT JOIN images AS i ON i.guid = l.image_id
        WHERE l.file_id = ?"""  # noqa: S608 - literals only
    return {row["image_id"]: row["file_path"] for row in connection.execute(query, [file_guid])}


def read_image_paths(database: Path) -> set[str] | None:
    """Return the paths of all pictures that a library names, whoever made the rows; None when there is no library."""
    with open_reader(database) as connection:
        if connection is None:
            return None
        if not has_table(connection, "images"):
            return set()
        return {row["file_path"] for row in connection.execute("SELECT file_path FROM images")}


def read_cover_paths(database: Path) -> list[str]:
    """Return the sorted paths of the covers that the import keeps; none when there is no library yet."""
    query = f"""
        SELECT DISTINCT file_path FROM images WHERE guid IN (SELECT image_id FROM {IMAGES_OF_FILES})
        ORDER BY file_path"""  # noqa: S608 - literals only
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, IMAGES_OF_FILES):
            return []
        return [row["file_path"] for row in connection.execute(query)]
