"""How facts become metadata that Dagster shows: tables, links, numbers."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from wkmp_assets.report.partition_metadata import Link
from wkmp_assets.report.passage_tables import PassageTable


def to_metadata(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Dagster takes as the metadata of a partition."""
    return {name: _shown(value) for name, value in facts.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, Link):
        return dg.MetadataValue.url(value.url)
    if isinstance(value, PassageTable):
        # Not Markdown: cells are shown as they are, so nothing in a title can become markup.
        schema = dg.TableSchema([dg.TableColumn(column, "string") for column in value.columns])
        return dg.TableMetadataValue(records=[dg.TableRecord(dict(line)) for line in value.lines], schema=schema)
    return value
