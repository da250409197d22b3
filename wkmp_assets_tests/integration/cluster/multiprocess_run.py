"""A run in which every step has a process of its own, as Dagster's multiprocess executor does it."""

import os
import time
from pathlib import Path

import dagster as dg

from wkmp_assets.model.phases import IDENTITY
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.instance.dagster_api import partition_tags
from wkmp_assets.orchestration.partitions import audio_files, partitions_name
from wkmp_assets.settings import load_settings


def make_job() -> dg.JobDefinition:
    """Return a job that claims files in its first step, and whose second waits until a file is there."""
    settings = load_settings()
    definitions = build_definitions(settings)

    @dg.asset(deps=[IDENTITY], partitions_def=audio_files(settings), backfill_policy=dg.BackfillPolicy.single_run())
    def waits() -> None:
        while not Path(os.environ["GO"]).exists():
            time.sleep(0.1)

    job = dg.define_asset_job("claims", selection=[IDENTITY, "waits"], executor_def=dg.multiprocess_executor)
    whole = dg.Definitions([*(definitions.assets or ()), waits], jobs=[job], resources=definitions.resources)
    return whole.resolve_job_def("claims")


if __name__ == "__main__":
    with dg.DagsterInstance.get() as of_home:
        keys = of_home.get_dynamic_partitions(partitions_name(load_settings()))
        tags = partition_tags(keys[0], keys[-1])
        with dg.execute_job(dg.reconstructable(make_job), instance=of_home, tags=tags) as result:
            raise SystemExit(not result.success)
