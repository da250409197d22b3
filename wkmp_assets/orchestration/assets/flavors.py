"""Phase 9: the musical flavor of each passage."""

from functools import partial

import dagster as dg
from pydantic import Field

from wkmp_assets.audio.worker_tasks import measure_flavors
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.identify.flavor_classes import ClassLookup, add_classes
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcomes, map_results
from wkmp_assets.model.phases import FLAVORS, IDENTITY
from wkmp_assets.model.values import FileIdentity, Flavors, PassageSegments, SongMatches
from wkmp_assets.orchestration.earlier_runs import find_measured_flavors
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


@dg.asset(name=FLAVORS, group_name="import", io_manager_key="phase_store", kinds={"numpy", "acousticbrainz"})
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

    It is measured from the PCM that `passage_segments` stored, so the file is not decoded again. AcousticBrainz adds
    its classes to recordings that it knows. When it gives no answer, the classes are deferred to the job
    `retry_deferred`. Stale when the passages or their songs change.
    """
    keys = sorted(context.partition_keys)
    kept = find_measured_flavors(library.phases, song_matches) if config.keep else {}
    expect = partial(ExpectedContent.of, is_just_hashed=executes_itself(context, IDENTITY))
    measured = workers.compute(
        FLAVORS,
        [key for key in keys if key not in kept],
        [file_identity, passage_segments, song_matches],
        measure_flavors,
        lambda key, identity, segments, matches: (
            library.file_of(key), decode_key(key), expect(identity), library.pcm, segments,
            tuple(match.span for match in matches.passages),
        ),
    )  # fmt: skip
    return map_results(
        FLAVORS,
        keys,
        [{**measured, **kept}, song_matches],
        lambda flavors, matches: add_classes(flavors, matches, acousticbrainz),
    )
