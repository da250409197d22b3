"""Estimates of work: as the measured costs of docs/benchmarks/import.md, within a factor of two."""

import pytest

from wkmp_assets.model.audio_formats import AUDIO_ENDINGS
from wkmp_assets.model.work_estimates import FILE_S, estimate_work_s

MEGABYTE = 1_000_000


@pytest.mark.parametrize("ending", sorted(AUDIO_ENDINGS))
def test_every_format_has_work(ending: str) -> None:
    assert estimate_work_s(f"a/b{ending.upper()}", MEGABYTE) > estimate_work_s(f"a/b{ending}", 0) == FILE_S


@pytest.mark.parametrize(
    ("name", "megabytes_per_minute", "measured_s_per_minute"),
    [
        ("192 kbit/s.mp3", 1.44, 0.28),
        ("320 kbit/s.mp3", 2.4, 0.28),
        ("192 kbit/s.m4a", 1.44, 0.26),
        ("cd.flac", 5.5, 0.38),
        ("cd.wav", 10.6, 0.37),
        ("160 kbit/s.ogg", 1.2, 0.24),
        ("128 kbit/s.opus", 0.96, 0.34),
    ],
)
def test_estimates_are_near_the_measured_costs(
    name: str, megabytes_per_minute: float, measured_s_per_minute: float
) -> None:
    hour_s = estimate_work_s(name, int(60 * megabytes_per_minute * MEGABYTE))
    assert 0.5 < hour_s / (60 * measured_s_per_minute) < 2
