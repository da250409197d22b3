"""Phase 4: the one decode of a file, and its passages."""

import dagster as dg

from wkmp_assets.library.file_key import decode_key
from wkmp_assets.library.identity import needing_content
from wkmp_assets.listen import segment_file
from wkmp_assets.model.phases import SEGMENTS
from wkmp_assets.model.values import FileIdentity, PassageSegments
from wkmp_assets.outcomes import Outcomes
from wkmp_assets.resources import Library
from wkmp_assets.workers import WorkerPool


@dg.asset(name=SEGMENTS, group_name="import", io_manager_key="phase_store", kinds={"python"})
def passage_segments(
    context: dg.AssetExecutionContext,
    file_identity: Outcomes[FileIdentity],
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
) -> Outcomes[PassageSegments]:
    """The stretches of music in one file, between its silences, exact to the sample; none at all means NO AUDIO.

    Decodes the file once, and leaves its level envelope and low-rate PCM for the phases after it. Stale when the
    file's content or the silence settings change.
    """
    parameters = library.read_settings().segmentation
    outcomes = workers.compute(
        SEGMENTS,
        sorted(context.partition_keys),
        [needing_content(file_identity)],
        segment_file,
        lambda key, identity: (library.file_of(key), decode_key(key), identity, library.pcm, parameters),
    )
    library.pcm.evict()
    return outcomes
