"""Phase 6, second part: which recording each passage is."""

import dagster as dg

from wkmp_assets.identify.match import match_passages
from wkmp_assets.model.phases import MATCHES
from wkmp_assets.model.values import FileTags, PassageSegments, RecordingLookups, SongMatches
from wkmp_assets.outcomes import Outcomes, map_results


@dg.asset(name=MATCHES, group_name="import", io_manager_key="phase_store", kinds={"python"})
def song_matches(
    context: dg.AssetExecutionContext,
    file_tags: Outcomes[FileTags],
    passage_segments: Outcomes[PassageSegments],
    recording_lookups: Outcomes[RecordingLookups],
) -> Outcomes[SongMatches]:
    """The song of every passage and how sure that is, from the tags and from what the services said.

    A file of which neither knows a recording becomes passages with the tags' texts and no song. Stale when tags,
    passages or lookups change.
    """
    phases = [file_tags, passage_segments, recording_lookups]
    return map_results(MATCHES, sorted(context.partition_keys), phases, match_passages)
