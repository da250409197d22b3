"""The tagger beside the graph that was released, and its input beside librosa."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wkmp_assets.audio.flavor.reference_values import load_reference
from wkmp_assets.audio.flavor.tagger import TAGS, tag_logits
from wkmp_assets.audio.flavor.tagger_input import FRAME, _bank, log_mel, samples_for
from wkmp_assets.audio.flavor.tags import PATCH_FRAMES, PATCHES, cut_patches, measure_tags
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ
from wkmp_assets.model.flavor import MEASURED_NAMES, TAG_NAMES
from wkmp_assets_tests.tools.tagger.convert import mel_bank
from wkmp_assets_tests.tools.tagger.patches import BANDS, FRAMES, made_up_patches

pytestmark = pytest.mark.slow  # they measure much

REFERENCE = "reference_tags.json"


def probabilities(patch: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-tag_logits(patch))))


def test_the_network_says_what_the_released_graph_says() -> None:
    expected = np.array(json.loads(Path(__file__).with_name(REFERENCE).read_text(encoding="utf-8")))
    found = np.array([probabilities(patch) for patch in made_up_patches()])
    assert found.shape == expected.shape == (3, len(TAGS))
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.long
def test_the_kept_mel_bands_are_those_of_librosa() -> None:
    bank = mel_bank()
    assert np.array_equal(_bank(), bank[:, : len(_bank())].T)
    # What is left out lies above half the rate of the kept PCM.
    assert len(_bank()) == int(PCM_RATE_HZ / 2 / 31.25) + 1


@pytest.mark.long  # librosa compiles at its first use
def test_the_input_is_what_librosa_computes_at_16_kilohertz() -> None:
    librosa = pytest.importorskip("librosa")
    rng = np.random.default_rng(1)
    length = samples_for(FRAMES) * 2
    times_s = np.arange(length) / PCM_RATE_HZ
    sound = sum(0.1 * np.sin(2 * np.pi * hz * times_s + hz) for hz in (80, 233, 660, 1234, 2900, 4100))
    sound = sound * (0.6 + 0.4 * np.sin(2 * np.pi * 2 * times_s)) + 1e-3 * rng.standard_normal(length)
    sound = np.asarray(sound, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        at_16_khz = librosa.resample(sound, orig_sr=PCM_RATE_HZ, target_sr=16_000)
        power = librosa.feature.melspectrogram(
            y=at_16_khz, sr=16_000, n_fft=512, hop_length=256, n_mels=BANDS, center=False
        )
    expected = np.log10(1 + 10_000 * power).T[:FRAMES]
    found = log_mel(sound, FRAMES)
    below = (_bank().sum(axis=0) > 0).nonzero()[0][:-8]
    # Frames start at whole samples of another rate, up to 45 µs aside.
    assert np.abs(found - expected)[:, below].mean() < 0.005
    assert np.abs(found - expected)[:, below].max() < 0.15


def test_a_passage_is_heard_in_patches_that_are_evenly_spread() -> None:
    length = samples_for(PATCH_FRAMES)
    pcm = np.zeros(length * PATCHES * 3, np.int16)
    pcm[length * 4 : length * 5] = 8000  # the middle third of the second part
    patches = cut_patches(pcm)
    assert [bool(patch.any()) for patch in patches] == [number == 1 for number in range(PATCHES)]
    assert all(patch.shape == (PATCH_FRAMES, BANDS) for patch in patches)


@pytest.mark.parametrize(("length_s", "count"), [(0, 1), (3.5, 1), (7, 2), (19, 6), (37, PATCHES), (600, PATCHES)])
def test_a_short_passage_has_fewer_patches(length_s: float, count: int) -> None:
    assert len(cut_patches(np.zeros(round(length_s * PCM_RATE_HZ), np.int16))) == count


def test_tags_do_not_depend_on_the_level() -> None:
    pcm = np.round(np.random.default_rng(2).standard_normal(PCM_RATE_HZ * 4) * 4000).astype(np.int16)
    (loud,), (soft,) = cut_patches(pcm), cut_patches(np.round(pcm / 8).astype(np.int16))
    np.testing.assert_allclose(loud, soft, atol=0.01)


@pytest.mark.parametrize("length", [0, 1, FRAME, samples_for(PATCH_FRAMES) - 1, PCM_RATE_HZ * 2])
def test_the_shortest_passage_has_every_tag_as_a_distribution(length: int) -> None:
    tags = measure_tags(np.full(length, 1000, np.int16))
    assert set(tags) == TAG_NAMES <= MEASURED_NAMES
    for name, values in tags.items():
        tag = name.removeprefix("user.tag_")
        assert list(values) == [tag, f"not_{tag}"]
        assert 0 <= values[tag] <= 1
        assert sum(values.values()) == pytest.approx(1)


def test_the_tags_of_a_flavor_are_tags_of_the_network_with_a_scale() -> None:
    scales = load_reference().tags
    assert {f"user.tag_{tag}" for tag in scales} == TAG_NAMES
    assert set(scales) <= set(TAGS)
    assert all(scale.width > 0 for scale in scales.values())
