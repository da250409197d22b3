"""What earlier runs measured of the same content: it stays in runs that only ask the services again."""

from dataclasses import replace
from typing import Any

from wkmp_assets.model.flavor import MEASURED_NAMES
from wkmp_assets.model.outcomes import Outcome, Outcomes, Result
from wkmp_assets.model.phases import FLAVORS, LEAD_POINTS
from wkmp_assets.model.values import ClassesOutcome, Flavors, LeadPointParameters, SongMatches
from wkmp_assets.runtime.phase_store import PhaseStore


def lead_parameters(
    store: PhaseStore, matches: Outcomes[SongMatches], otherwise: LeadPointParameters, *, keep: bool
) -> dict[str, Outcome[LeadPointParameters]]:
    """Say with which parameters every file's lead points are to be found.

    Parameters
    ----------
    store : PhaseStore
        Asked for the file's lead points.
    matches : mapping of str to Outcome
        Of the run's partitions.
    otherwise : LeadPointParameters
        For files without lead points of the same content.
    keep : bool
        False: `otherwise` for all.
    """
    parameters: dict[str, Outcome[LeadPointParameters]] = {}
    for key, outcome in matches.items():
        if not isinstance(outcome, Result):
            parameters[key] = outcome
            continue
        earlier = _earlier(store, LEAD_POINTS, key, outcome.content_hash) if keep else None
        parameters[key] = Result(earlier.parameters if earlier else otherwise, outcome.content_hash)
    return parameters


def measured_flavors(store: PhaseStore, matches: Outcomes[SongMatches]) -> dict[str, Outcome[Flavors]]:
    """Return what was measured of files whose content and passages are as they were, without what a service said."""
    kept: dict[str, Outcome[Flavors]] = {}
    for key, outcome in matches.items():
        earlier = _earlier(store, FLAVORS, key, outcome.content_hash) if isinstance(outcome, Result) else None
        if isinstance(outcome, Result) and earlier is not None and _is_of(earlier, outcome.value):
            kept[key] = Result(_without_classes(earlier), outcome.content_hash)
    return kept


def _earlier(store: PhaseStore, phase: str, key: str, content_hash: str) -> Any | None:
    outcome = store.read_stored(phase, key)
    return outcome.value if isinstance(outcome, Result) and outcome.content_hash == content_hash else None


def _is_of(flavors: Flavors, matches: SongMatches) -> bool:
    is_same = [flavor.span for flavor in flavors.passages] == [match.span for match in matches.passages]
    return is_same and all(set(flavor.measured) == MEASURED_NAMES for flavor in flavors.passages)


def _without_classes(flavors: Flavors) -> Flavors:
    return Flavors(
        tuple(
            replace(flavor, classes={}, detail="", warnings=(), outcome=ClassesOutcome.SKIPPED)
            for flavor in flavors.passages
        )
    )
