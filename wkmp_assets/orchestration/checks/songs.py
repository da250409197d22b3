"""The check that at least half of the library's passages have a song."""

import dagster as dg

from wkmp_assets.db.read.counts import read_counts
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.checks.results import warn_unless
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.report.text import counted, explain_no_song

MIN_PASSAGES = 10
"""Fewer passages may all be noises, takes and speech."""
MAX_SHARE = 0.5
"""Of passages without a song."""


@dg.asset_check(asset=ENTRY)
def passages_have_songs(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """At least half of the library's passages have a song.

    WKMP selects passages by their songs, so it never selects one without a song by itself. The check always judges the
    whole library. It passes while the library has fewer than ten passages.
    """
    counts = read_counts(library.database)
    passages, without = (counts.rows["passages"], counts.without_song) if counts else (0, 0)
    said = explain_no_song(without, passages) if without else f"each of {counted(passages, 'passage')} has a song"
    passed = passages < MIN_PASSAGES or without <= MAX_SHARE * passages
    return warn_unless(passed, said, {"passages": passages, "without_song": without})
