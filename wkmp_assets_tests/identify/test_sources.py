"""The number of submissions of a fingerprint for a recording, and its effect on the choice."""

import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from wkmp_assets.identify.lookup import RecordingLookup
from wkmp_assets.identify.open_lookups import open_recording_lookup
from wkmp_assets.identify.services import acoustid
from wkmp_assets.identify.services.session import ServiceSession
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel, level_of
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.model.values import Candidate, FileTags, PassageLookup
from wkmp_assets_tests.identify.test_lookup import fingerprints, segments, settings
from wkmp_assets_tests.support.builders import mbid
from wkmp_assets_tests.support.music_services import KEY, MusicServices, acoustid_recording, acoustid_result

ANN, BOB = (mbid("ann"), "Ann"), (mbid("bob"), "Bob")
LOW, HIGH = sorted([mbid("one"), mbid("other")])
"""Two recordings. Without another rule, the lower id wins a tie."""
THIRD = mbid("third")
UNTAGGED = FileTags()


@pytest.fixture
def lookup(services: MusicServices, tmp_path: Path) -> Iterator[RecordingLookup]:
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as opened:
        yield opened


def look_up(lookup: RecordingLookup, tags: FileTags = UNTAGGED, count: int = 1) -> PassageLookup:
    return lookup.look_up(tags, segments(count), fingerprints(count)).passages[0]


def best_of(lookup: RecordingLookup, tags: FileTags = UNTAGGED, count: int = 1) -> Candidate:
    return look_up(lookup, tags, count).candidates[0]


def known(services: MusicServices, *recordings: dict[str, Any], score: float = 0.95) -> None:
    services.fingerprints["AQ0"] = [acoustid_result(score, *recordings)]


def test_sources_are_asked_for(services: MusicServices, lookup: RecordingLookup) -> None:
    look_up(lookup)
    assert "sources" in services.asked[0].form["meta"].split()


