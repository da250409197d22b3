"""IO managers, which store phase values in the phase store, pictures as PNG files, and entries in the library.

Only storing, loading and metadata belong here; the assets compute the values. Dagster calls `handle_output` once for
all partitions of a run, and each file still has its own transaction. A file that failed is a `Failed` value and does
not stop the others.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from wkmp_assets.db.commit import FileCommitter
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason, leaves_value
from wkmp_assets.model.phases import ENTRY, IDENTITY, PICTURE
from wkmp_assets.orchestration.dagster_values import to_metadata
from wkmp_assets.orchestration.gone_files import skip_gone
from wkmp_assets.orchestration.instance.dagster_api import (
    FailedPartitions,
    add_partition_metadata,
    executes_itself,
    find_executing_run,
    instance_of,
    materialize_only,
    run_of,
    skip_loggers,
)
from wkmp_assets.orchestration.jobs import failed_job
from wkmp_assets.orchestration.recorded_commits import name_library
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.orchestration.run_tags import tags_of_failure, tags_of_files, tags_of_library, tags_of_results
from wkmp_assets.report.partition_metadata import describe_commit, describe_outcome, name_result
from wkmp_assets.runtime.atomic_files import remove_leftovers, write_atomically
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.state_files import read_state_file
from wkmp_assets.settings import Settings


class PhaseStoreIOManager(dg.IOManager):
    """Stores one document for each phase and partition."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._store = library.phases

    def handle_output(self, context: dg.OutputContext, obj: Mapping[str, Outcome[Any]]) -> None:
        """Store the outcomes of a run's partitions, and add metadata to each partition."""
        skip_loggers(context)
        _check_partitions(context, obj)
        phase = context.asset_key.path[-1]
        if executes_itself(context, ENTRY):
            self._store.stage(phase, obj, context.run_id)  # stored before the commit, with the other phases
        else:
            self._store.write(phase, obj.items(), context.run_id)
        if not context.has_asset_partitions:
            return
        _add_metadata(
            context, {key: describe_outcome(outcome) for key, outcome in obj.items() if leaves_value(outcome)}
        )
        if not executes_itself(context, ENTRY):  # which shows the failures of all phases
            _fail_if_alone(obj)
            _show_failures(context, obj, phase, self._library.settings)
        _materialize_written(context, obj)

    def load_input(self, context: dg.InputContext) -> dict[str, Outcome[Any]]:
        """Read the outcomes of a run's partitions. A value that cannot be read is `Failed` and raises nothing.

        A run that goes on after a failed one sees what that one skipped, for example unchanged files.

        Raises
        ------
        LibraryRootError
            Files are gone, and the music folder is empty: its disk is probably not mounted.
        """
        skip_loggers(context)
        phase = context.asset_key.path[-1]
        run_id = find_executing_run(context, phase) or run_of(context).run_id
        if run_id != run_of(context).run_id:
            self._store.settle(run_id)  # its process may have been killed before it could
        outcomes = self._store.read_each(phase, context.asset_partition_keys, run_id)
        return outcomes if executes_itself(context, IDENTITY) else skip_gone(self._library, outcomes)


class PictureIOManager(dg.IOManager):
    """Stores one PNG for each partition, and shows it in the partition's metadata."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def handle_output(self, context: dg.OutputContext, obj: Mapping[str, Outcome[bytes]]) -> None:
        """Write the pictures of a run's partitions, each as a whole file or not at all."""
        _check_partitions(context, obj)
        remove_leftovers(self._library.settings.pictures_dir)
        described: dict[str, dict[str, Any]] = {}
        for key, outcome in obj.items():
            if isinstance(outcome, Result):
                path = self._library.settings.picture_path(key)
                write_atomically(path, outcome.value)
                inline = f"![{PICTURE}](data:image/png;base64,{b64encode(outcome.value).decode('ascii')})"
                shown = {"picture": dg.MetadataValue.md(inline), "path": dg.MetadataValue.path(path)}
                described[key] = describe_outcome(outcome) | shown
            elif leaves_value(outcome):
                described[key] = describe_outcome(outcome)
        _add_metadata(context, described)
        _fail_if_alone(obj)
        _show_failures(context, obj, PICTURE, self._library.settings)
        _materialize_written(context, obj)

    def load_input(self, context: dg.InputContext) -> dict[str, bytes]:
        """Read the pictures of a run's partitions.

        Raises
        ------
        dagster.Failure
            A partition has no picture; the message names it and says what to do.
        """
        return {key: self._read(key) for key in context.asset_partition_keys}

    def _read(self, key: str) -> bytes:
        try:
            return read_state_file(self._library.settings.picture_path(key))
        except FileNotFoundError as error:
            message = f"there is no picture of {key}; materialize {PICTURE} for it first"
            raise dg.Failure(message, allow_retries=False) from error


