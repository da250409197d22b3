"""Phase 9: what the music is like."""

import dagster as dg
from pydantic import Field

from wkmp_assets.audio.worker_tasks import measure_flavors
from wkmp_assets.identify.flavor_classes import ClassLookup, add_classes
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcomes, map_results
from wkmp_assets.model.phases import FLAVORS
from wkmp_assets.model.values import FileIdentity, Flavors, PassageSegments, SongMatches
from wkmp_assets.orchestration.earlier_runs import measured_flavors
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool


class FlavorsConfig(dg.Config):
    """Whether to measure."""

    keep: bool = Field(
        default=False,
        description="Measure only what was not measured before of the same passages; AcousticBrainz is asked for all.",
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
    """What the music of every passage is like (tempo, mode, brightness, energy and so on), so that it can be compared.

    Measured from the sound that `passage_segments` left, without decoding again. Recordings that AcousticBrainz knows
    have its classes as well; where it gives no answer, the passage waits for a top-up. Stale when the passages or
    their songs change.
    """
    keys = sorted(context.partition_keys)
    kept = measured_flavors(library.phases, song_matches) if config.keep else {}
    measured = workers.compute(
        FLAVORS,
        [key for key in keys if key not in kept],
        [file_identity, passage_segments, song_matches],
        measure_flavors,
        lambda key, identity, segments, matches: (
            library.file_of(key), decode_key(key), identity.content_hash, library.pcm, segments,
            tuple(match.span for match in matches.passages),
        ),
    )  # fmt: skip
    return map_results(
        FLAVORS,
        keys,
        [{**measured, **kept}, song_matches],
        lambda flavors, matches: add_classes(flavors, matches.passages, acousticbrainz),
    )
