"""The status of every file in Dagster: green if imported, red if failed, and unchanged if skipped."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance
from dagster._core.storage.tags import PARTITION_NAME_TAG

from wkmp_assets.cli import importer as importer_module
from wkmp_assets.cli.importer import LibraryImporter
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.outcomes import Skipped, SkipReason
from wkmp_assets.model.phases import ENTRY, FLAVORS, IDENTITY, SEGMENTS, TAGS
from wkmp_assets.orchestration.jobs import failed_job
from wkmp_assets.orchestration.partitions import audio_files
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.orchestration.run_requests.failed_runs import find_failed_run
from wkmp_assets.orchestration.run_requests.survey import find_pending_runs
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.checked_library import CheckedLibrary, number
from wkmp_assets_tests.support.patience import PATIENCE_S
from wkmp_assets_tests.support.tones import break_file, tone

pytestmark = pytest.mark.slow

GREEN, RED = "MATERIALIZED", "FAILED"


@pytest.fixture
def library(dagster_home: Path, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    """A library without files, in an instance with the same settings as a user's."""
    music = dagster_home / "music"
    music.mkdir()
    with DagsterInstance.get() as instance:
        yield CheckedLibrary(music, instance, workers, files_per_run="all")


def status(library: CheckedLibrary, asset: str = ENTRY) -> dict[str, str]:
    """The dot of every partition, as Dagster computes it; `None` for one that is missing."""
    found = library.instance.get_status_by_partition(dg.AssetKey(asset), library.keys, audio_files(library.settings))
    assert found is not None
    return {key: one.value if one else "None" for key, one in found.items()}


def not_green(library: CheckedLibrary, asset: str = ENTRY) -> set[str]:
    return {key for key, one in status(library, asset).items() if one != GREEN}


def materialized(library: CheckedLibrary, asset: str) -> list[str | None]:
    """The partition key of every materialization; None for one without a partition."""
    records = library.instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records
    return [record.partition_key for record in records]


def test_exactly_the_broken_files_of_a_range_are_red(library: CheckedLibrary) -> None:
    broken = {f"{number:02}.mp3" for number in range(0, 10, 2)}
    for number_of_file in range(10):
        name = f"{number_of_file:02}"
        if f"{name}.mp3" in broken:
            break_file(library.music / f"{name}.mp3")
        else:
            tone(library.music / f"{name}.wav", 200 + 10 * number_of_file)
    evaluations = library.import_all()
    assert len(broken) == 5
    assert not_green(library) == broken
    assert {key for key, one in status(library).items() if one == RED} == broken
    assert not_green(library, SEGMENTS) == broken
    assert {key for key, one in status(library, SEGMENTS).items() if one == RED} == broken
    assert not_green(library, IDENTITY) == not_green(library, TAGS) == set()
    assert number(evaluations["files_imported"], "failed") == 5


def test_a_good_file_that_breaks_later_turns_red_alone(library: CheckedLibrary) -> None:
    """One file fails among skipped ones, whose earlier receipts stay readable."""
    for number_of_file in range(4):
        tone(library.music / f"{number_of_file}.wav", 300 + 50 * number_of_file)
    library.import_all()
    assert not_green(library) == set()
    before = recorded_commits(library.instance, library.settings, library.keys)
    break_file(library.music / "2.wav")
    assert not library.import_all()["files_imported"].passed
    assert status(library) == {"0.wav": GREEN, "1.wav": GREEN, "2.wav": RED, "3.wav": GREEN}
    assert status(library, SEGMENTS) == status(library)
    assert not_green(library, IDENTITY) == set()
    after = recorded_commits(library.instance, library.settings, library.keys)
    assert after == before
    assert all(commit.receipt and commit.receipt.written for commit in after.values())
    # A second import gives the same result, and skipped files keep their status.
    library.import_all()
    assert not_green(library) == {"2.wav"}
    assert recorded_commits(library.instance, library.settings, library.keys) == before


def test_a_run_without_bad_files_does_not_make_the_library_green(library: CheckedLibrary) -> None:
    tone(library.music / "good.wav", 300)
    break_file(library.music / "bad.mp3")
    library.import_all()
    later = library.import_one("good.wav", force=True)["files_imported"]
    assert not later.passed
    assert "bad.mp3" in str(later.description)
    assert not_green(library) == {"bad.mp3"}


@pytest.mark.parametrize("how", ["mended", pytest.param("restored", marks=pytest.mark.long)])
def test_a_file_that_is_good_again_turns_green_in_every_phase(library: CheckedLibrary, how: str) -> None:
    """A restored file has the bytes and the time that the library has, so it looks unchanged."""
    for name in ("a.wav", "b.wav", "c.wav"):
        tone(library.music / name, 300 + 10 * ord(name[0]))
    library.import_all()
    path = library.music / "b.wav"
    content, times = path.read_bytes(), path.stat()
    break_file(path)
    library.import_all()
    assert not_green(library) == {"b.wav"}
    path.write_bytes(content)
    if how == "restored":
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        tone(path, 990)
    assert library.import_all()["files_imported"].passed
    assert [not_green(library, asset) for asset in (IDENTITY, TAGS, SEGMENTS, FLAVORS, ENTRY)] == [set()] * 5
    assert read_failures(library.database) == []


