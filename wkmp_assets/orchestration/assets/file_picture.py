"""The picture of a file, drawn on request and not by the import."""

from functools import partial

import dagster as dg
from pydantic import Field

from wkmp_assets.model.outcomes import Outcome, Outcomes, Result, map_results
from wkmp_assets.model.phases import PICTURE
from wkmp_assets.model.values import LeadPoints, PassageSegments, SongMatches
from wkmp_assets.orchestration.resources import Library


class PictureConfig(dg.Config):
    """What to draw."""

    sound: bool = Field(
        default=True,
        description="false: draw the level alone. The spectrogram and the chromagram take seconds, the first time most "
        "of a minute.",
    )


@dg.asset(name=PICTURE, group_name="pictures", io_manager_key="pictures", kinds={"matplotlib"})
def file_picture(
    context: dg.AssetExecutionContext,
    config: PictureConfig,
    passage_segments: Outcomes[PassageSegments],
    song_matches: Outcomes[SongMatches],
    lead_points: Outcomes[LeadPoints],
    library: dg.ResourceParam[Library],
) -> Outcomes[bytes]:
    """A picture of the file: its level over time, with passages, silences, lead points and song names.

    Below are its mel spectrogram with the beats and its chromagram with the key, while its decoded sound is kept. It
    draws from the import's results and does not open the music file. The picture is shown in the metadata and saved as
    a PNG. Stale when the passages, songs or lead points of the file change.
    """
    from wkmp_assets.orchestration.pictures import draw_file  # loads SciPy and Pillow, which no import needs

    pictures: dict[str, Outcome[bytes]] = {}
    for key in sorted(context.partition_keys):
        segments = passage_segments[key]
        content_hash = segments.content_hash if isinstance(segments, Result) else ""
        draw = partial(draw_file, library.settings, key, content_hash, has_sound=config.sound)
        pictures |= map_results(PICTURE, [key], [passage_segments, song_matches, lead_points], draw)
    return pictures
