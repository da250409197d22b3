"""`dagster asset materialize` and `dg launch`, as CI uses them."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from dagster import AssetKey, DagsterInstance, RunsFilter

from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import scan_job
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.checked_library import QUIET
from wkmp_assets_tests.support.paths import TEST_DATA
from wkmp_assets_tests.support.workplace import Workplace, read_manifest

KEYS = sorted(encode_key(record["path"]) for record in read_manifest("sample_library"))
RANGE = KEYS[-6:]
"""The last ones, among them a file of three passages and a silent one."""
COMMA = "Destructavator/UFO Alien Invasion/01 David01%2C First Movement.mp3"
ELLIPSIS = "Destructavator/UFO Alien Invasion/02 David02..%2E Continued.flac"
CYRILLIC = "Maxstack/Сингулярность/03 Пробуждение.ogg"


@pytest.fixture
def with_a_broken_file(workplace: Workplace) -> Workplace:
    """The sample library and a broken file."""
    shutil.copyfile(TEST_DATA / "broken_files/text.mp3", workplace.music / "broken.mp3")
    return workplace


@pytest.fixture
def scanned(with_a_broken_file: Workplace) -> Workplace:
    """The same, scanned in this process."""
    place = with_a_broken_file
    definitions = build_definitions(load_settings(library_root=place.music, state_dir=place.home / ".wkmp"))
    with place.instance() as instance:
        scan = definitions.resolve_job_def(scan_job.name)
        assert scan.execute_in_process(instance=instance, run_config=QUIET).success
    return place


def statuses(place: Workplace) -> dict[str, str]:
    with closing(sqlite3.connect(place.database)) as connection:
        return dict(connection.execute("SELECT path, status FROM files"))


def receipts(place: Workplace) -> dict[str, dict[str, object]]:
    with place.instance() as instance:
        found = {}
        for record in instance.fetch_materializations(AssetKey("library_entry"), limit=1000).records:
            materialization = record.asset_materialization
            assert materialization is not None
            assert materialization.partition is not None
            found[materialization.partition] = {name: value.value for name, value in materialization.metadata.items()}
    return found


def test_the_scan_registers_a_partition_per_file(with_a_broken_file: Workplace) -> None:
    result = with_a_broken_file.materialize("--select", "library_scan")
    assert result.returncode == 0, result.stderr
    with with_a_broken_file.instance() as instance:
        sets = _partition_sets(instance)
        assert len(sets) == 1
        assert instance.get_dynamic_partitions(sets.pop()) == sorted([*KEYS, "broken.mp3"])


def _partition_sets(instance: DagsterInstance) -> set[str]:
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined] # SQLite's
        query = "SELECT DISTINCT partitions_def_name FROM dynamic_partitions"
        return {name for (name,) in connection.exec_driver_sql(query)}


@pytest.mark.parametrize("key", [COMMA, *(pytest.param(key, marks=pytest.mark.long) for key in (ELLIPSIS, CYRILLIC))])
def test_one_partition_is_one_file(scanned: Workplace, key: str) -> None:
    result = scanned.materialize("--select", "group:import", "--partition", key)
    assert result.returncode == 0, result.stderr
    assert list(statuses(scanned).values()) == ["INGEST COMPLETE"]
    (receipt,) = receipts(scanned).values()
    assert (receipt["result"], receipt["write_locks"], receipt["selects_in_transaction"]) == (
        "imported",
        1,
        0,
    )


@pytest.mark.parametrize(
    "command", [Workplace.materialize, pytest.param(Workplace.materialize_process, marks=pytest.mark.long)]
)
def test_a_range_is_imported_in_one_run(
    scanned: Workplace, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    scanned.extra = {"WKMP_FILES_PER_RUN": "all"}
    result = command(scanned, "--select", "group:import", "--partition-range", f"{RANGE[0]}...broken.mp3")
    assert result.returncode == 0, result.stderr
    assert len(statuses(scanned)) == len(RANGE)
    found = receipts(scanned)
    assert {receipt["write_locks"] for receipt in found.values()} == {1}
    assert set(found) == set(RANGE), "and none of the file that failed"
    with scanned.instance() as instance:
        (mark,) = instance.get_runs(RunsFilter(job_name="failed_files"))
    assert mark.tags["dagster/partition"] == "broken.mp3"


def test_a_corrupt_file_alone_fails_the_command_and_is_named(scanned: Workplace) -> None:
    result = scanned.materialize("--select", "group:import", "--partition", "broken.mp3")
    assert result.returncode != 0
    assert "[passage_segments] broken.mp3" in result.stdout + result.stderr
    with closing(sqlite3.connect(scanned.database)) as connection:
        assert connection.execute("SELECT path, attempts FROM import_failures").fetchall() == [("broken.mp3", 1)]


def test_a_corrupt_file_fails_the_phase_it_is_given_to_alone(scanned: Workplace) -> None:
    selection = "file_identity,file_tags,passage_segments"
    result = scanned.materialize("--select", selection, "--partition", "broken.mp3")
    assert result.returncode != 0
    assert "[passage_segments] broken.mp3" in result.stdout + result.stderr


def test_a_later_phase_runs_again_without_decoding(scanned: Workplace) -> None:
    key = "azrael1322/azrael1.mp3"
    assert scanned.materialize("--select", "group:import", "--partition", key).returncode == 0
    file = scanned.music / key
    stat = file.stat()
    file.write_bytes(bytes(stat.st_size))  # nulls cannot be decoded
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    selection = "fingerprints,song_matches,lead_points,library_entry"
    again = scanned.materialize("--select", selection, "--partition", key)
    assert again.returncode == 0, again.stderr
    assert statuses(scanned) == {key: "INGEST COMPLETE"}
    file.unlink()
    gone = scanned.materialize("--select", "library_entry", "--partition", key)
    assert gone.returncode != 0
    assert f"{key}: no longer on disk; scan the library again" in gone.stdout + gone.stderr


def test_a_partition_that_leads_out_of_the_library_is_refused(scanned: Workplace) -> None:
    with scanned.instance() as instance:
        (name,) = _partition_sets(instance)
        outside = quote("../home/dagster.yaml", safe="/.")
        instance.add_dynamic_partitions(name, [outside])
    result = scanned.materialize("--select", "group:import", "--partition", outside)
    assert result.returncode != 0
    assert "is not a path inside the music folder" in result.stdout + result.stderr


@pytest.mark.long
def test_dg_launches_a_partition_and_fails_with_a_corrupt_one(scanned: Workplace) -> None:
    launch = [str(Path(sys.executable).with_name("dg")), "launch", "--assets", "group:import", "--partition"]
    key = "azrael1322/azrael1.mp3"
    done = scanned.run([*launch, key])
    assert done.returncode == 0, done.stderr
    assert statuses(scanned) == {key: "INGEST COMPLETE"}
    failed = scanned.run([*launch, "broken.mp3"])
    assert failed.returncode == 1
    assert "[passage_segments] broken.mp3" in failed.stdout + failed.stderr
