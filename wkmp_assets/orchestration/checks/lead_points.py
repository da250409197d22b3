"""Whether the lead points of the library, taken together, look like those of music."""

import dagster as dg

from wkmp_assets.db.read.counts import LeadPointCounts, count_lead_points
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.resources import Library

LEAST_PASSAGES = 50
"""Fewer may be all of one kind."""
BAND = (0.02, 0.95)
"""Of passages that begin and end at full level. Thresholds that no music reaches give none at all, and thresholds below
the silence between passages give all; of 135 passages in 100 real files, 27 %
need none (docs/explanation/decisions.md)."""


@dg.asset_check(asset=ENTRY)
def lead_points_plausible(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """Of all passages of the library, the share that needs no lead at either end is neither nothing nor everything.

    Judges the whole library, whatever the run: thresholds that fit no music show in no single file.
    """
    counts = count_lead_points(library.database)
    passed, said = _judge(counts)
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=said,
        metadata={
            "passages": counts.measured,
            "without_points": counts.unknown,
            "zero_at_both_ends": counts.zero,
            "share": round(counts.share_zero, 4),
            "expected": f"{BAND[0]:.0%} to {BAND[1]:.0%}",
        },
    )


def _judge(counts: LeadPointCounts) -> tuple[bool, str]:
    if counts.measured < LEAST_PASSAGES:
        return True, f"{counts.measured} passages with lead points are too few to judge"
    said = f"{counts.share_zero:.0%} of {counts.measured} passages need no lead-in and no lead-out"
    if BAND[0] <= counts.share_zero <= BAND[1]:
        return True, said
    return False, (
        f"{said}; {BAND[0]:.0%} to {BAND[1]:.0%} are usual. Look at lead_in_threshold_dB, lead_out_threshold_dB and "
        "import_lead_preset in the library's settings, then import again: `wkmp import FOLDER --force`."
    )
