"""Run the checks over a whole library, without an import: what `wkmp checks` does."""

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.run_tags import tags_of_library
from wkmp_assets.report.check_results import CheckOutcome
from wkmp_assets.settings import Settings

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_checks(settings: Settings, instance: DagsterInstance) -> list[CheckOutcome]:
    """Execute every check over the whole library, in one run that the web UI shows, and return what they say.

    Parameters
    ----------
    settings : Settings
        Of the library.
    instance : DagsterInstance
        Records the run, and keeps the receipts that some checks judge.

    Returns
    -------
    list of CheckOutcome
        By asset and name. A check that could not be carried out has failed.
    """
    every = build_definitions(settings).resolve_implicit_global_asset_job_def()
    keys = every.asset_layer.asset_graph.asset_check_keys
    job = every.get_subset(asset_selection=set(), asset_check_selection=keys)
    result = job.execute_in_process(
        run_config=_QUIET, instance=instance, tags=tags_of_library(settings), raise_on_error=False
    )
    found = {key: _not_carried_out(key, result.run_id) for key in keys}
    for evaluation in result.get_asset_check_evaluations():
        found[evaluation.asset_check_key] = _outcome_of(evaluation)
    return [found[key] for key in sorted(keys)]


def _not_carried_out(key: dg.AssetCheckKey, run_id: str) -> CheckOutcome:
    said = f"the check could not be carried out; the page of run {run_id} says why"
    return CheckOutcome(key.asset_key.to_user_string(), key.name, passed=False, is_error=True, finding=said)


def _outcome_of(evaluation: dg.AssetCheckEvaluation) -> CheckOutcome:
    return CheckOutcome(
        asset=evaluation.asset_key.to_user_string(),
        check=evaluation.check_name,
        passed=evaluation.passed,
        is_error=evaluation.severity is dg.AssetCheckSeverity.ERROR,
        finding=evaluation.description or "",
    )
