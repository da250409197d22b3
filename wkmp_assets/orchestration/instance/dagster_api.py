"""The parts of Dagster's private API that the code location uses, under its own names.

`test_dagster_api` states for each name what Dagster must have, and fails when a new version lacks it.
"""

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterInstance
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.api import create_execution_plan
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionsFilter, BulkActionStatus
from dagster._core.execution.context.metadata_logging import AssetMetadataHandle, OutputMetadataAccumulator
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.snap import snapshot_from_execution_plan
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    MAX_RETRIES_TAG,
    PARTITION_NAME_TAG,
    RUN_KEY_TAG,
    WILL_RETRY_TAG,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._utils.schedules import is_valid_cron_schedule

from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage
from wkmp_assets.orchestration.instance.living_runs import living_runs_of
from wkmp_assets.orchestration.instance.step_log import without_loggers

_AnyContext = dg.InputContext | dg.OutputContext | dg.AssetExecutionContext
_UNSTARTED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
_STARTED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def partition_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags of a run over the partitions from `first` to `last`, both included."""
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}


def partition_bounds(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the first and the last partition of a run by its tags; None when it has no partitions.

    They are the same partition when the run has only one.
    """
    single = tags.get(PARTITION_NAME_TAG)
    first = tags.get(ASSET_PARTITION_RANGE_START_TAG, single)
    last = tags.get(ASSET_PARTITION_RANGE_END_TAG, single)
    return None if first is None or last is None else (first, last)


def will_be_retried(run: dg.DagsterRun) -> bool:
    """Tell whether Dagster starts a failed run again by itself."""
    return run.tags.get(WILL_RETRY_TAG) == "true"


def find_run_by_key(instance: DagsterInstance, run_key: str) -> dg.DagsterRun | None:
    """Return the last run that was requested under a run key. Dagster ignores further requests with this key."""
    runs = instance.get_runs(filters=dg.RunsFilter(tags={RUN_KEY_TAG: run_key}), limit=1)
    return runs[0] if runs else None


def is_running(instance: DagsterInstance, run_id: str) -> bool:
    """Tell whether a run has started and not ended, and its process is not known to be gone."""
    run = instance.get_run_by_id(run_id)
    return run is not None and run.status in _STARTED and _may_be_alive(instance, run_id)


def ends_with_this_process(instance: DagsterInstance, run_id: str) -> bool:
    """Tell whether this process executes the whole run; False where it cannot tell."""
    living = living_runs_of(instance.event_log_storage)
    return living is not None and living.is_own(run_id)


def _may_be_alive(instance: DagsterInstance, run_id: str) -> bool:
    living = living_runs_of(instance.event_log_storage)
    return living is None or living.is_alive(run_id)


def find_unfinished_runs(instance: DagsterInstance) -> list[dg.DagsterRun]:
    """Return the runs that wait or run, of all jobs, without those whose process is known to be gone."""
    waiting = instance.get_runs(filters=dg.RunsFilter(statuses=_UNSTARTED))
    started = instance.get_runs(filters=dg.RunsFilter(statuses=_STARTED))
    return [*waiting, *(run for run in started if _may_be_alive(instance, run.run_id))]


def read_backfill_partitions(instance: DagsterInstance) -> frozenset[str] | None:
    """Return the partitions of all unfinished backfills; None when one does not say which."""
    unfinished = [status for status in BulkActionStatus if status not in BULK_ACTION_TERMINAL_STATUSES]
    keys: set[str] = set()
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=unfinished)):
        if backfill.asset_backfill_data is not None:
            subsets = backfill.asset_backfill_data.target_subset.partitions_subsets_by_asset_key.values()
            keys.update(*(subset.get_partition_keys() for subset in subsets))
        elif backfill.partition_names is not None:
            keys.update(backfill.partition_names)
        else:
            return None
    return frozenset(keys)


def delete_partitions(instance: DagsterInstance, name: str, keys: Sequence[str]) -> None:
    """Delete partitions of a set, in one transaction if the instance has the storage of dagster.yaml."""
    storage = instance.event_log_storage
    if isinstance(storage, KeptOpenEventLogStorage):
        storage.delete_dynamic_partitions(name, keys)
        return
    for key in keys:
        instance.delete_dynamic_partition(name, key)


