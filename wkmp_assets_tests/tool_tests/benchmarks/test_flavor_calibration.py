"""The script that writes the reference values of flavors measures as an import does."""

import numpy as np
import pytest

from wkmp_assets.audio.flavor.reference_values import load_reference
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ
from wkmp_assets_tests.tools.benchmarks.flavor_calibration import hear, reference_values


@pytest.mark.slow
def test_it_finds_a_value_for_everything_that_is_scaled() -> None:
    times_s = np.arange(6 * PCM_RATE_HZ) / PCM_RATE_HZ
    tones = [(8000 * np.sin(2 * np.pi * hertz * times_s)).astype(np.int16) for hertz in (220, 330)]
    found, stored = reference_values([hear(tone) for tone in tones]), load_reference()
    assert found["scales"].keys() == stored.scales.keys()
    assert found["profiles"].keys() == stored.profiles.keys()
    assert found["tags"].keys() == stored.tags.keys()
