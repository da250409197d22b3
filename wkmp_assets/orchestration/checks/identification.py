"""Whether the passages of a run could be looked up, and how sure their songs are; judged by the stored phase values."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import dagster as dg

from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.outcomes import Result
from wkmp_assets.model.phases import FLAVORS, LOOKUPS, MATCHES
from wkmp_assets.model.values import ClassesOutcome, Flavors, LookupOutcome, RecordingLookups, SongMatches
from wkmp_assets.orchestration.checks.findings import plain
from wkmp_assets.orchestration.checks.scope import Scope, scope_of
from wkmp_assets.orchestration.resources import Library

MOST_ROWS = 100
ENOUGH_ASKED = 10
"""So many unknown passages in a row are rarely the music's fault."""

_ASKED = frozenset({LookupOutcome.MATCH, LookupOutcome.NO_MATCH})


@dg.asset_check(asset=LOOKUPS)
def lookups_complete(context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """No passage waits for a service that was down, or had no time; those that do are listed with the reason.

    Shows how many requests were sent, and how many answers were kept from before.
    """
    outcomes: Counter[str] = Counter()
    deferred: list[dg.TableRecord] = []
    asked = from_cache = 0
    scope = scope_of(context, library)
    for path, value in _values(context, library, scope, LOOKUPS):
        lookups: RecordingLookups = value
        asked, from_cache = asked + lookups.asked, from_cache + lookups.from_cache
        outcomes.update(str(passage.outcome) for passage in lookups.passages)
        waits = (passage for passage in lookups.passages if passage.outcome is LookupOutcome.DEFERRED)
        reasons = dict.fromkeys(passage.detail for passage in waits)
        deferred += [dg.TableRecord({"file": path, "reason": reason}) for reason in reasons]
    waiting = outcomes[LookupOutcome.DEFERRED]
    return dg.AssetCheckResult(
        passed=not waiting,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{waiting} passages wait to be looked up: run the job retry_deferred, or `wkmp import "
        f"--retry-deferred`. First reason: {plain(str(deferred[0].data['reason']))}"
        if waiting
        else "no passage waits for a service",
        metadata={
            "files": len(scope.keys),
            "passages": dict(outcomes),
            "requests_sent": asked,
            "answers_from_cache": from_cache,
            **_table(deferred),
        },
    )


@dg.asset_check(asset=FLAVORS)
def classes_complete(context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """No recording waits for AcousticBrainz' classes; where it gave no answer, the files are listed with the reason.

    A service that has not answered for a week is taken to be gone: that is said, and no longer a warning.
    """
    outcomes: Counter[str] = Counter()
    deferred: list[dg.TableRecord] = []
    gone = ""
    scope = scope_of(context, library)
    for path, value in _values(context, library, scope, FLAVORS):
        flavors: Flavors = value
        outcomes.update(str(flavor.outcome) for flavor in flavors.passages)
        waits = (flavor for flavor in flavors.passages if flavor.outcome is ClassesOutcome.DEFERRED)
        deferred += [dg.TableRecord({"file": path, "reason": reason}) for reason in {flavor.detail for flavor in waits}]
        gone = next((one.detail for one in flavors.passages if one.outcome is ClassesOutcome.GONE), gone)
    waiting = outcomes[ClassesOutcome.DEFERRED]
    said = f"{outcomes[ClassesOutcome.GONE]} passages go without classes, {gone}" if gone else "none waits for classes"
    return dg.AssetCheckResult(
        passed=not waiting,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{waiting} passages wait for AcousticBrainz' classes, and have what was measured: run the job "
        f"retry_deferred, or `wkmp import --retry-deferred`. First reason: {deferred[0].data['reason']}"
        if waiting
        else said,
        metadata={"files": len(scope.keys), "passages": dict(outcomes), **_table(deferred)},
    )


@dg.asset_check(asset=MATCHES)
def passages_identified(
    context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]
) -> dg.AssetCheckResult:
    """Of the passages they were asked for the services knew at least one; shows how sure the songs are.

    When of ten passages and more not one is known, something is wrong with more than the music.
    """
    levels: Counter[str] = Counter()
    asked = known = identified = passages = 0
    scope = scope_of(context, library)
    for _, value in _values(context, library, scope, MATCHES):
        matches: SongMatches = value
        passages += len(matches.passages)
        levels.update(str(match.level) for match in matches.passages)
        identified += sum(match.song is not None for match in matches.passages)
        looked_up = [match for match in matches.passages if match.lookup and match.lookup.outcome in _ASKED]
        asked += len(looked_up)
        known += sum(bool(match.song or (match.lookup and match.lookup.candidates)) for match in looked_up)
    passed = known > 0 or asked < ENOUGH_ASKED
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{identified} of {passages} passages have a song"
        if passed
        else f"none of {asked} passages is known to AcoustID; are these files music, and is the mirror complete?",
        metadata={
            "files": len(scope.keys),
            "passages": passages,
            "identified": identified,
            "share_identified": round(identified / passages, 3) if passages else 0.0,
            "levels": {str(level): levels[level] for level in MatchLevel},
        },
    )


def _values(
    context: dg.AssetCheckExecutionContext, library: Library, scope: Scope, phase: str
) -> Iterator[tuple[str, Any]]:
    for key, path in scope.paths():
        outcome = library.phases.read(phase, key, context.run.run_id)
        if isinstance(outcome, Result):
            yield path, outcome.value


def _table(records: list[dg.TableRecord]) -> dict[str, dg.TableMetadataValue]:
    schema = dg.TableSchema([dg.TableColumn(name, "string") for name in ("file", "reason")])
    return {"deferred": dg.TableMetadataValue(records[:MOST_ROWS], schema)} if records else {}
