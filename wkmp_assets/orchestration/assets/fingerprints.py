"""Phase 5: the acoustic fingerprint of each passage."""

from functools import partial

import dagster as dg

from wkmp_assets.audio.sent_tasks import fingerprint_file
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.agreement import spans_of
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcomes
from wkmp_assets.model.phases import FINGERPRINTS, IDENTITY
from wkmp_assets.model.values import FileIdentity, Fingerprints, PassageSegments
from wkmp_assets.orchestration.file_visits import find_visited
from wkmp_assets.orchestration.instance.dagster_api import executes_itself
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool


@dg.asset(name=FINGERPRINTS, group_name="import", io_manager_key="phase_store", kinds={"cplusplus", "python"})
def fingerprints(
    context: dg.AssetExecutionContext,
    file_identity: Outcomes[FileIdentity],
    passage_segments: Outcomes[PassageSegments],
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
) -> Outcomes[Fingerprints]:
    """The Chromaprint fingerprint of every passage, by which AcoustID recognises recordings.

    Passages of at least ten seconds have one. It is computed from the PCM of the one decode, so the file is not
    decoded again. Stale when the passages change.
    """
    expect = partial(ExpectedContent.of, is_just_hashed=executes_itself(context, IDENTITY))
    return workers.compute(
        FINGERPRINTS,
        sorted(context.partition_keys),
        [file_identity, passage_segments],
        fingerprint_file,
        lambda key, identity, segments: (
            library.file_of(key), decode_key(key), expect(identity), library.pcm, segments
        ),
        partial(
            find_visited,
            library,
            FINGERPRINTS,
            lambda prints, _identity, segments: spans_of(prints) == segments.passages,
        ),
    )  # fmt: skip
