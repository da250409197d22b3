"""CUE sheets as programs write them, and as they should not be."""

import pytest

from wkmp_assets.audio.cue_sheet import MAX_LINES, MAX_TRACKS, TICKS_PER_FRAME, parse_cue
from wkmp_assets.audio.cue_text import decode_cue
from wkmp_assets.model.boundary_evidence import SheetTrack
from wkmp_assets_tests.support.builders import mbid

LIVE = """\
REM GENRE Rock
REM DATE 1999
REM DISCID 16001E03
PERFORMER "Band"
TITLE "Live"
FILE "Live.wav" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Two "Too" Many"
    PERFORMER "Guest"
    ISRC US-ABC-12-34567
    FLAGS DCP
    INDEX 00 00:09:50
    INDEX 01 00:10:01
  TRACK 03 AUDIO
    TITLE Three
    PREGAP 00:02:00
    INDEX 01 100:22:74
"""


def one_track(lines: str) -> SheetTrack:
    (file,) = parse_cue(f'FILE "a.wav" WAVE\nTRACK 01 AUDIO\n{lines}\nINDEX 01 00:00:00').files
    return file.tracks[0]


def test_a_track_begins_at_its_index_01_to_the_frame() -> None:
    (file,) = parse_cue(LIVE).files
    assert file.name == "Live.wav"
    assert [track.start_ticks // TICKS_PER_FRAME for track in file.tracks] == [0, 751, 75 * 6_022 + 74]
    assert [track.start_ticks % TICKS_PER_FRAME for track in file.tracks] == [0, 0, 0]


def test_titles_may_hold_quotation_marks_or_have_none_around_them() -> None:
    assert [track.title for track in parse_cue(LIVE).files[0].tracks] == ["One", 'Two "Too" Many', "Three"]


def test_a_track_has_the_performer_of_the_sheet_where_it_has_none() -> None:
    tracks = parse_cue(LIVE).files[0].tracks
    assert [track.artist for track in tracks] == ["Band", "Guest", "Band"]
    assert {track.album for track in tracks} == {"Live"}
    assert [track.number for track in tracks] == [1, 2, 3]
    assert [track.isrc for track in tracks] == [None, "USABC1234567", None]


@pytest.mark.parametrize(
    "remark",
    [f"REM MUSICBRAINZ_TRACKID {mbid('r')}", f'rem MusicBrainz Track Id "{mbid("r").upper()}"',
     f"REM MUSICBRAINZ_RECORDING_ID {mbid('r')}"],
)  # fmt: skip
def test_remarks_name_the_recording(remark: str) -> None:
    assert one_track(remark).recording_mbid == mbid("r")


def test_what_is_no_mbid_is_left_out() -> None:
    assert one_track("REM MUSICBRAINZ_TRACKID\nREM MUSICBRAINZ_TRACKID x").recording_mbid is None


def test_a_remark_names_the_release() -> None:
    sheet = parse_cue(f"REM MUSICBRAINZ_ALBUMID {mbid('a')}\n{LIVE}")
    assert {track.release_mbid for track in sheet.files[0].tracks} == {mbid("a")}


def test_a_track_belongs_to_the_file_in_which_its_music_begins() -> None:
    """Rips with a pause at the end of the file before it have INDEX 00 there."""
    sheet = parse_cue(
        'FILE "01.wav" WAVE\nTRACK 01 AUDIO\nTITLE "One"\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nTITLE "Two"\n'
        'INDEX 00 03:58:00\nFILE "02.wav" WAVE\nINDEX 01 00:00:00'
    )
    assert [(file.name, [track.title for track in file.tracks]) for file in sheet.files] == [
        ("01.wav", ["One"]), ("02.wav", ["Two"])
    ]  # fmt: skip


def test_data_tracks_are_left_out() -> None:
    sheet = parse_cue(LIVE + "  TRACK 04 MODE1/2352\n    INDEX 01 110:00:00\n")
    assert sheet.track_count == 3


@pytest.mark.parametrize("name", ["Live.wav", "live.FLAC", "LIVE.flac"], ids=["equal", "other ending", "other case"])
def test_a_file_is_found_by_its_name_whatever_its_ending_and_case(name: str) -> None:
    assert parse_cue(LIVE).find_file(name) is not None
    assert parse_cue(LIVE.replace('"Live.wav"', r'"C:\Rips\Live.wav"')).find_file(name) is not None


def test_a_file_of_another_name_is_not_found() -> None:
    assert parse_cue(LIVE).find_file("Dead.wav") is None


def test_a_decomposed_name_is_the_same_name() -> None:
    assert parse_cue(LIVE.replace("Live.wav", "Café.wav")).find_file("Cafe\u0301.flac") is not None


def test_the_disc_id_tells_the_length_if_it_counts_the_same_tracks() -> None:
    assert parse_cue(LIVE).disc_seconds == 30
    assert parse_cue(LIVE.replace("1E03", "1E04")).disc_seconds is None


@pytest.mark.parametrize(
    "coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932"], ids=lambda coding: coding
)
def test_japanese_sheets_are_read_in_every_encoding(coding: str) -> None:
    text = LIVE.replace('"One"', '"海の歌"').replace("Guest", "椎名林檎")
    assert decode_cue(text.encode(coding)) == text


