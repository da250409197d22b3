"""The benchmark of lookups can miss its expectations."""

from dataclasses import replace

import pytest

from wkmp_assets_tests.tools.benchmarks.lookups_benchmark import Again, Together, allowed, busiest, expect, rates_table

SERVICES = ("AcoustID", "MusicBrainz", "AcousticBrainz")
SLOWLY = {service: [10.0 * number for number in range(5)] for service in SERVICES}
WELL = Together(60.0, (0, 0), SLOWLY, 5, 5, {"INGEST COMPLETE": 5})
QUIET = Again(0, 0, "1.00 per file written, at most 1")


def test_windows_are_half_open() -> None:
    assert busiest([], 1) == 0
    assert busiest([0, 1, 2], 1) == 1
    assert busiest([2.0, 0, 0.9, 1.1, 1.8], 1) == 3
    assert (allowed(1, 10), allowed(3, 10)) == (11, 31)


def test_what_should_be_is_ok() -> None:
    assert {verdict for *_, verdict in expect(WELL, QUIET)} == {"ok"}
    assert rates_table(SLOWLY).rows[0] == ("AcoustID", "3", "5", "0.10", "1", "1")


@pytest.mark.parametrize(
    ("together", "again"),
    [
        (replace(WELL, exits=(0, 1)), QUIET),
        (replace(WELL, with_song=4), QUIET),
        (replace(WELL, passages=0, with_song=0), QUIET),
        (replace(WELL, arrivals={**SLOWLY, "MusicBrainz": [0.8 * number for number in range(20)]}), QUIET),
        (WELL, replace(QUIET, requests=1)),
        (WELL, replace(QUIET, locks="1.01 per file written, at most 2")),
        (WELL, replace(QUIET, exit=1)),
    ],
)
def test_what_should_not_be_is_missed(together: Together, again: Again) -> None:
    assert [verdict for *_, verdict in expect(together, again)].count("MISSED") == 1
