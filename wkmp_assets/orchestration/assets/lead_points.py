"""Phase 8: the lead-in and lead-out points of each passage."""

from enum import Enum
from functools import partial

import dagster as dg
from pydantic import Field

from wkmp_assets.audio.lead_points import measure_lead_points
from wkmp_assets.model.agreement import spans_of
from wkmp_assets.model.lead_presets import LEAD_PRESETS, LeadPreset
from wkmp_assets.model.outcomes import Outcome, Outcomes, map_results
from wkmp_assets.model.phases import LEAD_POINTS
from wkmp_assets.model.values import LeadPointParameters, LeadPoints, PassageSegments, SongMatches
from wkmp_assets.orchestration.earlier_runs import choose_lead_parameters
from wkmp_assets.orchestration.file_visits import find_value
from wkmp_assets.orchestration.resources import Library


class PresetChoice(Enum):
    """The presets of the launchpad, which shows the default too."""

    LIBRARY = None
    DEFAULT = LeadPreset.DEFAULT
    CLASSICAL = LeadPreset.CLASSICAL
    ROCK_POP = LeadPreset.ROCK_POP
    ELECTRONIC = LeadPreset.ELECTRONIC


class LeadPointsConfig(dg.Config):
    """Which lead-point parameters to use."""

    preset: PresetChoice = Field(
        default=PresetChoice.LIBRARY,
        description="Parameters for a kind of music: CLASSICAL (slow beginnings, long ends), ROCK_POP (hard "
        "beginnings), ELECTRONIC (long quiet build-ups) or DEFAULT. LIBRARY uses the library's settings.",
    )
    keep: bool = Field(
        default=False,
        description="true: keep the parameters that an earlier run used for each file, unless a preset is chosen.",
    )


@dg.asset(name=LEAD_POINTS, group_name="import", io_manager_key="phase_store", kinds={"numpy"})
def lead_points(
    context: dg.AssetExecutionContext,
    config: LeadPointsConfig,
    passage_segments: Outcomes[PassageSegments],
    song_matches: Outcomes[SongMatches],
    library: dg.ResourceParam[Library],
) -> Outcomes[LeadPoints]:
    """The lead-in and lead-out points of every passage, between which it must not overlap others in a crossfade.

    The previous passage ends by the lead-in point, and the next one may start at the lead-out point. Both come from the
    level at the beginning and end of the passage. `preset` chooses the parameters for a kind of music. Stale when the
    passages or the lead-point settings change.
    """
    parameters = LEAD_PRESETS[config.preset.value] if config.preset.value else library.read_settings().lead_points
    if max(parameters.lead_in_threshold_db, parameters.lead_out_threshold_db) > 0:
        context.log.warning(
            "a lead threshold in the library's settings is above 0 dB: it counts from one step of 16-bit PCM. Set a "
            "threshold below the passage's peak, such as -12 dB, which fits music of any level"
        )

    keep = config.keep and config.preset is PresetChoice.LIBRARY
    chosen = choose_lead_parameters(library.phases, song_matches, parameters, keep=keep)
    phases = [passage_segments, song_matches, chosen]
    outcomes: dict[str, Outcome[LeadPoints]] = {}
    for key in sorted(context.partition_keys):
        found = find_value(library, LEAD_POINTS, key, passage_segments[key])
        outcomes |= map_results(LEAD_POINTS, [key], phases, partial(_measure, found))
    return outcomes


def _measure(
    found: LeadPoints | None, segments: PassageSegments, matches: SongMatches, parameters: LeadPointParameters
) -> LeadPoints:
    spans = spans_of(matches)
    if found is not None and found.parameters == parameters and spans_of(found) == spans:
        return found
    return measure_lead_points(segments, spans, parameters)
