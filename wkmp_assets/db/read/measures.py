"""What the passages of a library measure in the middle."""

from pathlib import Path
from statistics import median

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import column_list, has_table

_MEASURES = ("bpm", "integrated_lufs")


def read_median_measures(database: Path) -> dict[str, float]:
    """Return the medians over all passages that have the measure.

    Returns
    -------
    dict
        `bpm`, beats per minute, and `integrated_lufs`, LUFS; without those that no passage has.
    """
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "passages"):
            return {}
        metadata = column_list(connection, "passages", ["additional_metadata"])
        query = f"""
            SELECT json_extract(additional_metadata, '$.measured.bpm') AS bpm,
                   json_extract(additional_metadata, '$.measured.integrated_lufs') AS integrated_lufs
            FROM (SELECT {metadata} FROM passages) WHERE json_valid(additional_metadata)"""  # noqa: S608 - literals only
        rows = connection.execute(query).fetchall()
    found = {name: [row[name] for row in rows if isinstance(row[name], int | float)] for name in _MEASURES}
    return {name: round(median(values), 2) for name, values in found.items() if values}
