"""Our event storage leaves in its databases what Dagster's own class leaves, and shows it as soon."""

import json
import pickle
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterInstance
from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import deserialize_value, serialize_value
from sqlalchemy import event as sql_event

from wkmp_assets.orchestration.instance import event_log
from wkmp_assets.orchestration.instance.event_batch import MAX_EVENTS, MAX_WAIT_S, EventBatch
from wkmp_assets.orchestration.instance.event_json import DEFAULTS, shorten, to_json
from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage, KeptOpenSqliteStorage
from wkmp_assets_tests.support.memory_instance import event_storage, memory_instance
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until

pytestmark = pytest.mark.slow  # they store much

FILES = dg.DynamicPartitionsDefinition(name="files")
RANGE = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "c"}


METADATA = {
    "text": 'ends with a "quote", an ü and a \n',
    "number": 1,
    "share": 0.1,
    "infinite": float("inf"),
    "is_true": True,
    "page": dg.MetadataValue.url("https://example.org/?a=1"),
    "nothing": None,
    "words": dg.MetadataValue.json({"a": [1, None, {"b": "ä"}]}),
    "row of words": [1, "a"],
    "path": dg.MetadataValue.path("/music"),
    "plain": dg.TableMetadataValue(
        [dg.TableRecord({"passage": "1", "title": "<b>"})],
        dg.TableSchema([dg.TableColumn("passage"), dg.TableColumn("title")]),
    ),
    "in another order": dg.TableMetadataValue(
        [dg.TableRecord({"passage": 1, "title": "a"})],
        dg.TableSchema([dg.TableColumn("title"), dg.TableColumn("passage", "int")]),
    ),
    "empty": dg.TableMetadataValue([], dg.TableSchema([dg.TableColumn("passage")])),
    "described": dg.TableMetadataValue(
        [dg.TableRecord({"passage": 1})], dg.TableSchema([dg.TableColumn("passage", "int", description="its number")])
    ),
}


@dg.asset(partitions_def=FILES, backfill_policy=dg.BackfillPolicy.single_run())
def tags() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(
        metadata={"title": "x" * 1000}, tags={"genre": "rock"}, data_version=dg.DataVersion("1")
    )


@dg.asset(partitions_def=FILES, backfill_policy=dg.BackfillPolicy.single_run(), deps=[tags])
def library_entry() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata=METADATA)


@dg.asset_check(asset=library_entry)
def is_whole() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset
def scan() -> int:
    return 1


@dg.asset
def report(scan: int) -> int:
    return scan


@dg.asset(deps=[tags])
def fails() -> None:
    raise ValueError("a reason")


@pytest.fixture(scope="module")
def recorded() -> list[EventLogEntry]:
    """Everything that four runs give to the storage, in its order; the last one fails."""
    given: list[EventLogEntry] = []
    with memory_instance() as instance:
        storage = event_storage(instance)
        store = storage.store_event
        storage.store_event = lambda event: (given.append(event), store(event))[1]  # type: ignore[method-assign]  # to see what it is given
        instance.add_dynamic_partitions("files", ["a", "b", "c"])
        everything = [tags, library_entry, is_whole]
        for selection in (everything, everything[1:]):
            assert dg.materialize(everything, selection=selection, instance=instance, tags=RANGE).success
        assert dg.materialize([scan, report], instance=instance, resources={"io_manager": dg.mem_io_manager}).success
        assert not dg.materialize([fails], instance=instance, raise_on_error=False).success
    return given


@pytest.fixture(scope="module")
def events(recorded: list[EventLogEntry]) -> list[EventLogEntry]:
    """The same events, with one for each partition that is planned, as Dagster's own class gets them."""
    found = [one for event in recorded for one in one_by_one(event)]
    assert len(materialized(found)) == 11
    return found


def one_by_one(event: EventLogEntry) -> Iterator[EventLogEntry]:
    of_dagster = event.dagster_event
    if of_dagster is None or not of_dagster.is_asset_materialization_planned:
        yield event
        return
    planned = of_dagster.asset_materialization_planned_data
    keys = planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None]
    for key in keys:
        data = planned._replace(partition=key, partitions_subset=None)
        yield event._replace(dagster_event=of_dagster._replace(event_specific_data=data))


