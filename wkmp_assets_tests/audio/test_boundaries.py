"""What decides where passages begin and end: sheets, then the claim of one piece, then silence."""

from collections.abc import Sequence
from functools import lru_cache

import pytest

from wkmp_assets.audio.boundaries import Boundaries, choose_passages
from wkmp_assets.model.boundary_evidence import BoundaryEvidence, BoundarySource, PieceClaim, SheetTrack, TrackSheet
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets.model.values import Envelope, SegmentationParameters
from wkmp_assets_tests.audio.sounds import envelope_of, joined, noise, silence, tone

RATE_HZ = 1_000
PARAMETERS = SegmentationParameters(64.0, int(1.8 * TICKS_PER_SECOND), TICKS_PER_SECOND // 10)
RECORDING, TRACK, NAME, SPEECH = (
    BoundaryEvidence(claim=claim)
    for claim in (PieceClaim.RECORDING, PieceClaim.TRACK, PieceClaim.NAME, PieceClaim.SPEECH)
)
NOTHING = BoundaryEvidence()


@lru_cache
def sound(*seconds: float) -> Envelope:
    """Music and silence in turn, music first."""
    parts = [silence(length, RATE_HZ) if index % 2 else tone(length, RATE_HZ) for index, length in enumerate(seconds)]
    return envelope_of(joined(*parts), RATE_HZ)


def sheet(
    *starts: float, source: BoundarySource = BoundarySource.CUE_FILE, length_s: float | None = None
) -> TrackSheet:
    tracks = tuple(
        SheetTrack(round(start * TICKS_PER_SECOND), number, f"Track {number}") for number, start in enumerate(starts, 1)
    )
    length = None if length_s is None else round(length_s * TICKS_PER_SECOND)
    return TrackSheet(source, f"the {source}", tracks, length)


def chosen(envelope: Envelope, evidence: BoundaryEvidence) -> Boundaries:
    return choose_passages(envelope, evidence, PARAMETERS)


def seconds(boundaries: Boundaries) -> list[tuple[float, float]]:
    return [(span.start_sample / RATE_HZ, span.end_sample / RATE_HZ) for span in boundaries.passages]


ONE_RECORDING: dict[str, tuple[Sequence[float], tuple[float, float]]] = {
    "a general pause": ((40, 2.2, 40), (0, 82.2)),
    "a long pause": ((20, 15, 60), (0, 95)),
    "three pauses": ((20, 3, 20, 5, 20, 10, 20), (0, 98)),
    "a click after the music": ((40, 2.5, 0.15), (0, 40)),
    "a click long after it": ((40, 60, 0.15), (0, 40)),
    "a click before the music": ((0.2, 2.5, 40), (2.7, 42.7)),
    "a click within a pause": ((30, 2, 0.2, 2, 30), (0, 64.2)),
    "a short intro": ((5, 3, 60), (0, 68)),
    "silence around it": ((0, 5, 40, 5), (5, 45)),
}


@pytest.mark.parametrize("evidence", [RECORDING, TRACK, NAME], ids=["recording", "track", "name"])
@pytest.mark.parametrize(("parts", "whole"), ONE_RECORDING.values(), ids=ONE_RECORDING)
def test_one_recording_lasts_from_its_first_to_its_last_music(
    parts: Sequence[float], whole: tuple[float, float], evidence: BoundaryEvidence
) -> None:
    found = chosen(sound(*parts), evidence)
    assert seconds(found) == [pytest.approx(whole, abs=0.011)]
    assert (found.decided_by, found.main_passage, found.tracks) == (BoundarySource.ONE_PIECE, None, ())


@pytest.mark.parametrize("gap_s", [25, 600], ids=["25 s", "10 min"])
def test_a_hidden_track_is_a_passage_of_its_own_and_the_first_one_keeps_the_name(gap_s: float) -> None:
    found = chosen(sound(40, 2.5, 40, gap_s, 30), RECORDING)
    assert seconds(found) == [
        pytest.approx((0, 82.5), abs=0.011),
        pytest.approx((82.5 + gap_s, 112.5 + gap_s), abs=0.011),
    ]
    assert found.main_passage == 0


def test_a_hidden_track_may_be_longer_than_the_main_one() -> None:
    assert chosen(sound(60, 60, 200), RECORDING).main_passage == 0


def test_a_short_piece_long_before_the_music_is_not_the_main_one() -> None:
    found = chosen(sound(5, 30, 120), RECORDING)
    assert (len(found.passages), found.main_passage) == (2, 1)


@pytest.mark.slow
def test_a_title_alone_is_not_believed_of_a_long_file() -> None:
    """An image of an album has the album's title."""
    long = sound(500, 3, 500)
    assert chosen(long, NAME).decided_by is BoundarySource.SILENCE
    assert len(chosen(long, TRACK).passages) == 1


def test_speech_stays_whole_however_long_its_pauses_are() -> None:
    assert seconds(chosen(sound(60, 40, 60, 90, 60), SPEECH)) == [pytest.approx((0, 310), abs=0.011)]


def test_without_evidence_silence_decides() -> None:
    found = chosen(sound(40, 2.2, 40), NOTHING)
    assert seconds(found) == [pytest.approx((0, 40), abs=0.011), pytest.approx((42.2, 82.2), abs=0.011)]
    assert found.decided_by is BoundarySource.SILENCE


def test_a_click_beside_music_is_no_passage_whatever_the_file_says() -> None:
    assert len(chosen(sound(40, 2.5, 0.15), NOTHING).passages) == 1


def test_short_sounds_beside_short_sounds_are_passages() -> None:
    assert len(chosen(sound(1, 2.5, 1), NOTHING).passages) == 2


@lru_cache
def record() -> Envelope:
    """Three tracks of a record, with nothing but its noise between them."""
    music = joined(tone(400, RATE_HZ), silence(4, RATE_HZ), tone(400, RATE_HZ), silence(4, RATE_HZ), tone(500, RATE_HZ))
    return envelope_of(music + noise(1_308, RATE_HZ, rms=0.003), RATE_HZ)


def test_gaps_of_noise_separate_only_in_a_long_file_that_nothing_calls_one_piece() -> None:
    assert len(chosen(record(), NOTHING).passages) == 3
    assert len(chosen(record(), NAME).passages) == 3
    assert len(chosen(record(), RECORDING).passages) == 1
    assert len(chosen(record(), SPEECH).passages) == 1


def test_a_sheet_cuts_music_without_silence_exactly() -> None:
    found = chosen(sound(30), BoundaryEvidence((sheet(0, 10, 22),), PieceClaim.RECORDING))
    assert seconds(found) == [(0, 10), (10, 22), (22, 30)]
    assert [track.title if track else None for track in found.tracks] == ["Track 1", "Track 2", "Track 3"]
    assert (found.decided_by, found.warnings) == (BoundarySource.CUE_FILE, ())


def test_frames_become_the_nearest_samples() -> None:
    found = chosen(sound(30), BoundaryEvidence((sheet(0, 10 + 1 / 75, 20 + 2 / 75),)))
    assert [span.start_sample for span in found.passages] == [0, 10_013, 20_027]


def test_silence_within_a_track_does_not_cut_it() -> None:
    assert seconds(chosen(sound(10, 5, 15), BoundaryEvidence((sheet(0, 20),)))) == [(0, 20), (20, 30)]


def test_a_track_of_silence_is_no_passage() -> None:
    found = chosen(sound(10, 8, 12), BoundaryEvidence((sheet(0, 11, 14, 18),)))
    assert seconds(found) == [(0, 11), (18, 30)]
    assert [track.number if track else None for track in found.tracks] == [1, 4]


def test_music_before_the_first_track_is_a_passage_without_a_track() -> None:
    found = chosen(sound(0, 2, 10, 3, 20), BoundaryEvidence((sheet(15),)))
    assert len(found.passages) == 1, "one track"
    found = chosen(sound(0, 2, 10, 3, 20), BoundaryEvidence((sheet(15, 25),)))
    assert seconds(found) == [pytest.approx((2, 12), abs=0.011), (15, 25), (25, 35)]
    assert found.tracks[0] is None


def test_the_pause_before_the_first_track_is_no_passage() -> None:
    assert seconds(chosen(sound(0, 2, 28), BoundaryEvidence((sheet(2, 20),)))) == [(2, 20), (20, 30)]


def test_a_sheet_of_one_track_says_that_the_file_is_one_recording() -> None:
    found = chosen(sound(40, 5, 40, 60, 30), BoundaryEvidence((sheet(0),)))
    assert seconds(found) == [pytest.approx((0, 85), abs=0.011), pytest.approx((145, 175), abs=0.011)]
    assert (found.main_passage, [track is not None for track in found.tracks]) == (0, [True, False])


MISFITS = {
    "beyond the end": (sheet(0, 10, 80), "its last track begins at 1:20, and the sound ends at 0:33"),
    "of another length": (sheet(0, 10, length_s=75), "it describes 1:15 of sound, and the file has 0:33"),
}


@pytest.mark.parametrize(("wrong", "cause"), MISFITS.values(), ids=MISFITS)
def test_a_sheet_that_does_not_fit_is_named_and_silence_decides(wrong: TrackSheet, cause: str) -> None:
    found = chosen(sound(20, 3, 10), BoundaryEvidence((wrong,)))
    assert len(found.passages) == 2
    assert found.decided_by is BoundarySource.SILENCE
    (warning,) = found.warnings
    assert warning.kind is WarningKind.UNUSED_SHEET
    assert warning.text == f"the CUE sheet beside the file does not fit the sound: {cause}."


def test_the_next_sheet_decides_where_a_stronger_one_does_not_fit() -> None:
    sheets = (sheet(0, 500), sheet(0, 12, source=BoundarySource.CHAPTERS))
    found = chosen(sound(30), BoundaryEvidence(sheets))
    assert (seconds(found), found.decided_by) == ([(0, 12), (12, 30)], BoundarySource.CHAPTERS)
    assert len(found.warnings) == 1


def test_a_sheet_of_nearly_the_length_fits() -> None:
    assert len(chosen(sound(30), BoundaryEvidence((sheet(0, 10, length_s=33),))).passages) == 2


def test_chapters_of_a_short_file_that_is_one_recording_are_its_sections() -> None:
    chapters = (sheet(0, 60, source=BoundarySource.CHAPTERS),)
    assert len(chosen(sound(180), BoundaryEvidence(chapters, PieceClaim.RECORDING)).passages) == 1
    for claim in (PieceClaim.NONE, PieceClaim.NAME, PieceClaim.TRACK, PieceClaim.SPEECH):
        assert len(chosen(sound(180), BoundaryEvidence(chapters, claim)).passages) == 2
    assert len(chosen(sound(1_000), BoundaryEvidence(chapters, PieceClaim.RECORDING)).passages) == 2


@pytest.mark.parametrize("evidence", [NOTHING, RECORDING, BoundaryEvidence((sheet(0, 3),))])
def test_silence_has_no_passages(evidence: BoundaryEvidence) -> None:
    assert chosen(sound(0, 10), evidence).passages == ()


def test_a_release_cuts_at_the_quietest_moment_near_its_lengths() -> None:
    envelope = sound(30, 0.5, 20, 0.5, 25)
    listed = sheet(0, 29, 52, source=BoundarySource.RELEASE, length_s=76)
    found = chosen(envelope, BoundaryEvidence((listed,), PieceClaim.NAME))
    assert found.decided_by is BoundarySource.RELEASE
    starts = [start for start, _ in seconds(found)]
    assert starts == pytest.approx([0, 30.5, 51], abs=0.11)
    assert [track and track.number for track in found.tracks] == [1, 2, 3]


def test_a_release_cuts_where_its_lengths_say_when_no_moment_is_quieter() -> None:
    envelope = sound(60)
    found = chosen(envelope, BoundaryEvidence((sheet(0, 30, source=BoundarySource.RELEASE, length_s=60),)))
    assert [start for start, _ in seconds(found)] == [0, 30]
