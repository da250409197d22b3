"""Phase 6, first part: what AcoustID and MusicBrainz know of the passages."""

import dagster as dg

from wkmp_assets.identify.lookup import Lookup
from wkmp_assets.model.phases import LOOKUPS
from wkmp_assets.model.values import FileTags, Fingerprints, PassageSegments, RecordingLookups
from wkmp_assets.outcomes import Outcomes, map_results


@dg.asset(name=LOOKUPS, group_name="import", io_manager_key="phase_store", kinds={"python"})
def recording_lookups(
    context: dg.AssetExecutionContext,
    file_tags: Outcomes[FileTags],
    passage_segments: Outcomes[PassageSegments],
    fingerprints: Outcomes[Fingerprints],
    services: dg.ResourceParam[Lookup],
) -> Outcomes[RecordingLookups]:
    """The recordings that AcoustID and MusicBrainz know for every passage; skipped when no AcoustID key is set.

    A service that is down defers a passage, and never fails it: materialize this asset again once it is back. Stale
    when the fingerprints or the tags change.
    """
    phases = [file_tags, passage_segments, fingerprints]
    return map_results(LOOKUPS, sorted(context.partition_keys), phases, services.look_up)
