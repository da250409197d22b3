"""The tables of the library in Dagster's catalog: columns, where they come from, and how many rows there are."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from wkmp_assets.db.read.described_tables import DescribedTable, describe_tables
from wkmp_assets.model.phases import ENTRY, FLAVORS, IDENTITY, LEAD_POINTS, LOOKUPS, MATCHES, SEGMENTS, TAGS
from wkmp_assets.settings import Settings

GROUP = "library_tables"
_PREFIX = "wkmp_db"
_FILE_TABLE = "files"
"""A partition of `library_entry` is a row of it."""

_Source = tuple[str, str]

SOURCES: dict[str, dict[str, Sequence[_Source]]] = {
    "files": {
        "hash": [(IDENTITY, "content_hash")],
        "file_size_bytes modification_time": [(IDENTITY, "size_bytes"), (IDENTITY, "modified_at")],
        "duration_ticks format sample_rate channels duration": [(SEGMENTS, "audio")],
        "title": [(TAGS, "title")],
        "artist": [(TAGS, "artist")],
        "album": [(TAGS, "album")],
        "track_number": [(TAGS, "track_number")],
        "year": [(TAGS, "year")],
        "status matching_hashes": [(IDENTITY, "duplicate_of"), (SEGMENTS, "passages")],
    },
    "passages": {
        "start_time_ticks end_time_ticks start_time end_time": [(SEGMENTS, "passages"), (MATCHES, "joined_from")],
        "lead_in_start_ticks lead_out_start_ticks lead_in_point lead_out_point": [(LEAD_POINTS, "passages")],
        "title title_source title_confidence": [(MATCHES, "passages"), (TAGS, "title")],
        "artist artist_source artist_confidence": [(MATCHES, "passages"), (TAGS, "artist")],
        "album album_source album_confidence": [(MATCHES, "passages"), (TAGS, "album")],
        "recording_mbid song_id mbid_source mbid_confidence identity_confidence": [(MATCHES, "passages")],
        "musical_flavor_vector flavor_source_blend flavor_completeness": [(FLAVORS, "passages")],
        "additional_metadata": [(FLAVORS, "passages"), (TAGS, "details")],
        "import_metadata": [(SEGMENTS, "parameters"), (LEAD_POINTS, "parameters")],
    },
    "songs": {
        "recording_mbid title artist_name work_id": [(MATCHES, "passages")],
        "flavor_vector flavor_source_blend status": [(FLAVORS, "passages")],
    },
    "artists": {"artist_mbid name": [(MATCHES, "passages"), (TAGS, "artists")]},
    "works": {"work_mbid title": [(MATCHES, "passages"), (TAGS, "works")]},
    "albums": {"album_mbid title release_date": [(MATCHES, "passages"), (TAGS, "release")]},
    "images": {"file_path image_type width height": [(TAGS, "covers")]},
    "passage_songs": {"song_id passage_id": [(MATCHES, "passages")]},
    "song_artists": {"song_id artist_id weight": [(MATCHES, "passages")]},
    "song_works": {"song_id work_id": [(MATCHES, "passages")]},
    "passage_albums": {"album_id passage_id": [(MATCHES, "passages")]},
    "import_provenance": {"source_type data_extracted confidence": [(LOOKUPS, "passages")]},
}
"""Table -> names of columns, separated by blanks -> assets and fields of their values that the columns are from."""


def table_specs(settings: Settings) -> list[dg.AssetSpec]:
    """Return the tables as assets that Dagster does not materialize: the import writes them, the report counts them."""
    return [
        dg.AssetSpec(
            key_of(table.name),
            deps=[ENTRY],
            group_name=GROUP,
            description=table.holds,
            owners=list(settings.owner_names),
            tags=settings.asset_tag_values,
            kinds={"sqlite", "table"},
            metadata=_describe(table),
        )
        for table in describe_tables()
    ]


def key_of(table: str) -> dg.AssetKey:
    """Return the asset key of a table."""
    return dg.AssetKey([_PREFIX, table])


def describe_entry(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Return the specification of `library_entry` with the columns of the row that a partition is."""
    (files,) = (table for table in describe_tables() if table.name == _FILE_TABLE)
    return spec.replace_attributes(metadata={**spec.metadata, **_describe(files)})


def counted_tables(row_counts: Mapping[str, int]) -> Iterator[dg.AssetMaterialization]:
    """Yield an event for each table with the number of its rows, which the web UI shows and plots."""
    for table, count in row_counts.items():
        yield dg.AssetMaterialization(key_of(table), metadata={"dagster/row_count": count})


def _describe(table: DescribedTable) -> dict[str, object]:
    columns = [
        dg.TableColumn(
            column.name,
            column.kind or "computed",
            description=column.holds,
            constraints=dg.TableColumnConstraints(
                nullable=not column.is_required, other=["primary key"] if column.is_key else []
            ),
        )
        for column in table.columns
    ]
    lineage = {
        name: [dg.TableColumnDep(dg.AssetKey(asset), field) for asset, field in sources]
        for names, sources in SOURCES.get(table.name, {}).items()
        for name in names.split()
    }
    described: dict[str, object] = {
        "dagster/table_name": f"main.{table.name}",
        "dagster/column_schema": dg.TableSchema(columns),
    }
    return described | ({"dagster/column_lineage": dg.TableColumnLineage(lineage)} if lineage else {})
