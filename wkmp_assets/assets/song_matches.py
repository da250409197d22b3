"""Phase 6: which recording each passage is."""

import dagster as dg

from wkmp_assets.identify.embedded import match_from_tags
from wkmp_assets.model.phases import MATCHES
from wkmp_assets.model.values import FileTags, Fingerprints, PassageSegments, SongMatches
from wkmp_assets.outcomes import Outcomes, map_results


@dg.asset(name=MATCHES, group_name="import", io_manager_key="phase_store", kinds={"python"})
def song_matches(
    context: dg.AssetExecutionContext,
    file_tags: Outcomes[FileTags],
    passage_segments: Outcomes[PassageSegments],
    fingerprints: Outcomes[Fingerprints],
) -> Outcomes[SongMatches]:
    """The song of every passage, as far as the MusicBrainz ids embedded in the tags tell, and how sure that is.

    A file without such ids becomes passages with the tags' texts and no song. Stale when tags or passages change.
    """
    phases = [file_tags, passage_segments, fingerprints]
    return map_results(MATCHES, sorted(context.partition_keys), phases, match_from_tags)