def test_a_phase_that_is_given_a_range_alone_shows_which_files_it_failed(library: CheckedLibrary) -> None:
    tone(library.music / "good.wav", 300)
    break_file(library.music / "bad.mp3")
    library.scan()
    assert library.run_assets(IDENTITY, TAGS, SEGMENTS, first="bad.mp3", last="good.wav").success
    assert status(library, SEGMENTS) == {"bad.mp3": RED, "good.wav": GREEN}
    assert not_green(library, IDENTITY) == set()


def test_a_copy_keeps_its_dots_and_a_run_that_skips_all_leaves_none(library: CheckedLibrary) -> None:
    tone(library.music / "a.wav", 300)
    (library.music / "b.wav").write_bytes((library.music / "a.wav").read_bytes())
    library.import_all()
    assert [not_green(library, asset) for asset in (IDENTITY, TAGS, SEGMENTS, FLAVORS, ENTRY)] == [set()] * 5
    count = {asset: sorted(materialized(library, asset)) for asset in (IDENTITY, SEGMENTS, ENTRY)}
    assert count[ENTRY] == ["a.wav", "b.wav"]
    library.import_all()
    assert {asset: sorted(materialized(library, asset), key=str) for asset in count} == count


def test_what_stands_for_a_failed_file_is_no_import(library: CheckedLibrary) -> None:
    """The run recorded for the failure has the whole message, is not retried, and is no failed import."""
    break_file(library.music / "bad.mp3")
    tone(library.music / "good.wav", 300)
    library.import_all()
    (mark,) = library.instance.get_runs(dg.RunsFilter(job_name=failed_job.name))
    assert mark.status is dg.DagsterRunStatus.FAILURE
    assert mark.tags.items() >= {PARTITION_NAME_TAG: "bad.mp3", "wkmp/result": "1 failed"}.items()
    (said,) = (
        event.message
        for event in library.instance.all_logs(mark.run_id)
        if event.dagster_event and event.dagster_event.is_job_failure
    )
    assert said.startswith(f"[{SEGMENTS}] bad.mp3: ")
    assert "then import again" in said
    assert mark.tags.get("dagster/will_retry") != "true"
    assert find_failed_run(library.settings, library.instance, datetime.now(UTC)) is None
    assert find_pending_runs(library.settings, library.instance) == []


@pytest.fixture
def stopped(library: CheckedLibrary, monkeypatch: pytest.MonkeyPatch) -> Callable[[RunControl], list[FileCommit]]:
    """Import all files as `wkmp import` does, in one run even on a slow machine; return the result of each."""
    monkeypatch.setattr(importer_module, "MAX_WAIT_S", PATIENCE_S)

    def import_until(control: RunControl) -> list[FileCommit]:
        commits: list[FileCommit] = []
        control.on_commit = commits.append
        importer = LibraryImporter(library.settings, library.instance, control)
        try:
            list(importer.run(importer.plan(importer.scan().to_import)))
        finally:
            importer.close()
        return commits

    return import_until


def test_a_stopped_run_is_no_success_and_its_copies_have_not_failed(
    library: CheckedLibrary, stopped: Callable[[RunControl], list[FileCommit]]
) -> None:
    for name in "abcdef":
        tone(library.music / f"{name}.wav", 300 + 10 * ord(name))
        (library.music / f"{name} copy.wav").write_bytes((library.music / f"{name}.wav").read_bytes())
    control = RunControl()
    seen: list[str] = []

    def stop_after_the_hashes(_phase: str, key: str) -> None:
        seen.append(key)
        if len(seen) > 12:
            control.request_stop()

    control.on_file = stop_after_the_hashes
    commits = stopped(control)
    assert len(commits) == 12
    interrupted = [one for one in commits if one.outcome == Skipped(SkipReason.INTERRUPTED)]
    assert interrupted
    assert read_failures(library.database) == []
    (run,) = library.instance.get_runs(dg.RunsFilter(job_name="import_files"))
    assert run.status is dg.DagsterRunStatus.CANCELED
    written = {one.key for one in commits} - {one.key for one in interrupted}
    assert not_green(library) == {one.key for one in interrupted}
    assert RED not in status(library).values()
    assert set(materialized(library, ENTRY)) == written
    assert Skipped(SkipReason.INTERRUPTED) not in [one.outcome for one in stopped(RunControl())]
    assert not_green(library) == set()