def test_of_812_submissions_and_1_the_812_win_over_the_lower_id(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    known(
        services,
        acoustid_recording(LOW, "Wrong", BOB, 100.0, sources=1),
        acoustid_recording(HIGH, "Right", ANN, 100.0, sources=812),
    )
    best = best_of(lookup)
    assert (best.song.title, level_of(best.confidence)) == ("Right", MatchLevel.MEDIUM)


def test_one_stray_submission_does_not_win_by_its_length(services: MusicServices, lookup: RecordingLookup) -> None:
    known(
        services,
        acoustid_recording(LOW, "Wrong", BOB, 100.0, sources=1),
        acoustid_recording(HIGH, "Right", ANN, None, sources=812),
    )
    assert best_of(lookup).song.title == "Right"


def test_the_tags_of_a_file_weigh_more_than_submissions(services: MusicServices, lookup: RecordingLookup) -> None:
    known(
        services,
        acoustid_recording(LOW, "Rare", BOB, 100.0, sources=1),
        acoustid_recording(HIGH, "Common", ANN, 100.0, sources=812),
    )
    assert best_of(lookup, FileTags(title="Rare", artist="Bob")).song.title == "Rare"


def test_submissions_are_compared_within_one_acoustid(services: MusicServices, lookup: RecordingLookup) -> None:
    """A rare recording is not a mistake if all submissions of its fingerprint are for it."""
    services.fingerprints["AQ0"] = [
        acoustid_result(0.6, acoustid_recording(LOW, "Common", BOB, 100.0, sources=812), acoustid=mbid("track 1")),
        acoustid_result(0.99, acoustid_recording(HIGH, "Rare", ANN, 100.0, sources=2), acoustid=mbid("track 2")),
    ]
    best = best_of(lookup)
    assert (best.song.title, best.fingerprint_score) == ("Rare", 0.99)


@pytest.mark.parametrize("tags", [UNTAGGED, FileTags(artist="Ann")], ids=["untagged", "artist"])
@pytest.mark.parametrize("sources", [(None, None), (5, 5), (0, 0), (12, 8)], ids=str)
def test_equal_evidence_for_different_titles_is_low(
    services: MusicServices, lookup: RecordingLookup, tags: FileTags, sources: tuple[int | None, int | None]
) -> None:
    known(
        services,
        acoustid_recording(LOW, "Morning", ANN, 100.0, sources=sources[0]),
        acoustid_recording(HIGH, "Evening", ANN, 100.0, sources=sources[1]),
    )
    found = look_up(lookup, tags)
    assert [level_of(one.confidence) for one in found.candidates] == [MatchLevel.LOW] * 2
    assert found.candidates[0].song.title == "Morning", "more submissions, else the lower id"
    (warning,) = found.warnings
    assert warning.kind is WarningKind.TWO_TITLES
    assert warning.text == "the fingerprint fits another title equally well: Evening"


def test_equal_evidence_for_one_title_is_as_sure_as_ever(services: MusicServices, lookup: RecordingLookup) -> None:
    known(services, acoustid_recording(LOW, "Song", ANN, 100.0), acoustid_recording(HIGH, "song ", ANN, 100.0))
    found = look_up(lookup)
    assert level_of(found.candidates[0].confidence) is MatchLevel.MEDIUM
    assert not found.warnings


def test_a_title_that_the_tags_name_is_not_in_doubt(services: MusicServices, lookup: RecordingLookup) -> None:
    known(services, acoustid_recording(LOW, "Morning", ANN, 100.0), acoustid_recording(HIGH, "Evening", ANN, 100.0))
    best = best_of(lookup, FileTags(title="Evening", artist="Ann"))
    assert (best.song.title, level_of(best.confidence)) == ("Evening", MatchLevel.HIGH)


def test_a_recording_without_a_title_does_not_win_a_tie(services: MusicServices, lookup: RecordingLookup) -> None:
    nameless = {"id": LOW, "duration": 100.0}
    known(services, nameless, acoustid_recording(HIGH, "Song", ANN, 100.0))
    best = best_of(lookup)
    assert (best.song.title, level_of(best.confidence)) == ("Song", MatchLevel.MEDIUM)


def test_nothing_depends_on_the_order_of_the_answer(services: MusicServices, lookup: RecordingLookup) -> None:
    recordings = [
        acoustid_recording(LOW, "Morning", ANN, 100.0, sources=30),
        acoustid_recording(HIGH, "Evening", ANN, 100.0, sources=30),
        acoustid_recording(THIRD, "Noon", BOB, 100.0, sources=2),
        acoustid_recording(mbid("fourth"), "Night", BOB, 100.0, sources=20),
    ]
    found = set()
    for number, order in enumerate(permutations(recordings)):
        services.fingerprints[f"AQ{number}"] = [
            acoustid_result(0.95, *(one for one in order if one in recordings[:2]), acoustid=mbid("a")),
            acoustid_result(0.95, *order, acoustid=mbid("b")),
        ]
        matches = lookup.acoustid.lookup(f"AQ{number}", 100.0).value  # type: ignore[attr-defined] # the services'
        found.add(re.sub(r"answered_at='[^']*'", "", repr(matches)))
    assert len(found) == 1


def remember_old_answer(services: MusicServices, folder: Path) -> None:
    """Let an older version, which did not ask for sources, look up the fingerprint."""
    described = acoustid.describe_service(services.acoustid_url, 0)
    form = {"client": KEY, "format": "json", "meta": "recordings releasegroups compress", "duration": "100"}
    with ServiceSession(described, folder, "test/0 (nobody)", acoustid.judge) as session:
        session.post("lookup", {**form, "fingerprint": "AQ0"})
    services.asked.clear()


def test_an_old_answer_with_one_recording_is_not_asked_for_again(services: MusicServices, tmp_path: Path) -> None:
    known(services, acoustid_recording(LOW, "Song", ANN, 100.0, sources=3))
    remember_old_answer(services, tmp_path)
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as lookup:
        assert best_of(lookup, count=2).song.title == "Song"
        assert lookup.acoustid.session.cache_hits == 1  # type: ignore[attr-defined] # the services'
    assert services.count("AcoustID") == 1, "the second passage"


def test_an_old_answer_with_several_is_asked_for_again_and_stands_while_acoustid_is_down(
    services: MusicServices, tmp_path: Path
) -> None:
    known(
        services,
        acoustid_recording(LOW, "Wrong", BOB, 100.0, sources=1),
        acoustid_recording(HIGH, "Right", ANN, 100.0, sources=812),
    )
    remember_old_answer(services, tmp_path)
    services.acoustid_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "3600"})
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as lookup:
        stands = look_up(lookup)
        assert (stands.outcome, level_of(stands.candidates[0].confidence)) == (LookupOutcome.MATCH, MatchLevel.LOW)
    services.acoustid_behaviour = lambda _request: None
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as lookup:
        assert best_of(lookup).song.title == "Right"