def find_own_receipts(
    instance: DagsterInstance, event_ids: Collection[int]
) -> dict[int, tuple[dg.AssetMaterialization, str]]:
    """Return those of some materializations of `library_entry` that this process has just stored, with their runs.

    They need not be read.

    Parameters
    ----------
    instance : DagsterInstance
        Its storage; only that of dagster.yaml keeps any.
    event_ids : collection of int
        Ids in the storage.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, KeptOpenEventLogStorage):
        return {}
    return {
        one: (event.get_dagster_event().step_materialization_data.materialization, event.run_id)
        for one, event in storage.find_receipts(event_ids).items()
    }


def is_cron_expression(text: str) -> bool:
    """Tell whether Dagster accepts a text as the time of a schedule."""
    return is_valid_cron_schedule(text)


def run_of(context: dg.InputContext | dg.OutputContext) -> dg.DagsterRun:
    """Return the run that calls an IO manager; for an input, the run that reads and not the run that wrote."""
    return context.step_context.dagster_run


def instance_of(context: dg.OutputContext) -> DagsterInstance:
    """Return the instance of the run that calls an IO manager."""
    return context.step_context.instance


def executes_asset(context: _AnyContext, asset: str) -> bool:
    """Tell whether the run of an IO manager or asset materializes an asset, or goes on after a run that did."""
    return find_executing_run(context, asset) is not None


def executes_itself(context: _AnyContext, asset: str) -> bool:
    """Tell whether the run of an IO manager or asset materializes an asset itself, and not a run before it."""
    steps = _run_of_any(context).step_keys_to_execute
    if isinstance(context, dg.AssetExecutionContext):
        job = context.job_def
    else:
        job = context.step_context.job.get_definition()
    return dg.AssetKey(asset) in job.asset_layer.executable_asset_keys and (steps is None or asset in steps)


def find_executing_run(context: _AnyContext, asset: str) -> str | None:
    """Return the id of the run whose outcomes of an asset count for the run of an IO manager or asset.

    That is the run itself, or the last of those after which it goes on that materialized the asset. A run goes on after
    another when Dagster or a person re-executes what failed in it. None when no such run did.
    """
    run = _run_of_any(context)
    if executes_itself(context, asset):
        return run.run_id
    instance = context.instance if isinstance(context, dg.AssetExecutionContext) else context.step_context.instance
    while run.parent_run_id is not None:
        parent = instance.get_run_by_id(run.parent_run_id)
        if parent is None:
            return None
        plan = parent.execution_plan_snapshot_id
        if plan is not None and asset in instance.get_execution_plan_snapshot(plan).step_keys_to_execute:
            return parent.run_id
        run = parent
    return None


def _run_of_any(context: _AnyContext) -> dg.DagsterRun:
    return context.run if isinstance(context, dg.AssetExecutionContext) else run_of(context)


def add_partition_metadata(context: dg.OutputContext, metadata: Mapping[str, Mapping[str, Any]]) -> None:
    """Add metadata to the materializations of partitions.

    The public `add_asset_metadata` takes one partition. On each call it reads all registered partitions anew, to look
    this one up among them, and checks the metadata of all others again. With 50,000 files, or with a thousand in one
    run, that costs more than the import itself.

    Parameters
    ----------
    context : dagster.OutputContext
        Of the IO manager.
    metadata : mapping of str to mapping
        Partition key -> name -> value, as Dagster takes them. The partitions are those of the output; this is not
        checked.
    """
    step = context.step_context
    known = dict(step._metadata_accumulator.per_output_metadata)
    for partition, values in metadata.items():
        handle = AssetMetadataHandle(asset_key=context.asset_key, partition_key=partition)
        known[handle] = {**known.get(handle, {}), **values}
    step._metadata_accumulator = OutputMetadataAccumulator(per_output_metadata=known)


def skip_loggers(context: dg.InputContext | dg.OutputContext | dg.AssetCheckExecutionContext) -> None:
    """Let the further events of a step skip the loggers, where no logger shows them. They are stored the same."""
    if isinstance(context, dg.AssetCheckExecutionContext):
        step = context.get_step_execution_context()
    else:
        step = context.step_context
    step._log_manager = without_loggers(step.log, step.instance)


def materialize_only(context: dg.OutputContext, partitions: Collection[str]) -> None:
    """Make an output materialize only these of its partitions.

    An IO manager calls it when it has not written the others, which keep their last materialization.
    """
    if partitions:
        whole = context.asset_partitions_def
        context._asset_partitions_subset = whole.empty_subset().with_partition_keys(partitions)
    else:
        # Without partitions Dagster would materialize the asset as a whole. Without an asset it materializes nothing.
        context._asset_key = None


class FailedPartitions:
    """Shows single partitions of a run as Failed, while the run goes on and may succeed.

    Dagster shows a partition as Failed only if a run that was planned to materialize it has failed. So each failed
    partition gets a run of its own, which is recorded as failed and never started.

    Parameters
    ----------
    context : dagster.OutputContext
        Of the IO manager.
    job_name : str
        Job of the recorded runs.
    """

    def __init__(self, context: dg.OutputContext, job_name: str) -> None:
        self._instance = instance_of(context)
        self._run = run_of(context)
        self._job = context.step_context.job.get_definition()
        self._job_name = job_name
        self._plans: dict[frozenset[dg.AssetKey], tuple[Any, Any]] = {}

    def record(self, partition: str, assets: Collection[str], message: str, tags: Mapping[str, str]) -> None:
        """Show one partition of some assets as Failed.

        Parameters
        ----------
        partition : str
            Partition key.
        assets : collection of str
            Assets that the run does not materialize are left out.
        message : str
            Shown on the page of the failed run.
        tags : mapping of str to str
            Of the failed run.
        """
        executed = set(self._job.asset_layer.executable_asset_keys)
        keys = frozenset(executed.intersection(map(dg.AssetKey, assets)))
        job, plan = self._plan(keys)
        failed = self._instance.create_run(
            job_name=self._job_name,
            run_id=None,
            run_config=self._run.run_config,
            status=dg.DagsterRunStatus.NOT_STARTED,
            tags={**tags, PARTITION_NAME_TAG: partition, MAX_RETRIES_TAG: "0"},
            root_run_id=None,
            parent_run_id=None,
            step_keys_to_execute=plan.step_keys_to_execute,
            execution_plan_snapshot=snapshot_from_execution_plan(plan, job.get_job_snapshot_id()),
            job_snapshot=job.get_job_snapshot(),
            parent_job_snapshot=job.get_parent_job_snapshot(),
            asset_selection=None,
            asset_check_selection=None,
            resolved_op_selection=None,
            op_selection=None,
            remote_job_origin=None,
            job_code_origin=None,
            asset_graph=job.asset_layer.asset_graph,
        )
        self._instance.report_run_failed(failed, message)

    def _plan(self, keys: frozenset[dg.AssetKey]) -> tuple[Any, Any]:
        """Return the job of these assets with its plan, made once because it takes longer than to record a run."""
        if keys not in self._plans:
            job = self._job.get_subset(asset_selection=keys, asset_check_selection=frozenset())
            self._plans[keys] = job, create_execution_plan(job)
        return self._plans[keys]


def name_location(instance: DagsterInstance, run: dg.DagsterRun, module: str) -> None:
    """Say which code location a run is of that this process has executed, or the web UI's timeline leaves it out.

    Only runs that have ended well are changed: the daemon would start others again, and their import goes on by itself.

    Parameters
    ----------
    instance : DagsterInstance
        Keeps the run.
    run : dagster.DagsterRun
        As it is stored, without a code location.
    module : str
        The module that the web UI loads. The location has its name, unless a workspace.yaml in the instance's folder
        gives it that of its package.
    """
    if not run.is_success or run.remote_job_origin is not None:
        return
    has_workspace = Path(instance.root_directory, "workspace.yaml").is_file()
    name = module.partition(".")[0] if has_workspace else module
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=module)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, name)
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), run.job_name)
    instance.run_storage.replace_job_origin(run, origin)


def cancel_run(instance: DagsterInstance, run_id: str, message: str) -> None:
    """Mark a run as cancelled after a requested stop."""
    run = instance.get_run_by_id(run_id)
    if run is not None:
        instance.report_run_canceled(run, message)
