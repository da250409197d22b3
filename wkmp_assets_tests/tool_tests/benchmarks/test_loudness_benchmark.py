"""The benchmark of loudness: it compares with another meter, tells a cost, and can say MISSED."""

from pathlib import Path

import numpy as np
import pytest

from wkmp_assets.audio.decode import measure_file
from wkmp_assets_tests.audio.sounds import write_sound
from wkmp_assets_tests.tools.benchmarks.budgets import MISSED
from wkmp_assets_tests.tools.benchmarks.loudness_benchmark import (
    Comparison,
    Cost,
    accuracy_table,
    budget_table,
    choose_files,
    compare,
    cost_table,
    measure_cost,
)
from wkmp_assets_tests.tools.benchmarks.music_library import MusicFile
from wkmp_assets_tests.tools.benchmarks.without_loudness import without_loudness


def music(path: Path, kind: str = "single") -> MusicFile:
    return MusicFile(path, path.name, "WAV", kind, None, ())


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> MusicFile:
    samples = np.random.default_rng(1).standard_normal((2, 5 * 16_000)).astype(np.float32) * 0.1
    return music(write_sound(tmp_path_factory.mktemp("music") / "noise.wav", samples, rate_hz=16_000))


@pytest.mark.slow
def test_noise_is_as_loud_as_the_meter_says_and_both_cost_something(noise: MusicFile) -> None:
    found, cost = compare(noise), measure_cost(noise)
    assert abs(found.integrated_lu) < 0.1
    assert abs(found.range_lu) < 0.3
    assert cost.bare_s > 0
    assert "1 of 1" in accuracy_table([found]).to_markdown()
    assert "| WAV | 1 |" in cost_table([cost]).to_markdown()


def test_loudness_can_be_left_out_and_is_back_afterwards(noise: MusicFile) -> None:
    def slots() -> int:
        _, envelope = measure_file(noise.path, pcm_path=None, display_path="a")
        assert envelope.loudness is not None
        return envelope.loudness.power.size

    with without_loudness():
        assert slots() == 0
    assert slots() == 50


def test_albums_take_turns_and_copies_are_left_out() -> None:
    files = [music(Path(name)) for name in ("a/1", "a/2", "a/3", "b/1")]
    chosen = choose_files([*files, music(Path("c/1"), "duplicate")], 3)
    assert [str(file.path) for file in chosen] == ["a/1", "b/1", "a/2"]


@pytest.mark.parametrize(("difference_lu", "cost_s", "missed"), [(0.0, 0.1, 0), (-0.4, 0.1, 2), (0.2, 0.9, 2)])
def test_a_difference_or_a_cost_can_be_too_large(difference_lu: float, cost_s: float, missed: int) -> None:
    table = budget_table([Comparison("MP3", difference_lu, 0.0)], [Cost("MP3", 1.0, cost_s, 0.5)])
    assert [row[-1] for row in table.rows].count(MISSED) == missed
