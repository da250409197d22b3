"""Sound files as bytes, to be damaged: the same bytes for the same seed."""

import random
import struct
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from wkmp_assets_tests.audio.sounds import Samples, encode, melody
from wkmp_assets_tests.integration.corpus.case import Make

CODECS = {
    "flac": "flac", "mp3": "libmp3lame", "ogg": "vorbis", "opus": "libopus", "m4a": "aac", "wav": "pcm_s16le",
    "mka": "libopus", "wma": "wmav2", "aac": "aac", "aiff": "pcm_s16be", "wv": "wavpack",
}  # fmt: skip
RATE_HZ = 16_000
LENGTH_S = 2.0
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\x06\0\0\0" + bytes(64)
"""The head of a picture that claims 65,535 x 65,535 pixels."""


@cache
def sound(suffix: str, seed: int = 7) -> bytes:
    """Return two seconds of music as a file of one format."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"sound.{suffix}"
        return encode(path, melody(LENGTH_S, RATE_HZ, seed=seed), RATE_HZ, CODECS[suffix]).read_bytes()


def plain(suffix: str) -> Make:
    """Write a whole file."""
    return lambda path, seed: path.write_bytes(sound(suffix, seed))


def cut(suffix: str, share: float) -> Make:
    """Write the beginning of a file."""
    return lambda path, seed: path.write_bytes(sound(suffix, seed)[: int(len(sound(suffix, seed)) * share)])


def flipped(data: bytes, seed: int, share: float, end: int | None = None) -> bytes:
    """Flip a bit in a share of the bytes up to `end`."""
    draw = random.Random(seed)
    damaged = bytearray(data)
    last = len(data) if end is None else min(end, len(data))
    for _ in range(max(1, int(share * last))):
        damaged[draw.randrange(last)] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def wave(rate_hz: int, data: bytes, *, channels: int = 1, bits: int = 16, tag: int = 1, claimed: int = -1) -> bytes:
    """Return a WAV file with the given headers; `claimed` is the length in them, `tag` the codec's number."""
    size = len(data) if claimed < 0 else claimed
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block & 0xFFFFFFFF, block & 0xFFFF, bits)
    riff = struct.pack("<4sI4s4sI", b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVE", b"fmt ", 16)
    return riff + head + struct.pack("<4sI", b"data", size) + data


def claims(rate_hz: int = RATE_HZ, **claimed: int) -> Make:
    """Write music under the headers of `wave`."""
    return lambda path, seed: path.write_bytes(wave(rate_hz, pcm16(seed), **claimed))


def pcm16(seed: int) -> bytes:
    """Return a second of music as raw samples, mono."""
    samples = melody(1, RATE_HZ, channels=1, seed=seed)
    return np.rint(samples * 32_767).astype("<i2").tobytes()


def with_bad_samples(samples: Samples, largest: float) -> Samples:
    """Put NaN, infinity, and a stretch of loud samples into music."""
    samples[:, 100:200] = np.nan
    samples[:, 300:310] = np.inf
    samples[:, 400:410] = -np.inf
    samples[:, 5_000:6_000] *= largest
    return samples
