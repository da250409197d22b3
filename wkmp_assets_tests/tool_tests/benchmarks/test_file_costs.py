"""The costs of `make bench`: every phase is measured, on one decode."""

from pathlib import Path

import pytest

from wkmp_assets.model.phases import FLAVORS
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.tools.benchmarks.file_costs import BARE, PHASES, RESAMPLER, WITHOUT_LOUDNESS, measure_costs
from wkmp_assets_tests.tools.benchmarks.music_library import MusicFile

pytestmark = pytest.mark.slow


def test_a_file_is_decoded_once_and_every_phase_costs_something_beside_two_bare_decodes(tmp_path: Path) -> None:
    name = "Maxstack/Endgame Singularity/01 A New Journey.flac"
    (cost,) = measure_costs([MusicFile(SAMPLE_LIBRARY / name, name, "FLAC", "single", None, ())], 1, 1, tmp_path)
    assert set(cost.cpu_s) == {*PHASES, FLAVORS, BARE, RESAMPLER, WITHOUT_LOUDNESS}
    assert cost.decodes == 1
    assert cost.phases_s > 0 < cost.flavors_s
    assert cost.phases_s + cost.loudness_s == pytest.approx(sum(cost.cpu_s[phase] for phase in PHASES))
    assert list(tmp_path.iterdir()) == []
