"""Run the import job in this process for `wkmp import`.

It is the Dagster job of the web UI, with the same events, partitions and receipts. Only the launch differs.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterInstance
from sqlalchemy.exc import DBAPIError

from wkmp_assets import errors
from wkmp_assets.cli.run_order import RunOrder
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.errors import SettingsError, StateDiskError, WkmpError, in_one_line
from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.file_key import decode_key, encode_key
from wkmp_assets.model.lead_presets import LeadPreset
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Skipped, SkipReason
from wkmp_assets.model.phases import FLAVORS, IDENTITY, LEAD_POINTS, SCAN
from wkmp_assets.model.work_estimates import estimate_work_s
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.file_visits import begin_visits
from wkmp_assets.orchestration.instance.dagster_api import cancel_run, name_location, partition_tags
from wkmp_assets.orchestration.instance.repeated_job import RepeatedJob
from wkmp_assets.orchestration.jobs import KEEP_MEASUREMENTS, import_job, reflavor_job, retry_job, scan_job
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.orchestration.run_requests.ranges import (
    FileRange,
    RunSize,
    find_stretches,
    folder_of,
    plan_ranges,
)
from wkmp_assets.orchestration.run_requests.run_sizes import size_of_import
from wkmp_assets.orchestration.run_tags import tags_of_files, tags_of_library, was_interrupted
from wkmp_assets.orchestration.services import acoustid_key
from wkmp_assets.orchestration.workers import open_workers
from wkmp_assets.runtime.atomic_files import translate_disk_errors
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import Settings, prepare_dagster_home

_LOG = logging.getLogger(__name__)
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""The events are in Dagster's storage; on the terminal they would drown the progress bar."""
MAX_WAIT_S = 4.5
"""unit=s: how long a run waits for all of its files. Then it takes those that the workers have measured."""
_LOOK_EVERY_S = 0.1
"""unit=s: how often to look for a stop while the workers measure."""
MAX_FILES_OF_LAST_RUN = 300
"""Partitions that a run after a stop may span. Files inside that are not finished cost little."""

_STOPPED = "The import was stopped. The files that it had started are in the library; the next import takes the others."


class RunFailedError(WkmpError):
    """A run failed as a whole. Files that it committed before are in the library."""


@contextmanager
def open_instance() -> Iterator[DagsterInstance]:
    """Open the Dagster instance of DAGSTER_HOME for the block.

    Raises
    ------
    StateDiskError
        Its databases, there or later in the block, cannot be written.
    SettingsError
        Its dagster.yaml is wrong.
    """
    home = prepare_dagster_home()
    try:
        with translate_disk_errors(home):
            instance = _load_instance(home)
        with instance:
            yield instance
    except DBAPIError as error:
        raise StateDiskError(home, str(error.orig)) from error


def _load_instance(home: Path) -> DagsterInstance:
    try:
        return DagsterInstance.get()
    except (OSError, DBAPIError):
        raise
    except Exception as error:  # of the YAML parser, of Dagster's check of it, or of a class that it names
        what = in_one_line(error)
        raise SettingsError(f"{home / 'dagster.yaml'} cannot be used: {what}; correct it, then try again") from error


