"""What a tick requests, and what it leaves alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.model.known_files import FileStat
from wkmp_assets.orchestration.run_requests.ranges import RunSize
from wkmp_assets.orchestration.run_requests.tick import FailedFile, TickLimits, TickPlan, plan_tick, run_key

NOW = datetime(2030, 1, 2, 12, tzinfo=UTC)
OLD = "2030-01-01 00:00:00"
LIMITS = TickLimits(runs=2, size=RunSize(3), settle_s=30)
KEYS = st.lists(st.integers(0, 60).map(lambda number: f"{number:02}"), unique=True, max_size=40)


def stats(*keys: str, modified_at: str = OLD, size: int = 5) -> dict[str, FileStat]:
    return {key: FileStat(size, modified_at) for key in keys}


def seconds_ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


def plan(
    wanted: dict[str, FileStat],
    *,
    ordered: tuple[str, ...] = (),
    in_flight: tuple[str, ...] = (),
    failures: dict[str, str] | None = None,
    remembered: dict[str, FailedFile] | None = None,
    limits: TickLimits = LIMITS,
    better: dict[str, str] | None = None,
) -> TickPlan:
    return plan_tick(wanted, ordered, in_flight, failures or {}, remembered or {}, limits, NOW, better)


def requested(result: TickPlan) -> list[tuple[str, ...]]:
    return [files.keys for files in result.ranges]


def test_new_files_are_registered_and_requested_in_order_up_to_the_limit() -> None:
    result = plan(stats(*"hgfedcba"))
    assert result.register == tuple("abcdef")
    assert requested(result) == [("a", "b", "c"), ("d", "e", "f")]
    assert result.postponed_count == 2


def test_nothing_is_registered_or_requested_while_enough_runs_wait() -> None:
    result = plan(stats("a"), limits=TickLimits(0, RunSize(3), 30))
    assert (result.register, result.ranges, result.postponed_count) == ((), (), 1)


def test_a_file_waits_for_a_better_copy_unless_both_are_in_one_run() -> None:
    wanted, better = stats("Downloads/1", "Zed/1", "Zed/2"), {"Downloads/1": "Zed/1"}
    assert requested(plan(wanted, better=better)) == [("Downloads/1", "Zed/1", "Zed/2")]
    apart = TickLimits(runs=2, size=RunSize(1), settle_s=30)
    every = tuple(wanted)
    result = plan(wanted, better=better, ordered=every, limits=apart)
    assert requested(result) == [("Zed/1",), ("Zed/2",)]
    assert result.postponed_count == 1
    in_hand = plan(wanted, better=better, ordered=every, in_flight=("Zed/1",), limits=apart)
    assert requested(in_hand) == [("Zed/2",)]
    assert requested(plan(stats("Downloads/1"), better=better, limits=apart)) == [("Downloads/1",)], "it is imported"
    failed = {"Zed/1": FailedFile("2030-01-02 00:00:00", 5, OLD)}
    failures = {"Zed/1": "2030-01-02 00:00:00"}
    result = plan(wanted, better=better, ordered=every, failures=failures, remembered=failed, limits=apart)
    assert requested(result) == [("Downloads/1",), ("Zed/2",)], "what failed is waited for in vain"


def test_files_in_a_run_are_left_alone_and_no_range_runs_over_them() -> None:
    result = plan(stats("a", "b", "c"), ordered=("a", "b", "c"), in_flight=("b",))
    assert requested(result) == [("a",), ("c",)]
    assert result.in_flight_count == 1


def test_a_file_that_is_being_written_waits_until_it_settles() -> None:
    wanted = {**stats("fresh", modified_at=seconds_ago(29)), **stats("done", modified_at=seconds_ago(30))}
    result = plan(wanted)
    assert requested(result) == [("done",)]
    assert result.settling_count == 1


def test_a_file_from_the_far_future_does_not_wait_for_ever() -> None:
    assert requested(plan(stats("a", modified_at=seconds_ago(-90_000)))) == [("a",)]


def test_a_failed_file_rests_until_it_changes() -> None:
    failures = {"a": "2030-01-01 06:00:00"}
    first = plan(stats("a"), ordered=("a",), failures=failures)
    assert (requested(first), first.failed_count) == ([], 1)
    # An older file may take its place: not the order of times counts, but that something is different.
    for changed in (stats("a", size=6), stats("a", modified_at="2029-01-01 00:00:00")):
        again = plan(changed, ordered=("a",), failures=failures, remembered=dict(first.failed))
        assert requested(again) == [("a",)]
        failed_again = plan(changed, failures={"a": "2030-01-01 07:00:00"}, remembered=dict(again.failed))
        assert (requested(failed_again), failed_again.failed_count) == ([], 1)


def test_a_file_that_changed_after_its_failure_is_tried_though_the_sensor_slept() -> None:
    failures = {"a": "2029-12-31 00:00:00"}
    result = plan(stats("a"), ordered=("a",), failures=failures)
    assert requested(result) == [("a",)]
    assert requested(plan(stats("a"), ordered=("a",), failures=failures, remembered=dict(result.failed))) == [("a",)]


def test_a_failure_at_a_time_to_come_does_not_keep_a_file_from_being_tried() -> None:
    """The clock was ahead, and is right again: nobody knows whether the file has changed since."""
    ahead = {"a": seconds_ago(-90_000)}
    assert requested(plan(stats("a"), ordered=("a",), failures=ahead)) == [("a",)]


def test_failures_of_files_that_are_gone_or_imported_are_forgotten() -> None:
    remembered = {"gone": FailedFile(OLD, 5, OLD), "imported": FailedFile(OLD, 5, OLD)}
    assert plan(stats("imported"), failures={"gone": OLD}, remembered=remembered).failed == {}


def test_a_run_key_names_the_files_as_they_are_on_that_day() -> None:
    (files,) = plan(stats("a", "b")).ranges
    key = run_key(files, stats("a", "b"), NOW)
    assert key == run_key(files, stats("b", "a"), NOW + timedelta(hours=11))
    others = {
        run_key(files, stats("a", "b", size=6), NOW),
        run_key(files, stats("a", "b", modified_at=seconds_ago(0)), NOW),
        run_key(files, stats("a", "b"), NOW + timedelta(days=1)),
        run_key(files, stats("a", "b"), NOW, after="a run that failed as a whole"),
        run_key(files, stats("a", "b"), NOW, library="another"),
        run_key(files, stats("a", "b"), NOW, attempt=1),
    }
    assert len(others | {key}) == 7


@given(wanted=KEYS, ordered=KEYS, in_flight=KEYS, fresh=KEYS, failed=KEYS)
def test_no_range_holds_a_file_to_be_left_alone_and_everything_is_requested_in_the_end(
    wanted: list[str], ordered: list[str], in_flight: list[str], fresh: list[str], failed: list[str]
) -> None:
    files = stats(*wanted) | stats(*set(wanted).intersection(fresh), modified_at=seconds_ago(1))
    failures = dict.fromkeys(failed, seconds_ago(60))
    left_alone = {*in_flight, *fresh, *failed} & set(wanted)
    registered, done = list(ordered), set[str]()
    for _ in range(len(wanted) + 1):
        remaining = {key: stat for key, stat in files.items() if key not in done}
        result = plan_tick(remaining, registered, in_flight, failures, {}, LIMITS, NOW)
        registered += result.register
        for one in result.ranges:
            spanned = registered[registered.index(one.first) : registered.index(one.last) + 1]
            assert not left_alone.intersection(spanned)
            assert len(spanned) == one.size <= 3
            done.update(one.keys)
    assert done == set(wanted) - left_alone


def test_short_files_share_a_run_and_long_ones_fill_it() -> None:
    limits = TickLimits(runs=2, size=RunSize(1000, work_s=30, whole_folder=50), settle_s=30)
    short = {f"s/{number:03}.mp3": FileStat(100_000, OLD) for number in range(300)}
    assert [len(one.keys) for one in plan(short, limits=limits).ranges] == [300]
    long = {f"{letter}/{number:02}.mp3": FileStat(20_000_000, OLD) for letter in "ABCD" for number in range(12)}
    found = plan(long, limits=limits)
    assert [(one.first, one.last) for one in found.ranges] == [("A/00.mp3", "A/11.mp3"), ("B/00.mp3", "B/11.mp3")]
    assert found.register == tuple(sorted(long)[:24])
    assert found.postponed_count == 24
