"""The library's timestamps: one text per second, in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from wkmp_assets.model.timestamps import Stamp, format_seconds, format_timestamp, normalise_timestamp, read_timestamp

NOON = "2026-03-01 12:00:00"
BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        datetime(2026, 3, 1, 13, tzinfo=BERLIN),
        datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC),
    ],
    ids=["UTC", "another zone", "a fraction of a second"],
)
def test_a_moment_is_formatted_in_utc_to_the_second(moment: datetime) -> None:
    assert format_timestamp(moment) == Stamp(moment, "run").text == NOON


@pytest.mark.parametrize(
    "text", [NOON, "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.5+00:00", "2026-03-01T13:00:00+01:00"]
)
def test_either_form_of_a_stored_time_becomes_the_first(text: str) -> None:
    assert normalise_timestamp(text) == NOON


def test_text_in_no_known_form_stays() -> None:
    assert normalise_timestamp("yesterday") == "yesterday"


def test_a_time_before_the_calendar_in_utc_stays() -> None:
    assert normalise_timestamp("0001-01-01T00:00:00+01:00") == "0001-01-01T00:00:00+01:00"
    assert normalise_timestamp("9999-12-31T23:59:59-01:00") == "9999-12-31T23:59:59-01:00"


SECONDS = [
    -(2**63),
    -62_135_596_801,
    -62_135_596_800,
    -11_644_473_600,  # 1601, where Windows begins to count
    -1,
    0,
    1_772_366_400,
    253_402_300_799,
    253_402_300_800,
    910_692_730_085,  # 30828, where Windows ends
    2**63 - 1,
]


def test_every_number_of_seconds_has_a_text_of_its_own_that_sorts_like_it() -> None:
    texts = [format_seconds(seconds) for seconds in SECONDS]
    assert sorted(set(texts)) == texts
    assert texts[2:8] == [
        "0001-01-01 00:00:00",
        "1601-01-01 00:00:00",
        "1969-12-31 23:59:59",
        "1970-01-01 00:00:00",
        NOON,
        "9999-12-31 23:59:59",
    ]
    assert texts == [format_seconds(seconds) for seconds in SECONDS], "and tomorrow the same"


def test_a_time_is_read_unless_it_is_beyond_the_calendar() -> None:
    moments = [read_timestamp(format_seconds(seconds)) for seconds in SECONDS]
    assert [moment is None for moment in moments] == [True, True, *[False] * 6, True, True, True]
    assert moments[6] == datetime(2026, 3, 1, 12, tzinfo=UTC)
