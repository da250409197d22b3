"""Metadata as Dagster takes it: tables, links and plain values."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from wkmp_assets.report.partition_metadata import Link
from wkmp_assets.report.passage_tables import PassageTable

MAX_ROWS = 100
"""Of one table, so that its page in the web UI opens in a library of any size."""


def to_metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a partition, with tables and links as Dagster shows them."""
    return {name: _to_value(value) for name, value in values.items()}


def to_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Return a table of the first `MAX_ROWS` rows.

    A table shows its cells as they are, unlike Markdown: no title of a song can become markup.

    Parameters
    ----------
    columns : sequence of str
        Their order from left to right. A column has the type of its first value.
    rows : sequence of mapping
        Column -> value; cells without a value stay empty.
    """
    shown = rows[:MAX_ROWS]
    schema = dg.TableSchema([dg.TableColumn(column, _type_of(column, shown)) for column in columns])
    return dg.TableMetadataValue([dg.TableRecord({name: row.get(name) for name in columns}) for row in shown], schema)


def _to_value(value: Any) -> Any:
    if isinstance(value, Link):
        return dg.MetadataValue.url(value.url)
    return to_table(value.columns, value.lines) if isinstance(value, PassageTable) else value


def _type_of(column: str, rows: Sequence[Mapping[str, Any]]) -> str:
    value = next((row[column] for row in rows if column in row), "")
    return {int: "int", float: "float"}.get(type(value), "string")
