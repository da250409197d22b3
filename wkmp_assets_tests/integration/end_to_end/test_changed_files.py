"""Changes of files on disk, and their effect on the rows: real music, the real sensor, a real library."""

import os
import shutil
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import reflavor_job
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.integration.end_to_end.week import LONG_AGO, Week, make_week
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY, TEST_DATA

AZRAEL = SAMPLE_LIBRARY / "azrael1322/azrael1.mp3"
TAKE = SAMPLE_LIBRARY / "Unsorted/untitled take.wav"
SILENCE = SAMPLE_LIBRARY / "Unsorted/Fifteen Seconds of Nothing.flac"
BROKEN = TEST_DATA / "broken_files/text.mp3"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: WorkerPool) -> Week:
    """Two recordings, imported; each was played once."""
    made = make_week(tmp_path, monkeypatch, workers)
    made.put(AZRAEL, "A/azrael.mp3", "azrael")
    made.put(TAKE, "A/take.wav", "take")
    made.tick()
    for recording in ("azrael", "take"):
        made.play(recording, 1)
    made.note()
    return made


def rename(week: Week, recording: str, path: str) -> None:
    source, target = week.music / str(week.ledger[recording]), week.music / path
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    for other, other_path in week.ledger.items():
        if other_path == path:
            week.ledger[other] = None
    week.ledger[recording] = path


@pytest.mark.long
def test_renamed_in_case_only_then_moved_over_another_then_measured_again(library: Week) -> None:
    rename(library, "azrael", "A/Azrael.MP3")
    library.tick()
    library.check()
    assert library.results(["A/Azrael.MP3"]) == ["moved"]
    rename(library, "azrael", "A/take.wav")
    library.tick()
    library.tick()
    # The take is missing. Its row keeps passages and play, under the free path.
    library.check(missing=["A/Azrael.MP3"])
    assert library.identity("A/Azrael.MP3") == library.first["take"]
    with DagsterInstance.get() as instance:
        job = build_definitions(library.settings).resolve_job_def(reflavor_job.name)
        done = job.execute_in_process(instance=instance, partition_key=encode_key("A/take.wav"))
    assert done.success, "the values of the phases have followed it, so nothing has to be decoded"
    assert library.results(["A/take.wav"]) == ["imported"]
    library.check(missing=["A/Azrael.MP3"])


def swap(week: Week, one: str, other: str) -> None:
    first, second = (week.music / str(week.ledger[recording]) for recording in (one, other))
    first.rename(week.music / "aside")
    second.rename(first)
    (week.music / "aside").rename(second)
    week.ledger[one], week.ledger[other] = week.ledger[other], week.ledger[one]


@pytest.mark.long
def test_swapped_in_two_runs_then_replaced_then_deleted_and_back_with_other_content(
    library: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap(library, "azrael", "take")
    monkeypatch.setenv("WKMP_FILES_PER_RUN", "1")
    library.tick()
    assert library.results(["A/azrael.mp3", "A/take.wav"]) == ["moved", "imported"]
    library.check()
    swap(library, "azrael", "take")
    library.tick()
    library.check()
    (library.music / "A/take.wav").unlink()
    library.put(SILENCE, "A/take.wav", "take")
    library.tick()
    assert library.statuses()["A/take.wav"] == "NO AUDIO"
    with library.library() as rows:
        (guid,) = rows.execute("SELECT guid FROM files WHERE path = 'A/take.wav'").fetchone()
        assert rows.execute("SELECT count(*) FROM play_history").fetchone()[0] == 2, "what was played is kept"
    assert guid == library.first["take"].guid
    (library.music / "A/take.wav").unlink()
    library.tick()
    assert library.missing() == ["A/take.wav"]
    library.put(TAKE, "A/take.wav", "take")
    library.tick()
    assert library.missing() == []
    assert library.statuses()["A/take.wav"] == "INGEST COMPLETE"
    library.check()


def test_a_failure_goes_with_its_file_and_a_deleted_file_in_a_range_is_no_failure(library: Week) -> None:
    library.put(BROKEN, "A/broken.mp3", "broken")
    assert library.wkmp("import").exit_code == 1
    assert library.wkmp("failures").exit_code == 1
    for path in ("A/broken.mp3", "A/azrael.mp3"):
        (library.music / path).unlink()
    library.ledger |= {"broken": None, "azrael": None}
    # Registered before and after the deleted ones, so that the range includes those.
    for path in ("A/take.wav", "A/zzz.wav"):
        shutil.copyfile(SILENCE, library.music / path)
        os.utime(library.music / path, (LONG_AGO + 5, LONG_AGO + 5))
    result = library.wkmp("import")
    assert result.exit_code == 0, result.stdout
    assert library.wkmp("failures").exit_code == 0
    assert library.missing() == ["A/azrael.mp3"]


def test_a_deleted_file_is_shown_by_the_scan_and_fails_the_run_that_asks_for_it_by_name(library: Week) -> None:
    (library.music / "A/azrael.mp3").unlink()
    definitions = build_definitions(library.settings)
    scan, load = (definitions.resolve_job_def(name) for name in ("scan_library", "import_files"))
    with DagsterInstance.get() as instance:
        done = load.execute_in_process(instance=instance, partition_key="A/azrael.mp3", raise_on_error=False)
        failures = [event for event in done.all_node_events if event.is_step_failure]
        assert not done.success
        assert "no longer on disk" in str(failures[0].step_failure_data.user_failure_data)
        assert library.wkmp("failures").exit_code == 0, "there is nothing to mend"
        (event,) = scan.execute_in_process(instance=instance).get_asset_materialization_events()
        metadata = event.materialization.metadata
        shown = metadata["missing_files"]
        assert isinstance(shown, dg.TableMetadataValue)
        assert [record.data["file"] for record in shown.records] == ["A/azrael.mp3"]
        assert [metadata[name].value for name in ("missing", "newly_missing", "write_locks")] == [1, 1, 1]
        library.database.unlink()
        (library.music / "A/take.wav").unlink()
        again = scan.execute_in_process(instance=instance, raise_on_error=False)
        assert not again.success, "only Dagster still knows that there were files"
