"""The benchmark of the sensor with few files: its ticks are real, and it can say MISSED."""

from pathlib import Path

import pytest

from wkmp_assets_tests.tools.benchmarks import sensor_benchmark
from wkmp_assets_tests.tools.benchmarks.sensor_benchmark import (
    BARE,
    CHANGED,
    FIRST,
    STEADY,
    Tick,
    measure_library,
    missed,
)

pytestmark = pytest.mark.slow


@pytest.mark.long
def test_every_kind_of_tick_does_what_it_is_named_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WKMP_FILES_PER_RUN", "30")
    found = measure_library(tmp_path, 100, rounds=1)
    assert found[BARE].said == "100 files seen"
    assert found[FIRST].said == "4 runs"
    assert found[STEADY].said == "Nothing to request: 100 files unchanged"
    assert found[CHANGED].said.endswith("runs")
    assert all(tick.wall_s > 0 for tick in found.values())


def test_a_tick_over_its_budget_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sensor_benchmark.BUDGETS_S, 10, 1.0)
    ticks = {BARE: Tick(5, 1, 0, ""), FIRST: Tick(0.9, 1, 0, ""), STEADY: Tick(1.1, 1, 0, "")}
    assert missed({10: ticks}) == ["10 files, nothing to do: 1.10 s"]
    assert "Budgets missed: 10 files" in sensor_benchmark.ticks_table({10: ticks}).reading
