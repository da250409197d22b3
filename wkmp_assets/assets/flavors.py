"""Phase 9: what the music is like."""

import dagster as dg

from wkmp_assets.identify.acousticbrainz_client import ClassSource
from wkmp_assets.identify.classes import with_classes
from wkmp_assets.library.file_key import decode_key
from wkmp_assets.listen import flavor_file
from wkmp_assets.model.phases import FLAVORS
from wkmp_assets.model.values import FileIdentity, Flavors, PassageSegments, SongMatches
from wkmp_assets.outcomes import Outcomes, map_results
from wkmp_assets.resources import Library
from wkmp_assets.workers import WorkerPool


@dg.asset(name=FLAVORS, group_name="import", io_manager_key="phase_store", kinds={"python"})
def flavors(
    context: dg.AssetExecutionContext,
    file_identity: Outcomes[FileIdentity],
    passage_segments: Outcomes[PassageSegments],
    song_matches: Outcomes[SongMatches],
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
    acousticbrainz: dg.ResourceParam[ClassSource],
) -> Outcomes[Flavors]:
    """The musical flavor of every passage: characteristics measured from its sound, and AcousticBrainz' classes.

    Measured from the PCM that `passage_segments` left, without decoding again. Classes are there for recordings that
    AcousticBrainz knows, as long as it answers. Stale when the passages or their songs change.
    """
    keys = sorted(context.partition_keys)
    measured = workers.compute(
        FLAVORS,
        keys,
        [file_identity, passage_segments, song_matches],
        flavor_file,
        lambda key, identity, segments, matches: (
            library.file_of(key), decode_key(key), identity.content_hash, library.pcm, segments,
            tuple(match.span for match in matches.passages),
        ),
    )  # fmt: skip
    return map_results(
        FLAVORS, keys, [measured, song_matches], lambda flavors, m: with_classes(flavors, m.passages, acousticbrainz)
    )
