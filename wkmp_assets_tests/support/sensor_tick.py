"""One tick of the sensor and its runs, in this process."""

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.sensors import SENSOR
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import Settings
from wkmp_assets_tests.support.checked_library import QUIET


def run_tick(settings: Settings, instance: DagsterInstance, workers: WorkerPool | None = None) -> dg.SensorResult:
    """Evaluate the sensor once, register its partitions and run its requests, as the daemon does; all checks pass.

    Parameters
    ----------
    settings : Settings
        Of the library.
    instance : DagsterInstance
        Keeps partitions and runs.
    workers : WorkerPool or None
        Worker processes that live longer than the runs. None: every run starts its own.
    """
    definitions = build_definitions(settings, resource_overrides={"workers": workers} if workers else None)
    repository = definitions.get_repository_def()
    with dg.build_sensor_context(instance=instance, repository_def=repository) as context:
        result = repository.get_sensor_def(SENSOR)(context)
    assert isinstance(result, dg.SensorResult)
    for added in result.dynamic_partitions_requests or ():
        instance.add_dynamic_partitions(partitions_name(settings), list(added.partition_keys))
    for request in result.run_requests or ():
        job = definitions.resolve_job_def(import_job.name)
        done = job.execute_in_process(QUIET, instance=instance, tags=dict(request.tags))
        assert done.success
        assert [check.check_name for check in done.get_asset_check_evaluations() if not check.passed] == []
    return result
