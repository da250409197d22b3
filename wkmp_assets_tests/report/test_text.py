"""Times, names and counts as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.report.text import JOINERS, clock, counted, explain_ignored, name_status, printable


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0:00.0"),
        (59.96, "1:00.0"),
        (205.44, "3:25.4"),
        (3599.97, "1:00:00.0"),
        (3600.5, "1:00:00.5"),
        (3723, "1:02:03.0"),
    ],
)
def test_positions_are_said_as_people_say_them(seconds: float, expected: str) -> None:
    assert clock(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "decimals", "expected"),
    [(0.25, 1, "0:00.2"), (59.96, 1, "1:00.0"), (59.6, 0, "1:00"), (3725.0, 0, "1:02:05"), (3600.5, 1, "1:00:00.5")],
)
def test_times_are_written_as_on_a_clock(seconds: float, decimals: int, expected: str) -> None:
    assert clock(seconds, decimals) == expected


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_any_path_can_be_printed(path: str) -> None:
    assert printable(path).translate(dict.fromkeys(map(ord, JOINERS))).isprintable()
    printable(path).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sigur Rós/久石 [live].mp3", "Sigur Rós/久石 [live].mp3"),
        ("東京\u3000タワー", "東京 タワー"),
        ("👩\u200d🎤 live", "👩\u200d🎤 live"),
        ("می\u200cشود", "می\u200cشود"),
        ("\x1b[31mred\n", r"\x1b[31mred\n"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("caf\udce9", r"caf\udce9"),
    ],
)
def test_letters_and_spaces_are_shown_and_everything_else_is_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_a_count_has_its_noun_in_the_right_number() -> None:
    assert [counted(number, "file") for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert counted(2, "copy", "copies") == "2 copies"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("INGEST COMPLETE", "imported"),
        ("DUPLICATE HASH", "duplicate"),
        ("NO AUDIO", "no audio"),
        ("PENDING", "pending"),
    ],
)
def test_a_status_is_named_as_in_the_summary_of_an_import(status: str, expected: str) -> None:
    assert name_status(status) == expected


def test_files_that_a_pattern_hides_are_said_in_the_right_number() -> None:
    def said(*paths: str) -> str:
        return explain_ignored(LibraryChanges((), (), (), (), ignored=paths))

    assert said() == ""
    assert said("a.mp3").startswith("1 file of the library matches a pattern by now, and counts as missing: a.mp3.")
    assert said("a.mp3", "b.mp3").startswith(
        "2 files of the library match patterns by now, and count as missing: a.mp3"
    )
