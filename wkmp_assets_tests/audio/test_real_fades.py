"""Lead-outs of real music with a fade-out of known length, compared with the level of the samples."""

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from wkmp_assets.audio.lead_points import find_lead_points
from wkmp_assets.model.values import LeadPointParameters, PassageLeadPoints, Span
from wkmp_assets_tests.audio.sounds import Samples, envelope_of
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY

pytestmark = pytest.mark.slow  # they decode much

MUSIC = {
    "a song": "Shawn Parrotte & NeonCorridor/HyperRogue/02 Living Caves.flac",
    "at 48 kHz": "Maxstack/Endgame Singularity/01 A New Journey.flac",
    "synthetic": "Destructavator/UFO Alien Invasion/02 David02... Continued.flac",
}
WINDOW_S = 0.1
THRESHOLD = 10 ** (-12 / 20)
each_piece = pytest.mark.parametrize("name", MUSIC)
each_fade = pytest.mark.parametrize("fade_s", [4.0, 6.0, 8.0, 10.0, 14.0])


def read_music(name: str) -> tuple[Samples, int]:
    """Read a piece, repeated four times, because it is 12 s long."""
    once, rate_hz = soundfile.read(SAMPLE_LIBRARY / MUSIC[name], dtype="float32", always_2d=True)
    return np.tile(once.T, (1, 4)), rate_hz


def fade_out(samples: Samples, rate_hz: int, fade_s: float) -> Samples:
    """Fade out linearly."""
    fade = round(fade_s * rate_hz)
    faded = samples.copy()
    faded[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return faded


def levels(samples: Samples, rate_hz: int, starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the RMS over all channels of the 100 ms after each start."""
    width = round(WINDOW_S * rate_hz)
    energy = np.concatenate([[0.0], np.cumsum((samples.astype(np.float64) ** 2).mean(axis=0))])
    found: NDArray[np.float64] = np.sqrt((energy[starts + width] - energy[starts]) / width)
    return found


def grid(samples: Samples, rate_hz: int, step_s: float = WINDOW_S) -> NDArray[np.int64]:
    return np.arange(0, samples.shape[1] - round(WINDOW_S * rate_hz) + 1, round(step_s * rate_hz))


def lead_out_of(samples: Samples, rate_hz: int) -> tuple[float, PassageLeadPoints]:
    span = Span(0, samples.shape[1])
    found = find_lead_points(envelope_of(samples, rate_hz), span, LeadPointParameters(-12.0, -12.0))
    assert found.lead_out_sample is not None
    assert not found.quick_ramp_down
    return found.lead_out_sample / rate_hz, found


@each_piece
@each_fade
def test_the_lead_out_follows_the_crossing_of_twelve_decibels_within_one_window(name: str, fade_s: float) -> None:
    music, rate_hz = read_music(name)
    samples = fade_out(music, rate_hz, fade_s)
    lead_out_s, _ = lead_out_of(samples, rate_hz)
    starts = grid(samples, rate_hz)
    level = levels(samples, rate_hz, starts)
    crossing_s = starts[level >= THRESHOLD * level.max()][-1] / rate_hz + WINDOW_S
    assert lead_out_s == pytest.approx(crossing_s, abs=WINDOW_S)


@each_piece
@each_fade
def test_nothing_after_the_lead_out_is_louder_than_nine_decibels_below_the_peak(name: str, fade_s: float) -> None:
    """The test tries windows at every start. A beat that two envelope windows share may reach -12 dB in neither, but
    stays within 3 dB."""
    music, rate_hz = read_music(name)
    samples = fade_out(music, rate_hz, fade_s)
    lead_out_s, found = lead_out_of(samples, rate_hz)
    starts = grid(samples, rate_hz, 0.005)
    after = levels(samples, rate_hz, starts[starts >= lead_out_s * rate_hz])
    assert after.size
    assert after.max() < found.peak_rms * THRESHOLD * 2**0.5


@each_piece
@each_fade
def test_music_of_even_level_leads_out_where_its_fade_reaches_twelve_decibels(name: str, fade_s: float) -> None:
    """Every 100 ms of one channel get the same level, so that only the fade determines the lead-out."""
    music, rate_hz = read_music(name)
    music = music[:1]
    starts = grid(music, rate_hz)
    width = round(WINDOW_S * rate_hz)
    music = music[:, : starts.size * width] * np.repeat(0.2 / levels(music, rate_hz, starts), width).astype(np.float32)
    lead_out_s, _ = lead_out_of(fade_out(music, rate_hz, fade_s), rate_hz)
    assert lead_out_s == pytest.approx(music.shape[1] / rate_hz - THRESHOLD * fade_s, abs=WINDOW_S)
