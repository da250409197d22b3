"""Phase 4: the decode of a file, and its passages."""

from functools import partial

import dagster as dg

from wkmp_assets.audio.worker_tasks import segment_file
from wkmp_assets.files.identity import without_known_content
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcomes
from wkmp_assets.model.phases import IDENTITY, SEGMENTS
from wkmp_assets.model.values import FileIdentity, PassageSegments
from wkmp_assets.orchestration.instance.dagster_api import executes_asset, executes_itself
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool


@dg.asset(name=SEGMENTS, group_name="import", io_manager_key="phase_store", kinds={"ffmpeg"})
def passage_segments(
    context: dg.AssetExecutionContext,
    file_identity: Outcomes[FileIdentity],
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
) -> Outcomes[PassageSegments]:
    """The passages of the file: the music between its silences, exact to the sample.

    A single track is one passage, and an album side in one file has several. A file of silence has none and gets the
    status NO AUDIO. This asset decodes the file once for all later ones. Stale when the file's content or the silence
    settings of the library change.
    """
    parameters = library.read_settings().segmentation
    expect = partial(ExpectedContent.of, is_just_hashed=executes_itself(context, IDENTITY))
    outcomes = workers.compute(
        SEGMENTS,
        sorted(context.partition_keys),
        [without_known_content(file_identity, is_judged_now=executes_asset(context, IDENTITY))],
        segment_file,
        lambda key, identity: (library.file_of(key), decode_key(key), expect(identity), library.pcm, parameters),
    )
    library.pcm.evict()
    return outcomes
