"""What is drawn of a file while its decoded sound is kept."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from wkmp_assets.audio.pcm_store import PCM_RATE_HZ, PcmStore
from wkmp_assets.orchestration.pictures import draw_file
from wkmp_assets.settings import Settings
from wkmp_assets_tests.report.test_file_picture import envelope, values
from wkmp_assets_tests.support.builders import sha


@pytest.mark.slow  # matplotlib and librosa load
def test_the_sound_is_drawn_while_it_is_kept(settings: Settings) -> None:
    found = values(envelope((2, 0.5)), (0, 2))
    without = draw_file(settings, "a.mp3", sha("a"), *found)
    noise = np.random.default_rng(1).integers(-8_000, 8_000, 2 * PCM_RATE_HZ).astype("<i2")
    PcmStore(settings.pcm_dir, 10**9).path_for(sha("a")).write_bytes(noise.tobytes())
    drawn = draw_file(settings, "a.mp3", sha("a"), *found)
    assert imread(BytesIO(drawn)).shape[0] > imread(BytesIO(without)).shape[0]
