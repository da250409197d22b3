"""How long an outage is remembered, and when the service is tried again."""

from datetime import timedelta
from pathlib import Path

import pytest

from wkmp_assets.identify.services.outage import GONE_AFTER, MAX_REST, Outage, OutageFile
from wkmp_assets_tests.support.builders import NOW


@pytest.mark.parametrize(
    ("silent_for", "rest"),
    [
        pytest.param(timedelta(0), timedelta(minutes=1), id="new"),
        pytest.param(timedelta(minutes=20), timedelta(minutes=20), id="as long as it was silent"),
        pytest.param(timedelta(days=400), timedelta(hours=1), id="an hour at most"),
    ],
)
def test_it_rests_as_long_as_it_was_silent_within_limits(silent_for: timedelta, rest: timedelta) -> None:
    outage = Outage(NOW - silent_for, NOW, "HTTP 503")
    assert outage.rests_until == NOW + rest


def test_it_lasts_from_a_week_on() -> None:
    assert not Outage(NOW - GONE_AFTER + timedelta(seconds=1), NOW, "x").is_lasting
    assert Outage(NOW - GONE_AFTER, NOW, "x").is_lasting


def test_all_processes_know_since_when_and_why(tmp_path: Path) -> None:
    path = tmp_path / "services" / "outage.json"
    OutageFile(path, lambda: NOW).note("it cannot be reached")
    later = OutageFile(path, lambda: NOW + MAX_REST)
    assert later.note("HTTP 502") == later.read() == Outage(NOW, NOW + MAX_REST, "HTTP 502")
    assert later.resting() is not None
    assert OutageFile(path, lambda: NOW + 2 * MAX_REST).resting() is None
    later.end()
    later.end()
    assert later.read() is None


@pytest.mark.parametrize("kept", [b"", b"[]", b"{}", b'{"since": 1, "last": 2, "reason": "x"}', b"\xff\xfe"])
def test_what_is_damaged_is_no_outage(kept: bytes, tmp_path: Path) -> None:
    path = tmp_path / "outage.json"
    path.write_bytes(kept)
    assert OutageFile(path).read() is None