class LibraryImporter:
    """Imports one library with one Dagster instance.

    Parameters
    ----------
    settings : Settings
        The library and how much to do at once.
    instance : DagsterInstance
        Keeps partitions, runs and events.
    control : RunControl
        Reports progress; can stop the import between files.
    workers : WorkerPool, optional
        Made with the same control; may be starting already. All runs share them.
    """

    def __init__(
        self, settings: Settings, instance: DagsterInstance, control: RunControl, workers: WorkerPool | None = None
    ) -> None:
        self._settings = settings
        self._instance = instance
        self._control = control
        self._library = Library(settings)
        self._workers = workers or open_workers(settings, control)
        overrides = {"workers": self._workers}
        self._definitions = build_definitions(settings, control=control, resource_overrides=overrides)
        self._jobs: dict[str, RepeatedJob] = {}

    def close(self) -> None:
        """End the worker processes."""
        self._workers.shut_down()

    def check_settings(self) -> None:
        """Read the settings inside the library, before a run needs them.

        Raises
        ------
        SettingsError
            One of them is wrong. The message names it.
        """
        read_library_settings(self._settings.database_path)

    def check_key(self) -> None:
        """Read the key, before a run that looks passages up needs it.

        Raises
        ------
        SettingsError
            The file that may hold it cannot be read.
        """
        acoustid_key(self._settings)

    def scan(self, folder: str = "") -> LibraryChanges:
        """Find the audio files below a folder of the library and register them as partitions.

        Raises
        ------
        RunFailedError
            The folder cannot be read; the message says what to do.
        """
        result = self._execute(scan_job.name, {"ops": {SCAN: {"config": {"folder": folder}}}}, tags={})
        changes: LibraryChanges = result.output_for_node(SCAN)[SCAN].value
        return changes

    def plan(self, paths: Sequence[str], *, only: bool = False) -> list[FileRange]:
        """Divide files into range runs by their work, without those that are gone since.

        Parameters
        ----------
        paths : sequence of str
            The files.
        only : bool
            Let the runs carry no other file, whatever lies between these.

        Raises
        ------
        SettingsError
            The file that may hold AcoustID's key cannot be read.
        """
        if not paths:
            return []  # without the key, which nobody needs then
        ordered = self._instance.get_dynamic_partitions(partitions_name(self._settings))
        keys = {encode_key(path): path for path in paths}
        work_s = {key: self._estimate(keys[key]) for key in frozenset(ordered).intersection(keys)}
        return plan_ranges(ordered, work_s, size_of_import(self._settings), work_s, only=only)

    def estimate_work(self, ranges: Sequence[FileRange]) -> dict[str, float]:
        """Return the estimated work of every file that a range is for, by partition key."""
        return {key: self._estimate(decode_key(key)) for files in ranges for key in files.keys}

    def _estimate(self, path: str) -> float:
        try:
            return estimate_work_s(path, (self._settings.library / path).stat().st_size)
        except OSError:  # gone by now, as its run will say
            return 0.0

    def run(
        self,
        ranges: Sequence[FileRange],
        *,
        force: bool = False,
        complete: bool = False,
        preset: LeadPreset | None = None,
    ) -> Iterator[FileRange]:
        """Import one range after another and yield each when it is done. End early when a stop is requested.

        Parameters
        ----------
        ranges : sequence of FileRange
            What `plan` returned.
        force : bool
            Import files again that are in the library already.
        complete : bool
            Import files again that WKMP left half-made.
        preset : LeadPreset or None
            Kind of music: sets how lead points are found. None: the settings of the library.

        Raises
        ------
        RunFailedError
            The cause is no single file: the database is locked or corrupt, or the disk is full.
        """
        chosen = {name: True for name, is_chosen in (("force", force), ("complete", complete)) if is_chosen}
        ops: dict[str, Any] = {IDENTITY: {"config": chosen}} if chosen else {}
        if preset is not None:
            ops[LEAD_POINTS] = {"config": {"preset": preset.name}}
        config = {"ops": ops} if ops else {}
        order = RunOrder(ranges, partial(self._begin, force=force), self._has_ended)
        size = size_of_import(self._settings)
        while not self._control.is_stopping and (files := order.take()) is not None:
            files, *rest = self._wait_for_workers(files)
            for later in reversed(rest):
                order.give_back(later)
            files = order.join_ended(files, size)
            self._run_range(import_job.name, config, files)
            self._workers.forget(files.keys)
            yield files
        for files in self._plan_finished(order.take_rest()):
            self._run_range(import_job.name, config, files)
            yield files

    def retry(self, ranges: Sequence[FileRange]) -> Iterator[FileRange]:
        """Ask the services again for files in the library, one range after another, as `run` does."""
        return self._run_each(retry_job.name, KEEP_MEASUREMENTS, ranges)

    def reflavor(self, ranges: Sequence[FileRange], *, decode: bool) -> Iterator[FileRange]:
        """Measure the flavors of files in the library again, one range after another, as `run` does.

        With `decode` files without a loudness are decoded for it.
        """
        config = {"ops": {FLAVORS: {"config": {"decode": True}}}} if decode else {}
        return self._run_each(reflavor_job.name, config, ranges)

    def _run_each(self, job_name: str, config: dict[str, Any], ranges: Sequence[FileRange]) -> Iterator[FileRange]:
        for files in ranges:
            if self._control.is_stopping:
                return
            self._run_range(job_name, config, files)
            yield files

    def _begin(self, files: FileRange, *, force: bool) -> None:
        begin_visits(self._library, self._workers, files.keys, force=force)

    def _has_ended(self, files: FileRange) -> bool:
        return self._workers.has_ended(files.keys)

    def _wait_for_workers(self, files: FileRange) -> list[FileRange]:
        """Wait until the workers have measured a run's files. If that takes long, cut the run behind those that are.

        So something is in the library every few seconds, however long the files turn out to take on this machine. A
        folder that stays in one run is not cut.
        """
        until = time.monotonic() + MAX_WAIT_S
        while not self._has_ended(files) and not self._control.is_stopping:
            if time.monotonic() > until:
                return self._cut(files, max(self._count_ended(files.keys), 1))
            self._workers.wait_for_news(_LOOK_EVERY_S)
        return [files]

    def _count_ended(self, keys: Sequence[str]) -> int:
        """Return how many of the first files the workers have measured."""
        return sum(1 for _ in takewhile(lambda key: self._workers.has_ended([key]), keys))

    def _cut(self, files: FileRange, count: int) -> list[FileRange]:
        """Return a run of the first files, and one of the others."""
        ordered = self._instance.get_dynamic_partitions(partitions_name(self._settings))
        if len(files.keys) == count or not frozenset(files.keys).issubset(ordered):  # its run says what is gone
            return [files]
        is_whole = size_of_import(self._settings).whole_folder > 0
        if is_whole and folder_of(files.keys[count - 1]) == folder_of(files.keys[count]):
            return [files]
        work_s = self.estimate_work([files])
        parts = [plan_ranges(ordered, keys, RunSize(), work_s) for keys in (files.keys[:count], files.keys[count:])]
        return [one for part in parts for one in part]

    def _plan_finished(self, rest: Sequence[FileRange]) -> list[FileRange]:
        """Return few runs for what the workers have finished of the runs that a stop left out."""
        finished = {key for files in rest for key in self._workers.find_finished(files.keys)}
        if not finished:
            return []
        ordered = self._instance.get_dynamic_partitions(partitions_name(self._settings))
        size = RunSize(MAX_FILES_OF_LAST_RUN)
        stretches = find_stretches(ordered, rest)
        return [part for one in stretches for part in plan_ranges(one, finished.intersection(one), size)]

    def _run_range(self, job_name: str, config: dict[str, Any], files: FileRange) -> None:
        for part in self._find_registered(files):
            tags = partition_tags(part.first, part.last) | tags_of_files(part.keys, {})
            self._execute(job_name, config, tags, may_fail_alone=part.size == 1)

    def _find_registered(self, files: FileRange) -> list[FileRange]:
        """Return a range without the partitions that another scan has dropped since the plan was made."""
        ordered = self._instance.get_dynamic_partitions(partitions_name(self._settings))
        left = frozenset(files.keys).intersection(ordered)  # a set of all partitions takes three times as long
        if len(left) == len(files.keys):
            return [files]
        for key in files.keys:
            if key not in left:
                self._control.on_commit(FileCommit(key, Skipped(SkipReason.GONE)))
        return plan_ranges(ordered, left, RunSize())

    def _execute(
        self, job_name: str, config: dict[str, Any], tags: dict[str, str], *, may_fail_alone: bool = False
    ) -> dg.ExecuteInProcessResult:
        if job_name not in self._jobs:
            self._jobs[job_name] = RepeatedJob(self._definitions.resolve_job_def(job_name))
        all_tags = {**tags, **tags_of_library(self._settings)}
        result = self._jobs[job_name].execute({**config, **_QUIET}, self._instance, all_tags)
        _LOG.info("run %s of %s %s", result.run_id, job_name, "succeeded" if result.success else "failed")
        if _was_stopped_by_signal(result):
            raise KeyboardInterrupt
        if not result.success and not (may_fail_alone and _is_file_failure(result)):
            raise RunFailedError(_find_reason(result))
        if self._control.is_stopping and was_interrupted(self._tags_of(result.run_id)):
            cancel_run(self._instance, result.run_id, _STOPPED)
        else:
            name_location(self._instance, result.dagster_run, "wkmp_assets.definitions")
        return result

    def _tags_of(self, run_id: str) -> Mapping[str, str]:
        run = self._instance.get_run_by_id(run_id)
        return run.tags if run else {}


