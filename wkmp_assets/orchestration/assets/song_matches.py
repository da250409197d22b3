"""Phase 6, second part: which recording each passage is."""

import dagster as dg

from wkmp_assets.identify.match import match_passages
from wkmp_assets.model.outcomes import Outcomes, map_results
from wkmp_assets.model.phases import MATCHES
from wkmp_assets.model.values import FileTags, PassageSegments, RecordingLookups, SongMatches
from wkmp_assets.orchestration.earlier_runs import explained_by_folder
from wkmp_assets.orchestration.resources import Library


@dg.asset(name=MATCHES, group_name="import", io_manager_key="phase_store", kinds={"python"})
def song_matches(
    context: dg.AssetExecutionContext,
    file_tags: Outcomes[FileTags],
    passage_segments: Outcomes[PassageSegments],
    recording_lookups: Outcomes[RecordingLookups],
    library: dg.ResourceParam[Library],
) -> Outcomes[SongMatches]:
    """Which song every passage is, and how sure that is, from the tags and from what the services said.

    Of the releases that a recording is on, the one that the album tag names is taken, or the one that most recordings
    of the file's folder are on. A file of which neither tags nor services know a recording becomes passages with the
    tags' texts and no song. Stale when tags, passages or lookups change.
    """
    folders = explained_by_folder(library.root, library.phases, recording_lookups)
    phases = [file_tags, passage_segments, recording_lookups, folders]
    return map_results(MATCHES, sorted(context.partition_keys), phases, match_passages)
