"""The picture of a file, drawn on request and not by the import."""

from functools import partial

import dagster as dg

from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcome, Outcomes, map_results
from wkmp_assets.model.phases import PICTURE
from wkmp_assets.model.values import LeadPoints, PassageSegments, SongMatches
from wkmp_assets.report.file_picture import draw_picture


@dg.asset(name=PICTURE, group_name="pictures", io_manager_key="pictures", kinds={"matplotlib"})
def file_picture(
    context: dg.AssetExecutionContext,
    passage_segments: Outcomes[PassageSegments],
    song_matches: Outcomes[SongMatches],
    lead_points: Outcomes[LeadPoints],
) -> Outcomes[bytes]:
    """A picture of the file: its level over time, with passages, silences, lead points and song names.

    It draws from the import's results and does not open the music file. The picture is shown in the metadata and saved
    as a PNG. Stale when the passages, songs or lead points of the file change.
    """
    pictures: dict[str, Outcome[bytes]] = {}
    for key in sorted(context.partition_keys):
        draw = partial(draw_picture, decode_key(key))
        pictures |= map_results(PICTURE, [key], [passage_segments, song_matches, lead_points], draw)
    return pictures
