"""A job that one process executes many times.

`JobDefinition.execute_in_process` makes a new job for each run, takes a snapshot of it and computes the snapshot's id
anew. The job of an import stays the same, so it is made once.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster import DagsterInstance
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.execute_in_process import core_execute_in_process


class RepeatedJob:
    """Executes one job in this process, once for each run.

    Parameters
    ----------
    job : dagster.JobDefinition
        The job. Its executor is not used.
    """

    def __init__(self, job: dg.JobDefinition) -> None:
        self._run_tags = job.run_tags
        self._job = InMemoryJob(job_def=job.as_ephemeral_job(resource_defs={}, input_values={}))

    def execute(
        self, run_config: Mapping[str, Any], instance: DagsterInstance, tags: Mapping[str, str]
    ) -> dg.ExecuteInProcessResult:
        """Execute one run, as `execute_in_process` does; errors of steps are in the result."""
        return core_execute_in_process(
            job=self._job,
            run_config=run_config,
            instance=instance,
            output_capturing_enabled=True,
            raise_on_error=False,
            run_tags={**self._run_tags, **tags},
            asset_selection=frozenset(),
        )
