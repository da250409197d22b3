"""Lookups of earlier runs count: files of one folder agree on a release, and answers are kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.phases import LOOKUPS
from wkmp_assets.model.values import KnownRelease, PassageLookup, RecordingLookups, Span
from wkmp_assets.orchestration.earlier_runs import MAX_ALBUM_FILES, find_releases_by_folder, restore_earlier_answers
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.settings import Settings
from wkmp_assets_tests.identify.test_releases import looked_up
from wkmp_assets_tests.support.builders import known_release, mbid

ALBUM, SINGLE = known_release("Album"), known_release("Single")
HOLDS = mbid("release Album")
Lookups = dict[str, Outcome[RecordingLookups]]


@pytest.fixture
def root(settings: Settings) -> Path:
    for name in ("A/1.mp3", "A/2.mp3", "A/3.mp3", "A/cover.jpg", "B/1.mp3", "1.mp3"):
        (settings.library / name).parent.mkdir(parents=True, exist_ok=True)
        (settings.library / name).touch()
    return settings.library


def found(title: str, *releases: KnownRelease) -> Result[RecordingLookups]:
    return Result(looked_up((title, releases)), f"hash {title}")


def test_files_of_one_run_agree_within_their_folder(root: Path, store: PhaseStore) -> None:
    run: Lookups = {
        "A/1.mp3": found("1", SINGLE, ALBUM), "A/2.mp3": found("2", ALBUM), "B/1.mp3": found("3", SINGLE, ALBUM),
        "1.mp3": found("4", SINGLE, ALBUM),
    }  # fmt: skip
    assert find_releases_by_folder(root, store, run) == {
        "A/1.mp3": Result({HOLDS: 2}, "hash 1"), "A/2.mp3": Result({HOLDS: 2}, "hash 2"),
        "B/1.mp3": Result({}, "hash 3"), "1.mp3": Result({}, "hash 4"),
    }  # fmt: skip


def test_what_an_earlier_run_looked_up_counts_as_well(root: Path, store: PhaseStore) -> None:
    store.write(LOOKUPS, [("A/2.mp3", found("2", ALBUM)), ("A/3.mp3", found("3", ALBUM))], "earlier")
    run: Lookups = {"A/1.mp3": found("1", SINGLE, ALBUM), "A/2.mp3": Skipped(SkipReason.UNCHANGED)}
    store.write(LOOKUPS, run.items(), "now")
    outcomes = find_releases_by_folder(root, store, run)
    assert outcomes["A/1.mp3"] == Result({HOLDS: 3}, "hash 1")
    assert outcomes["A/2.mp3"] == Skipped(SkipReason.UNCHANGED)


def test_a_file_that_is_gone_or_failed_has_no_say(root: Path, store: PhaseStore) -> None:
    stored = [("A/2.mp3", found("2", ALBUM)), ("A/3.mp3", found("3", ALBUM)), ("A/4.mp3", found("4", ALBUM))]
    store.write(LOOKUPS, stored, "earlier")
    (root / "A/3.mp3").unlink()
    run: Lookups = {"A/1.mp3": found("1", SINGLE, ALBUM), "A/2.mp3": Failed("fingerprints", "CODE", "says why")}
    assert find_releases_by_folder(root, store, run)["A/1.mp3"] == Result({}, "hash 1")


def test_a_folder_that_is_gone_by_now_has_no_files(root: Path, store: PhaseStore) -> None:
    run: Lookups = {"Gone/1.mp3": found("1", SINGLE, ALBUM), "Gone/2.mp3": found("2", ALBUM)}
    assert find_releases_by_folder(root, store, run)["Gone/1.mp3"] == Result({}, "hash 1")


def test_a_folder_of_very_many_files_is_no_album(root: Path, store: PhaseStore) -> None:
    run: Lookups = {"A/1.mp3": found("1", SINGLE, ALBUM), "A/2.mp3": found("2", ALBUM)}
    for number in range(4, MAX_ALBUM_FILES + 1):
        (root / f"A/{number}.mp3").touch()
    assert find_releases_by_folder(root, store, run)["A/1.mp3"] == Result({HOLDS: 2}, "hash 1")
    (root / "A/0.flac").touch()
    assert find_releases_by_folder(root, store, run)["A/1.mp3"] == Result({}, "hash 1")


def not_asked(outcome: LookupOutcome, *spans: Span) -> RecordingLookups:
    return RecordingLookups(tuple(PassageLookup(span, outcome, detail="AcoustID: HTTP 503") for span in spans))


@pytest.mark.parametrize("outcome", [LookupOutcome.DEFERRED, LookupOutcome.SKIPPED])
def test_an_answer_stands_while_nobody_can_be_asked(store: PhaseStore, outcome: LookupOutcome) -> None:
    answered = found("1", ALBUM)
    (span,) = [passage.span for passage in answered.value.passages]
    store.write(LOOKUPS, [("A/1.mp3", answered)], "earlier")
    other = Span(span.end_sample, span.end_sample + 1)
    run: Lookups = {"A/1.mp3": Result(not_asked(outcome, span, other), answered.content_hash)}
    (kept,) = restore_earlier_answers(store, run).values()
    assert isinstance(kept, Result)
    assert kept.value.passages[0] == replace(answered.value.passages[0], stands_because="AcoustID: HTTP 503")
    assert kept.value.passages[1].outcome is outcome
    store.write(LOOKUPS, [("A/1.mp3", kept)], "now")
    assert restore_earlier_answers(store, {"A/1.mp3": answered}) == {"A/1.mp3": answered}


def test_no_answer_stands_for_other_content_or_against_a_new_one(store: PhaseStore) -> None:
    old, new = found("1", ALBUM), found("2", SINGLE)
    (span,) = [passage.span for passage in old.value.passages]
    store.write(LOOKUPS, [("A/1.mp3", old)], "earlier")
    for now in (
        Result(not_asked(LookupOutcome.DEFERRED, span), "another hash"),
        Result(new.value, old.content_hash),
        Result(not_asked(LookupOutcome.TOO_SHORT, span), old.content_hash),
        Skipped(SkipReason.UNCHANGED),
    ):
        assert restore_earlier_answers(store, {"A/1.mp3": now}) == {"A/1.mp3": now}


def test_what_was_deferred_before_is_deferred_still(store: PhaseStore) -> None:
    deferred = Result(not_asked(LookupOutcome.DEFERRED, Span(0, 1)), "hash")
    store.write(LOOKUPS, [("A/1.mp3", deferred)], "earlier")
    assert restore_earlier_answers(store, {"A/1.mp3": deferred}) == {"A/1.mp3": deferred}
