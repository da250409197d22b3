"""What a phase says about one file: a result, skipped, or failed.

These are values and not exceptions, so that one bad file does not stop the other files of its run. Programming errors
never become `Failed`: they raise and fail the step.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.agreement import find_disagreement

Value = TypeVar("Value")
Next = TypeVar("Next")


class SkipReason(StrEnum):
    """Why a phase did nothing for a file."""

    UNCHANGED = "unchanged"
    """The library already holds this content. True for one run only, so it is never stored."""
    DUPLICATE = "duplicate"
    """Another file has the same bytes and stands for both."""
    INTERRUPTED = "interrupted"
    """The run was asked to stop before it came to this file. True for one run only."""
    ELSEWHERE = "being imported by another run"
    """Another run is importing this file. True for one run only."""
    GONE = "no longer on disk"
    """It was deleted or moved after it got its partition. True for one run only."""
    IGNORED = "passed over by a pattern"
    """A pattern that came after it got its partition keeps it out. True for one run only."""

    WAITS = "waits for a better copy"
    """Another file has the same bytes and a better place, and is imported first. True for one run only."""


RUN_SCOPED = frozenset(SkipReason) - {SkipReason.DUPLICATE}
"""Reasons that concern one run and not the file. They must not replace a stored result."""


@dataclass(frozen=True)
class Result(Generic[Value]):
    """A phase's value for one file, with the SHA-256 of the content it was computed from."""

    value: Value
    content_hash: str


@dataclass(frozen=True)
class Skipped:
    """The phase did nothing for this file."""

    reason: SkipReason
    detail: str = ""


@dataclass(frozen=True)
class Failed:
    """The file cannot be imported. `message` names the file, the cause and the next step."""

    phase: str
    code: str
    message: str


Outcome = Result[Value] | Skipped | Failed


def leaves_value(outcome: "Outcome[Any]") -> bool:
    """Tell whether an outcome is stored: a result, or that the file is a copy."""
    return isinstance(outcome, Result) or (isinstance(outcome, Skipped) and outcome.reason not in RUN_SCOPED)


if TYPE_CHECKING:
    Outcomes = Mapping[str, Outcome[Value]]
else:

    class Outcomes:
        """Partition key -> outcome, one entry for each partition of the run.

        Dagster checks annotated types at run time and refuses a mapping to a union, so it sees a plain dict.
        """

        def __class_getitem__(cls, _value):
            return dict


def join(phase: str, key: str, upstream: Iterable[Outcome[Any]]) -> Result[tuple[Any, ...]] | Skipped | Failed:
    """Join the outcomes of several phases for one file.

    Parameters
    ----------
    phase, key : str
        Name of the phase that needs them, and the partition; for messages.
    upstream : iterable of Outcome
        One outcome per earlier phase.

    Returns
    -------
    Result, Skipped or Failed
        The first failure if there is one, else the first skip, else a result with all values. Results that were
        computed from different contents of the file, or from different passages of it, are a failure
        (`STALE_PHASE_VALUE`): mixed, they would put the boundaries of one recording on another.
    """
    outcomes = list(upstream)
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            return outcome
    for outcome in outcomes:
        if isinstance(outcome, Skipped):
            return outcome
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    if _are_mixed(results):
        return _stale(phase, f"{key}: its phases have read different contents of the file; {IMPORT_WITH_FORCE}")
    disagreement = find_disagreement(result.value for result in results)
    if disagreement is not None:
        remedy = f"materialize its partition again, from {disagreement.first_phase} on"
        return _stale(phase, f"{key}: {disagreement.cause}; {remedy}")
    return Result(tuple(result.value for result in results), results[0].content_hash)


def _stale(phase: str, message: str) -> Failed:
    return Failed(phase, "STALE_PHASE_VALUE", message)


def _are_mixed(results: Iterable[Result[Any]]) -> bool:
    return len({result.content_hash for result in results}) > 1


def map_results(
    phase: str, keys: Iterable[str], upstream: Iterable[Outcomes[Any]], compute: Callable[..., Next]
) -> dict[str, Outcome[Next]]:
    """Apply a function to every file whose earlier phases all have results. Pass on the other outcomes.

    Parameters
    ----------
    phase : str
        Name of the phase that computes, for messages.
    keys : iterable of str
        The run's partition keys.
    upstream : iterable of mapping
        The earlier phases' outcomes, in the order of `compute`'s parameters.
    compute : callable
        Takes one value per upstream phase, returns this phase's value.

    Returns
    -------
    dict
        Partition key -> outcome, for every key, in the order of `keys`.
    """
    phases = list(upstream)
    outcomes: dict[str, Outcome[Next]] = {}
    for key in keys:
        joined = join(phase, key, [outcomes_of_phase[key] for outcomes_of_phase in phases])
        if isinstance(joined, Result):
            outcomes[key] = Result(compute(*joined.value), joined.content_hash)
        else:
            outcomes[key] = joined
    return outcomes