def told_by_both(
    events: list[EventLogEntry], given_to_ours: list[EventLogEntry], folder: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ours and Dagster's own class say of the events that they were given."""
    found = []
    for storage, given in (
        (KeptOpenEventLogStorage(str(folder / "ours")), given_to_ours),
        (SqliteEventLogStorage(str(folder / "theirs")), events),
    ):
        for event in given:
            storage.store_event(event)
        found.append(told_by(storage, list(dict.fromkeys(event.run_id for event in events))))
        storage.dispose()
    return found[0], found[1]


ASSETS = [dg.AssetKey(name) for name in ("tags", "library_entry", "scan", "report", "fails")]


def told_by(storage: SqliteEventLogStorage, run_ids: list[str]) -> dict[str, Any]:
    """What Dagster and its web UI ask a storage, without the ids of events, which are its own."""
    told: dict[str, Any] = {}
    for run_id in run_ids:
        logs = list(storage.get_logs_for_run(run_id))
        told[f"{run_id}: log"] = [said_by(one) for one in kept_of(logs)]
        told[f"{run_id}: figures"] = storage.get_stats_for_run(run_id)
        told[f"{run_id}: steps"] = [
            (one.step_key, one.status, one.start_time, one.end_time, len(one.materialization_events))
            for one in storage.get_step_stats_for_run(run_id)
        ]
        told[f"{run_id}: assets"] = storage.get_asset_partitions_for_run(
            run_id, {DagsterEventType.ASSET_MATERIALIZATION}
        )
    for key in ASSETS:
        wanted = dg.AssetRecordsFilter(asset_key=key)
        found = [record.event_log_entry for record in storage.fetch_materializations(wanted, limit=100).records]
        told[f"{key}: materializations"] = [said_by(one) for one in found]
        told[f"{key}: partitions"] = storage.get_materialized_partitions(key)
        told[f"{key}: versions"] = storage.get_latest_tags_by_partition(
            key, DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
        )
        unfinished = storage.get_latest_asset_partition_materialization_attempts_without_materializations(key)
        told[f"{key}: failed or in progress"] = {partition: run_id for partition, (run_id, _) in unfinished.items()}
        planned = storage.get_latest_planned_materialization_info(key)
        told[f"{key}: latest run"] = planned.run_id if planned else None
        checks = storage.get_asset_check_execution_history(dg.AssetCheckKey(key, "is_whole"), limit=9)
        told[f"{key}: checks"] = [(one.run_id, one.status, said_by(one.event)) for one in checks if one.event]
    for record in storage.get_asset_records(ASSETS):
        entry = record.asset_entry
        told[f"{entry.asset_key}: itself"] = (
            said_by(entry.last_materialization) if entry.last_materialization else None, entry.last_run_id
        )  # fmt: skip
    return told


def kept_of(logs: list[EventLogEntry]) -> list[EventLogEntry]:
    """The events of a run without those that ours leaves out, or keeps no longer than they are needed."""
    followers = [*logs[1:], None]
    return [
        one
        for one, follower in zip(logs, followers, strict=True)
        if not (is_planned(one) or is_of_input(one) or is_handled(one) or is_of_check(one, follower))
    ]


def is_planned(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type in {
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    }


def is_handled(event: EventLogEntry) -> bool:
    one: Any = event.dagster_event
    return bool(one and one.is_handled_output and not one.event_specific_data.metadata)


def is_of_check(event: EventLogEntry, follower: EventLogEntry | None) -> bool:
    """Tell whether an event says that the result of a check was yielded, which then follows."""
    return bool(
        event.is_dagster_event
        and event.dagster_event_type is DagsterEventType.STEP_OUTPUT
        and follower
        and follower.is_dagster_event
        and follower.dagster_event_type is DagsterEventType.ASSET_CHECK_EVALUATION
    )


def is_of_input(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type in {
        DagsterEventType.LOADED_INPUT,
        DagsterEventType.STEP_INPUT,
    }


def said_by(event: EventLogEntry) -> EventLogEntry:
    """An event without what repeats its run and its step; of `library_entry` as it is."""
    of_dagster = event.dagster_event
    if of_dagster is None or of_dagster.step_key is None or of_dagster.asset_key == dg.AssetKey("library_entry"):
        return event
    without = of_dagster._replace(
        logging_tags={}, step_handle=None, node_handle=None, step_kind_value=None, message=event.message, pid=None
    )
    if of_dagster.is_step_materialization and of_dagster.partition is not None:
        data = of_dagster.step_materialization_data
        said = data.materialization._replace(
            tags={name: cut(name, one) for name, one in data.materialization.tags.items()}
        )
        without = without._replace(event_specific_data=data._replace(materialization=said))
    return event._replace(dagster_event=without)


def cut(name: str, value: str) -> str:
    """The version of a phase before, as far as it is kept."""
    return value[:8] if name.startswith("dagster/input_data_version/") else value


def test_everything_that_dagster_asks_is_answered_as_by_its_own_class(
    events: list[EventLogEntry], recorded: list[EventLogEntry], tmp_path: Path
) -> None:
    ours, theirs = told_by_both(events, recorded, tmp_path)
    assert theirs["AssetKey(['library_entry']): checks"]
    for name, said in theirs.items():
        assert ours[name] == said, name
    assert not list((tmp_path / "ours").glob("*-*.db"))  # each event is there once


def test_one_batch_tells_what_is_last_known_of_each_of_its_assets(events: list[EventLogEntry], tmp_path: Path) -> None:
    """In the whole history, later batches would hide what an earlier one forgot."""
    of_assets = [event for event in events if event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS]
    planned = [event for event in of_assets if event not in materialized(events)]
    for name, batch in {"planned": planned, "both": planned + materialized(events)}.items():
        ours, theirs = told_by_both(batch, batch, tmp_path / name)
        assert ours == theirs


def test_events_of_inputs_are_left_out(
    events: list[EventLogEntry], recorded: list[EventLogEntry], storage: KeptOpenEventLogStorage
) -> None:
    assert any(map(is_of_input, recorded))
    for event in recorded:
        storage.store_event(event)
    runs = dict.fromkeys(event.run_id for event in events)
    assert not any(is_of_input(event) for run_id in runs for event in storage.get_logs_for_run(run_id))


def test_what_says_again_that_a_step_went_well_is_left_out(
    recorded: list[EventLogEntry], storage: KeptOpenEventLogStorage
) -> None:
    for event in recorded:
        storage.store_event(event)
    logs = [list(storage.get_logs_for_run(run_id)) for run_id in dict.fromkeys(one.run_id for one in recorded)]
    assert any(map(is_handled, recorded))
    assert not [one for log in logs for one in log if is_handled(one)]
    checked = {one.step_key for one in recorded if _is_kind(one, DagsterEventType.ASSET_CHECK_EVALUATION)}
    outputs = {one.step_key for log in logs for one in log if _is_kind(one, DagsterEventType.STEP_OUTPUT)}
    assert checked == {"library_entry_is_whole"}
    assert outputs == {"tags", "library_entry", "scan", "report"}, "a run that goes on after a failure looks for these"


def _is_kind(event: EventLogEntry, kind: DagsterEventType) -> bool:
    return event.is_dagster_event and event.dagster_event_type is kind


def test_what_an_output_manager_says_stays(storage: KeptOpenEventLogStorage, recorded: list[EventLogEntry]) -> None:
    handled = next(one for one in recorded if is_handled(one))
    of_dagster: Any = handled.get_dagster_event()
    data = of_dagster.event_specific_data._replace(metadata={"rows": dg.MetadataValue.int(3)})
    said = handled._replace(dagster_event=of_dagster._replace(event_specific_data=data))
    storage.store_event(said)
    (kept,) = storage.get_logs_for_run(said.run_id)
    assert said_by(kept).get_dagster_event().event_specific_data == data


def test_a_planned_check_goes_when_it_is_evaluated(
    recorded: list[EventLogEntry], storage: KeptOpenEventLogStorage
) -> None:
    planned = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    done = DagsterEventType.ASSET_CHECK_EVALUATION
    run_id = next(one.run_id for one in recorded if _is_kind(one, planned))
    of_run = [one for one in recorded if one.run_id == run_id]
    evaluated = next(place for place, one in enumerate(of_run) if _is_kind(one, done))

    def kinds() -> list[DagsterEventType]:
        return [
            one.get_dagster_event().event_type
            for one in storage.get_logs_for_run(run_id)
            if _is_kind(one, planned) or _is_kind(one, done)
        ]

    for event in of_run[:evaluated]:
        storage.store_event(event)
    assert kinds() == [planned]
    for event in of_run[evaluated:]:
        storage.store_event(event)
    assert kinds() == [done]


def test_the_versions_of_what_a_phase_was_made_from_are_shortened(
    recorded: list[EventLogEntry], storage: KeptOpenEventLogStorage
) -> None:
    """Dagster does not compare them: it looks whether there is a later event than the one it was made from."""
    tagged = {
        "dagster/data_version": "d" * 64,
        "dagster/input_data_version/file_tags": "t" * 64,
        "dagster/input_event_pointer/file_tags": "1234567890",
        "dagster/input_data_version/library_scan": "s" * 64,
        "dagster/input_data_version/of_a_person": "p" * 64,
    }
    event = materialized(recorded)[0]
    of_dagster = event.get_dagster_event()
    data = of_dagster.step_materialization_data
    found = {}
    for asset in ("flavors", "library_entry"):
        one = data._replace(materialization=data.materialization._replace(asset_key=dg.AssetKey(asset), tags=tagged))
        storage.store_event(event._replace(dagster_event=of_dagster._replace(event_specific_data=one)))
        (record,) = storage.fetch_materializations(dg.AssetKey(asset), limit=9).records
        found[asset] = record.asset_materialization.tags  # type: ignore[union-attr]  # it is of a materialization
    assert found["library_entry"] == tagged
    assert found["flavors"] == {**tagged, "dagster/input_data_version/file_tags": "t" * 8}


def test_the_index_of_tags_holds_no_versions(tmp_path: Path) -> None:
    """Each version is in the table of tags, and Dagster asks for those of events that it knows."""
    for kept_by, is_narrow in ((KeptOpenSqliteStorage, True), (DagsterSqliteStorage, False)):
        kept_by(str(tmp_path / kept_by.__name__)).dispose()  # type: ignore[no-untyped-call]  # Dagster gives its constructor no types
        with closing(sqlite3.connect(tmp_path / kept_by.__name__ / "history" / "runs" / "index.db")) as index:
            query = "SELECT sql FROM sqlite_master WHERE name = 'idx_asset_event_tags'"
            assert ("WHERE" in index.execute(query).fetchone()[0]) is is_narrow
    theirs = DagsterSqliteStorage(str(tmp_path / "KeptOpenSqliteStorage")).event_log_storage
    assert theirs.get_event_tags_for_asset(dg.AssetKey("tags"), {"genre": "rock"}) == []


def test_a_planned_event_goes_when_its_partition_is_materialized(
    events: list[EventLogEntry], recorded: list[EventLogEntry], tmp_path: Path
) -> None:
    """The last one of each asset stays: from it the web UI learns which run is the asset's latest."""
    storage = KeptOpenEventLogStorage(str(tmp_path))
    for event in recorded:
        storage.store_event(event)
    left = [event for run_id in {one.run_id for one in events} for event in storage.get_logs_for_run(run_id)]
    planned = sorted(str(event.get_dagster_event().asset_key) for event in left if is_planned(event))
    assert planned == sorted(map(str, ASSETS)), "also of assets that several runs have materialized"
    storage.dispose()


def test_what_planned_events_took_is_given_back_at_the_end_of_their_run(
    recorded: list[EventLogEntry], tmp_path: Path
) -> None:
    events = KeptOpenSqliteStorage(str(tmp_path)).event_log_storage
    whole = FILES.empty_subset().with_partition_keys([f"{number:03}" for number in range(300)])
    run_id = materialized(recorded)[0].run_id
    for event in [one for one in recorded if one.run_id == run_id and one.is_dagster_event]:
        of_dagster = event.get_dagster_event()
        if of_dagster.is_asset_materialization_planned:
            data = of_dagster.asset_materialization_planned_data._replace(partition=None, partitions_subset=whole)
            event = event._replace(dagster_event=of_dagster._replace(event_specific_data=data))
        for copy in _for_each_of(event, whole.get_partition_keys()):
            events.store_event(copy)
    events.dispose()
    with closing(sqlite3.connect(tmp_path / "history" / "runs" / "index.db")) as index:
        assert index.execute("SELECT count(*) FROM event_logs WHERE partition = '007'").fetchone() == (2,)
        assert index.execute("PRAGMA freelist_count").fetchone() == (0,)


def _for_each_of(event: EventLogEntry, partitions: Iterable[str]) -> Iterator[EventLogEntry]:
    """A materialization of one partition as one of each; any other event as it is."""
    of_dagster = event.get_dagster_event()
    if not of_dagster.is_step_materialization:
        yield event
    elif of_dagster.partition == "a":
        data = of_dagster.step_materialization_data
        for key in partitions:
            one = data._replace(materialization=data.materialization._replace(partition=key))
            yield event._replace(dagster_event=of_dagster._replace(event_specific_data=one))


def test_fields_that_are_left_out_have_the_defaults_of_dagsters_classes(events: list[EventLogEntry]) -> None:
    seen = {name: set(fields) for name, fields in DEFAULTS.items()}
    for event in events:
        packed = json.loads(serialize_value(event))
        assert deserialize_value(to_json(shorten(packed)), EventLogEntry) == event
        for one in objects_in(packed):
            seen.get(one["__class__"], set()).difference_update(set(one) - set(shorten(one)))
    assert not any(seen.values()), "what no event leaves out here is not tested"


def test_a_receipt_has_everything_in_the_order_in_which_dagster_stores_it(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage
) -> None:
    """A person reads tags and mappings in that order."""
    receipts = [event for event in materialized(events) if _asset_of(event) == "library_entry"]
    for event in receipts:
        storage.store_event(event)
    found = storage.fetch_materializations(dg.AssetKey("library_entry"), limit=99, ascending=True).records
    stored = [deserialize_value(serialize_value(event), EventLogEntry) for event in receipts]
    assert [repr(record.event_log_entry) for record in found] == [repr(event) for event in stored]


def objects_in(packed: Any) -> Iterator[dict[str, Any]]:
    if isinstance(packed, dict) and "__class__" in packed:
        yield packed
    for one in packed.values() if isinstance(packed, dict) else packed if isinstance(packed, list) else ():
        yield from objects_in(one)


def materialized(events: list[EventLogEntry]) -> list[EventLogEntry]:
    return [event for event in events if event.dagster_event and event.dagster_event.is_step_materialization]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[KeptOpenEventLogStorage]:
    made = KeptOpenEventLogStorage(str(tmp_path))
    yield made
    made.dispose()


@pytest.mark.parametrize("who_writes", ["the same process", "another process"])
def test_what_is_known_of_an_asset_is_what_was_stored_last(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path, who_writes: str
) -> None:
    writer = storage if who_writes == "the same process" else KeptOpenEventLogStorage(str(tmp_path))
    key, of_tags = dg.AssetKey("tags"), [event for event in materialized(events) if _asset_of(event) == "tags"]
    assert len(of_tags) == 3

    def known() -> tuple[list[str | None], list[str]]:
        entries = [record.asset_entry for record in storage.get_asset_records([key, dg.AssetKey("scan")])]
        versions = storage.get_latest_tags_by_partition(
            key, DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"], asset_partitions=["a", "b", "c"]
        )
        last = [entry.last_materialization for entry in entries]
        return [event.get_dagster_event().partition for event in last if event], sorted(versions)

    assert known() == known() == ([], [])
    for number, event in enumerate(of_tags, start=1):
        writer.store_event(event)
        if writer is not storage:
            writer.get_materialized_partitions(key)  # which stores it
        partitions = [one.get_dagster_event().partition for one in of_tags[:number]]
        last = partitions[-1]
        assert known() == known() == ([last], sorted(map(str, partitions)))
    writer.wipe_asset(key)
    assert known() == known() == ([], [])
    if writer is not storage:
        writer.dispose()


@pytest.mark.long
def test_what_is_known_after_each_event_is_what_another_process_reads(
    recorded: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    """Of assets, and of the tags of their partitions, which are kept from the events that the process has stored."""

    def told_by_assets(asked: KeptOpenEventLogStorage) -> list[Any]:
        entries = [(record.storage_id, record.asset_entry) for record in asked.get_asset_records(ASSETS)]
        of_assets = [
            (storage_id, entry.asset_key, entry.last_run_id, entry.last_materialization_storage_id)
            + ((said_by(entry.last_materialization),) if entry.last_materialization else ())
            for storage_id, entry in entries
        ]
        of_partitions = [
            asked.get_latest_tags_by_partition(
                key, DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"], asset_partitions=partitions
            )
            for key in ASSETS[:2]
            for partitions in (["a"], ["a", "b", "c"], ["c", "nowhere"])
        ]
        of_ids = [
            asked.get_latest_storage_id_by_partition(key, DagsterEventType.ASSET_MATERIALIZATION, partitions)
            for key in ASSETS[:2]
            for partitions in ({"a"}, {"a", "b", "c"}, {"c", "nowhere"})
        ]
        return [of_assets, of_partitions, of_ids]

    told_by_assets(storage)
    for event in recorded:
        storage.store_event(event)
        ours = told_by_assets(storage)
        reader = KeptOpenEventLogStorage(str(tmp_path))
        assert ours == told_by_assets(reader)
        reader.dispose()
    assert ours[1][1].keys() == ours[2][1].keys() == {"a", "b", "c"}


def _asset_of(event: EventLogEntry) -> str:
    key = event.get_dagster_event().asset_key
    return key.path[-1] if key else ""


def in_files(folder: Path) -> int:
    """The number of materializations that another process finds."""
    with closing(sqlite3.connect(folder / "index.db")) as index:
        query = "SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
        (count,) = index.execute(query).fetchone()
    return int(count)


def test_who_reads_finds_what_was_recorded_before(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    first, second = materialized(events)[:2]
    storage.store_event(first)
    storage.store_event(second)
    assert in_files(tmp_path) == 0
    partitions = {one.get_dagster_event().partition for one in (first, second)}
    assert storage.get_materialized_partitions(dg.AssetKey("tags")) == partitions
    assert in_files(tmp_path) == 2


def test_other_events_of_a_run_do_not_overtake(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    first = materialized(events)[0]
    storage.store_event(first)
    storage.store_event(events[-1])
    assert in_files(tmp_path) == 1


def test_registering_known_partitions_writes_nothing_and_new_ones_follow_in_their_order(
    storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    storage.add_dynamic_partitions("files", ["a", "b"])
    other = KeptOpenEventLogStorage(str(tmp_path))
    other.add_dynamic_partitions("files", ["c"])
    writes: list[str] = []
    with storage.index_connection() as connection:
        sql_event.listen(
            connection.engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: writes.append(statement)
        )
    storage.add_dynamic_partitions("files", ["b", "a", "c"])
    assert [one for one in writes if "dynamic_partitions" in one] == []
    storage.add_dynamic_partitions("files", ["e", "a", "d"])
    assert storage.get_dynamic_partitions("files") == other.get_dynamic_partitions("files") == ["a", "b", "c", "e", "d"]
    other.dispose()


def test_a_storage_that_was_closed_opens_again_and_sees_what_others_registered(
    storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    storage.add_dynamic_partitions("files", ["a"])
    assert storage.has_dynamic_partition("files", "a")
    storage.dispose()
    other = KeptOpenEventLogStorage(str(tmp_path))
    other.add_dynamic_partitions("files", ["b"])
    assert storage.get_dynamic_partitions("files") == ["a", "b"]
    other.add_dynamic_partitions("files", ["c"])
    assert storage.has_dynamic_partition("files", "c")
    other.dispose()


def test_other_processes_see_events_soon(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    storage.store_event(materialized(events)[0])
    assert MAX_WAIT_S <= 1
    wait_until(lambda: in_files(tmp_path) == 1, "the event in the database")
    storage.store_event(materialized(events)[1])
    wait_until(lambda: in_files(tmp_path) == 2, "the next event in the database")
    wait_until(lambda: not any(one.name == "stores events" for one in threading.enumerate()), "the end of the thread")
    storage.store_event(materialized(events)[2])
    wait_until(lambda: in_files(tmp_path) == 3, "an event after the end of the thread")


def test_what_cannot_be_stored_goes_on_waiting_in_its_order(events: list[EventLogEntry]) -> None:
    stored: list[EventLogEntry] = []
    is_full = True

    def store(batch: list[EventLogEntry]) -> None:
        if is_full:
            raise sqlite3.OperationalError("database or disk is full")
        stored.extend(batch)

    batch = EventBatch(store)
    batch.add(events[0])
    with pytest.raises(sqlite3.OperationalError):
        batch.flush()
    batch.add(events[1])
    is_full = False
    batch.flush()
    assert stored == events[:2]


def test_what_cannot_be_stored_in_time_is_no_traceback_of_a_thread_and_stays(events: list[EventLogEntry]) -> None:
    """On a full disk. The thread has nobody to tell; who flushes next gets the error or the events."""
    tried = threading.Event()
    stored: list[EventLogEntry] = []

    def store(batch: list[EventLogEntry]) -> None:
        if not tried.is_set():
            tried.set()
            raise sqlite3.OperationalError("database or disk is full")
        stored.extend(batch)

    batch = EventBatch(store)
    batch.add(events[0])
    assert tried.wait(PATIENCE_S)
    wait_until(lambda: batch._thread is None, "the thread has given up")
    batch.add(events[1])
    batch.flush()
    assert stored == events[:2]


def test_what_cannot_be_stored_at_the_end_of_the_process_is_said_in_a_sentence(
    events: list[EventLogEntry], tmp_path: Path
) -> None:
    """On a full disk. Python would print a traceback."""
    child = """
import sqlite3, sys
from dagster._serdes import deserialize_value
from dagster._core.events.log import EventLogEntry
from wkmp_assets.orchestration.instance import event_log

def store(*_):
    raise sqlite3.OperationalError("database or disk is full")

event_log.KeptOpenEventLogStorage._store_batch = store
event_log.KeptOpenEventLogStorage(sys.argv[1])._batch.add(deserialize_value(sys.argv[2], EventLogEntry))
"""
    command = [sys.executable, "-c", child, str(tmp_path), serialize_value(materialized(events)[0])]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stderr == "Dagster's history lacks events (1), the library nothing: database or disk is full\n"


def test_a_batch_holds_one_run_so_that_all_of_it_or_nothing_is_stored(events: list[EventLogEntry]) -> None:
    """Each run has a database of its own. Stored again after an error, events of another run would be there twice."""
    stored: list[list[EventLogEntry]] = []
    batch = EventBatch(stored.append)
    first, *_, last = materialized(events)
    assert first.run_id != last.run_id
    for event in (first, first, last, first):
        batch.add(event)
    batch.flush()
    assert stored == [[first, first], [last], [first]]


def test_who_reads_waits_for_a_batch_that_another_thread_is_storing(events: list[EventLogEntry]) -> None:
    is_storing, may_end = threading.Event(), threading.Event()

    def store(_batch: list[EventLogEntry]) -> None:
        is_storing.set()
        assert may_end.wait(PATIENCE_S)

    batch = EventBatch(store)
    batch.add(events[0])
    timer, reader = threading.Thread(target=batch.flush), threading.Thread(target=batch.flush)
    timer.start()
    try:
        assert is_storing.wait(PATIENCE_S)
        reader.start()
        reader.join(0.2)
        assert reader.is_alive()
    finally:
        may_end.set()
    timer.join()
    reader.join()


CRASH = """
import os, pickle, sys
from pathlib import Path
from sqlalchemy import Engine, event
from wkmp_assets.orchestration.instance.event_json import DEFAULTS, shorten, to_json
from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage

folder, pickled, crash_at = sys.argv[1], sys.argv[2], int(sys.argv[3])
events = pickle.loads(Path(pickled).read_bytes())
storage = KeptOpenEventLogStorage(folder)
for one in events[:-1]:
    storage.store_event(one)
storage.get_materialized_partitions(events[0].get_dagster_event().asset_key)
seen = 0

@event.listens_for(Engine, "commit")
def commit(connection):
    global seen
    seen += 1
    if seen == crash_at:
        os._exit(9)

storage.store_event(events[-1])
storage.dispose()
print(seen)
"""


def crash(folder: Path, events: list[EventLogEntry], crash_at: int) -> int:
    """Store materializations in another process, which ends at a commit of the last one; return the exit status."""
    (folder / "events").write_bytes(pickle.dumps(materialized(events)[:3]))
    command = [sys.executable, "-c", CRASH, str(folder / "runs"), str(folder / "events"), str(crash_at)]
    return subprocess.run(command, capture_output=True, check=False, timeout=300).returncode


def test_a_crash_at_the_commit_of_a_batch_leaves_a_history_that_dagster_opens(
    events: list[EventLogEntry], tmp_path: Path
) -> None:
    assert crash(tmp_path, events, 1) == 9
    assert in_files(tmp_path / "runs") == 2
    theirs = SqliteEventLogStorage(str(tmp_path / "runs"))
    assert len(theirs.get_materialized_partitions(dg.AssetKey("tags"))) >= 1
    theirs.dispose()
    ours = KeptOpenEventLogStorage(str(tmp_path / "runs"))
    assert len(ours.get_logs_for_run(materialized(events)[0].run_id)) == 2
    ours.dispose()


@pytest.mark.parametrize("crash_at", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_run_that_has_a_database_of_its_own_keeps_it_through_a_crash_between_the_commits(
    events: list[EventLogEntry], tmp_path: Path, crash_at: int
) -> None:
    """Before the index is committed, both databases lack the batch; before the run's, only the run's lacks it."""
    run_id = materialized(events)[0].run_id
    theirs = SqliteEventLogStorage(str(tmp_path / "runs"))
    theirs.get_logs_for_run(run_id)
    assert crash(tmp_path, events, crash_at) == 9
    assert in_files(tmp_path / "runs") == 2 + (crash_at == 2)
    assert len(theirs.get_logs_for_run(run_id)) == 2
    theirs.dispose()


def test_few_databases_of_runs_stay_open_and_one_of_a_deleted_run_is_closed(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    theirs = SqliteEventLogStorage(str(tmp_path))
    names = [f"run-{number}" for number in range(2 * event_log._MAX_ENGINES)]
    for name in names:
        theirs.get_logs_for_run(name)
        assert storage.get_logs_for_run(name) == []
    theirs.dispose()
    assert len(storage._engines) == event_log._MAX_ENGINES
    assert names[-1] in storage._engines
    storage.close_run(names[-1])
    assert names[-1] not in storage._engines
    assert not storage.is_run_sharded
    for event in events:
        storage.store_event(event)
    assert {record.asset_entry.asset_key for record in storage.get_asset_records()} == set(storage.all_asset_keys())


def test_what_is_reported_from_outside_of_any_run_is_told_as_by_dagsters_class(tmp_path: Path) -> None:
    entry = dg.AssetKey("library_entry")
    told, seen = [], []
    for kept_by in (KeptOpenEventLogStorage, SqliteEventLogStorage):
        with DagsterInstance.ephemeral() as instance:
            storage = kept_by(str(tmp_path / kept_by.__name__))
            instance._event_storage = storage
            storage.register_instance(instance)
            for event in (
                dg.AssetMaterialization(entry, partition="a", metadata={"n": 1}),
                dg.AssetObservation(entry, partition="a", metadata={"n": 2}),
                dg.AssetCheckEvaluation(asset_key=entry, check_name="is_whole", passed=False, metadata={}),
            ):
                instance.report_runless_asset_event(event)
            said = told_by(storage, [])
            told.append({name: said[name] for name in said if "itself" not in name and "materializations" not in name})
            looked_at = dg.EventRecordsFilter(DagsterEventType.ASSET_OBSERVATION, asset_key=entry)
            seen.append([one.partition_key for one in storage.get_event_records(looked_at)])
            storage.dispose()
    ours, theirs = told
    checks = f"{entry}: checks"
    assert [status for _, status, _ in ours.pop(checks)] == [status for _, status, _ in theirs.pop(checks)]
    assert (ours, seen) == (theirs, [["a"], ["a"]])


def test_events_that_cannot_be_stored_at_the_end_are_counted_in_a_sentence(
    events: list[EventLogEntry], caplog: pytest.LogCaptureFixture
) -> None:
    stored: list[EventLogEntry] = []
    is_full = True

    def store(some: list[EventLogEntry]) -> None:
        if is_full:
            raise OSError("no space left")
        stored.extend(some)

    batch = EventBatch(store)
    batch.add(events[0])
    batch.flush_at_exit()
    assert "Dagster's history lacks events (1), the library nothing: " in caplog.text
    assert "no space left" in caplog.text
    is_full = False
    batch.flush_at_exit()
    assert stored == [events[0]], "nothing was lost meanwhile"


def test_many_events_are_stored_at_once(events: list[EventLogEntry]) -> None:
    stored: list[EventLogEntry] = []
    batch = EventBatch(stored.extend)
    for _ in range(MAX_EVENTS):
        batch.add(events[0])
    assert len(stored) == MAX_EVENTS