class SqliteBatchIOManager(dg.IOManager):
    """Commits the entry of each partition to the library in one transaction.

    All reads come before the transaction. A file that failed is recorded in `import_failures`.
    """

    def __init__(self, library: Library, control: RunControl) -> None:
        self._library = library
        self._control = control

    def handle_output(self, context: dg.OutputContext, obj: Mapping[str, Outcome[Any]]) -> None:
        """Commit the entries of a run's partitions, and add the receipt of each to its metadata.

        Only written files are materialized. Skipped ones keep their receipt, and failed ones become Failed. Files that
        were deleted since the run looked at them are skipped.

        Raises
        ------
        LibraryRootError
            Files are gone, and the music folder is empty: its disk is probably not mounted.
        """
        _check_partitions(context, obj)
        self._library.phases.settle(context.run_id)
        outcomes: dict[str, Outcome[Any]] = {}
        results: list[str] = []
        described: dict[str, dict[str, Any]] = {}
        limit_ms = self._library.settings.max_compute_ms
        with FileCommitter(
            self._library.database, run_id=context.run_id, now=_utc_now, max_compute_ms=limit_ms
        ) as committer:
            for commit in committer.commit_all(skip_gone(self._library, obj)):
                if leaves_value(commit.outcome):
                    described[commit.key] = describe_commit(commit) | name_library(self._library.settings)
                outcomes[commit.key] = commit.outcome
                results.append(name_result(commit))
                self._control.on_commit(commit)
        _add_metadata(context, described)
        self._library.phases.visits.drop(
            key for key, outcome in outcomes.items() if isinstance(outcome, Failed) or leaves_value(outcome)
        )
        run = run_of(context)
        tags = tags_of_library(self._library.settings) | tags_of_files(obj, run.tags) | tags_of_results(results)
        instance_of(context).add_run_tags(run.run_id, tags)
        _fail_if_alone(outcomes)
        _show_failures(context, outcomes, ENTRY, self._library.settings)
        _materialize_written(context, outcomes)

    def load_input(self, context: dg.InputContext) -> dict[str, Any]:
        """Read the rows of the run's partitions: key -> rows by table; None for a file that is not in the library."""
        return self._library.read_rows(context.asset_partition_keys)


def _utc_now() -> datetime:
    return datetime.now(tz=UTC)


def _check_partitions(context: dg.OutputContext, outcomes: Mapping[str, Outcome[Any]]) -> None:
    """Check that an asset returned an outcome for each partition of its run, and for no other.

    Raises
    ------
    dagster.DagsterInvariantViolationError
        Dagster would show a partition as materialized that has no stored value.
    """
    if not context.has_asset_partitions:
        return
    differing = sorted(set(context.asset_partition_keys).symmetric_difference(outcomes))
    if differing:
        raise dg.DagsterInvariantViolationError(
            f"{context.asset_key.to_user_string()} must return one outcome for each partition of its run. "
            f"{len(differing)} are missing or of other runs, first: {differing[0]}"
        )


def _add_metadata(context: dg.OutputContext, described: Mapping[str, Mapping[str, Any]]) -> None:
    skip_loggers(context)
    add_partition_metadata(context, {key: to_metadata(metadata) for key, metadata in described.items()})


def _materialize_written(context: dg.OutputContext, outcomes: Mapping[str, Outcome[Any]]) -> None:
    written = [key for key, outcome in outcomes.items() if leaves_value(outcome)]
    if len(written) < len(outcomes):
        materialize_only(context, written)


def _show_failures(
    context: dg.OutputContext, outcomes: Mapping[str, Outcome[Any]], phase: str, settings: Settings
) -> None:
    """Show the partitions of failed files as Failed, in this phase and in the one in which they failed."""
    failed = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, Failed)}
    if not failed:
        return
    partitions = FailedPartitions(context, failed_job.name)
    for key, outcome in failed.items():
        message = f"[{outcome.phase}] {outcome.message}"
        tags = tags_of_library(settings) | tags_of_failure(outcome.phase, context.run_id)
        partitions.record(key, {phase, outcome.phase}, message, tags)


def _fail_if_alone(outcomes: Mapping[str, Outcome[Any]]) -> None:
    """Fail a run whose only file failed. In a run of many files, the others go on.

    Raises
    ------
    dagster.Failure
        Dagster does not retry the run, because the file would fail again.
    """
    failures = list(_failures(outcomes))
    if len(outcomes) == 1 and failures:
        key, failed = failures[0]
        metadata = {"partition": key, "phase": failed.phase, "code": failed.code}
        raise dg.Failure(f"[{failed.phase}] {failed.message}", metadata=metadata, allow_retries=False)


def _failures(outcomes: Mapping[str, Outcome[Any]]) -> Iterator[tuple[str, Failed]]:
    for key, outcome in outcomes.items():
        if isinstance(outcome, Failed):
            yield key, outcome
        elif outcome == Skipped(SkipReason.GONE):
            # There is nothing to record, and a person who materializes this file must not see a success.
            remedy = (
                "scan the library again, which drops its partition. When its folder is empty, the partition stays: "
                "check that the disk is mounted, or remove the folder"
            )
            yield key, Failed(IDENTITY, "GONE", f"{key}: {outcome.reason}; {remedy}")
        elif outcome == Skipped(SkipReason.IGNORED):
            remedy = "scan the library again, which drops its partition, or take the pattern back"
            yield key, Failed(IDENTITY, "IGNORED", f"{key}: {outcome.reason}; {remedy}")
