"""The progress of an import: what it counts, and that its rate does not jump."""

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from wkmp_assets.cli import progress
from wkmp_assets.cli.progress import ImportProgress
from wkmp_assets.cli.progress_estimate import ProgressEstimate, describe_seconds
from wkmp_assets.model.file_key import encode_key
from wkmp_assets_tests.support.patience import wait_until


def test_only_files_in_the_library_are_counted() -> None:
    estimate = ProgressEstimate({"a": 1.0, "b": 1.0, "c": 2.0})
    estimate.add_measured("a")
    assert estimate.share == pytest.approx(0.225)
    estimate.add_done("a", is_in_library=True)
    estimate.add_done("b", is_in_library=False)
    estimate.add_done("other", is_in_library=True)
    estimate.add_done("a", is_in_library=True)
    assert str(estimate) == "1 of 3 files in the library"
    assert estimate.share == pytest.approx(0.5)


def test_before_the_first_file_is_in_the_library_no_rate_is_shown_but_what_happens() -> None:
    estimate = ProgressEstimate(dict.fromkeys("abcd", 1.0))
    for second in range(5):
        estimate.look(float(second))
    assert str(estimate) == "0 of 4 files in the library, measuring the first"
    estimate.add_measured("a")
    estimate.add_measured("b")
    estimate.add_measured("b")
    estimate.look(5.0)
    assert str(estimate) == "0 of 4 files in the library, 2 measured, under 10 s left"
    estimate.add_done("a", is_in_library=False)
    assert str(estimate) == "0 of 4 files in the library, 1 measured, under 10 s left"
    estimate.add_done("b", is_in_library=True)
    assert str(estimate) == "1 of 4 files in the library, 21.6 files/min, under 10 s left"


def test_files_that_fail_are_not_said_to_be_measured() -> None:
    estimate = ProgressEstimate({"a": 1.0, "b": 1.0})
    estimate.add_done("a", is_in_library=False)
    assert str(estimate) == "0 of 2 files in the library"


def test_rate_and_time_left_do_not_jump_when_a_run_commits_all_its_files() -> None:
    """Ten files of a minute of work among ninety short ones: measured one by one, committed in heaps."""
    work_s = {str(number): 10.0 if number % 10 == 0 else 0.5 for number in range(100)}
    estimate = ProgressEstimate(work_s)
    now, rates, ends = 0.0, [], []
    estimate.look(now)
    uncommitted: list[str] = []
    for key, work in work_s.items():
        for _ in range(int(work * 2)):
            now += 0.5
            estimate.look(now)
            if now > 30 and estimate.files_per_s and estimate.left_s is not None:
                rates.append(estimate.files_per_s)
                ends.append(now + estimate.left_s)
        estimate.add_measured(key)
        uncommitted.append(key)
        if len(uncommitted) == 25:
            for one in uncommitted:
                estimate.add_done(one, is_in_library=True)
            uncommitted.clear()
    assert max(max(a, b) / min(a, b) for a, b in pairwise(rates)) < 1.5
    assert sum(work_s.values()) == pytest.approx(sum(ends) / len(ends), rel=0.2)


def test_a_file_that_hangs_makes_no_time_left_that_grows() -> None:
    estimate = ProgressEstimate({"a": 1.0, "b": 1.0})
    for second in range(10):
        estimate.look(float(second))
    estimate.add_measured("a")
    for second in range(10, 150):
        estimate.look(float(second))
    assert (estimate.files_per_s, estimate.left_s) == (None, None)
    assert str(estimate) == "0 of 2 files in the library, none finished for about 2 min"
    estimate.add_done("a", is_in_library=True)
    estimate.look(150.0)
    assert "1 of 2 files in the library" in str(estimate)
    assert "left" in str(estimate)


@given(steps=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 9), st.booleans()), max_size=60))
def test_no_moment_breaks_it(steps: list[tuple[float, int, bool]]) -> None:
    estimate = ProgressEstimate({str(number): float(number) for number in range(10)})
    now = 0.0
    for passed, number, is_done in steps:
        now += passed
        estimate.look(now)
        if is_done:
            estimate.add_done(str(number), is_in_library=True)
        else:
            estimate.add_measured(str(number))
        assert 0 <= estimate.share <= 1
        assert str(estimate).startswith(f"{estimate.in_library_count} of 10 files in the library")


def test_without_a_terminal_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.01)
    written = io.StringIO()
    shown = ImportProgress({"a": 1.0, "b": 1.0}, Console(file=written))
    with shown.shown():
        wait_until(lambda: "0 of 2 files" in written.getvalue(), "the first line")
        shown.file_done("a", is_in_library=True)
        wait_until(lambda: "1 of 2 files" in written.getvalue(), "the second line")
    first, *_, last = written.getvalue().splitlines()
    assert (first, last) == ("0 of 2 files in the library, measuring the first", "1 of 2 files in the library")
    assert "\x1b" not in written.getvalue()


def test_the_name_of_the_file_is_shown_as_it_is() -> None:
    written = io.StringIO()
    shown = ImportProgress({"a": 1.0}, Console(file=written, force_terminal=True, width=200))
    with shown.shown():
        shown.file_measured(encode_key("My :cat: [red].mp3"))
        wait_until(lambda: "My :cat: [red].mp3" in written.getvalue(), "the bar with the name")


def test_the_slots_of_a_cluster_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.01)
    slots, written = iter([1]), io.StringIO()
    shown = ImportProgress({"a": 1.0}, Console(file=written), lambda: next(slots, 2))
    with shown.shown():
        wait_until(lambda: ", 2 slots in the cluster\n" in written.getvalue(), "a worker has come")
    assert (
        written.getvalue().splitlines()[0].endswith("files in the library, measuring the first, 1 slot in the cluster")
    )


@pytest.mark.parametrize(
    ("seconds", "said"), [(4, "under 10 s"), (47, "about 50 s"), (130, "about 2 min"), (9_000, "about 2.5 h")]
)
def test_a_time_left_is_no_finer_than_it_can_be_known(seconds: float, said: str) -> None:
    assert describe_seconds(seconds) == said
