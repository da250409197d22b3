"""Lookups of a file's passages at AcoustID and MusicBrainz."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from werkzeug import Request, Response

from wkmp_assets.errors import SettingsError
from wkmp_assets.identify.lookup import RecordingLookup, ServiceRecordingLookup
from wkmp_assets.identify.match import match_passages
from wkmp_assets.identify.open_lookups import NO_KEY, ServiceSettings, open_recording_lookup, resolve_key
from wkmp_assets.identify.path_names import read_path_names
from wkmp_assets.model.boundary_evidence import BoundarySource, SheetTrack
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.model.values import (
    Envelope,
    FileTags,
    Fingerprints,
    PassageFingerprint,
    PassageLookup,
    PassageMatch,
    PassageSegments,
    SegmentationParameters,
    Span,
)
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.builders import RATE_HZ, audio, in_a_row, mbid
from wkmp_assets_tests.support.music_services import (
    KEY,
    MusicServices,
    acoustid_recording,
    acoustid_result,
    musicbrainz_recording,
    musicbrainz_release,
)

ANN, BOB = (mbid("ann"), "Ann"), (mbid("bob"), "Bob")
SONG, OTHER, MERGED = mbid("song"), mbid("other"), mbid("merged")
TAGS = FileTags(title="Song", artist="Ann", album="Best of Ann")


def segments(count: int) -> PassageSegments:
    spans = tuple(Span(*bounds) for bounds in in_a_row(count))
    envelope = Envelope(RATE_HZ, 441, 1, np.zeros(1, dtype=np.float32))
    return PassageSegments(audio(), envelope, spans, SegmentationParameters(60, 1, 1))


def fingerprints(count: int, duration_s: float = 100.0) -> Fingerprints:
    return Fingerprints(
        tuple(
            PassageFingerprint(span, f"AQ{number}", duration_s) for number, span in enumerate(segments(count).passages)
        )
    )


def settings(services: MusicServices, folder: Path) -> ServiceSettings:
    return ServiceSettings(
        folder, services.acoustid_url, 0, services.musicbrainz_url, 0, services.acousticbrainz_url, 0, "test/1 (nobody)"
    )


@pytest.fixture
def lookup(services: MusicServices, tmp_path: Path) -> Iterator[RecordingLookup]:
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as opened:
        yield opened


def know_the_song(services: MusicServices, fingerprint: str = "AQ0", score: float = 0.95) -> None:
    services.fingerprints[fingerprint] = [acoustid_result(score, acoustid_recording(SONG, "Song", ANN, 100.0))]
    services.recordings[SONG] = musicbrainz_recording(
        SONG,
        "Song",
        [ANN, BOB],
        length_ms=101_000,
        releases=[
            musicbrainz_release(mbid("first"), "First", "1999"),
            musicbrainz_release(mbid("best"), "Best Of Ann"),
        ],
        works=[(mbid("opus"), "Opus"), (mbid("opus 2"), "Opus 2")],
    )


def looked_up(
    lookup: RecordingLookup, count: int = 1, tags: FileTags = TAGS
) -> tuple[list[PassageLookup], list[PassageMatch]]:
    found = lookup.look_up(tags, segments(count), fingerprints(count))
    return list(found.passages), list(match_passages(tags, segments(count), found, {}).passages)


def test_a_recording_comes_with_everything(services: MusicServices, lookup: RecordingLookup) -> None:
    know_the_song(services)
    (found,), (match,) = looked_up(lookup)
    assert found.outcome is LookupOutcome.MATCH
    assert (match.level, match.source, match.title) == (MatchLevel.HIGH, "MusicBrainz", "Song")
    assert match.score == pytest.approx(0.3 + 0.6 * 0.95 + 0.1)
    assert match.song is not None
    assert match.artist == match.song.artist_name == "Ann & Bob"
    assert [one.name for one in match.song.artists] == ["Ann", "Bob"]
    assert [one.title for one in match.song.works] == ["Opus", "Opus 2"]
    assert match.release is not None
    assert match.album == match.release.title == "Best Of Ann"


def test_the_name_of_an_untagged_file_speaks_for_a_recording(services: MusicServices, lookup: RecordingLookup) -> None:
    know_the_song(services)
    for path, level in {"Ann/01 Song.wav": MatchLevel.HIGH, "take 1.wav": MatchLevel.MEDIUM}.items():
        _, (match,) = looked_up(lookup, tags=FileTags(names=read_path_names(path)))
        assert match.level is level, path


def test_a_merged_recording_is_known_by_its_new_id(services: MusicServices, lookup: RecordingLookup) -> None:
    know_the_song(services)
    services.fingerprints["AQ0"] = [acoustid_result(0.95, acoustid_recording(MERGED, "Song", ANN))]
    services.merged[MERGED] = SONG
    _, (match,) = looked_up(lookup)
    assert match.song is not None
    assert match.song.recording_mbid == SONG


def test_names_carry_their_rank_and_an_answer_keeps_its_time(services: MusicServices, tmp_path: Path) -> None:
    """The second run gets the answer from the cache."""
    know_the_song(services)
    songs = []
    for _ in range(2):
        with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as opened:
            _, (match,) = looked_up(opened)
        assert match.song is not None
        songs.append(match.song)
    named = [songs[0], *songs[0].artists, *songs[0].works]
    assert {one.rank for one in named} == {NameRank.MUSICBRAINZ}
    assert songs[0].answered_at is not None
    assert songs == [songs[0]] * 2


def test_what_musicbrainz_does_not_have_keeps_what_acoustid_said(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    services.fingerprints["AQ0"] = [acoustid_result(0.95, acoustid_recording(OTHER, "Song", ANN))]
    (found,), (match,) = looked_up(lookup)
    assert found.outcome is LookupOutcome.MATCH
    assert match.song is not None
    assert {match.song.rank, match.song.artists[0].rank} == {NameRank.ACOUSTID}
    assert (match.song.recording_mbid, match.song.title, match.song.works) == (OTHER, "Song", ())


def test_five_candidates_are_kept_and_only_the_best_is_asked_for(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    know_the_song(services)
    others = [acoustid_recording(mbid(f"other {number}"), "Xyz", BOB) for number in range(9)]
    services.fingerprints["AQ0"].append(acoustid_result(0.97, *others))
    (found,), _ = looked_up(lookup)
    assert len(found.candidates) == 5
    assert found.candidates[0].song.recording_mbid == SONG
    assert services.count("MusicBrainz") == 1


def test_a_poor_match_is_no_song_and_is_not_asked_for(services: MusicServices, lookup: RecordingLookup) -> None:
    know_the_song(services, score=0.2)
    (found,), (match,) = looked_up(lookup, tags=FileTags(title="Xyz", artist="Nobody"))
    assert found.outcome is LookupOutcome.MATCH
    assert match.song is None
    assert (match.level, match.title) == (MatchLevel.LOW, "Xyz")  # by its tags
    assert services.count("MusicBrainz") == 0


def test_outcomes_are_per_passage(services: MusicServices, lookup: RecordingLookup) -> None:
    know_the_song(services, "AQ0")
    know_the_song(services, "AQ2")
    found = lookup.look_up(
        TAGS,
        segments(3),
        Fingerprints((*fingerprints(2).passages, PassageFingerprint(segments(3).passages[2], None, 2.0))),
    )
    assert [one.outcome for one in found.passages] == [
        LookupOutcome.MATCH, LookupOutcome.NO_MATCH, LookupOutcome.TOO_SHORT
    ]  # fmt: skip


def test_a_file_of_one_track_is_asked_for_with_its_whole_length_too(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    looked_up(lookup, tags=FileTags())
    lengths = [asked.form["duration"] for asked in services.asked]
    whole_s = int(audio().total_samples / RATE_HZ)
    assert lengths == ["100", str(whole_s)]
    assert looked_up(lookup, 2, FileTags())[0][0].outcome is LookupOutcome.NO_MATCH
    assert [asked.form["duration"] for asked in services.asked[2:]] == ["100"]  # of two, one was known already


def test_a_recording_named_by_the_tags_is_not_asked_for_by_its_sound(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    know_the_song(services)
    (found,), (match,) = looked_up(lookup, tags=FileTags(title="As I call it", recording_mbid=SONG))
    assert services.count("AcoustID") == 0
    assert (match.level, match.score, match.source, match.title) == (MatchLevel.HIGH, 1.0, "ID3", "As I call it")
    assert match.song is not None
    assert len(match.song.works) == 2
    assert match.artist == "Ann & Bob"
    assert found.releases


def test_the_recording_of_a_main_passage_beside_a_hidden_track_is_named_by_the_tags(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    know_the_song(services, fingerprint="another")
    tags, both = FileTags(title="As I call it", recording_mbid=SONG), replace(segments(2), main_passage=0)
    found = lookup.look_up(tags, both, fingerprints(2))
    main, hidden = match_passages(tags, both, found, {}).passages
    assert (main.title, main.song and main.song.recording_mbid) == ("As I call it", SONG)
    assert found.passages[0].releases
    assert (hidden.title, hidden.song, services.count("AcoustID")) == (None, None, 1)


def test_the_tracks_of_a_sheet_are_searched_for_by_their_own_names_and_never_joined(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    tracks = (SheetTrack(0, 1, "One", "Ann"), SheetTrack(1, 2, "Two", "Bob"))
    unknown = (SheetTrack(0, 1), SheetTrack(1, 2))
    for named in (tracks, unknown):
        by_sheet = replace(segments(2), decided_by=BoundarySource.CUE_FILE, tracks=named)
        found = lookup.look_up(FileTags(title="Live", artist="Band"), by_sheet, fingerprints(2))
        assert {one.outcome for one in found.passages} == {LookupOutcome.NO_MATCH}
        matches = match_passages(FileTags(title="Live", artist="Band"), by_sheet, found, {})
        assert [match.title for match in matches.passages] == [track.title for track in named]
    searched = [asked.form["query"] for asked in services.asked if "query" in asked.form]
    assert len(searched) == 2
    assert ["One" in query and "Ann" in query for query in searched] == [True, False]


def test_a_service_that_is_down_defers_and_the_other_one_goes_on(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    know_the_song(services)
    services.musicbrainz_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "3600"})
    (found,), (match,) = looked_up(lookup)
    assert found.outcome is LookupOutcome.DEFERRED
    assert found.detail == "MusicBrainz: HTTP 503, come back in 3600 s"
    assert match.song is not None
    assert (match.source, match.song.title) == ("AcoustID", "Song")


def test_a_damaged_cache_defers_and_is_named(services: MusicServices, tmp_path: Path) -> None:
    (tmp_path / "AcoustID.sqlite").write_bytes(b"this is no database, and long enough to be sure of it" * 100)
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as lookup:
        (passage,) = lookup.look_up(FileTags(), segments(1), fingerprints(1)).passages
    assert passage.outcome is LookupOutcome.DEFERRED
    assert str(tmp_path) in passage.detail


def test_a_refused_key_is_told_apart_and_nothing_more_is_sent(services: MusicServices, tmp_path: Path) -> None:
    with open_recording_lookup(settings(services, tmp_path), Secret("wrong-key")) as opened:
        found, _ = looked_up(opened, 5)
    assert {one.outcome for one in found} == {LookupOutcome.DEFERRED}
    assert "refused the application key; correct the first of acoustid_api_key" in found[0].detail
    assert "wrong-key" not in repr(found)
    assert services.count("AcoustID") == 1


def test_after_a_stop_only_the_cache_answers_and_no_pause_is_waited_for(
    services: MusicServices, tmp_path: Path
) -> None:
    know_the_song(services)
    control = RunControl()
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY), control=control) as opened:
        looked_up(opened)
        before = services.count("AcoustID")

        def stop(_request: Request) -> Response:
            control.request_stop()
            return Response(status=503, headers={"Retry-After": "5"})

        services.acoustid_behaviour = stop
        found, _ = looked_up(opened, 3)
    assert [one.outcome for one in found] == [LookupOutcome.MATCH, LookupOutcome.DEFERRED, LookupOutcome.DEFERRED]
    assert found[1].detail == "AcoustID: the import was stopped"
    assert services.count("AcoustID") == before + 1


QUERY = r'artist:"Ann \"The\" Voice" AND recording:"C:\\ Song"'
NAMED = FileTags(title="C:\\ Song", artist='Ann "The" Voice')


def test_a_file_that_nobody_has_heard_is_searched_for_by_its_tags(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    found = [
        musicbrainz_recording(OTHER, "Something else", [(ANN[0], 'Ann "The" Voice')], length_ms=100_000),
        musicbrainz_recording(mbid("too long"), "C:\\ Song", [(ANN[0], 'Ann "The" Voice')], length_ms=200_000),
        musicbrainz_recording(SONG, "c:\\ song", [(ANN[0], 'Ann "The" Voice')], length_ms=100_000),
    ]
    services.searches[QUERY] = found
    services.recordings[SONG] = musicbrainz_recording(SONG, "C:\\ Song", [ANN], works=[(mbid("opus"), "Opus")])
    (looked,), (match,) = looked_up(lookup, tags=NAMED)
    assert [one.song.recording_mbid for one in looked.candidates] == [SONG]
    assert looked.candidates[0].confidence == pytest.approx(1.0)
    assert match.song is not None
    assert [one.title for one in match.song.works] == ["Opus"]
    assert (match.level, match.source) == (MatchLevel.HIGH, "MusicBrainz")


def test_a_search_that_finds_nothing_is_no_match_and_one_that_fails_is_deferred(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    assert looked_up(lookup, tags=NAMED)[0][0].outcome is LookupOutcome.NO_MATCH
    services.musicbrainz_behaviour = lambda _request: Response('{"recordings": 5}')
    (found,), _ = looked_up(lookup, tags=FileTags(title="T", artist="A"))
    assert (found.outcome, found.detail) == (
        LookupOutcome.DEFERRED, "MusicBrainz: its answer has another shape than documented"
    )  # fmt: skip


@pytest.mark.parametrize("wrong", ['{"status": "ok"}', '{"status": "ok", "results": "many"}', "[]", "5", "null"])
def test_an_answer_of_another_shape_defers(services: MusicServices, lookup: RecordingLookup, wrong: str) -> None:
    services.acoustid_behaviour = lambda _request: Response(wrong)
    (found,), _ = looked_up(lookup)
    assert found.outcome is LookupOutcome.DEFERRED
    assert "another shape" in found.detail
    services.acoustid_behaviour = lambda _request: None
    know_the_song(services)
    assert looked_up(lookup)[0][0].outcome is LookupOutcome.MATCH


WITHOUT_A_RECORDING = {
    "score out of range": [{"id": SONG, "score": 7}],
    "no MBID": [acoustid_result(0.9, {"id": "../../etc/passwd", "title": "x"})],
    "wrong type": [{"id": SONG, "score": 0.9, "recordings": "many"}],
}


@pytest.mark.slow
@pytest.mark.parametrize("results", WITHOUT_A_RECORDING.values(), ids=WITHOUT_A_RECORDING)
def test_an_answer_without_a_usable_entry_is_no_match_and_says_so(
    services: MusicServices, lookup: RecordingLookup, results: list[dict[str, object]]
) -> None:
    services.fingerprints["AQ0"] = results
    (found,), _ = looked_up(lookup)
    assert found.outcome is LookupOutcome.NO_MATCH
    assert len(found.warnings) == 1


def test_a_fingerprint_that_acoustid_refuses_is_no_match(lookup: RecordingLookup) -> None:
    one = PassageFingerprint(segments(1).passages[0], "no fingerprint", 100.0)
    found = lookup.look_up(FileTags(), segments(1), Fingerprints((one,)))
    assert found.passages[0].outcome is LookupOutcome.NO_MATCH


def test_another_error_of_acoustid_defers(services: MusicServices, lookup: RecordingLookup) -> None:
    services.acoustid_behaviour = lambda _request: Response('{"status": "error", "error": {"code": 5}}', status=400)
    (found,), _ = looked_up(lookup)
    assert (found.outcome, found.detail) == (LookupOutcome.DEFERRED, "AcoustID: it answered with error 5")


def test_a_recording_found_twice_counts_by_its_better_score(services: MusicServices, lookup: RecordingLookup) -> None:
    know_the_song(services)
    services.fingerprints["AQ0"].append(acoustid_result(0.5, acoustid_recording(SONG, "Song", ANN)))
    (found,), _ = looked_up(lookup)
    assert [one.fingerprint_score for one in found.candidates] == [0.95]


@pytest.mark.parametrize("wrong", ['{"id": "no MBID", "title": "x"}', '{"title": 5}', "[]"])
def test_a_recording_of_another_shape_defers_and_is_not_kept(
    services: MusicServices, lookup: RecordingLookup, wrong: str
) -> None:
    know_the_song(services)
    services.musicbrainz_behaviour = lambda _request: Response(wrong)
    assert looked_up(lookup)[0][0].outcome is LookupOutcome.DEFERRED
    services.musicbrainz_behaviour = lambda _request: None
    assert looked_up(lookup)[0][0].outcome is LookupOutcome.MATCH


def test_without_a_key_nobody_is_asked(services: MusicServices, tmp_path: Path) -> None:
    with open_recording_lookup(settings(services, tmp_path), None) as opened:
        (found,), (match,) = looked_up(opened)
    assert (found.outcome, found.detail) == (LookupOutcome.SKIPPED, NO_KEY)
    assert match.lookup is None
    assert not services.asked
    assert not list(tmp_path.iterdir())


def test_the_key_comes_from_the_library_then_the_environment_then_the_file(tmp_path: Path) -> None:
    toml = tmp_path / "wkmp-ai.toml"
    assert resolve_key(None, None, toml) is None
    toml.write_text('acoustid_api_key = " from-toml "', encoding="utf-8")

    def found(stored: str | None, configured: str | None) -> str:
        key = resolve_key(stored, None if configured is None else Secret(configured), toml)
        return key.value if key else ""

    assert found(None, None) == "from-toml"
    assert found(" ", " ") == "from-toml"
    assert found(None, "from-environment") == "from-environment"
    assert found("from-library", "from-environment") == "from-library"


@pytest.mark.parametrize("text", ["", "acoustid_api_key = ''", "acoustid_api_key = 5"])
def test_a_file_without_a_key_is_no_key(tmp_path: Path, text: str) -> None:
    toml = tmp_path / "wkmp-ai.toml"
    toml.write_text(text, encoding="utf-8")
    assert resolve_key(None, None, toml) is None


@pytest.mark.parametrize("stored", [True, False])
def test_a_key_with_spaces_inside_is_named_by_its_place(tmp_path: Path, stored: bool) -> None:
    toml = tmp_path / "wkmp-ai.toml"
    toml.write_text("acoustid_api_key = 'sec ret'", encoding="utf-8")
    place = "acoustid_api_key in the library's settings table" if stored else f"{toml}, acoustid_api_key"
    with pytest.raises(SettingsError) as raised:
        resolve_key(" sec\tret " if stored else None, None, toml)
    assert str(raised.value) == f"{place}: must have no spaces, line breaks or invisible characters inside"


def test_a_broken_file_is_an_error_that_does_not_quote_it(tmp_path: Path) -> None:
    toml = tmp_path / "wkmp-ai.toml"
    toml.write_text("acoustid_api_key = secret-without-quotes", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"wkmp-ai\.toml") as raised:
        resolve_key(None, None, toml)
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_no_repr_and_no_message_shows_the_key(services: MusicServices, tmp_path: Path) -> None:
    chosen = load_settings(acoustid_api_key=KEY)
    with open_recording_lookup(settings(services, tmp_path), chosen.acoustid_api_key) as opened:
        assert isinstance(opened, ServiceRecordingLookup)
        shown = [
            repr(chosen),
            str(chosen),
            repr(opened),
            repr(vars(opened.acoustid)),
            repr(vars(opened.acoustid.session)),
        ]
    with pytest.raises(SettingsError) as raised:
        load_settings(acoustid_api_key=KEY, workers=0)
    assert [text for text in [*shown, str(raised.value), repr(raised.value)] if KEY in text] == []
