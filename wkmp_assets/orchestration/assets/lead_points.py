"""Phase 8: where a passage may overlap its neighbours."""

from enum import Enum

import dagster as dg
from pydantic import Field

from wkmp_assets.audio.lead_points import clipping_warnings, find_lead_points
from wkmp_assets.model.lead_presets import LEAD_PRESETS, LeadPreset
from wkmp_assets.model.outcomes import Outcomes, map_results
from wkmp_assets.model.phases import LEAD_POINTS
from wkmp_assets.model.values import LeadPointParameters, LeadPoints, PassageSegments, SongMatches
from wkmp_assets.orchestration.earlier_runs import lead_parameters
from wkmp_assets.orchestration.resources import Library


class PresetChoice(Enum):
    """What people choose from; a run shows the default, so that it can be seen that there is a choice."""

    LIBRARY = None
    DEFAULT = LeadPreset.DEFAULT
    CLASSICAL = LeadPreset.CLASSICAL
    ROCK_POP = LeadPreset.ROCK_POP
    ELECTRONIC = LeadPreset.ELECTRONIC


class LeadPointsConfig(dg.Config):
    """Which parameters to use."""

    preset: PresetChoice = Field(
        default=PresetChoice.LIBRARY,
        description="Lead points for a kind of music: CLASSICAL (slow beginnings, long ends), ROCK_POP (hard "
        "beginnings), ELECTRONIC (long quiet build-ups), DEFAULT; LIBRARY: as the library's settings say.",
    )
    keep: bool = Field(
        default=False,
        description="Use the rule that a file's lead points have from an earlier run, unless a preset is chosen.",
    )


@dg.asset(name=LEAD_POINTS, group_name="import", io_manager_key="phase_store", kinds={"numpy"})
def lead_points(
    context: dg.AssetExecutionContext,
    config: LeadPointsConfig,
    passage_segments: Outcomes[PassageSegments],
    song_matches: Outcomes[SongMatches],
    library: dg.ResourceParam[Library],
) -> Outcomes[LeadPoints]:
    """Where every passage may overlap its neighbours in a crossfade: its lead-in and lead-out points.

    The next passage may start at the lead-out point, the previous one must have ended by the lead-in point. Found from
    how loud the passage is at its beginning and end; `preset` chooses the rule for a kind of music. Stale when the
    passages or the lead-point settings change.
    """
    parameters = LEAD_PRESETS[config.preset.value] if config.preset.value else library.read_settings().lead_points
    if max(parameters.lead_in_threshold_db, parameters.lead_out_threshold_db) > 0:
        context.log.warning(
            "a lead threshold above 0 dB in the library's settings is taken as dB above one step of 16-bit PCM; "
            "dB below the passage's peak, such as -12, fit music of any level"
        )

    keep = config.keep and config.preset is PresetChoice.LIBRARY
    chosen = lead_parameters(library.phases, song_matches, parameters, keep=keep)
    phases = [passage_segments, song_matches, chosen]
    return map_results(LEAD_POINTS, sorted(context.partition_keys), phases, _measure)


def _measure(segments: PassageSegments, matches: SongMatches, parameters: LeadPointParameters) -> LeadPoints:
    spans = [match.span for match in matches.passages]
    points = tuple(find_lead_points(segments.envelope, span, parameters) for span in spans)
    return LeadPoints(points, parameters, clipping_warnings(segments.audio.peak))
