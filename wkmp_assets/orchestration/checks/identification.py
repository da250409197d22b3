"""The checks on identification: passages looked up, songs found, classes complete. They judge stored phase values."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import dagster as dg

from wkmp_assets.db.read.counts import read_counts
from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.outcomes import Result
from wkmp_assets.model.phases import FLAVORS, LOOKUPS, MATCHES
from wkmp_assets.model.values import ClassesOutcome, Flavors, RecordingLookups, SongMatches
from wkmp_assets.orchestration.checks.findings import escape_markdown
from wkmp_assets.orchestration.checks.results import warn_unless
from wkmp_assets.orchestration.checks.scope import Scope, find_scope
from wkmp_assets.orchestration.dagster_values import to_table
from wkmp_assets.orchestration.resources import Library

MIN_ASKED = 10
"""With fewer passages looked up, no warning is given: all of them may be unknown by chance."""

_ASKED = frozenset({LookupOutcome.MATCH, LookupOutcome.NO_MATCH})


@dg.asset_check(asset=LOOKUPS)
def lookups_complete(context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """No lookup of a passage is deferred.

    A lookup is deferred when AcoustID or MusicBrainz gives no answer, or when the run skips the network. The table
    lists the files with the reasons. The job `retry_deferred` asks again. The metadata counts requests and answers from
    the cache.
    """
    outcomes: Counter[str] = Counter()
    deferred: list[tuple[str, str]] = []
    asked = from_cache = 0
    scope = find_scope(context, library)
    if _is_blind(context, library, scope, LOOKUPS):
        return _warn_of_no_values(scope, LOOKUPS)
    for path, value in _read_values(context, library, scope, LOOKUPS):
        lookups: RecordingLookups = value
        asked, from_cache = asked + lookups.asked, from_cache + lookups.from_cache
        outcomes.update(str(passage.outcome) for passage in lookups.passages)
        deferred += [(path, one.detail) for one in lookups.passages if one.outcome is LookupOutcome.DEFERRED]
    metadata = {
        "files": len(scope.keys),
        "passages": dict(outcomes),
        "requests_sent": asked,
        "answers_from_cache": from_cache,
    }
    return _judge_deferred("lookups of passages are deferred", deferred, "no lookup is deferred", metadata)


@dg.asset_check(asset=FLAVORS)
def classes_complete(context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """No lookup of AcousticBrainz' classes is deferred.

    Passages without classes still have their measured flavor. The table lists the files with the reasons, and the job
    `retry_deferred` asks again. When AcousticBrainz has not answered for a week, this check says so and passes.
    """
    outcomes: Counter[str] = Counter()
    deferred: list[tuple[str, str]] = []
    gone = ""
    scope = find_scope(context, library)
    if _is_blind(context, library, scope, FLAVORS):
        return _warn_of_no_values(scope, FLAVORS)
    for path, value in _read_values(context, library, scope, FLAVORS):
        flavors: Flavors = value
        outcomes.update(str(flavor.outcome) for flavor in flavors.passages)
        deferred += [(path, one.detail) for one in flavors.passages if one.outcome is ClassesOutcome.DEFERRED]
        gone = next((one.detail for one in flavors.passages if one.outcome is ClassesOutcome.GONE), gone)
    passed = "no lookup of classes is deferred"
    if gone:
        passed = f"{outcomes[ClassesOutcome.GONE]} passages have no classes. {escape_markdown(gone)}"
    metadata = {"files": len(scope.keys), "passages": dict(outcomes)}
    return _judge_deferred("lookups of AcousticBrainz' classes are deferred", deferred, passed, metadata)


@dg.asset_check(asset=MATCHES)
def passages_identified(
    context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]
) -> dg.AssetCheckResult:
    """AcoustID knows at least one of the passages that were looked up.

    When it knows none of ten or more, the fault is rarely in the music: look at the service, its mirror, or the files.
    The metadata counts the passages with a song by the confidence of the match.
    """
    levels: Counter[str] = Counter()
    asked = known = identified = passages = 0
    scope = find_scope(context, library)
    if _is_blind(context, library, scope, MATCHES):
        return _warn_of_no_values(scope, MATCHES)
    for _, value in _read_values(context, library, scope, MATCHES):
        matches: SongMatches = value
        passages += len(matches.passages)
        levels.update(str(match.level) for match in matches.passages)
        identified += sum(match.song is not None for match in matches.passages)
        looked_up = [match for match in matches.passages if match.lookup and match.lookup.outcome in _ASKED]
        asked += len(looked_up)
        known += sum(bool(match.song or (match.lookup and match.lookup.candidates)) for match in looked_up)
    is_plausible = known > 0 or asked < MIN_ASKED
    return warn_unless(
        is_plausible,
        f"{identified} of {passages} passages have a song"
        if is_plausible
        else f"AcoustID knows none of {asked} passages. Check that the files are music. If WKMP_ACOUSTID_URL names a "
        "mirror, check that it is complete.",
        {
            "files": len(scope.keys),
            "passages": passages,
            "identified": identified,
            "share_identified": round(identified / passages, 3) if passages else 0.0,
            "levels": {str(level): levels[level] for level in MatchLevel},
        },
    )


def _read_values(
    context: dg.AssetCheckExecutionContext, library: Library, scope: Scope, phase: str
) -> Iterator[tuple[str, Any]]:
    """Yield path and phase value of every file that has one."""
    for key, path in scope.paths():
        outcome = library.phases.read(phase, key, context.run.run_id)
        if isinstance(outcome, Result):
            yield path, outcome.value


def _is_blind(context: dg.AssetCheckExecutionContext, library: Library, scope: Scope, phase: str) -> bool:
    """Tell whether the library has passages, and no file a value: a check that passed then would have seen nothing."""
    if not scope.is_whole_library or any(_read_values(context, library, scope, phase)):  # the first value is enough
        return False
    counts = read_counts(library.database)
    return counts is not None and counts.rows["passages"] > 0


def _warn_of_no_values(scope: Scope, phase: str) -> dg.AssetCheckResult:
    return warn_unless(
        False,
        f"none of {len(scope.keys)} files has a value of {phase}, so there is nothing to judge. Values are in the "
        f"state folder, which may be new. For each file, {IMPORT_WITH_FORCE}.",
        {"files": len(scope.keys)},
    )


def _judge_deferred(
    what: str, deferred: list[tuple[str, str]], when_passed: str, metadata: dict[str, Any]
) -> dg.AssetCheckResult:
    """Warn about deferred passages, given by path and reason; the table names each file once for each reason."""
    if not deferred:
        return warn_unless(True, when_passed, metadata)
    rows = [{"file": path, "reason": reason} for path, reason in dict.fromkeys(deferred)]
    said = (
        f"{len(deferred)} {what}. Run the job retry_deferred, or `wkmp import FOLDER --retry-deferred`. First reason: "
        f"{escape_markdown(deferred[0][1])}"
    )
    return warn_unless(False, said, {**metadata, "deferred": to_table(("file", "reason"), rows)})
