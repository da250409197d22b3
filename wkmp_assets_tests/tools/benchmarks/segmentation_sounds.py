"""Sounds of the segmentation report: tracks, noise, clicks, applause and speech, mono at 22,050 Hz."""

import re
import shlex
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.datasets.pcm import Pcm, read_pcm, resample, to_mono

RATE_HZ = 22_050
CLICKS_PER_SECOND = 4
CLAPS_PER_SECOND = 60
APPLAUSE_DB = -28.0
MIN_PARAGRAPH = 150
"""unit=characters"""
PARAGRAPHS = 45
PROMPTS = 250

Sound = NDArray[np.float32]
"""shape=(n,), full scale = 1."""


@lru_cache(maxsize=12)
def read_track(path: Path) -> Sound:
    """Return a whole track; those of the last mix are kept, because many cases share them."""
    pcm = read_pcm(path)
    stereo = Pcm(np.ascontiguousarray(pcm.samples[:, :2]), pcm.rate)
    sound: Sound = resample(to_mono(stereo), RATE_HZ).samples[:, 0]
    return sound


def silence(length_s: float) -> Sound:
    """Return digital silence."""
    return np.zeros(round(length_s * RATE_HZ), np.float32)


def with_noise(sound: Sound, level_db: float, rng: np.random.Generator, *, is_dark: bool) -> Sound:
    """Add white noise, or noise that falls by 6 dB per octave above 500 Hz, as that of records and tapes does."""
    noise = rng.standard_normal(sound.size, np.float32)
    if is_dark:
        kernel = np.exp(-np.arange(256) * 2 * np.pi * 500 / RATE_HZ)
        noise = np.convolve(noise, (kernel / np.sqrt((kernel**2).sum())).astype(np.float32), "same")
    return sound + noise * np.float32(10 ** (level_db / 20))


def with_clicks(sound: Sound, rng: np.random.Generator) -> Sound:
    """Add the clicks of a worn record: bursts of 1 ms, of all strengths up to -12 dBFS."""
    clicked = sound.copy()
    burst = np.exp(-np.arange(22) / 6)
    count = round(sound.size / RATE_HZ * CLICKS_PER_SECOND)
    for start in rng.integers(0, sound.size - burst.size, count):
        clicked[start : start + burst.size] += (rng.uniform(-0.25, 0.25) * burst).astype(np.float32)
    return clicked


def applause(length_s: float, rng: np.random.Generator) -> Sound:
    """Return many claps, swelling and fading."""
    claps = np.zeros(round(length_s * RATE_HZ))
    burst = np.exp(-np.arange(660) / 110)
    for start in rng.integers(0, claps.size - burst.size, round(length_s * CLAPS_PER_SECOND)):
        claps[start : start + burst.size] += rng.exponential() * burst * rng.standard_normal(burst.size)
    claps *= np.sin(np.linspace(0.15, np.pi - 0.15, claps.size))
    level = float(np.sqrt((claps**2).mean()))
    return (claps * 10 ** (APPLAUSE_DB / 20) / level).astype(np.float32)


def cross_faded(first: Sound, second: Sound, length_s: float) -> Sound:
    """Join two sounds that overlap, the one fading out and the other in."""
    width = round(length_s * RATE_HZ)
    ramp = np.linspace(0, 1, width, dtype=np.float32)
    return np.concatenate([first[:-width], first[-width:] * (1 - ramp) + second[:width] * ramp, second[width:]])


def read_aloud(voice: str, rng: np.random.Generator) -> Sound:
    """Let a program read the project's own pages, with pauses of 0.8 to 3 s between paragraphs."""
    paragraphs = [
        re.sub(r"[^\w.,;: ]+", " ", text)
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for text in page.read_text(encoding="utf-8").split("\n\n")
        if len(text) >= MIN_PARAGRAPH and not text.startswith(("|", "```", "#", "-"))
    ]
    parts: list[Sound] = []
    with tempfile.TemporaryDirectory() as folder:
        for text in paragraphs[:PARAGRAPHS]:
            parts += [_speak(voice, text, Path(folder) / "said.wav"), silence(rng.uniform(0.8, 3.0))]
    return np.concatenate(parts)


def read_prompts(paths: tuple[Path, ...], rng: np.random.Generator) -> Sound:
    """Join prompts that a person has read, with pauses of 0.3 to 2.5 s."""
    parts: list[Sound] = []
    for index in rng.permutation(len(paths))[:PROMPTS]:
        parts += [read_track(paths[index]), silence(rng.uniform(0.3, 2.5))]
    return np.concatenate(parts)


def _speak(voice: str, text: str, path: Path) -> Sound:
    program, *options = shlex.split(voice)
    said = ["-o", str(path), "-t", text] if program == "flite" else ["-w", str(path), text]
    subprocess.run([program, *options, *said], check=True, capture_output=True)
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return resample(Pcm(samples, rate), RATE_HZ).samples[:, 0]
