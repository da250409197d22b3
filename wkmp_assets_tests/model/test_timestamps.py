"""The library's timestamps: one text per second, in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from wkmp_assets.model.timestamps import Stamp, format_timestamp, normalise_timestamp

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
