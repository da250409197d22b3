"""The spectrogram, the chromagram, the beats and the key in the picture of a file."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from PIL import Image

from wkmp_assets.audio.flavor.pitch_classes import FRAME, compute_chroma
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ
from wkmp_assets.model.values import PassageFlavor, SoundMeasures, Span
from wkmp_assets.report.file_picture import draw_picture, make_figure
from wkmp_assets.report.sound_images import (
    MEL_BANDS,
    Sound,
    SoundImages,
    beat_step,
    column_middles,
    frames_around,
    make_images,
)
from wkmp_assets_tests.report.test_file_picture import envelope, values
from wkmp_assets_tests.support.builders import RATE_HZ

pytestmark = pytest.mark.slow
MEASURES = SoundMeasures(bpm=0.0, key="A", scale="minor", key_clarity=0.9, level_estimate_db=-12.0, crest_factor_db=9.0)


def sound(seconds: float, bpm: float = 0.0) -> Sound:
    """Half of it 440 Hz, then silence."""
    times_s = np.arange(round(seconds * PCM_RATE_HZ)) / PCM_RATE_HZ
    samples = (8000 * np.sin(2 * np.pi * 440 * times_s) * (times_s < seconds / 2)).astype(np.int16)
    flavor = PassageFlavor(Span(0, round(seconds * RATE_HZ)), {}, replace(MEASURES, bpm=bpm))
    return Sound(samples, PCM_RATE_HZ, (flavor,), RATE_HZ)


def images(of: Sound) -> SoundImages:
    frames = frames_around(of.samples, column_middles(of.samples.size), FRAME)
    return make_images(of, compute_chroma(frames), Path("unused"))


def test_a_tone_is_in_its_band_and_in_its_pitch_class_while_it_sounds() -> None:
    found = images(sound(20))
    columns = len(found.seconds)
    assert found.mel_db.shape == (MEL_BANDS, columns)
    assert set(found.mel_db[:, : columns // 2 - 10].argmax(axis=0)) == {found.mel_db[:, 10].argmax()}
    assert set(found.mel_db[:, columns // 2 + 10 :].ravel()) == {-70.0}
    assert set(found.pitch_classes[:, : columns // 2 - 10].argmax(axis=0)) == {9}
    assert not found.pitch_classes[:, columns // 2 + 10 :].any()


def test_both_panels_are_below_the_level_on_the_same_time_axis() -> None:
    drawn = replace(images(sound(20)), beats_s=np.array([0.5, 1.0, 1.5]))
    figure = make_figure("x", *values(envelope((20, 0.5)), (0, 20)), drawn)
    wave, level, mel, chroma = figure.axes[:4]
    assert {axes.get_xlim() for axes in (wave, level, mel, chroma)} == {(0, 20)}
    assert (mel.get_ylabel(), chroma.get_ylabel()) == ("mel, Hz", "pitch class")
    assert mel.get_ylim()[1] == pytest.approx(PCM_RATE_HZ / 2, rel=0.1)
    (beats,) = [line for line in mel.collections if line.get_label() == "beats"]
    assert [path.vertices[0][0] for path in beats.get_paths()] == [0.5, 1.0, 1.5]
    (tonic,) = [line for line in chroma.collections if line.get_label() == "tonic"]
    assert tonic.get_paths()[0].vertices.tolist() == [[0, 9], [20, 9]]
    assert [text.get_text() for text in chroma.texts] == [" A minor"]


def test_a_picture_with_sound_is_higher_and_small() -> None:
    png = draw_picture("x", *values(envelope((20, 0.5)), (0, 20)), images(sound(20)))
    assert imread(BytesIO(png)).shape[:2] == (780, 1040)
    assert Image.open(BytesIO(png)).mode == "P"


def test_a_picture_says_what_it_lacks() -> None:
    figure = make_figure("x", *values(envelope((20, 0.5)), (0, 20)), note="no spectrogram")
    assert "no spectrogram" in [text.get_text() for text in figure.axes[1].texts]


@pytest.mark.parametrize(("bpm", "step"), [(0, 1), (120, 1), (240, 4), (900, 0)])
def test_beats_that_would_touch_each_other_are_left_out(bpm: float, step: int) -> None:
    assert beat_step(sound(90, bpm)) == step


def test_a_short_sound_has_a_column() -> None:
    assert len(images(Sound(np.zeros(10, np.int16), PCM_RATE_HZ, (), RATE_HZ)).seconds) == 1
