"""Phase 6, first part: the recordings that AcoustID and MusicBrainz know for each passage."""

import dagster as dg

from wkmp_assets.identify.lookup import RecordingLookup
from wkmp_assets.model.outcomes import Outcomes, map_results
from wkmp_assets.model.phases import LOOKUPS
from wkmp_assets.model.values import FileTags, Fingerprints, PassageSegments, RecordingLookups
from wkmp_assets.orchestration.earlier_runs import restore_earlier_answers
from wkmp_assets.orchestration.resources import Library


@dg.asset(name=LOOKUPS, group_name="import", io_manager_key="phase_store", kinds={"json", "python"})
def recording_lookups(
    context: dg.AssetExecutionContext,
    file_tags: Outcomes[FileTags],
    passage_segments: Outcomes[PassageSegments],
    fingerprints: Outcomes[Fingerprints],
    services: dg.ResourceParam[RecordingLookup],
    library: dg.ResourceParam[Library],
) -> Outcomes[RecordingLookups]:
    """The recordings that AcoustID and MusicBrainz know for every passage.

    Without an AcoustID key no service is asked. The resource `network` makes a run skip the services too. A service
    that is down never fails a file: the lookup is deferred, and the job `retry_deferred` asks again. Until then, an
    earlier answer for the same content counts. Stale when the fingerprints or the tags change.
    """
    phases = [file_tags, passage_segments, fingerprints]
    outcomes = map_results(LOOKUPS, sorted(context.partition_keys), phases, services.look_up)
    return restore_earlier_answers(library.phases, outcomes)
