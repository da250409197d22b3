"""Pairing the passages of an import with the stored ones."""

from collections.abc import Container

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.db.plan.passage_pairing import PassagePlan, plan_passages
from wkmp_assets.db.read.file_state import StoredPassage
from wkmp_assets.model.ticks import TICKS_PER_SECOND


def stored(
    guid: str,
    start: int,
    end: int,
    *,
    fades: tuple[int | None, int | None] = (None, None),
    kept: bool = False,
) -> StoredPassage:
    return StoredPassage(guid, start, end, *fades, is_kept=kept, lead_in_ticks=start + 1, lead_out_ticks=end - 1)


def new_guid(start: int, end: int, taken: Container[str]) -> str:
    return next(name for name in (f"new {start}-{end}", f"newer {start}-{end}") if name not in taken)


def plan(bounds: list[tuple[int, int]], old: list[StoredPassage]) -> PassagePlan:
    return plan_passages(bounds, [(start, end) for start, end in bounds], old, new_guid)


PAIRS = {
    "same": ((0, 100), True),
    "grown": ((0, 199), True),
    "grown to double: half of the new one is no majority": ((0, 200), False),
    "shrunk": ((0, 51), True),
    "shrunk to half": ((0, 50), False),
    "shifted": ((49, 149), True),
    "shifted by half": ((50, 150), False),
    "elsewhere": ((100, 200), False),
}


@pytest.mark.parametrize(("bounds", "paired"), PAIRS.values(), ids=PAIRS)
def test_passages_are_the_same_when_more_than_half_of_both_overlaps(bounds: tuple[int, int], paired: bool) -> None:
    found = plan([bounds], [stored("old", 0, 100)])
    assert (found.placed[0].guid == "old") is paired
    assert ("old" in [placed.guid for placed in found.placed]) == paired
    assert found.removed == (() if paired else ("old",))


def test_a_pair_takes_the_new_boundaries_and_lead_points() -> None:
    (placed,) = plan([(10, 110)], [stored("old", 0, 100)]).placed
    assert (placed.start_ticks, placed.end_ticks, placed.lead_in_ticks, placed.lead_out_ticks) == (
        10,
        110,
        10,
        110,
    )


@pytest.mark.parametrize("fades", [(5, None), (None, 115), (10, 111)])
def test_fades_outside_the_new_boundaries_keep_the_old_ones(fades: tuple[int | None, int | None]) -> None:
    found = plan([(10, 110)], [stored("old", 0, 100, fades=fades, kept=True)])
    (placed,) = found.placed
    assert (placed.start_ticks, placed.end_ticks, placed.lead_in_ticks, placed.lead_out_ticks) == (
        0,
        100,
        1,
        99,
    )
    assert "keeps its old boundaries" in found.warnings[0].text


def test_fades_inside_the_new_boundaries_do_not_hinder() -> None:
    found = plan([(10, 110)], [stored("old", 0, 100, fades=(10, 90), kept=True)])
    assert (found.placed[0].start_ticks, found.warnings) == (10, ())


def test_what_somebody_refers_to_is_kept_with_a_warning() -> None:
    used = stored("used", 0, 100 * TICKS_PER_SECOND, kept=True)
    unused = stored("unused", 200 * TICKS_PER_SECOND, 300 * TICKS_PER_SECOND)
    found = plan([(500 * TICKS_PER_SECOND, 600 * TICKS_PER_SECOND)], [used, unused])
    assert found.removed == ("unused",)
    (warning,) = found.warnings
    assert "from 0.0 s to 100.0 s" in warning.text
    assert "was kept" in warning.text


def test_a_new_passage_gets_no_guid_that_is_taken() -> None:
    found = plan([(0, 10)], [stored("new 0-10", 500, 600)])
    assert found.placed[0].guid == "newer 0-10"


INTERVALS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda one: (one[0], sum(one))), max_size=6)


@given(bounds=INTERVALS.map(lambda found: sorted(set(found))), old=INTERVALS, kept=st.sets(st.integers(0, 5)))
def test_no_passage_is_lost_or_given_away_twice(
    bounds: list[tuple[int, int]], old: list[tuple[int, int]], kept: set[int]
) -> None:
    library = [stored(f"old {number}", *one, kept=number in kept) for number, one in enumerate(old)]
    found = plan(bounds, library)
    guids = [placed.guid for placed in found.placed]
    assert len(found.placed) == len(bounds)
    assert len(set(guids)) == len(guids)
    survivors = {one.guid for one in library} - set(guids) - set(found.removed)
    assert all(one.is_kept for one in library if one.guid in survivors)
    assert not any(one.is_kept for one in library if one.guid in found.removed)
    assert len(found.warnings) == len(survivors)
