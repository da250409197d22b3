"""Passages joined with their neighbours: unknown ones with each other, and the pieces of one recording.

The rules and limits are those of the WKMP specification. Passages that were never looked up stay as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.values import Candidate, PassageMatch, Span

MAX_GAP_S = 30
"""Between two passages that are joined, inclusive."""
MAX_PIECES = 3
LENGTH_TOLERANCE = 0.10
"""Largest difference between the joined length and the recording's, as a share of the recording's."""

_WAS_ASKED = frozenset({LookupOutcome.MATCH, LookupOutcome.NO_MATCH, LookupOutcome.TOO_SHORT})

Run = list[PassageMatch]


def join_passages(matches: Sequence[PassageMatch], rate_hz: int) -> tuple[PassageMatch, ...]:
    """Join neighbouring passages that are no songs of their own, or pieces of one recording.

    Parameters
    ----------
    matches : sequence of PassageMatch
        Of one file, in order.
    rate_hz : int, > 0
        Sample rate of the spans.

    Returns
    -------
    tuple of PassageMatch
        In order. A run of passages that no service knows becomes one passage with the texts of the first. Two or three
        pieces of one recording become one passage if together they have its length within 10 %. Passages more than
        30 s apart are never joined.
    """
    joined = [_join(run) for run in _runs(matches, rate_hz, _are_unknown)]
    merged: list[PassageMatch] = []
    for run in _runs(joined, rate_hz, _are_one_recording):
        merged += [_join(run)] if _has_recording_length(run, rate_hz) else run
    return tuple(merged)


def _runs(
    matches: Sequence[PassageMatch], rate_hz: int, belong: Callable[[PassageMatch, PassageMatch], bool]
) -> list[Run]:
    runs: list[Run] = []
    for match in matches:
        if runs and _is_near(runs[-1][-1], match, rate_hz) and belong(runs[-1][-1], match):
            runs[-1].append(match)
        else:
            runs.append([match])
    return runs


def _is_near(one: PassageMatch, following: PassageMatch, rate_hz: int) -> bool:
    return following.span.start_sample - one.span.end_sample <= MAX_GAP_S * rate_hz


def _are_unknown(one: PassageMatch, following: PassageMatch) -> bool:
    return all(
        match.level is MatchLevel.NONE and match.lookup is not None and match.lookup.outcome in _WAS_ASKED
        for match in (one, following)
    )


def _are_one_recording(one: PassageMatch, following: PassageMatch) -> bool:
    return (
        one.song is not None and following.song is not None and one.song.recording_mbid == following.song.recording_mbid
    )


def _has_recording_length(run: Run, rate_hz: int) -> bool:
    length_s = _recording_length_s(run[0])
    if not 1 < len(run) <= MAX_PIECES or not length_s:
        return False
    together_s = (run[-1].span.end_sample - run[0].span.start_sample) / rate_hz
    return abs(together_s - length_s) <= LENGTH_TOLERANCE * length_s + 1e-9


def _recording_length_s(match: PassageMatch) -> float | None:
    best: Candidate | None = match.lookup.candidates[0] if match.lookup and match.lookup.candidates else None
    return best.length_s if best else None


def _join(run: Run) -> PassageMatch:
    """Return one passage from the start of the run to its end, identified as the best of the run is."""
    best = max(run, key=lambda match: match.score) if run[0].song else run[0]
    span = Span(run[0].span.start_sample, run[-1].span.end_sample)
    lookup = replace(best.lookup, span=span) if best.lookup else None
    return replace(best, span=span, lookup=lookup)
