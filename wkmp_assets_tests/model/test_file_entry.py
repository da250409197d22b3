"""The phases' outcomes for one file are joined."""

from dataclasses import replace
from typing import Any

import pytest

from wkmp_assets.model import ticks
from wkmp_assets.model.file_entry import EntryFingerprint, EntryLeadPoints, assemble_entry, passage_entry
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.values import FileState, Flavors, LeadPoints, SongMatches, Span
from wkmp_assets_tests.support.builders import (
    LEAD_PARAMETERS,
    ODD,
    RATE_HZ,
    TICKS_PER_SAMPLE,
    audio,
    bare,
    flavor,
    identity,
    lead_points,
    match,
    phase_values,
    sha,
)

CONTENT = ("file_tags", "passage_segments", "fingerprints", "song_matches", "lead_points", "flavors")
FAILED = Failed("passage_segments", "DECODE_ERROR", "broken")


def content(**instead: Outcome[Any]) -> list[Outcome[Any]]:
    values = phase_values()
    return [instead.get(phase, Result(values[phase], sha("a"))) for phase in CONTENT]


def all_skipped(reason: SkipReason) -> list[Outcome[Any]]:
    return [Skipped(reason)] * len(CONTENT)


def assemble(found: Outcome[Any], phases: list[Outcome[Any]]) -> Outcome[Any]:
    return assemble_entry("key", "a.flac", found, phases)


def test_all_results_become_an_entry() -> None:
    outcome = assemble(Result(identity(), sha("a")), content())
    assert isinstance(outcome, Result)
    values = phase_values()
    passages = outcome.value.passages
    assert tuple(passage.match for passage in passages) == values["song_matches"].passages
    assert [(passage.start_ticks, passage.end_ticks) for passage in passages] == [
        (match.span.start_sample * TICKS_PER_SAMPLE, match.span.end_sample * TICKS_PER_SAMPLE)
        for match in values["song_matches"].passages
    ]
    assert [passage.lead_points for passage in passages] == [
        EntryLeadPoints(
            points.lead_in_sample * TICKS_PER_SAMPLE,
            points.lead_out_sample * TICKS_PER_SAMPLE,
            points.peak_rms,
            points.quick_ramp_up,
            points.quick_ramp_down,
        )
        for points in values["lead_points"].passages
    ]
    assert [passage.fingerprint for passage in passages] == [
        EntryFingerprint(heard.fingerprint, heard.duration_s) for heard in values["fingerprints"].passages
    ]
    assert tuple(passage.flavor for passage in passages) == values["flavors"].passages
    assert (outcome.value.path, outcome.value.tags, outcome.value.audio) == (
        "a.flac",
        values["file_tags"],
        values["passage_segments"].audio,
    )
    assert outcome.value.duration_ticks == audio().total_samples * TICKS_PER_SAMPLE
    assert outcome.content_hash == sha("a")
    assert outcome.value.warnings == (ODD, *values["file_tags"].warnings), "those of all phases"


def test_a_passage_that_was_joined_of_several_has_no_fingerprint() -> None:
    first, second = phase_values()["song_matches"].passages
    whole = Span(first.span.start_sample, second.span.end_sample)
    joined = SongMatches((replace(first, span=whole),))
    points = LeadPoints((replace(phase_values()["lead_points"].passages[0], span=whole),), LEAD_PARAMETERS)
    flavors = Flavors((flavor(whole),))
    outcome = assemble(
        Result(identity(), sha("a")),
        content(
            song_matches=Result(joined, sha("a")),
            lead_points=Result(points, sha("a")),
            flavors=Result(flavors, sha("a")),
        ),
    )
    assert isinstance(outcome, Result)
    (passage,) = outcome.value.passages
    assert passage.match.span == whole
    assert passage.length_ticks == whole.length_samples * TICKS_PER_SAMPLE
    assert passage.fingerprint is None


def test_lead_points_that_are_not_known_stay_so() -> None:
    span = Span(0, RATE_HZ)
    unknown = replace(lead_points(span), lead_in_sample=None, lead_out_sample=None)
    points = passage_entry(match((0, RATE_HZ), None), unknown, None, None, RATE_HZ).lead_points
    assert (points.lead_in_ticks, points.lead_out_ticks) == (None, None)


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 48_000, 192_000, 37_800, 384_000])
def test_every_position_is_the_nearest_tick_of_its_sample(rate_hz: int) -> None:
    made = passage_entry(match((7, 1_000_003), None), lead_points(Span(7, 1_000_003)), None, None, rate_hz)
    samples = (7, 7 + 249_999, 1_000_003 - 249_999, 1_000_003)
    lead_in, lead_out = made.lead_points.lead_in_ticks, made.lead_points.lead_out_ticks
    assert (made.start_ticks, lead_in, lead_out, made.end_ticks) == tuple(
        ticks.from_samples(sample, rate_hz) for sample in samples
    )


KEEPS = [
    (FileState.DUPLICATE, SkipReason.DUPLICATE),
    (FileState.MOVED, SkipReason.UNCHANGED),
    (FileState.TOUCHED, SkipReason.UNCHANGED),
]


@pytest.mark.parametrize(("state", "reason"), KEEPS, ids=[state for state, _ in KEEPS])
def test_a_file_whose_content_the_library_has_is_an_entry_without_content(state: FileState, reason: SkipReason) -> None:
    outcome = assemble(Result(identity(state=state), sha("a")), all_skipped(reason))
    assert outcome == Result(bare("a.flac", state=state), sha("a"))


@pytest.mark.parametrize("reason", [SkipReason.UNCHANGED, SkipReason.INTERRUPTED])
def test_a_file_that_was_not_looked_at_is_passed_on(reason: SkipReason) -> None:
    assert assemble(Skipped(reason), all_skipped(reason)) == Skipped(reason)


@pytest.mark.parametrize("phase", CONTENT)
def test_a_failure_in_any_phase_fails_the_file(phase: str) -> None:
    assert assemble(Result(identity(), sha("a")), content(**{phase: FAILED})) == FAILED


@pytest.mark.parametrize("phase", CONTENT)
def test_a_file_interrupted_in_any_phase_is_not_committed(phase: str) -> None:
    outcome = assemble(Result(identity(), sha("a")), content(**{phase: Skipped(SkipReason.INTERRUPTED)}))
    assert outcome == Skipped(SkipReason.INTERRUPTED)


def test_a_failure_outweighs_a_skip() -> None:
    phases = content(file_tags=Skipped(SkipReason.INTERRUPTED), lead_points=FAILED)
    assert assemble(Result(identity(), sha("a")), phases) == FAILED


def test_phases_that_heard_other_bytes_are_not_mixed() -> None:
    outcome = assemble(Result(identity("b"), sha("b")), content())
    assert isinstance(outcome, Failed)
    assert outcome.code == "STALE_PHASE_VALUE"
    assert "file_identity" in outcome.message
