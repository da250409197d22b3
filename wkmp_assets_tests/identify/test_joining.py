"""Which neighbours become one passage (specification, appendix A, vector 8, and section 4.5)."""

from collections.abc import Sequence

from wkmp_assets.identify.joining import join_passages
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.values import Candidate, PassageLookup, PassageMatch, Song, Span
from wkmp_assets_tests.support.builders import mbid

RATE_HZ = 1000


def unknown(start: int, end: int, outcome: LookupOutcome = LookupOutcome.NO_MATCH) -> PassageMatch:
    span = Span(start, end)
    return PassageMatch(span, MatchLevel.NONE, 0.0, None, lookup=PassageLookup(span, outcome))


def known(start: int, end: int, name: str, length_s: float | None = None, score: float = 0.9) -> PassageMatch:
    span, song = Span(start, end), Song(mbid(name), name, None)
    candidate = Candidate(song, length_s, None, score, 1.0, 1.0, score)
    lookup = PassageLookup(span, LookupOutcome.MATCH, (candidate,))
    return PassageMatch(span, MatchLevel.HIGH, score, "MusicBrainz", name, song=song, lookup=lookup)


def spans(matches: Sequence[PassageMatch]) -> list[tuple[int, int]]:
    return [(match.span.start_sample, match.span.end_sample) for match in matches]


def test_neighbours_that_nobody_knows_become_one() -> None:
    merged = join_passages(
        [known(0, 1000, "a"), unknown(1000, 2000), unknown(2000, 3000), known(3000, 4000, "b")], RATE_HZ
    )
    assert spans(merged) == [(0, 1000), (1000, 3000), (3000, 4000)]
    assert merged[1].level is MatchLevel.NONE
    assert merged[1].lookup is not None
    assert merged[1].lookup.span == merged[1].span


def test_a_gap_of_thirty_seconds_is_bridged_and_a_longer_one_is_not() -> None:
    at_the_limit = [unknown(0, 1000), unknown(31_000, 32_000)]
    beyond = [unknown(0, 1000), unknown(31_001, 32_000)]
    assert spans(join_passages(at_the_limit, RATE_HZ)) == [(0, 32_000)]
    assert join_passages(beyond, RATE_HZ) == tuple(beyond)


def test_what_was_not_asked_for_stays_as_it_is() -> None:
    never = [
        PassageMatch(Span(0, 10), MatchLevel.NONE, 0.0, None),
        PassageMatch(Span(20, 30), MatchLevel.NONE, 0.0, None),
    ]
    deferred = [unknown(0, 10, LookupOutcome.DEFERRED), unknown(20, 30, LookupOutcome.DEFERRED)]
    assert join_passages(never, RATE_HZ) == tuple(never)
    assert join_passages(deferred, RATE_HZ) == tuple(deferred)


def test_a_passage_with_a_name_is_somebody() -> None:
    named = PassageMatch(
        Span(10, 20), MatchLevel.LOW, 0.65, "ID3", "T", lookup=PassageLookup(Span(10, 20), LookupOutcome.NO_MATCH)
    )
    assert len(join_passages([unknown(0, 10), named, unknown(20, 30)], RATE_HZ)) == 3


def test_pieces_of_one_recording_become_one_when_they_have_its_length_together() -> None:
    pieces = [
        known(0, 40_000, "a", 100, 0.8),
        known(45_000, 70_000, "a", 100, 0.95),
        known(75_000, 100_000, "a", 100, 0.9),
    ]
    merged = join_passages(pieces, RATE_HZ)
    assert spans(merged) == [(0, 100_000)]
    assert merged[0].score == 0.95


def test_pieces_stay_apart_when_they_are_too_long_too_many_or_of_unknown_length() -> None:
    twice = [known(0, 100_000, "a", 100), known(101_000, 201_000, "a", 100)]
    many = [known(start, start + 20_000, "a", 100) for start in range(0, 100_000, 25_000)]
    unmeasured = [known(0, 50_000, "a"), known(51_000, 100_000, "a")]
    others = [known(0, 50_000, "a", 100), known(51_000, 100_000, "b", 100)]
    for matches in (twice, many, unmeasured, others):
        assert join_passages(matches, RATE_HZ) == tuple(matches)


def test_the_length_may_differ_by_a_tenth() -> None:
    assert len(join_passages([known(0, 50_000, "a", 100), known(51_000, 110_000, "a", 100)], RATE_HZ)) == 1
    assert len(join_passages([known(0, 50_000, "a", 100), known(51_000, 110_001, "a", 100)], RATE_HZ)) == 2
