"""Two runs at once share the files between them; a killed run claims nothing."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event

import pytest

from wkmp_assets.runtime.claims import RunClaims, open_claims, read_claimed_keys


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[tuple[RunClaims, RunClaims]]:
    with open_claims(tmp_path, "one") as one, open_claims(tmp_path, "two") as two:
        yield one, two


def test_a_file_is_claimed_by_one_run(runs: tuple[RunClaims, RunClaims]) -> None:
    one, two = runs
    assert one.claim(["a", "b"]) == {"a", "b"}
    assert two.claim(["b", "c"]) == {"c"}
    assert one.claim(["c", "d"]) == {"d"}


def test_a_run_does_not_stand_in_its_own_way(runs: tuple[RunClaims, RunClaims]) -> None:
    one, _ = runs
    assert one.claim(["a"]) == one.claim(["a"]) == {"a"}


def test_names_of_any_kind_can_be_claimed(runs: tuple[RunClaims, RunClaims]) -> None:
    one, two = runs
    keys = {"Artist/01 Ä, b%2C.flac", "海/x.mp3", " leading", "trailing "}
    assert one.claim(keys) == keys
    assert two.claim(keys) == frozenset()


def test_the_end_of_a_run_frees_its_files(tmp_path: Path) -> None:
    with open_claims(tmp_path, "two") as two:
        with open_claims(tmp_path, "one") as one:
            one.claim(["a"])
            assert two.claim(["a"]) == frozenset()
        assert two.claim(["a"]) == {"a"}
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_run_that_fails_frees_its_files(tmp_path: Path) -> None:
    with suppress(ZeroDivisionError), open_claims(tmp_path, "one") as one:
        one.claim(["a"])
        raise ZeroDivisionError
    with open_claims(tmp_path, "two") as two:
        assert two.claim(["a"]) == {"a"}


_HOLD = """
import sys, time
from pathlib import Path
from wkmp_assets.runtime.claims import open_claims
with open_claims(Path(sys.argv[1]), "other") as claims:
    claims.claim(["a"])
    print("claimed", flush=True)
    time.sleep(600)
"""


def test_a_run_that_was_killed_claims_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        with open_claims(tmp_path, "mine") as mine:
            assert mine.claim(["a", "b"]) == {"b"}
            other.send_signal(signal.SIGKILL)
            other.wait()
            assert mine.claim(["a"]) == {"a"}
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_the_claims_of_a_run_outlast_the_process_of_its_step(tmp_path: Path) -> None:
    """Dagster's multiprocess executor gives every step a process, and only the first one claims."""
    running = {"one"}
    with open_claims(tmp_path, "one", running.__contains__, goes_on=True) as step:
        step.claim(["a", "b"])
    with open_claims(tmp_path, "two", running.__contains__, goes_on=True) as other:
        assert other.claim(["b", "c"]) == {"c"}
    assert read_claimed_keys(tmp_path, running.__contains__) == {"a", "b"}
    with open_claims(tmp_path, "one", running.__contains__, goes_on=True) as again:
        assert again.claim(["a", "c"]) == {"a", "c"}
    running.clear()
    assert read_claimed_keys(tmp_path, running.__contains__) == frozenset()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_fifty_thousand_files_can_be_claimed(runs: tuple[RunClaims, RunClaims]) -> None:
    one, two = runs
    keys = {f"Artist {number // 10}/Album/{number} Title.flac" for number in range(50_000)}
    assert one.claim(keys) == keys
    assert two.claim(keys) == frozenset()


def test_runs_that_end_while_another_claims_are_in_nobodys_way(tmp_path: Path) -> None:
    over = Event()

    def begin_and_end() -> None:
        while not over.is_set():
            with ExitStack() as several:
                for number in range(20):
                    several.enter_context(open_claims(tmp_path, f"short {number}"))

    with ThreadPoolExecutor(1) as others, open_claims(tmp_path, "mine") as mine:
        others.submit(begin_and_end)
        try:
            assert all(mine.claim([str(number)]) == {str(number)} for number in range(300))
        finally:
            over.set()