def _is_file_failure(result: dg.ExecuteInProcessResult) -> bool:
    """Tell whether the run failed because its only file failed."""
    failures = [event.step_failure_data for event in result.all_node_events if event.is_step_failure]
    return bool(failures) and all(failure.user_failure_data is not None for failure in failures)


def _was_stopped_by_signal(result: dg.ExecuteInProcessResult) -> bool:
    """Tell whether Dagster ended a step at a Ctrl-C, which it does in the main thread."""
    stopped = dg.DagsterExecutionInterruptedError.__name__
    errors_of_steps = [event.step_failure_data.error for event in result.all_node_events if event.is_step_failure]
    return any(error is not None and error.cls_name == stopped for error in errors_of_steps)


def _find_reason(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            return f"{_find_message(event.step_failure_data.error)} (in {event.step_key}, run {result.run_id})"
    for event in result.all_events:
        if event.is_job_failure:
            return f"{_find_message(event.job_failure_data.error)} (run {result.run_id})"
    return f"run {result.run_id} did not start; see it in the web UI"


def _find_message(error: Any) -> str:  # Dagster's SerializableErrorInfo, a name it does not export
    if error is None:
        return "it failed without saying why; see it in the web UI"
    innermost = error.cause or error
    # Our own messages are for people; of any other error its class says the most.
    message: str = innermost.message.strip()
    return message.removeprefix(f"{errors.__name__}.{innermost.cls_name}: ")
