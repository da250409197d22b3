"""A job that one process executes many times.

`JobDefinition.execute_in_process` makes a new job for each run, takes a snapshot of it, computes the snapshot's id anew
and plans its steps. The job of an import stays the same, so it is made once, and planned again for another config only.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster import DagsterInstance
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import ExecuteRunWithPlanIterable, create_execution_plan, job_execution_iterator
from dagster._core.execution.context_creation_job import (
    PlanOrchestrationContextManager,
    orchestration_context_event_generator,
)


class RepeatedJob:
    """Executes one job in this process, once for each run.

    Parameters
    ----------
    job : dagster.JobDefinition
        The job. Its executor is not used. None of its steps has dynamic outputs, which would change the plan.
    """

    def __init__(self, job: dg.JobDefinition) -> None:
        self._run_tags = job.run_tags
        self._job = InMemoryJob(job_def=job.as_ephemeral_job(resource_defs={}, input_values={}))
        self._planned: tuple[Mapping[str, Any], Any] | None = None

    def execute(
        self, run_config: Mapping[str, Any], instance: DagsterInstance, tags: Mapping[str, str]
    ) -> dg.ExecuteInProcessResult:
        """Execute one run, as `execute_in_process` does; errors of steps are in the result."""
        job, plan = self._job.get_definition(), self._plan(run_config, instance)
        run = instance.create_run_for_job(
            job_def=job,
            run_config=run_config,
            tags={**job.run_tags, **self._run_tags, **tags},
            asset_selection=frozenset(),
            execution_plan=plan,
        )
        outputs: dict[Any, Any] = {}
        context = PlanOrchestrationContextManager(
            context_event_generator=orchestration_context_event_generator,
            job=self._job,
            execution_plan=plan,
            dagster_run=run,
            instance=instance,
            run_config=run_config,
            executor_defs=None,
            output_capture=outputs,
            raise_on_error=False,
        )
        events = list(ExecuteRunWithPlanIterable(plan, job_execution_iterator, context))
        return dg.ExecuteInProcessResult(
            event_list=events,
            job_def=job,
            dagster_run=instance.get_run_by_id(run.run_id) or run,
            output_capture=outputs,
        )

    def _plan(self, run_config: Mapping[str, Any], instance: DagsterInstance) -> Any:
        """Return the plan of a run, which stays the same while the config does."""
        if self._planned is None or self._planned[0] != run_config:
            of_instance = instance.get_ref() if instance.is_persistent else None
            self._planned = run_config, create_execution_plan(self._job, run_config, instance_ref=of_instance)
        return self._planned[1]
