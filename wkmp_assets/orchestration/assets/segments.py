"""Phase 4: the decode of a file, and its passages."""

from functools import partial
from typing import Any

import dagster as dg

from wkmp_assets.audio.sent_tasks import segment_file
from wkmp_assets.files.identity import without_known_content
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcomes
from wkmp_assets.model.phases import IDENTITY, SEGMENTS
from wkmp_assets.model.values import FileIdentity, FileTags, PassageSegments
from wkmp_assets.orchestration.earlier_runs import find_track_lists
from wkmp_assets.orchestration.file_visits import find_visited
from wkmp_assets.orchestration.instance.dagster_api import executes_asset, executes_itself
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool


@dg.asset(name=SEGMENTS, group_name="import", io_manager_key="phase_store", kinds={"numpy", "python"})
def passage_segments(
    context: dg.AssetExecutionContext,
    file_identity: Outcomes[FileIdentity],
    file_tags: Outcomes[FileTags],
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
) -> Outcomes[PassageSegments]:
    """The passages of the file, exact to the sample.

    A CUE sheet or chapters that fit the sound decide where they begin and end, else the track list of the release, when
    an earlier lookup found one as long as the file. Tags of one recording keep it whole, in spite of its pauses. Of
    other files the passages are the music between the silences. A file of silence has none and gets the status NO
    AUDIO. The file is decoded once for all phases. Stale when the file's content, its tags or sheets, or the silence
    settings of the library change.
    """
    parameters = library.read_settings().segmentation
    expect = partial(ExpectedContent.of, is_just_hashed=executes_itself(context, IDENTITY))
    track_lists = find_track_lists(library.phases, file_identity)

    def find_segments(key: str, content_hash: str, identity: FileIdentity, tags: FileTags) -> Any | None:
        findings = library.findings.get(key)
        if findings is not None and findings.track_list != track_lists.get(key):
            return None
        return find_visited(library, SEGMENTS, is_usable, key, content_hash, identity, tags)

    def is_usable(segments: PassageSegments, _identity: FileIdentity, tags: FileTags) -> bool:
        return segments.parameters == parameters and segments.evidence == tags.evidence

    outcomes = workers.compute(
        SEGMENTS,
        sorted(context.partition_keys),
        [without_known_content(file_identity, is_judged_now=executes_asset(context, IDENTITY)), file_tags],
        segment_file,
        lambda key, identity, tags: (
            library.file_of(key), decode_key(key), expect(identity), library.pcm, parameters, tags.evidence,
            track_lists.get(key),
        ),
        find_segments,
    )  # fmt: skip
    library.pcm.evict()
    return outcomes
