"""Phase 6, second part: the recording of each passage."""

import dagster as dg

from wkmp_assets.identify.match import match_passages
from wkmp_assets.model.outcomes import Outcomes, map_results
from wkmp_assets.model.phases import MATCHES
from wkmp_assets.model.values import FileTags, PassageSegments, RecordingLookups, SongMatches
from wkmp_assets.orchestration.earlier_runs import find_releases_by_folder
from wkmp_assets.orchestration.resources import Library


@dg.asset(name=MATCHES, group_name="import", io_manager_key="phase_store", kinds={"python"})
def song_matches(
    context: dg.AssetExecutionContext,
    file_tags: Outcomes[FileTags],
    passage_segments: Outcomes[PassageSegments],
    recording_lookups: Outcomes[RecordingLookups],
    library: dg.ResourceParam[Library],
) -> Outcomes[SongMatches]:
    """The song of every passage with its confidence, from the tags and the answers of the services.

    When a recording is on several releases, the album tag decides, or the release that most recordings of the folder
    are on. A passage whose recording is unknown has no song and takes its texts from the tags. Stale when the tags,
    passages or lookups change.
    """
    folders = find_releases_by_folder(library.root, library.phases, recording_lookups)
    phases = [file_tags, passage_segments, recording_lookups, folders]
    return map_results(MATCHES, sorted(context.partition_keys), phases, match_passages)
