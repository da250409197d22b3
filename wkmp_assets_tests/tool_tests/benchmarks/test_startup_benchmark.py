"""The benchmark of starts measures whole processes and judges each."""

import os
import sys
from pathlib import Path

import pytest

from wkmp_assets_tests.cli.test_startup import READING
from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.benchmarks.budgets import MISSED
from wkmp_assets_tests.tools.benchmarks.startup_benchmark import (
    BARE,
    Start,
    commands_of,
    judge,
    run_in_turns,
    tabulate,
)

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
def test_a_command_takes_longer_than_a_bare_python(tmp_path: Path) -> None:
    commit(tmp_path / "wkmp.db", entry("a.mp3"))
    commands = commands_of(tmp_path)
    chosen = {name: commands[name] for name in (BARE, "wkmp list")}
    starts = run_in_turns(chosen, {**ENVIRONMENT, "DAGSTER_HOME": str(tmp_path)}, 1)
    assert [len(runs) for runs in starts.values()] == [1, 1]
    assert 0 < starts[BARE][0].cpu_s < starts["wkmp list"][0].cpu_s


def test_a_command_that_fails_is_no_figure() -> None:
    for wrong in ("import sys; sys.exit(2)", "raise ValueError('no')"):
        with pytest.raises(RuntimeError, match="failed"):
            run_in_turns({"wrong": [sys.executable, "-S", "-c", wrong]}, ENVIRONMENT, 1)


def test_each_command_that_reads_is_measured() -> None:
    measured = {name.removeprefix("wkmp ") for name in commands_of(Path("music"))} - {BARE}
    assert measured == {command[0] for command in READING} - {"export", "undo"}


def test_a_slow_start_is_missed_by_its_median() -> None:
    starts = {
        BARE: [Start(0.06, 0.05)],
        "wkmp list": [Start(0.3, 0.2), Start(0.3, 9.0), Start(0.4, 0.25)],
        "wkmp show": [Start(0.5, 0.41)],
    }
    assert [row[-1] for row in judge(starts)] == ["within the aim", MISSED]
    assert list(tabulate(starts).rows[1]) == ["wkmp list", "0.250", "0.300", "0.200"]
