"""Outcomes pass from phase to phase, and a file keeps its first failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.model.outcomes import Failed, Result, Skipped, SkipReason, join, map_results

OUTCOMES = st.one_of(
    st.builds(Result, st.integers(), st.sampled_from(["h1", "h1", "h2"])),
    st.builds(Skipped, st.sampled_from(SkipReason)),
    st.builds(Failed, st.text(max_size=3), st.text(max_size=3), st.text(max_size=3)),
)


@given(st.lists(OUTCOMES, min_size=1, max_size=5))
def test_the_first_failure_wins_then_the_first_skip_then_all_values(
    outcomes: list[Result[int] | Skipped | Failed],
) -> None:
    joined = join("phase", "key", outcomes)
    failures = [one for one in outcomes if isinstance(one, Failed)]
    skips = [one for one in outcomes if isinstance(one, Skipped)]
    results = [one for one in outcomes if isinstance(one, Result)]
    if failures:
        assert joined is failures[0]
    elif skips:
        assert joined is skips[0]
    elif len({one.content_hash for one in results}) == 1:
        assert joined == Result(tuple(one.value for one in results), results[0].content_hash)
    else:
        assert isinstance(joined, Failed)
        assert (joined.phase, joined.code) == ("phase", "STALE_PHASE_VALUE")


def test_a_function_is_applied_to_files_that_have_all_values() -> None:
    failed, skipped = Failed("p", "C", "m"), Skipped(SkipReason.DUPLICATE)
    first = {"a": Result(1, "h"), "b": failed, "c": Result(3, "h"), "unasked": Result(9, "h")}
    second = {"a": Result(10, "h"), "b": Result(20, "h"), "c": skipped, "unasked": Result(9, "h")}
    found = map_results("phase", ["c", "a", "b"], iter([first, second]), lambda one, other: one + other)
    assert list(found.items()) == [("c", skipped), ("a", Result(11, "h")), ("b", failed)]


def test_a_programming_error_is_no_failed_file() -> None:
    with pytest.raises(ZeroDivisionError):
        map_results("phase", ["a"], [{"a": Result(0, "h")}], lambda value: 1 // value)