@pytest.mark.parametrize(
    "title", ["Café del Mar", "Für Elise \u2013 \u201cLive\u201d", "Ça plane, été", "Ragnarök \u2019n\u2019 más"]
)
def test_western_sheets_are_read_in_utf_8_and_windows_1252(title: str) -> None:
    text = LIVE.replace("One", title)
    for coding in ("utf-8", "cp1252"):
        assert decode_cue(text.encode(coding)) == text


def test_russian_sheets_are_read_in_utf_8_and_windows_1251() -> None:
    text = LIVE.replace("One", "Гражданская оборона").replace("Guest", "Ёлка")
    for coding in ("utf-8", "cp1251"):
        assert decode_cue(text.encode(coding)) == text


@pytest.mark.parametrize(
    ("coding", "title", "artist"),
    [
        ("gbk", "月亮代表我的心", "邓丽君"),
        ("gbk", "七里香", "Jay 周杰伦"),
        ("big5", "月亮代表我的心", "鄧麗君"),
        ("big5", "吻別", "張學友 Live"),
        ("euc_kr", "좋은 날", "아이유"),
        ("euc_kr", "사랑의 노래", "BoA (보아)"),
        ("euc_jp", "海の歌", "椎名林檎"),
        ("cp932", "群青日和", "東京事変"),
        ("cp1251", "КИНО", "ЛЮБЭ"),
        ("cp1252", "Ágætis byrjun", "Sigur Rós"),
    ],
)
def test_eastern_sheets_are_told_apart(coding: str, title: str, artist: str) -> None:
    text = LIVE.replace("One", title).replace("Guest", artist)
    assert decode_cue(text.encode(coding)) == text


BAD = {
    "nothing": ("", "no track"),
    "no place": ('FILE "a" WAVE\nTRACK 01 AUDIO', "track 1 has no INDEX 01"),
    "no time": ('FILE "a" WAVE\nTRACK 01 AUDIO\nINDEX 01 soon', "no place in a file"),
    "75 frames": ('FILE "a" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:75', "no place in a file"),
    "60 seconds": ('FILE "a" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:60:00', "no place in a file"),
    "no number": ('FILE "a" WAVE\nTRACK one AUDIO', "no number and type"),
    "out of order": (LIVE.replace("100:22:74", "00:05:00"), "track 3 does not begin after the one before"),
    "twice": (LIVE.replace("100:22:74", "00:10:01"), "track 3 does not begin after the one before"),
    "many tracks": ("TRACK 01 AUDIO\nINDEX 01 00:00:00\n" * (MAX_TRACKS + 1), "more than 999 tracks"),
    "many lines": ("\n" * (MAX_LINES + 1), "more than 20000 lines"),
}


@pytest.mark.parametrize(("text", "cause"), BAD.values(), ids=BAD)
def test_a_bad_sheet_is_named_with_its_fault(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        parse_cue(text)


def test_odd_lines_are_passed_over() -> None:
    assert parse_cue("\x00\ufffd ? \nREM\nTITLE\nFILE\nREM COMMENT\n" + LIVE).track_count == 3


def test_texts_are_cut_and_cleaned() -> None:
    track = one_track('TITLE "' + "x" * 5_000 + '"\nPERFORMER "a\x07  b"')
    assert (len(track.title or ""), track.artist) == (1_000, "a b")
