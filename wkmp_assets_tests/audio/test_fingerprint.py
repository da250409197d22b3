"""Fingerprints equal those of `fpcalc`, belong to the right stretch, and are absent where it is too short."""

import shutil
import subprocess
from pathlib import Path

import av
import chromaprint
import numpy as np
import pytest
from av.audio.resampler import AudioResampler

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.fingerprint import fingerprint_passages
from wkmp_assets.model.values import PassageFingerprint, Span
from wkmp_assets_tests.audio.sounds import encode, melody, write_sound

pytestmark = pytest.mark.slow  # they decode much

RATE_HZ = 44_100


def store_pcm(tmp_path: Path, seconds: float) -> tuple[Path, np.ndarray]:
    samples = (melody(seconds, 11_025, channels=1)[0] * 32_767).astype("<i2")
    path = tmp_path / "mono.pcm"
    samples.tofile(path)
    return path, samples


def chromaprint_of(pcm: np.ndarray) -> str:
    printer = chromaprint.Fingerprinter()
    printer.start(11_025, 1)
    printer.feed(pcm.tobytes())
    encoded: bytes = printer.finish()
    return encoded.decode()


def bits(fingerprint: str) -> np.ndarray:
    raw, _ = chromaprint.decode_fingerprint(fingerprint.encode())
    return np.unpackbits(np.array(raw, np.uint32).view(np.uint8))


def reference(path: Path) -> str:
    """Return the fingerprint by fpcalc, else by Chromaprint from an independent decode."""
    if shutil.which("fpcalc"):
        # Debian's fpcalc exits with 3 after a correct answer on files of 120 s or less.
        printed = subprocess.run(["fpcalc", path], capture_output=True, text=True, check=False).stdout
        return next(line.partition("=")[2] for line in printed.splitlines() if line.startswith("FINGERPRINT="))
    options = {"filter_size": "16", "phase_shift": "8", "linear_interp": "1", "cutoff": "0.8"}
    resampler = AudioResampler("s16", "mono", 11_025, options=options)
    with av.open(path) as container:
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    frames += resampler.resample(None)
    return chromaprint_of(np.concatenate([frame.to_ndarray()[0] for frame in frames])[: 120 * 11_025])


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [
        ("a.wav", "pcm_s16le", 44_100),
        ("a.flac", "flac", 48_000),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.m4a", "aac", 44_100),
        ("a.opus", "libopus", 48_000),
    ],
)
@pytest.mark.parametrize("length_s", [30, pytest.param(140, marks=pytest.mark.long)])
def test_the_fingerprint_of_a_file_is_that_of_fpcalc(
    tmp_path: Path, name: str, codec: str, rate_hz: int, length_s: int
) -> None:
    path = encode(tmp_path / name, melody(length_s, rate_hz), rate_hz, codec)
    audio, _ = measure_file(path, pcm_path=tmp_path / "mono.pcm", display_path=name)
    whole = Span(0, audio.total_samples)
    (found,) = fingerprint_passages(tmp_path / "mono.pcm", [whole], sample_rate_hz=rate_hz)
    assert found.fingerprint is not None
    ours, theirs = bits(found.fingerprint), bits(reference(path))
    length = min(ours.size, theirs.size)
    assert abs(ours.size - theirs.size) <= 32
    assert np.count_nonzero(ours[:length] == theirs[:length]) / length >= 0.999


def test_a_known_sound_has_a_known_fingerprint(tmp_path: Path) -> None:
    """Recorded with libchromaprint 1.5.1, algorithm 1; AcoustID indexes nothing else."""
    path, _ = store_pcm(tmp_path, 12)
    (found,) = fingerprint_passages(path, [Span(0, 12 * RATE_HZ)], sample_rate_hz=RATE_HZ)
    assert found.fingerprint == KNOWN_FINGERPRINT
    assert chromaprint.decode_fingerprint(found.fingerprint.encode())[1] == 1


