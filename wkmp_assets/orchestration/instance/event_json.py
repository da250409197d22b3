"""The JSON of events, as short as Dagster reads it back without a loss, and written at a tenth of the cost.

Dagster writes every field of every object, also those that have their defaults: half of the text. And the events of one
output differ only in partition, time and metadata. So the rest of their text is made once. Dagster's constructors take
a text or a number for a metadata value, and names for the key of an asset. So these are written without their classes.

Events of a step also repeat their message, and the names of their run and their step three times. Only events of
`library_entry`, which hold the receipts, keep that, and the whole data versions of what they were made from.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import dagster as dg
from dagster import AssetKey, DagsterEventType
from dagster._core.definitions.data_version import INPUT_DATA_VERSION_TAG_PREFIX
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._serdes import pack_value

from wkmp_assets.model.phases import CODE_VERSIONS, ENTRY, SCAN

Row = tuple[str, str, str | None, str, str | None, str | None, str | None]
"""run id, event, type, time, step, asset, partition."""

_KINDS = {kind.value: kind for kind in DagsterEventType}
"""Name of a type -> type. Dagster makes an enum of its name again for every look at an event."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "AssetMaterialization": {"description": None, "partition": None},
    "AssetMaterializationPlannedData": {"partition": None, "partitions_subset": None},
    "AssetCheckEvaluation": {"partition": None},
    "AssetCheckEvaluationPlanned": {"partitions_subset": None},
    "ComputeLogsCaptureData": dict.fromkeys(
        ("external_stderr_url", "external_stdout_url", "external_url", "shell_cmd")
    ),
    "DagsterEvent": {
        "event_specific_data": None,
        "logging_tags": {},
        "pid": None,
        "solid_handle": None,
        "step_handle": None,
        "step_key": None,
        "step_kind_value": None,
    },
    "EngineEventData": {"error": None, "marker_end": None, "marker_start": None, "metadata_entries": []},
    "EventLogEntry": {"message": "", "step_key": None},
    "EventMetadataEntry": {"description": None},
    "HandledOutputData": {"metadata_entries": []},
    "LoadedInputData": {"metadata_entries": []},
    "StepMaterializationData": {"asset_lineage": []},
    "StepOutputData": {"metadata_entries": [], "version": None},
    "StepOutputHandle": {"mapping_key": None},
    "TableColumn": {
        "description": None,
        "type": "string",
        "constraints": {"__class__": "TableColumnConstraints", "nullable": True, "other": [], "unique": False},
    },
    "TableSchema": {"constraints": {"__class__": "TableConstraints", "other": []}},
    "TypeCheckData": {"description": None, "metadata_entries": []},
}
"""Class -> field -> the value that Dagster takes when the field is left out."""

_PARTITION, _TIME, _METADATA = "\x00partition", "\x00time", "\x00metadata"
"""Where the parts of one event go in the text that several share. No text of an event has a zero character."""
_REPEATED = ("logging_tags", "solid_handle", "step_kind_value")
"""Fields of a step's event that only say again what run and step it is of."""
_REPEATED_OF_ASSETS = (*_REPEATED, "step_handle", "pid")
"""A run that goes on after a failure tells by the handles of the other events which steps are done."""
_BARE: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "TextMetadataEntryData": ("text", (str,)),
    "IntMetadataEntryData": ("value", (int,)),
    "FloatMetadataEntryData": ("value", (float,)),
    "JsonMetadataEntryData": ("data", (dict, list)),
}
"""Class of a metadata value -> its only field, and the types of it of which Dagster makes this class again."""
_INPUTS = frozenset(f"{INPUT_DATA_VERSION_TAG_PREFIX}/{phase}" for phase in CODE_VERSIONS if phase != SCAN)
_MAX_INPUT_VERSION = 8
"""Characters. Dagster finds out by the ids of events whether a partition is stale, and shows these versions nowhere.
It compares only those of assets without partitions."""
_NO_DEFAULTS: Mapping[str, Any] = {}
_ABSENT = object()


def shorten(packed: Any) -> Any:
    """Return packed JSON without the fields that have their defaults, and without classes that Dagster adds itself."""
    if isinstance(packed, list):
        return [shorten(one) for one in packed]
    if not isinstance(packed, dict):
        return packed
    name = packed.get("__class__", "")
    if name == "JsonMetadataEntryData":  # a person's own data
        return packed
    defaults = DEFAULTS.get(name, _NO_DEFAULTS)
    short = {field: shorten(one) for field, one in packed.items() if defaults.get(field, _ABSENT) != one}
    if name == "EventMetadataEntry":
        short["entry_data"] = _bare(short["entry_data"])
    elif name == "AssetCheckEvaluation":
        short["metadata"] = {label: _bare(value) for label, value in short["metadata"].items()}
    elif name == "AssetMaterialization":
        short["asset_key"] = short["asset_key"]["path"]
    return short


