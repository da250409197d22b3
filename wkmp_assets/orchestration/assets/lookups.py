"""Phase 6, first part: what AcoustID and MusicBrainz know of the passages."""

import dagster as dg

from wkmp_assets.identify.lookup import RecordingLookup
from wkmp_assets.model.outcomes import Outcomes, map_results
from wkmp_assets.model.phases import LOOKUPS
from wkmp_assets.model.values import FileTags, Fingerprints, PassageSegments, RecordingLookups
from wkmp_assets.orchestration.earlier_runs import with_earlier_answers
from wkmp_assets.orchestration.resources import Library


@dg.asset(name=LOOKUPS, group_name="import", io_manager_key="phase_store", kinds={"acoustid", "musicbrainz"})
def recording_lookups(
    context: dg.AssetExecutionContext,
    file_tags: Outcomes[FileTags],
    passage_segments: Outcomes[PassageSegments],
    fingerprints: Outcomes[Fingerprints],
    services: dg.ResourceParam[RecordingLookup],
    library: dg.ResourceParam[Library],
) -> Outcomes[RecordingLookups]:
    """The recordings that AcoustID and MusicBrainz know for every passage.

    Nobody is asked when no AcoustID key is set, or when the run is told to skip the network (resource `network`). A
    service that is down defers a passage, and never fails it: the job `retry_deferred` asks again. What was answered
    for the same content before stands until it can be asked again. Stale when the fingerprints or the tags change.
    """
    phases = [file_tags, passage_segments, fingerprints]
    outcomes = map_results(LOOKUPS, sorted(context.partition_keys), phases, services.look_up)
    return with_earlier_answers(library.phases, outcomes)