KNOWN_FINGERPRINT = (
    "AQAAS2OUmKrwMMeVKA2i50iGhpGOMwmL7iKa3Aue5DjFHM-S7PBIzFlYnGmMg3nQ_EfOI2miJAm2bDx-lD-a58cz2UHSDnmP"
    "5oqWY1IiBZwy4jr2PEgPXdEU5MGnI4Z-5Dl-PD6-S0WyRybCXDjDEk_i4-KQBwm_4p-Ge6EEZzWNh_ix_UiSC3loNN8UeMpR"
    "JYmO-NCTE03iKGg-Qe2RX-h7NC8uvHnwBD9-fDuR5GEeAGAQcwZIwQBQwDDPBSDGOSMEAAgAA4hAyiCCOAFIAQEQEogYQAhD"
    "CgEkEGJGIoWYcwwxypASGgyCEEKGGEAA"
)


def test_each_passage_gets_the_fingerprint_of_its_own_stretch(tmp_path: Path) -> None:
    path, samples = store_pcm(tmp_path, 60)
    spans = [Span(0, 20 * RATE_HZ), Span(25 * RATE_HZ, 60 * RATE_HZ)]
    first, second = fingerprint_passages(path, spans, sample_rate_hz=RATE_HZ)
    assert (first.span, second.span) == tuple(spans)
    assert first.fingerprint == chromaprint_of(samples[: 20 * 11_025])
    assert second.fingerprint == chromaprint_of(samples[25 * 11_025 :])
    assert (first.duration_s, second.duration_s) == (20.0, 35.0)


def test_a_passage_to_the_end_of_the_file_takes_the_pcm_to_its_last_sample(tmp_path: Path) -> None:
    """A resampler delivers a few samples more or less than the ratio of the rates."""
    path, samples = store_pcm(tmp_path, 15)
    (found,) = fingerprint_passages(path, [Span(0, 15 * RATE_HZ - 300)], sample_rate_hz=RATE_HZ)
    assert found.fingerprint == chromaprint_of(samples)


def test_only_the_first_two_minutes_count(tmp_path: Path) -> None:
    path, samples = store_pcm(tmp_path, 150)
    (found,) = fingerprint_passages(path, [Span(0, 150 * RATE_HZ)], sample_rate_hz=RATE_HZ)
    assert found.fingerprint == chromaprint_of(samples[: 120 * 11_025])
    assert found.duration_s == 150.0


def test_a_passage_under_ten_seconds_keeps_its_place_without_a_fingerprint(tmp_path: Path) -> None:
    path, _ = store_pcm(tmp_path, 40)
    spans = [Span(0, 10 * RATE_HZ - 1), Span(12 * RATE_HZ, 22 * RATE_HZ)]
    short, long = fingerprint_passages(path, spans, sample_rate_hz=RATE_HZ)
    assert short.fingerprint is None
    assert short.duration_s == pytest.approx(10, abs=1e-4)
    assert long.fingerprint is not None


def test_no_passages_need_no_pcm_content(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcm"
    empty.touch()
    assert fingerprint_passages(empty, [], sample_rate_hz=RATE_HZ) == ()
    (found,) = fingerprint_passages(empty, [Span(0, 20 * RATE_HZ)], sample_rate_hz=RATE_HZ)
    assert found.fingerprint is None


def test_pcm_that_was_evicted_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fingerprint_passages(tmp_path / "gone.pcm", [Span(0, 20 * RATE_HZ)], sample_rate_hz=RATE_HZ)


def test_mono_and_stereo_files_of_one_sound_share_their_fingerprint(tmp_path: Path) -> None:
    sound = melody(20, RATE_HZ, channels=1)
    found: list[PassageFingerprint] = []
    for name, samples in (("mono.wav", sound), ("stereo.wav", np.concatenate([sound, sound]))):
        path = write_sound(tmp_path / name, samples)
        audio, _ = measure_file(path, pcm_path=tmp_path / "mono.pcm", display_path=name)
        span = Span(0, audio.total_samples)
        found += fingerprint_passages(tmp_path / "mono.pcm", [span], sample_rate_hz=RATE_HZ)
    first, second = (bits(passage.fingerprint or "") for passage in found)
    assert np.count_nonzero(first == second) / first.size >= 0.99
