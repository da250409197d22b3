"""Phase 5: what each passage sounds like, as AcoustID indexes it."""

import dagster as dg

from wkmp_assets.audio.worker_tasks import fingerprint_file
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcomes
from wkmp_assets.model.phases import FINGERPRINTS
from wkmp_assets.model.values import FileIdentity, Fingerprints, PassageSegments
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool


@dg.asset(name=FINGERPRINTS, group_name="import", io_manager_key="phase_store", kinds={"chromaprint"})
def fingerprints(
    context: dg.AssetExecutionContext,
    file_identity: Outcomes[FileIdentity],
    passage_segments: Outcomes[PassageSegments],
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
) -> Outcomes[Fingerprints]:
    """What every passage sounds like, as a Chromaprint fingerprint: by it AcoustID recognises recordings.

    Made for passages of at least ten seconds, from the sound that `passage_segments` left, without decoding again.
    Stale when the passages change.
    """
    return workers.compute(
        FINGERPRINTS,
        sorted(context.partition_keys),
        [file_identity, passage_segments],
        fingerprint_file,
        lambda key, identity, segments: (
            library.file_of(key), decode_key(key), identity.content_hash, library.pcm, segments
        ),
    )  # fmt: skip
