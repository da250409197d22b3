"""Answers with one odd field: the field is left out, and the recording stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from werkzeug import Response

from wkmp_assets.identify.lookup import RecordingLookup
from wkmp_assets.identify.open_lookups import open_class_lookup, open_recording_lookup
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.model.values import ClassesOutcome, FileTags, PassageLookup, RecordingLookups
from wkmp_assets.report.partition_metadata import describe_value
from wkmp_assets_tests.identify.test_lookup import fingerprints, segments, settings
from wkmp_assets_tests.support.builders import mbid
from wkmp_assets_tests.support.music_services import (
    KEY,
    MusicServices,
    acoustid_recording,
    acoustid_result,
    musicbrainz_recording,
    musicbrainz_release,
)

pytestmark = pytest.mark.slow

ANN, BOB = (mbid("ann"), "Ann"), (mbid("bob"), "Bob")
SONG = mbid("song")
TAGS = FileTags(title="Song", artist="Ann")
NAMED = FileTags(title="Song", artist="Ann", recording_mbid=SONG)


@pytest.fixture
def lookup(services: MusicServices, tmp_path: Path) -> Iterator[RecordingLookup]:
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as opened:
        yield opened


def looked_up(lookup: RecordingLookup, tags: FileTags = TAGS) -> PassageLookup:
    return lookup.look_up(tags, segments(1), fingerprints(1)).passages[0]


def known_recording(**odd: Any) -> dict[str, Any]:
    releases = [musicbrainz_release(mbid("first"), "First", "1999"), musicbrainz_release(mbid("second"), "Second")]
    works = [(mbid("opus"), "Opus")]
    return musicbrainz_recording(SONG, "Song", [ANN, BOB], length_ms=100_000, releases=releases, works=works) | odd


def release(**odd: Any) -> dict[str, Any]:
    return musicbrainz_release(mbid("odd"), "Odd", "2008-01-02") | odd


@pytest.mark.parametrize(
    ("written", "read"),
    {
        "2008-??-02": "2008",
        "????-05-02": None,
        "2008-05-??": "2008-05",
        "2008-??": "2008",
        "2008-05": "2008-05",
    }.items(),
)
def test_of_a_date_with_unknown_parts_the_known_beginning_is_taken(
    services: MusicServices, lookup: RecordingLookup, written: str, read: str | None
) -> None:
    services.recordings[SONG] = known_recording(releases=[release(date=written)])
    found = looked_up(lookup, NAMED)
    assert (found.outcome, [one.release.date for one in found.releases]) == (LookupOutcome.MATCH, [read])
    assert not found.warnings


ODD_RELEASES: dict[str, tuple[Any, str]] = {
    "date of another kind": (release(date="long ago"), "releases 2, date"),
    "date that is a number": (release(date=2008), "releases 2, date"),
    "status that is a list": (release(status=["Official"]), "releases 2, status"),
    "kind that is a number": (
        release(**{"release-group": {"primary-type": 7}}), "releases 2, release-group, primary-type"
    ),
    "group that is a text": (release(**{"release-group": "Album"}), "releases 2, release-group"),
}  # fmt: skip


def said(found: PassageLookup) -> list[str]:
    """Return the sentences about odd answers."""
    return [warning.text for warning in found.warnings if warning.kind is WarningKind.ODD_ANSWER]


@pytest.mark.parametrize(("odd", "place"), ODD_RELEASES.values(), ids=ODD_RELEASES)
def test_an_odd_field_of_a_release_is_left_out_with_a_warning(
    services: MusicServices, lookup: RecordingLookup, odd: dict[str, Any], place: str
) -> None:
    services.recordings[SONG] = known_recording(releases=[musicbrainz_release(mbid("first"), "First", "1999"), odd])
    found = looked_up(lookup, NAMED)
    assert found.outcome is LookupOutcome.MATCH
    assert [one.release.title for one in found.releases] == ["First", "Odd"]
    assert said(found) == [f"MusicBrainz, recording {SONG}: {place} cannot be read and is left out"]


@pytest.mark.parametrize("odd", [{"id": "no MBID"}, {"title": None}, {"title": 5}], ids=str)
def test_a_release_that_cannot_be_named_is_left_out_and_the_others_stay(
    services: MusicServices, lookup: RecordingLookup, odd: dict[str, Any]
) -> None:
    services.recordings[SONG] = known_recording(
        releases=[release(**odd), musicbrainz_release(mbid("first"), "First", "1999"), "text"]
    )
    found = looked_up(lookup, NAMED)
    assert [one.release.title for one in found.releases] == ["First"]
    assert said(found) == [
        f"MusicBrainz, recording {SONG}: releases {number} cannot be read and is left out" for number in (1, 3)
    ]


@pytest.mark.parametrize("name", ["releases", "relations", "artist-credit", "length", "title"])
def test_null_means_that_there_is_none(services: MusicServices, lookup: RecordingLookup, name: str) -> None:
    services.recordings[SONG] = known_recording(**{name: None})
    found = looked_up(lookup, NAMED)
    assert (found.outcome, found.warnings) == (LookupOutcome.MATCH, ())
    assert found.candidates[0].song.recording_mbid == SONG
    assert bool(found.releases) is (name != "releases")
    assert bool(found.candidates[0].song.works) is (name != "relations")


def credit(phrase: Any) -> list[dict[str, Any]]:
    said = musicbrainz_recording(SONG, "Song", [ANN, BOB])["artist-credit"]
    return [said[0] | {"joinphrase": phrase}, said[1]]


PHRASES: dict[str, tuple[Any, str]] = {
    "long": (" with the choir of " + "St. " * 40, "Ann with the choir of " + "St. " * 40 + "Bob"),
    "null": (None, "Ann, Bob"),
    "a number": (5, "Ann, Bob"),
    "none at all": ("", "AnnBob"),
}


@pytest.mark.parametrize(("phrase", "artist"), PHRASES.values(), ids=PHRASES)
def test_a_join_phrase_never_costs_the_artists(
    services: MusicServices, lookup: RecordingLookup, phrase: Any, artist: str
) -> None:
    services.recordings[SONG] = known_recording(**{"artist-credit": credit(phrase)})
    song = looked_up(lookup, NAMED).candidates[0].song
    assert (song.artist_name, [one.name for one in song.artists]) == (artist, ["Ann", "Bob"])


def test_an_artist_without_a_usable_id_is_still_named(services: MusicServices, lookup: RecordingLookup) -> None:
    odd = credit(" & ")
    odd[1]["artist"]["id"] = "no MBID"
    services.recordings[SONG] = known_recording(**{"artist-credit": odd})
    song = looked_up(lookup, NAMED).candidates[0].song
    assert (song.artist_name, [one.name for one in song.artists]) == ("Ann & Bob", ["Ann"])


def test_of_lists_and_texts_without_end_the_beginning_is_taken(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    many = [musicbrainz_release(mbid(f"release {number}"), "Title", "1999") for number in range(600)]
    services.recordings[SONG] = known_recording(releases=many, title="x" * 5_000)
    found = looked_up(lookup, NAMED)
    assert (len(found.releases), found.candidates[0].song.title) == (500, "x" * 2_000)
    assert [text.partition(": ")[2] for text in said(found)] == [
        "title is cut after 2000 characters", "releases is cut after 500 entries"
    ]  # fmt: skip


def test_one_odd_recording_among_25_is_left_out(services: MusicServices, lookup: RecordingLookup) -> None:
    good = [acoustid_recording(mbid(f"good {number}"), "Song", ANN, 100.0) for number in range(24)]
    good.insert(11, {"id": "no MBID", "title": "x"})
    services.fingerprints["AQ0"] = [acoustid_result(0.95, *good)]
    found = looked_up(lookup)
    assert (found.outcome, len(found.candidates)) == (LookupOutcome.MATCH, 5)
    assert said(found) == ["AcoustID: results 1, recordings 12 cannot be read and is left out"]


ODD_RESULTS: dict[str, list[Any]] = {
    "recordings that are a text": [{"id": SONG, "score": 0.9, "recordings": "many"}],
    "score out of range": [{"id": SONG, "score": 7}],
    "a number": [7],
}
ODD_RECORDINGS: dict[str, dict[str, Any]] = {
    "title that is a number": {"title": 5},
    "title without end": {"title": "x" * 5_000},
    "negative length": {"duration": -1},
    "artists that are a text": {"artists": "Ann"},
    "artist without id": {"artists": [{"name": "Ann"}]},
}


@pytest.mark.parametrize("odd", ODD_RESULTS.values(), ids=ODD_RESULTS)
def test_a_result_that_cannot_be_read_is_left_out_and_the_others_stay(
    services: MusicServices, lookup: RecordingLookup, odd: list[Any]
) -> None:
    good = acoustid_result(0.95, acoustid_recording(SONG, "Song", ANN, 100.0))
    services.fingerprints["AQ0"] = [*odd, good]
    found = looked_up(lookup)
    assert [one.song.recording_mbid for one in found.candidates] == [SONG]
    assert len(found.warnings) == 1


@pytest.mark.parametrize("odd", ODD_RECORDINGS.values(), ids=ODD_RECORDINGS)
def test_an_odd_field_of_a_recording_leaves_the_recording(
    services: MusicServices, lookup: RecordingLookup, odd: dict[str, Any]
) -> None:
    services.fingerprints["AQ0"] = [acoustid_result(0.95, acoustid_recording(SONG, "Song", ANN, 100.0) | odd)]
    found = looked_up(lookup)
    assert [one.song.recording_mbid for one in found.candidates] == [SONG]
    assert len(found.warnings) == 1


def test_null_results_and_recordings_are_none(services: MusicServices, lookup: RecordingLookup) -> None:
    services.fingerprints["AQ0"] = [{"id": SONG, "score": 0.9, "recordings": None}]
    assert looked_up(lookup, FileTags()).outcome is LookupOutcome.NO_MATCH
    services.acoustid_behaviour = lambda _request: Response('{"status": "ok", "results": null}')
    assert looked_up(lookup, FileTags(title="Other")).outcome is LookupOutcome.NO_MATCH


def test_one_odd_hit_of_a_search_is_left_out(services: MusicServices, lookup: RecordingLookup) -> None:
    query = 'artist:"Ann & Bob" AND recording:"Song"'
    odd = known_recording(id="no MBID")
    services.searches[query] = [odd, known_recording(releases=[release(date="2008-??-02")])]
    found = looked_up(lookup, FileTags(title="Song", artist="Ann & Bob"))
    assert [one.song.recording_mbid for one in found.candidates] == [SONG]
    assert said(found) == ["MusicBrainz, search: recordings 1 cannot be read and is left out"]


def test_an_odd_answer_is_kept_like_any_other(services: MusicServices, lookup: RecordingLookup) -> None:
    services.recordings[SONG] = known_recording(releases=[release(date="long ago")])
    assert looked_up(lookup, NAMED).warnings == looked_up(lookup, NAMED).warnings
    assert services.count("MusicBrainz") == 1


@pytest.mark.parametrize("code", [3, 8], ids=["fingerprint", "duration"])
def test_a_question_that_acoustid_refuses_is_no_match_and_not_asked_again(
    services: MusicServices, lookup: RecordingLookup, code: int
) -> None:
    refusal = f'{{"status": "error", "error": {{"code": {code}, "message": "invalid"}}}}'
    services.acoustid_behaviour = lambda _request: Response(refusal, status=400)
    assert [looked_up(lookup, FileTags()).outcome for _ in range(2)] == [LookupOutcome.NO_MATCH] * 2
    assert services.count("AcoustID") == 2, "once for each of the two lengths"


def test_a_question_that_musicbrainz_refuses_is_no_match_and_not_asked_again(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    services.musicbrainz_behaviour = lambda _request: Response('{"error": "Invalid mbid."}', status=400)
    assert [looked_up(lookup, NAMED).outcome for _ in range(2)] == [LookupOutcome.MATCH] * 2, "as the tags name it"
    assert [looked_up(lookup).outcome for _ in range(2)] == [LookupOutcome.NO_MATCH] * 2
    assert services.count("MusicBrainz") == 2


def test_null_classes_of_acousticbrainz_are_no_classes(services: MusicServices, tmp_path: Path) -> None:
    services.classes[SONG] = {"highlevel": None}
    with open_class_lookup(settings(services, tmp_path), Secret(KEY)) as classes:
        assert [classes.look_up(SONG).outcome for _ in range(2)] == [ClassesOutcome.NO_MATCH] * 2
    assert services.count("AcousticBrainz") == 1


def test_warnings_reach_the_partition_and_are_no_flood(services: MusicServices, lookup: RecordingLookup) -> None:
    services.recordings[SONG] = known_recording(releases=[release(date="long ago") for _ in range(60)])
    found = looked_up(lookup, NAMED)
    assert len(found.releases) == 60
    shown = describe_value(RecordingLookups((found,)))["warnings"].splitlines()
    assert (len(shown), shown[-1]) == (6, f"MusicBrainz, recording {SONG}: 55 more like these")


def test_lookups_of_older_versions_are_read() -> None:
    adapter = TypeAdapter(RecordingLookups)
    document = adapter.dump_python(RecordingLookups((PassageLookup(segments(1).passages[0], LookupOutcome.MATCH),)))
    del document["passages"][0]["warnings"]
    assert adapter.validate_python(document).passages[0].warnings == ()
