"""Values of one file that were computed from different passages, or for different songs, are never combined."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from wkmp_assets.audio.lead_points import find_lead_points
from wkmp_assets.identify.flavor_classes import NoClassLookup, add_classes
from wkmp_assets.identify.lookup import NoRecordingLookup
from wkmp_assets.identify.match import match_passages
from wkmp_assets.model.agreement import find_disagreement
from wkmp_assets.model.boundary_evidence import (
    NO_EVIDENCE,
    BoundaryEvidence,
    BoundarySource,
    PieceClaim,
    SheetTrack,
    TrackSheet,
)
from wkmp_assets.model.file_entry import assemble_entry
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.outcomes import Failed, Outcome, Result, map_results
from wkmp_assets.model.phases import ENTRY, FINGERPRINTS, FLAVORS, LEAD_POINTS, LOOKUPS, MATCHES, SEGMENTS, TAGS
from wkmp_assets.model.values import (
    FileTags,
    Fingerprints,
    Flavors,
    LeadPoints,
    PassageLookup,
    SongMatches,
    Span,
)
from wkmp_assets_tests.support.builders import (
    LEAD_PARAMETERS,
    RATE_HZ,
    fingerprint,
    flavor,
    identity,
    phase_values,
    seconds,
    sha,
    song,
)

Values = dict[str, Any]
NO_KEY = NoRecordingLookup("no key")


def computed(*bounds: tuple[float, float]) -> Values:
    """The values of one file with these passages, in seconds, each phase computed from those before it."""
    segments = replace(phase_values()[SEGMENTS], passages=tuple(Span(*one) for one in seconds(*bounds)))
    values: Values = {TAGS: FileTags(), SEGMENTS: segments}
    values[FINGERPRINTS] = Fingerprints(tuple(map(fingerprint, segments.passages)))
    values[LOOKUPS] = NO_KEY.look_up(values[TAGS], segments, values[FINGERPRINTS])
    return values | after_lookups(values)


def after_lookups(values: Values) -> Values:
    matches = match_passages(values[TAGS], values[SEGMENTS], values[LOOKUPS], {})
    spans = [match.span for match in matches.passages]
    points = tuple(find_lead_points(values[SEGMENTS].envelope, span, LEAD_PARAMETERS) for span in spans)
    measured = Flavors(tuple(map(flavor, spans)))
    return {
        MATCHES: matches,
        LEAD_POINTS: LeadPoints(points, LEAD_PARAMETERS),
        FLAVORS: add_classes(measured, matches, NoClassLookup("no key")),
    }


BEFORE = computed((0, 20), (23, 43), (46, 66))
OTHERS = {
    "fewer": computed((0, 43), (46, 66)),
    "more": computed((0, 9), (11, 20), (23, 43), (46, 66)),
    "as many, elsewhere": computed((0.1, 20), (23, 43), (46, 66)),
    "none": computed(),
}
REMEDIES = {
    FINGERPRINTS: FINGERPRINTS, LOOKUPS: FINGERPRINTS, MATCHES: FINGERPRINTS, LEAD_POINTS: LEAD_POINTS, FLAVORS: FLAVORS
}  # fmt: skip
"""Phase with an old value -> the phase from which on they must run again."""


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("old", REMEDIES)
def test_a_value_of_other_passages_is_found_and_the_remedy_ends_it(old: str, other: Values) -> None:
    mixed = {**other, old: BEFORE[old]}
    found = find_disagreement(mixed.values())
    assert found is not None
    assert found.cause.startswith(f"{old} was computed from other passages than ")
    assert found.first_phase == REMEDIES[old]
    order = list(other)
    again = {phase: other[phase] for phase in order[order.index(found.first_phase) :]}
    assert find_disagreement({**mixed, **again}.values()) is None


def test_what_was_computed_together_agrees() -> None:
    for values in (BEFORE, *OTHERS.values()):
        assert find_disagreement(values.values()) is None
    assert find_disagreement([]) is None


@pytest.mark.parametrize("old", REMEDIES)
def test_values_without_anything_to_compare_agree(old: str) -> None:
    assert find_disagreement([BEFORE[old], FileTags()]) is None


TRACKS = tuple(SheetTrack(start, title=title) for start, title in enumerate(("One", "Two", "Three")))
SHEET = BoundaryEvidence((TrackSheet(BoundarySource.CUE_FILE, "the sheet", TRACKS),))


def test_passages_of_other_sheets_than_the_tags_have_now_are_found() -> None:
    for now, then in ((SHEET, NO_EVIDENCE), (NO_EVIDENCE, SHEET), (SHEET, replace(SHEET, claim=PieceClaim.NAME))):
        tags, segments = FileTags(evidence=now), replace(BEFORE[SEGMENTS], evidence=then)
        found = find_disagreement([tags, segments])
        assert found is not None
        assert found.cause == "passage_segments was computed from other sheets or tags than file_tags has now"
        assert found.first_phase == SEGMENTS
        assert find_disagreement([tags, replace(segments, evidence=now)]) is None
        assert find_disagreement([tags, replace(segments, evidence=None)]) is None, "of an earlier version"


def test_names_of_other_tracks_in_the_same_places_are_found() -> None:
    by_sheet = replace(BEFORE[SEGMENTS], decided_by=BoundarySource.CUE_FILE, tracks=TRACKS)
    renamed = replace(by_sheet, tracks=(replace(TRACKS[0], title="Uno"), *TRACKS[1:]))
    matches = after_lookups({**BEFORE, SEGMENTS: by_sheet})[MATCHES]
    assert [match.title for match in matches.passages] == ["One", "Two", "Three"]
    assert find_disagreement([by_sheet, matches]) is None
    for segments, other in ((renamed, matches), (BEFORE[SEGMENTS], matches), (by_sheet, BEFORE[MATCHES])):
        found = find_disagreement([segments, other])
        assert found is not None
        assert found.cause == "song_matches has the names of other tracks than passage_segments has now"
        assert found.first_phase == LOOKUPS


def joined(values: Values) -> SongMatches:
    """All passages of a file as one, as earlier versions stored it."""
    first, *_, last = values[MATCHES].passages
    span = Span(first.span.start_sample, last.span.end_sample)
    return SongMatches((replace(first, span=span, lookup=PassageLookup(span, LookupOutcome.NO_MATCH)),))


def test_joined_passages_remember_what_they_were_joined_of() -> None:
    whole = replace(joined(BEFORE), joined_from=BEFORE[SEGMENTS].passages)
    assert find_disagreement([BEFORE[SEGMENTS], whole]) is None
    assert find_disagreement([OTHERS["fewer"][SEGMENTS], whole]) is not None, "with the same boundaries outside"


@pytest.mark.parametrize("other", [OTHERS["as many, elsewhere"], OTHERS["none"]], ids=["elsewhere", "none"])
def test_matches_of_earlier_versions_fit_when_they_are_made_of_the_passages(other: Values) -> None:
    earlier = SongMatches(BEFORE[MATCHES].passages)
    for matches in (earlier, joined(BEFORE)):
        assert find_disagreement([BEFORE[SEGMENTS], matches]) is None
        assert find_disagreement([other[SEGMENTS], matches]) is not None
    assert find_disagreement([OTHERS["fewer"][SEGMENTS], earlier]) is not None
    assert find_disagreement([OTHERS["more"][SEGMENTS], earlier]) is not None
    shorter = Span(0, 30 * RATE_HZ)
    (whole,) = joined(BEFORE).passages
    assert find_disagreement([BEFORE[SEGMENTS], SongMatches((replace(whole, span=shorter),))]) is not None


def named(matches: SongMatches, title: str) -> SongMatches:
    first, *others = matches.passages
    return replace(matches, passages=(replace(first, song=song(title)), *others))


def test_classes_of_another_recording_are_found() -> None:
    matches = named(BEFORE[MATCHES], "One")
    flavors = add_classes(BEFORE[FLAVORS], matches, NoClassLookup("no key"))
    assert find_disagreement([matches, flavors]) is None
    for other in (BEFORE[MATCHES], named(matches, "Another")):
        found = find_disagreement([other, flavors])
        assert found is not None
        assert (found.cause, found.first_phase) == (
            "flavors has the classes of other recordings than song_matches names now", FLAVORS
        )  # fmt: skip
    assert find_disagreement([named(matches, "Another"), replace(flavors, recordings=None)]) is None, "not recorded"


COMPUTE: dict[str, tuple[tuple[str, ...], Callable[..., object]]] = {
    LOOKUPS: ((TAGS, SEGMENTS, FINGERPRINTS), NO_KEY.look_up),
    MATCHES: ((TAGS, SEGMENTS, LOOKUPS), lambda *values: match_passages(*values, {})),
    LEAD_POINTS: ((SEGMENTS, MATCHES), lambda *values: values),
    FLAVORS: ((FLAVORS, MATCHES), lambda flavors, matches: add_classes(flavors, matches, NoClassLookup("no key"))),
}
"""Phase -> the phases that it combines, and how."""


def outcomes(values: Values, phase: str) -> Outcome[Any]:
    return Result(values[phase], sha("a"))


@pytest.mark.parametrize(("phase", "old"), [(phase, old) for phase in COMPUTE for old in COMPUTE[phase][0][-2:]])
def test_a_phase_fails_the_file_alone_and_computes_the_others(phase: str, old: str) -> None:
    needed, compute = COMPUTE[phase]
    new = OTHERS["more"]
    upstream = [{"mixed": outcomes({**new, old: BEFORE[old]}, name), "whole": outcomes(new, name)} for name in needed]
    done = map_results(phase, ["mixed", "whole"], upstream, compute)
    assert isinstance(done["whole"], Result)
    failed = done["mixed"]
    assert isinstance(failed, Failed)
    assert (failed.phase, failed.code) == (phase, "STALE_PHASE_VALUE")
    assert failed.message.startswith("mixed: ")
    assert " was computed from other passages than " in failed.message
    assert "; materialize its partition again, from " in failed.message


CONTENT = (TAGS, SEGMENTS, FINGERPRINTS, MATCHES, LEAD_POINTS, FLAVORS)


def assembled(values: Values) -> Outcome[Any]:
    content: Iterable[Outcome[Any]] = [outcomes(values, phase) for phase in CONTENT]
    return assemble_entry("a.flac", "a.flac", Result(identity(), sha("a")), list(content))


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("old", [SEGMENTS, FINGERPRINTS, MATCHES, LEAD_POINTS, FLAVORS])
def test_an_entry_is_never_assembled_of_values_that_do_not_belong_together(old: str, other: Values) -> None:
    failed = assembled({**other, old: BEFORE[old]})
    assert isinstance(failed, Failed)
    assert (failed.phase, failed.code) == (ENTRY, "STALE_PHASE_VALUE")
    assert isinstance(assembled(other), Result)
