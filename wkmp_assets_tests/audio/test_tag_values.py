"""Dates, places, numbers and flags are read from what tagging programs write, and from nothing else."""

from datetime import UTC, datetime

import pytest

from wkmp_assets.audio.tag_values import (
    Position,
    parse_bpm,
    parse_count,
    parse_date,
    parse_disc,
    parse_flag,
    parse_isrcs,
    parse_track,
    unique_names,
    unique_texts,
)

NEXT_YEAR = datetime.now(UTC).year + 1


@pytest.mark.parametrize(
    ("texts", "date"),
    [
        (["2003"], "2003"),
        (["2003-04"], "2003-04"),
        (["2003-04-01"], "2003-04-01"),
        (["2003-4-1"], "2003-04-01"),
        (["2003/04/01"], "2003-04-01"),
        (["2003.04.01"], "2003-04-01"),
        (["2003-04-01T12:00:00Z"], "2003-04-01"),
        (["2003-04-01 12:00:00"], "2003-04-01"),
        (["20030401"], "2003-04-01"),
        (["20031301"], "2003"),
        (["01.04.2003"], "2003"),
        (["04/2003"], "2003"),
        (["April 2003"], "2003"),
        (["2003年4月1日"], "2003"),
        (["℗ 1984, remastered 2003"], "1984"),
        (["2003-00-00"], "2003"),
        (["2003-05-00"], "2003-05"),
        (["2003-00-05"], "2003"),
        (["2003-02-30"], "2003-02"),
        (["2003-13-01"], "2003"),
        (["2003-2004"], "2003"),
        (["1860"], "1860"),
        ([str(NEXT_YEAR)], str(NEXT_YEAR)),
        (["1859"], None),
        ([str(NEXT_YEAR + 1)], None),
        (["9999"], None),
        (["0000"], None),
        (["0000-00-00"], None),
        (["0001-01-01T00:00:00Z"], None),
        (["unknown"], None),
        (["last year"], None),
        (["3"], None),
        (["123456789"], None),
        (["0000-00-00", "1999-05"], "1999-05"),
        (["unknown", "0", "1999"], "1999"),
        (["1999", "2003"], "1999"),
        (["0203, 1999"], "1999"),
        ([], None),
    ],
)
def test_a_date_is_what_the_first_text_says_that_says_any(texts: list[str], date: str | None) -> None:
    assert parse_date(texts) == date


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("3", Position(3)),
        ("03", Position(3)),
        ("3/12", Position(3, 12)),
        ("03 of 12", Position(3, 12)),
        ("3/0", Position(3)),
        ("/12", Position(out_of=12)),
        ("0", Position()),
        ("0/12", Position(out_of=12)),
        ("1-03", Position(3, None, 1)),
        ("CD1-03", Position(3, None, 1)),
        ("2.05", Position(5, None, 2)),
        ("01-3/12", Position(3, 12, 1)),
        ("0-03", Position(3)),
        ("2.0", Position(2)),
        ("3.", Position(3)),
        ("3 - Ode", Position(3)),
        ("Track 3", Position(3)),
        ("#3/12", Position(3, 12)),
        ("A1", Position(side="A1")),
        ("b2", Position(side="B2")),
        ("AA", Position(side="AA")),
        ("first", Position()),
        ("9" * 30, Position()),
        ("", Position()),
    ],
)
def test_a_track_may_name_its_disc_its_total_or_a_side(text: str, position: Position) -> None:
    assert parse_track([text]) == position


def test_a_track_that_says_nothing_does_not_hide_another() -> None:
    assert parse_track(["0", "3/12"]) == Position(3, 12)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("1", Position(1)),
        ("1/2", Position(1, 2)),
        ("02 of 03", Position(2, 3)),
        ("CD 2", Position(2)),
        ("Disc2/3", Position(2, 3)),
        ("disk #2", Position(2)),
        ("0/0", Position()),
        ("/2", Position(out_of=2)),
        ("bonus", Position()),
    ],
)
def test_a_disc_may_name_its_total(text: str, position: Position) -> None:
    assert parse_disc([text]) == position


def test_counts_are_at_least_one() -> None:
    assert (parse_count(["012"]), parse_count(["0", "7"]), parse_count(["0"]), parse_count(["many"])) == (
        12,
        7,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("text", "bpm"),
    [("120", 120.0), ("120.5", 120.5), ("120,50", 120.5), ("0", None), ("1000", None), ("fast", None), ("", None)],
)
def test_a_tempo_is_a_number_of_beats_per_minute(text: str, bpm: float | None) -> None:
    assert parse_bpm([text]) == bpm


def test_a_flag_is_yes_or_no() -> None:
    said = ["1", "True", " yes ", "0", "False", "no", "maybe", ""]
    assert [parse_flag([text]) for text in said] == [True, True, True, False, False, False, None, None]


def test_recording_codes_are_read_in_either_way_of_writing_and_others_returned() -> None:
    assert parse_isrcs(["US-RC1-76-07839", "usrc17607839; GB AYE 02 00301", "none"]) == (
        ("USRC17607839", "GBAYE0200301"),
        ("none",),
    )


def test_equal_texts_are_kept_once_in_order_with_their_first_spelling() -> None:
    assert unique_texts(["Zoë", "The Artist", "Zoe\u0308", "THE ARTIST", "zoë", "Zoe"]) == ("Zoë", "The Artist", "Zoe")


NAMES = {
    "a list of one": ("The Artist; The Artist", "The Artist"),
    "other letter case": ("The Artist ;the artist; ", "The Artist"),
    "slashes": ("The Artist / The Artist", "The Artist"),
    "among others": ("A; B; A", "A; B"),
    "nothing twice": ("A; B / C", "A; B / C"),
    "values of ID3v2.3": ("The Artist/The Artist", "The Artist"),
    "a slash in a name": ("M/M", "M/M"),
    "slashes in names": ("AC/DC", "AC/DC"),
    "no name": (";", ";"),
}


@pytest.mark.parametrize(("text", "expected"), NAMES.values(), ids=NAMES)
def test_a_name_that_a_list_repeats_counts_once(text: str, expected: str) -> None:
    assert unique_names([text, expected]) == (expected,)


def test_a_value_that_ffmpeg_joined_with_itself_is_one() -> None:
    said = ["The Artist;The Artist", "the artist", "Ja; Ja", "A;B;A", ";", ""]
    assert unique_texts(said) == ("The Artist", "Ja; Ja", "A;B;A", ";", "")
