"""Sounds for the tests, synthesised and written with soundfile or PyAV."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import soundfile
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from wkmp_assets.audio.envelope import EnvelopeBuilder
from wkmp_assets.model.values import Envelope

Samples = NDArray[np.float32]
"""shape=(channels, n), full scale = 1."""


def tone(seconds: float, rate_hz: int = 44_100, *, amplitude: float = 0.8, channels: int = 1) -> Samples:
    """Return a sine of 440 Hz, the same in every channel."""
    return tone_samples(round(seconds * rate_hz), rate_hz, amplitude=amplitude, channels=channels)


def tone_samples(count: int, rate_hz: int, *, amplitude: float = 0.8, channels: int = 1) -> Samples:
    wave = amplitude * np.sin(2 * np.pi * 440 * np.arange(count) / rate_hz)
    return np.tile(wave.astype(np.float32), (channels, 1))


def silence(seconds: float, rate_hz: int = 44_100, *, channels: int = 1) -> Samples:
    return np.zeros((channels, round(seconds * rate_hz)), np.float32)


def noise(seconds: float, rate_hz: int = 44_100, *, rms: float = 0.1, channels: int = 1, seed: int = 1) -> Samples:
    rng = np.random.default_rng(seed)
    return (rms * rng.standard_normal((channels, round(seconds * rate_hz)))).astype(np.float32)


def melody(seconds: float, rate_hz: int = 44_100, *, channels: int = 2, seed: int = 7) -> Samples:
    """Return two voices of random notes, so that fingerprints differ."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate_hz)
    time_s = np.arange(count) / rate_hz
    voices = []
    for octave in (1, 2):
        notes = rng.integers(0, 12, int(seconds * 3) + 2)
        pitch = 220 * octave * 2 ** (notes[(time_s * 3).astype(int)] / 12)
        voices.append(0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / rate_hz))
    mono = np.sum(voices, axis=0).astype(np.float32)
    return np.stack([mono * (1 - 0.1 * channel) for channel in range(channels)])


def joined(*parts: Samples) -> Samples:
    return np.concatenate(parts, axis=1)


def envelope_of(samples: Samples, rate_hz: int = 44_100) -> Envelope:
    builder = EnvelopeBuilder(rate_hz)
    builder.add(samples)
    return builder.finish()


def write_sound(path: Path, samples: Samples, rate_hz: int = 44_100, **options: Any) -> Path:
    """Write a file with libsndfile, in the format of its suffix, or of `format=` and `subtype=`."""
    soundfile.write(path, samples.T, rate_hz, **options)
    return path


def encode(
    path: Path,
    samples: Samples,
    rate_hz: int,
    codec: str,
    *,
    container: str | None = None,
    bit_rate: int = 128_000,
    tags: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Encode with FFmpeg, in a container or that of the suffix; Vorbis with libsndfile: FFmpeg's encoder pads.

    FFmpeg writes the tags, under its own names of the fields. The options are those of its container.
    """
    if codec == "vorbis":
        return _write_vorbis(path, samples, rate_hz)
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[0]]
    with av.open(path, "w", format=container, options=dict(options or {})) as output:
        output.metadata.update(tags or {})
        stream = cast("AudioStream", output.add_stream(codec, rate=rate_hz))
        stream.layout = layout
        stream.bit_rate = bit_rate
        stream.codec_context.open()
        encoder = stream.codec_context
        resampler = AudioResampler(encoder.format, layout, rate_hz, encoder.frame_size or 4096)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
        frame.sample_rate = rate_hz
        frame.time_base = Fraction(1, rate_hz)
        frame.pts = 0
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return path


def _write_vorbis(path: Path, samples: Samples, rate_hz: int) -> Path:
    with soundfile.SoundFile(path, "w", rate_hz, samples.shape[0], "VORBIS", format="OGG") as file:
        for start in range(0, samples.shape[1], 65_536):  # one long write overflows libsndfile's stack
            file.write(samples[:, start : start + 65_536].T)
    return path


def concatenated(path: Path, parts: Iterable[Path]) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path