def _bare(value: dict[str, Any]) -> Any:
    """Return what a metadata value holds, if Dagster makes the same value of it; else the value."""
    field, types = _BARE.get(value["__class__"], ("", ()))
    held = value.get(field)
    return held if type(held) in types else value


def _pack(event: EventLogEntry) -> Any:
    """Return the JSON of an event as Dagster makes it, but for what it repeats."""
    packed: Any = pack_value(event)
    one = event.dagster_event
    if one is not None and one.step_key is not None and not (one.asset_key and one.asset_key.path[-1] == ENTRY):
        for name in _REPEATED_OF_ASSETS if one.asset_key or kind_of(event) in ASSET_CHECK_EVENTS else _REPEATED:
            packed["dagster_event"].pop(name)
        if one.message == event.user_message:  # which Dagster shows when the other is missing
            packed["dagster_event"].pop("message")
    return packed


def to_json(packed: Any, *, is_sorted: bool = True) -> str:
    """Return JSON without blanks, by default with sorted keys as Dagster writes it."""
    return json.dumps(packed, separators=(",", ":"), sort_keys=is_sorted)


def naive_utc(timestamp: float) -> str:
    """Return a time as the text that Dagster's databases hold."""
    return datetime.fromtimestamp(timestamp, UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def kind_of(event: EventLogEntry) -> DagsterEventType | None:
    """Return the type of an event; None when it is not of Dagster."""
    return _KINDS[event.dagster_event.event_type_value] if event.dagster_event else None


def asset_of(event: EventLogEntry) -> str | None:
    """Return the key of the asset that an event is of, as the databases hold it; None when it is of none."""
    one: Any = event.dagster_event
    if one is None or (kind := kind_of(event)) not in ASSET_EVENTS:
        return None
    if kind is DagsterEventType.ASSET_MATERIALIZATION:  # nearly all; Dagster checks the event's type again and again
        key = one.event_specific_data.materialization.asset_key
    else:
        key = one.asset_key
    return _asset_name(key) if key else None


@lru_cache(maxsize=256)
def _asset_name(key: AssetKey) -> str:
    return key.to_string()


class EventRows:
    """Makes the rows of events. Consecutive events of one output share most of their text."""

    def __init__(self) -> None:
        self._shared: tuple[Any, ...] | None = None
        self._pieces: list[str] = []
        self._schemas: dict[tuple[tuple[str, str], ...], str] = {}

    def make(self, event: EventLogEntry) -> Iterator[Row]:
        """Yield the row of an event, or one for each partition of an event that plans many."""
        one, kind, when = event.dagster_event, kind_of(event), naive_utc(event.timestamp)
        if one is None:
            yield event.run_id, to_json(shorten(_pack(event))), None, when, event.step_key, None, None
            return
        data: Any = one.event_specific_data
        step, asset = one.step_key, asset_of(event)
        if kind is DagsterEventType.ASSET_MATERIALIZATION:
            metadata = self._metadata(data.materialization.metadata)
            partitions = [data.materialization.partition]
        elif kind is DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
            metadata = ""
            whole = data.partitions_subset
            partitions = [data.partition] if whole is None else list(whole.get_partition_keys())
        else:
            text = to_json(shorten(_pack(event)))
            yield event.run_id, text, one.event_type_value, when, step, asset, one.partition
            return
        if not partitions:
            return
        pieces = self._pieces_of(event, has_partition=partitions[0] is not None)
        for partition in partitions:
            parts = {_PARTITION: json.dumps(partition), _TIME: repr(event.timestamp), _METADATA: f"[{metadata}]"}
            text = "".join(parts.get(piece, piece) for piece in pieces)
            yield event.run_id, text, one.event_type_value, when, step, asset, partition

    def _pieces_of(self, event: EventLogEntry, *, has_partition: bool) -> list[str]:
        """Return the text of an event of an asset, divided where its own parts go."""
        shared = _shared_by(event, not has_partition)
        if shared != self._shared:
            self._shared, self._pieces = shared, _split(event, has_partition=has_partition)
        return self._pieces

    def _metadata(self, metadata: Mapping[str, dg.MetadataValue[Any]]) -> str:
        return ",".join(
            f'{{"__class__":"EventMetadataEntry","entry_data":{self._value(value)},"label":{json.dumps(label)}}}'
            for label, value in metadata.items()
        )

    def _value(self, value: dg.MetadataValue[Any]) -> str:
        """Return the text of a metadata value. The usual kinds are written here, as most of an event is metadata."""
        match value:
            case dg.TextMetadataValue(text=str(text)):
                return json.dumps(text)
            case dg.IntMetadataValue(value=number) if type(number) is int:
                return str(number)
            case dg.FloatMetadataValue(value=number) if type(number) is float:
                return json.dumps(number)
            case dg.UrlMetadataValue(url=str(url)):
                return f'{{"__class__":"UrlMetadataEntryData","url":{json.dumps(url)}}}'
            case dg.TableMetadataValue(records=records, schema=schema):
                return self._table(records, schema)
        return to_json(_bare(shorten(pack_value(value))))  # type: ignore[call-overload]  # its kinds can be packed, their base class cannot

    def _table(self, records: Sequence[dg.TableRecord], schema: dg.TableSchema) -> str:
        rows = ",".join(
            f'{{"__class__":"TableRecord","data":{to_json(dict(record.data), is_sorted=False)}}}' for record in records
        )
        columns = tuple((column.name, column.type) for column in schema.columns)
        if schema != dg.TableSchema([dg.TableColumn(*column) for column in columns]):
            known = to_json(shorten(pack_value(schema)))
        elif records and columns == _columns_of(records[0]):
            known = "null"
        else:
            known = self._schemas.get(columns) or to_json(shorten(pack_value(schema)))
            self._schemas[columns] = known
        return f'{{"__class__":"TableMetadataEntryData","records":[{rows}],"schema":{known}}}'


def _columns_of(record: dg.TableRecord) -> tuple[tuple[str, str], ...]:
    """Return the names and types of the columns that Dagster makes of a table's first row."""
    return tuple((name, dg.TableMetadataValue.infer_column_type(value)) for name, value in record.data.items())


def _shared_by(event: EventLogEntry, is_unpartitioned: bool) -> tuple[Any, ...]:
    """Return all of an event of an asset but its time, its metadata and its partition."""
    one: Any = event.get_dagster_event()
    if kind_of(event) is DagsterEventType.ASSET_MATERIALIZATION:
        data = one.event_specific_data
        of_asset: tuple[Any, ...] = (data.materialization.description, data.materialization.tags, data.asset_lineage)
    else:
        of_asset = ()
    of_event = (event.error_info, event.level, event.user_message, event.run_id, event.step_key, event.job_name)
    of_step = (one.event_type_value, one.job_name, one.step_handle, one.node_handle, one.step_kind_value)
    rest = (one.logging_tags, one.message, one.pid, one.step_key, asset_of(event))
    return (is_unpartitioned, *of_event, *of_step, *rest, *of_asset)


def _shorten_tag(name: str, value: str) -> str:
    return value[:_MAX_INPUT_VERSION] if name in _INPUTS else value


def _without_metadata(event: EventLogEntry) -> EventLogEntry:
    """Return a materialization without its metadata, most of which are tables; every other event as it is."""
    if kind_of(event) is not DagsterEventType.ASSET_MATERIALIZATION:
        return event
    one: Any = event.get_dagster_event()
    data = one.event_specific_data
    bare = data.materialization._replace(metadata={})
    return event._replace(dagster_event=one._replace(event_specific_data=data._replace(materialization=bare)))


def _split(event: EventLogEntry, *, has_partition: bool) -> list[str]:
    """Return the text of an event of an asset, with names in place of its own parts."""
    packed = _pack(_without_metadata(event))
    packed["timestamp"] = _TIME
    data = packed["dagster_event"]["event_specific_data"]
    if "materialization" in data:
        data = data["materialization"]
        data["metadata_entries"] = _METADATA
        if has_partition and data["asset_key"]["path"] != [ENTRY]:
            data["tags"] = {name: _shorten_tag(name, value) for name, value in data["tags"].items()}
    else:
        data["partitions_subset"] = None
    data["partition"] = _PARTITION if has_partition else None
    text = to_json(shorten(packed))
    for name in (_PARTITION, _TIME, _METADATA):
        text = text.replace(json.dumps(name), f"\n{name}\n")  # JSON without blanks has no line breaks
    return text.split("\n")
