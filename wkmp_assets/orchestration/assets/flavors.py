"""Phase 9: the musical flavor of each passage."""

from dataclasses import replace
from functools import partial

import dagster as dg
from pydantic import Field

from wkmp_assets.audio.sent_tasks import measure_flavors
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.identify.flavor_classes import ClassLookup, add_classes
from wkmp_assets.model.agreement import spans_of
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcome, Outcomes, Result, map_results
from wkmp_assets.model.phases import FLAVORS, IDENTITY
from wkmp_assets.model.values import FileIdentity, Flavors, PassageSegments, SongMatches, Span
from wkmp_assets.orchestration.earlier_runs import find_measured_flavors
from wkmp_assets.orchestration.file_visits import find_value
from wkmp_assets.orchestration.instance.dagster_api import executes_itself
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool


class FlavorsConfig(dg.Config):
    """Which flavors to measure."""

    keep: bool = Field(
        default=False,
        description="true: keep the measured flavors of files whose passages have not changed. AcousticBrainz is asked "
        "about all passages either way.",
    )
    decode: bool = Field(
        default=False,
        description="true: also decode files that an earlier version imported, because their loudness cannot be "
        "measured from the PCM that is kept.",
    )


@dg.asset(name=FLAVORS, group_name="import", io_manager_key="phase_store", kinds={"numpy", "json"})
def flavors(
    context: dg.AssetExecutionContext,
    config: FlavorsConfig,
    file_identity: Outcomes[FileIdentity],
    passage_segments: Outcomes[PassageSegments],
    song_matches: Outcomes[SongMatches],
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
    acousticbrainz: dg.ResourceParam[ClassLookup],
) -> Outcomes[Flavors]:
    """The musical flavor of every passage: tempo, mode, brightness, energy and more, as distributions to compare.

    It is measured from the PCM of the one decode, so the file is not decoded again. AcousticBrainz adds
    its classes to recordings that it knows. When it gives no answer, the classes are deferred to the job
    `retry_deferred`. Stale when the passages or their songs change.
    """
    keys = sorted(context.partition_keys)
    kept = find_measured_flavors(library.phases, song_matches) if config.keep else {}
    expect = partial(ExpectedContent.of, is_just_hashed=executes_itself(context, IDENTITY))
    visited = {key: find_value(library, FLAVORS, key, passage_segments[key]) for key in keys}
    measured = workers.compute(
        FLAVORS,
        [key for key in keys if key not in kept],
        [file_identity, passage_segments, song_matches],
        measure_flavors,
        lambda key, identity, segments, matches: (
            library.file_of(key), decode_key(key), expect(identity), library.pcm, segments,
            _unmeasured(visited[key], matches), config.decode,
        ),
        lambda key, _content_hash, _identity, _segments, matches: (
            None if _unmeasured(visited[key], matches) else Flavors(())
        ),
    )  # fmt: skip
    whole = {key: _complete(outcome, visited[key], song_matches[key]) for key, outcome in measured.items()}
    return map_results(
        FLAVORS,
        keys,
        [{**whole, **kept}, song_matches],
        lambda flavors, matches: add_classes(flavors, matches, acousticbrainz),
    )


def _unmeasured(visited: Flavors | None, matches: SongMatches) -> tuple[Span, ...]:
    """Return the passages that the visit of the file has not measured, because they were joined since."""
    known = spans_of(visited) if visited else ()
    return tuple(span for span in spans_of(matches) if span not in known)


def _complete(measured: Outcome[Flavors], visited: Flavors | None, matches: Outcome[SongMatches]) -> Outcome[Flavors]:
    """Return the flavors of all passages, from the visit and from what was measured since."""
    if not isinstance(measured, Result) or not isinstance(matches, Result):
        return measured
    parts = (visited, measured.value) if visited else (measured.value,)
    by_span = {flavor.span: flavor for part in parts for flavor in part.passages}
    return replace(measured, value=Flavors(tuple(by_span[span] for span in spans_of(matches.value))))
