"""The check that the lead points of the whole library look like those of music."""

import dagster as dg

from wkmp_assets.db.read.counts import LeadPointCounts, count_lead_points
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.model.lead_presets import LEAD_PRESETS
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.checks.results import warn_unless
from wkmp_assets.orchestration.resources import Library

MIN_PASSAGES = 50
"""Fewer passages may all be of one kind."""
USUAL_SHARE = (0.02, 0.95)
"""Of passages that begin and end at full level: 27 % in 100 real files (docs/explanation/decisions.md).

Thresholds that no music reaches give 0 %. Thresholds below the silence between passages give 100 %.
"""


@dg.asset_check(asset=ENTRY)
def lead_points_plausible(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """A plausible share of the library's passages has no lead-in and no lead-out.

    When nearly all passages or nearly none begin and end at full level, the lead thresholds do not fit the music. This
    shows in no single file, so the check always judges the whole library. With the default thresholds or a preset,
    only too many passages without leads are a warning, because a library of music that always fades is usual.
    """
    counts = count_lead_points(library.database)
    used = read_library_settings(library.database).lead_points
    is_plausible, said = _judge(counts, is_own_choice=used not in LEAD_PRESETS.values())
    return warn_unless(
        is_plausible,
        said,
        {
            "passages": counts.measured,
            "without_points": counts.unknown,
            "zero_at_both_ends": counts.zero,
            "share": round(counts.share_zero, 4),
            "expected": f"{USUAL_SHARE[0]:.0%} to {USUAL_SHARE[1]:.0%}",
        },
    )


def _judge(counts: LeadPointCounts, *, is_own_choice: bool) -> tuple[bool, str]:
    """Return whether the share is plausible, and a sentence about it.

    Thresholds that a person chose must also leave some passages without leads.
    """
    if counts.measured < MIN_PASSAGES:
        return True, f"{counts.measured} passages with lead points are too few to judge"
    said = f"{_percent(counts.share_zero)} of {counts.measured} passages have no lead-in and no lead-out"
    lowest = USUAL_SHARE[0] if is_own_choice else 0.0
    if lowest <= counts.share_zero <= USUAL_SHARE[1]:
        return True, said
    return False, (
        f"{said}; usual are {USUAL_SHARE[0]:.0%} to {USUAL_SHARE[1]:.0%}. Check lead_in_threshold_dB, "
        "lead_out_threshold_dB and import_lead_preset in the library's settings, then import again: `wkmp import "
        "FOLDER --force`."
    )


def _percent(share: float) -> str:
    """Return a share as a percentage with as many decimals as keep it on its side of `USUAL_SHARE`."""
    low, high = USUAL_SHARE
    for decimals in range(4):
        text = f"{share:.{decimals}%}"
        shown = float(text.rstrip("%")) / 100
        if (shown < low) == (share < low) and (shown > high) == (share > high):
            return text
    return text
