"""The decode: exact lengths and the same levels in every format, and damage that affects only the damaged part."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import mutagen.id3
import mutagen.mp3
import numpy as np
import pytest
import soundfile

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.envelope import window_rms
from wkmp_assets.errors import (
    ProtectedAudioError,
    StateDiskError,
    TooLongError,
    UndecodableAudioError,
    UnreadableFileError,
)
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.values import AudioProperties, Envelope
from wkmp_assets_tests.audio.sounds import (
    concatenated,
    encode,
    envelope_of,
    melody,
    noise,
    silence,
    tone,
    write_sound,
)
from wkmp_assets_tests.integration.corpus.case import Case
from wkmp_assets_tests.integration.corpus.sound_bytes import claims
from wkmp_assets_tests.integration.corpus.sounds import codecs
from wkmp_assets_tests.support.paths import ROOT

pytestmark = pytest.mark.slow  # they decode much

REPOSITORY = ROOT
ODD_LENGTH = 123_457
"""No multiple of any codec's frame: 2.8 s at 44.1 kHz."""


def measure(path: Path) -> tuple[AudioProperties, Envelope]:
    return measure_file(path, pcm_path=None, display_path=path.name)


def pcm_of(path: Path, tmp_path: Path) -> np.ndarray:
    pcm_path = tmp_path / "mono.pcm"
    measure_file(path, pcm_path=pcm_path, display_path=path.name)
    return np.fromfile(pcm_path, "<i2")


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz", "format_name"),
    [
        ("a.wav", "pcm_s16le", 44_100, "WAV"),
        ("a.wav", "pcm_s24le", 48_000, "WAV"),
        ("a.aiff", "pcm_s16be", 44_100, "AIFF"),
        ("a.flac", "flac", 44_100, "FLAC"),
        ("a.flac", "flac", 96_000, "FLAC"),
        ("a.ogg", "flac", 44_100, "FLAC"),
        ("a.wv", "wavpack", 44_100, "WavPack"),
        ("a.m4a", "alac", 44_100, "ALAC"),
        ("a.m4a", "aac", 44_100, "AAC"),
        ("a.m4a", "aac", 48_000, "AAC"),
        ("a.mp4", "aac", 22_050, "AAC"),
        ("a.mp3", "libmp3lame", 44_100, "MP3"),
        ("a.mp3", "libmp3lame", 48_000, "MP3"),
        ("a.mp3", "libmp3lame", 22_050, "MP3"),
        ("a.ogg", "vorbis", 44_100, "OGG Vorbis"),
        ("a.opus", "libopus", 48_000, "Opus"),
        ("a.mka", "libopus", 48_000, "Opus"),
    ],
)
def test_the_frame_count_is_that_of_the_original(
    tmp_path: Path, name: str, codec: str, rate_hz: int, format_name: str
) -> None:
    samples = melody(ODD_LENGTH / rate_hz, rate_hz)
    audio, envelope = measure(encode(tmp_path / name, samples, rate_hz, codec))
    assert audio.format == format_name
    assert (audio.sample_rate_hz, audio.channels) == (rate_hz, 2)
    assert audio.total_samples == envelope.total_samples == ODD_LENGTH
    assert audio.warnings == ()


@pytest.mark.parametrize(("name", "codec"), [("a.aac", "aac"), ("a.wma", "wmav2")])
def test_containers_without_gapless_data_add_less_than_a_few_frames(tmp_path: Path, name: str, codec: str) -> None:
    audio, _ = measure(encode(tmp_path / name, melody(3), 44_100, codec))
    assert audio.format == {"a.aac": "AAC", "a.wma": "WMA"}[name]
    assert abs(audio.total_samples - 3 * 44_100) < 4 * 2048


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.opus", "libopus"), ("a.flac", "flac")],
)
def test_sound_stays_where_it_was_after_gapless_trimming(tmp_path: Path, name: str, codec: str) -> None:
    """An encoder delay that is not removed would move all positions by 10 to 50 ms."""
    samples = melody(4, 48_000)
    samples[:, :96_000] = 0
    _, envelope = measure(encode(tmp_path / name, samples, 48_000, codec))
    onset = int(np.argmax(envelope.mean_square > 1e-3))
    assert abs(onset - 200) <= 1


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_levels_of_a_wave_file_are_those_of_its_samples(
    tmp_path: Path, subtype: str, rate_hz: int, channels: int
) -> None:
    samples = noise(1.5, rate_hz, channels=channels, rms=0.15)
    audio, envelope = measure(write_sound(tmp_path / "a.wav", samples, rate_hz, subtype=subtype))
    expected = envelope_of(samples, rate_hz)
    resolution = 1 / 128 if subtype == "PCM_U8" else 1 / 32_768
    assert (audio.format, audio.sample_rate_hz, audio.channels) == ("WAV", rate_hz, channels)
    assert audio.total_samples == samples.shape[1]
    assert audio.peak == pytest.approx(float(np.abs(samples).max()), abs=resolution)
    np.testing.assert_allclose(envelope.mean_square, expected.mean_square, rtol=0.02)


@pytest.mark.parametrize("channels", [3, 7, 8, 9, 16, 32])
def test_unusual_channel_counts_are_measured_and_mixed(tmp_path: Path, channels: int) -> None:
    path = write_sound(tmp_path / "a.wav", noise(1, channels=channels))
    audio, _ = measure(path)
    pcm = pcm_of(path, tmp_path)
    assert audio.channels == channels
    assert abs(pcm.size - 11_025) < 64
    assert pcm.any()


def test_mono_pcm_of_equal_channels_has_the_level_of_the_original(tmp_path: Path) -> None:
    """libswresample mixes to float 3 dB too loud; the mix must be the mean."""
    pcm = pcm_of(write_sound(tmp_path / "a.wav", tone(3, amplitude=0.9, channels=2), subtype="FLOAT"), tmp_path)
    assert abs(pcm.size - 3 * 11_025) < 64
    assert np.abs(pcm).max() == pytest.approx(0.9 * 32_767, rel=0.02)


def test_opposite_channels_have_a_level_though_their_mix_is_silent(tmp_path: Path) -> None:
    samples = tone(2, channels=2) * np.array([[1], [-1]], np.float32)
    path = write_sound(tmp_path / "a.flac", samples)
    _, envelope = measure(path)
    np.testing.assert_allclose(window_rms(envelope, 0, 88_200), 0.8 / np.sqrt(2), rtol=0.01)
    assert np.abs(pcm_of(path, tmp_path)).max() <= 1


def test_samples_that_are_not_numbers_are_silence_with_a_warning(tmp_path: Path) -> None:
    samples = tone(2, channels=2)
    samples[0, 50_000:50_010] = np.nan
    samples[1, 60_000] = np.inf
    path = write_sound(tmp_path / "a.wav", samples, subtype="FLOAT")
    audio, envelope = measure(path)
    assert [warning.text for warning in audio.warnings] == [
        "Samples that are not numbers or far beyond full scale, replaced by silence: 11."
    ]
    assert np.isfinite(envelope.mean_square).all()
    assert audio.peak == pytest.approx(0.8, rel=1e-3)
    assert np.abs(pcm_of(path, tmp_path)).max() < 0.9 * 32_767


def test_a_stream_that_changes_rate_and_channels_midway_keeps_those_of_its_start(tmp_path: Path) -> None:
    parts = [
        encode(tmp_path / f"{rate_hz}.mp3", melody(3, rate_hz, channels=channels), rate_hz, "libmp3lame")
        for rate_hz, channels in ((44_100, 2), (22_050, 1), (48_000, 2))
    ]
    path = concatenated(tmp_path / "a.mp3", parts)
    audio, _ = measure(path)
    assert (audio.sample_rate_hz, audio.channels) == (44_100, 2)
    assert audio.total_samples == pytest.approx(9 * 44_100, abs=12_000)
    assert any("changes midway" in warning.text for warning in audio.warnings)
    assert pcm_of(path, tmp_path).size == pytest.approx(9 * 11_025, abs=3_000)


def test_chained_ogg_streams_are_decoded(tmp_path: Path) -> None:
    parts = [encode(tmp_path / f"{i}.ogg", melody(2, rate), rate, "vorbis") for i, rate in enumerate([44_100, 48_000])]
    audio, _ = measure(concatenated(tmp_path / "a.ogg", parts))
    assert audio.sample_rate_hz == 44_100
    assert audio.total_samples >= 2 * 44_100


def test_cover_art_is_no_audio(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", melody(2), 44_100, "libmp3lame")
    opener: Any = mutagen.mp3.MP3
    id3: Any = mutagen.id3
    tagged = opener(path)
    picture = bytes.fromhex("89504e470d0a1a0a") + b"no picture at all"
    tagged.tags = id3.ID3()
    tagged.tags.add(id3.APIC(mime="image/png", type=3, data=picture))
    tagged.save()
    audio, _ = measure(path)
    assert (audio.format, audio.total_samples) == ("MP3", 88_200)


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.flac", "flac"), ("a.ogg", "vorbis")])
def test_flipped_bits_cost_only_what_they_hit(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, melody(20), 44_100, codec)
    content = bytearray(path.read_bytes())
    for position in np.random.default_rng(3).integers(len(content) // 4, len(content), 4):
        content[position] ^= 0x55
    path.write_bytes(content)
    audio, envelope = measure(path)
    assert 10 * 44_100 < audio.total_samples < 21 * 44_100
    assert np.isfinite(envelope.mean_square).all()


def test_a_file_cut_in_half_is_measured_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", noise(20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    audio, _ = measure(path)
    assert 8 * 44_100 < audio.total_samples < 12 * 44_100
    assert any(warning.kind is WarningKind.CUT_SHORT and "20.0 s" in warning.text for warning in audio.warnings)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp3", b""),
        ("text.mp3", b"This is no music.\n" * 500),
        ("text.flac", b"This is no music.\n" * 500),
        ("zeros.wav", bytes(100_000)),
        ("header-only.flac", b"fLaC"),
        ("noise.ogg", np.random.default_rng(5).bytes(50_000)),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/passwd\n#EXT-X-ENDLIST\n"),
        ("headerless.raw", b"\1\2" * 1000),
    ],
)
def test_what_holds_no_sound_is_undecodable(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    pcm_path = tmp_path / "mono.pcm"
    with pytest.raises(UndecodableAudioError, match="in the library") as raised:
        measure_file(path, pcm_path=pcm_path, display_path="in the library")
    assert raised.value.path == "in the library"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [
        b"This is no music.\n" * 5000,
        ("\ufeff" + "Smör och bröd\r\n" * 5000).encode(),
        "Смородина, хлеб\n".encode("utf-16"),
        b"<html><title>404 Not Found</title></html>",
    ],
    ids=["plain", "cut within a character", "UTF-16", "a page instead of a download"],
)
def test_text_is_said_to_be_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(UndecodableAudioError, match="no sound in it, only text") as raised:
        measure(tmp_path / "a.mp3")
    assert "libsndfile: Format not recognised" in raised.value.cause


@pytest.mark.parametrize("content", [bytes(5000), np.random.default_rng(5).bytes(5000)], ids=["zeros", "noise"])
def test_what_is_no_mp3_is_not_said_to_be_missing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(UndecodableAudioError, match="libsndfile: Format not recognised") as raised:
        measure(tmp_path / "a.mp3")
    assert "text" not in raised.value.cause


def test_a_wave_file_without_samples_is_undecodable(tmp_path: Path) -> None:
    with pytest.raises(UndecodableAudioError):
        measure(write_sound(tmp_path / "a.wav", silence(0)))


def test_a_video_without_sound_is_undecodable(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
            "0000000a49444154789c63600000000200014821bc330000000049454e44ae426082"
        )
    )
    with pytest.raises(UndecodableAudioError, match="not a kind of file that music comes in"):
        measure(path)


@pytest.mark.parametrize(
    "case", [case for case in codecs() if "copy-protected" in case.becomes.says], ids=lambda c: c.path
)
def test_a_protected_file_is_refused_not_decoded_to_noise(tmp_path: Path, case: Case) -> None:
    path = tmp_path / Path(case.path).name
    case.make(path, 1)
    with pytest.raises(ProtectedAudioError, match=r"copy-protected.*get a copy without protection"):
        measure(path)


def test_a_codec_whose_number_is_no_letter_is_no_mistake_of_ours(tmp_path: Path) -> None:
    """Found by the fuzzer: PyAV reads the number 0x00FF (AAC in a WAV file) as ASCII letters."""
    claims(44_100, tag=0xFF)(tmp_path / "a.wav", 1)
    with pytest.raises(UndecodableAudioError):
        measure(tmp_path / "a.wav")


def test_an_endless_file_is_given_up_before_it_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wkmp_assets.audio.decode_pass.MAX_FILE_H", 1 / 3600)
    path = write_sound(tmp_path / "a.wav", tone(60))
    with pytest.raises(TooLongError, match="split it"):
        pcm_of(path, tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="No such file"):
        measure(tmp_path / "gone.mp3")


def test_a_folder_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="directory"):
        measure(tmp_path)


def test_a_format_that_ffmpeg_lacks_is_read_with_libsndfile(tmp_path: Path) -> None:
    samples = noise(3, 22_050, channels=2)
    samples[0, 1000] = np.nan
    path = write_sound(tmp_path / "a.mat", samples, 22_050, format="MAT5", subtype="FLOAT")
    audio, envelope = measure(path)
    assert (audio.sample_rate_hz, audio.channels, audio.total_samples) == (22_050, 2, 66_150)
    assert any("libsndfile" in warning.text for warning in audio.warnings)
    assert any("not numbers" in warning.text and warning.text.endswith(" 1.") for warning in audio.warnings)
    np.testing.assert_allclose(envelope.mean_square, envelope_of(np.nan_to_num(samples), 22_050).mean_square, rtol=1e-3)
    assert abs(pcm_of(path, tmp_path).size - 3 * 11_025) < 64


def test_a_list_of_other_files_is_no_music(tmp_path: Path) -> None:
    """FFmpeg would open the named files and decode their sound."""
    write_sound(tmp_path / "secret.wav", tone(1))
    (tmp_path / "a.mp3").write_text("ffconcat version 1.0\nfile secret.wav\n")
    with pytest.raises(UndecodableAudioError, match="not a kind of file that music comes in"):
        measure(tmp_path / "a.mp3")


@pytest.mark.parametrize("name", ["http:song.wav", "pipe:0.wav", "Ünïcödé 音楽.wav", "100%d.wav", "concat:a|b.wav"])
def test_a_name_is_a_name_and_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write_sound(tmp_path / "plain.wav", tone(1)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert measure(Path(name))[0].total_samples == 44_100


def test_the_pcm_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", tone(1))
    folder = tmp_path / "store"
    folder.mkdir()
    measure_file(path, pcm_path=folder / "x.pcm", display_path="a.wav")
    assert [entry.name for entry in folder.iterdir()] == ["x.pcm"]


def test_a_pcm_store_that_cannot_be_written_is_not_the_audio_files_fault(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", tone(1))
    with pytest.raises(StateDiskError, match="nowhere"):
        measure_file(path, pcm_path=tmp_path / "nowhere" / "x.pcm", display_path="a.wav")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of one process is read from /proc")
@pytest.mark.long
def test_memory_does_not_grow_with_the_length_of_the_file(tmp_path: Path) -> None:
    minute_of_music = melody(60).T
    peaks = []
    for minutes in (1, 30):
        with soundfile.SoundFile(tmp_path / f"{minutes}.flac", "w", 44_100, 2) as file:
            for _ in range(minutes):
                file.write(minute_of_music)
        peaks.append(_peak_bytes_of_a_process_that_measures(tmp_path / f"{minutes}.flac"))
    assert peaks[1] - peaks[0] < 20e6
    assert peaks[1] < 200e6


def _peak_bytes_of_a_process_that_measures(path: Path) -> int:
    script = (
        "import sys; from pathlib import Path; from wkmp_assets.audio.decode import measure_file; "
        "path = Path(sys.argv[1]); "
        "measure_file(path, pcm_path=path.with_suffix('.pcm'), display_path=path.name); "
        "print(Path('/proc/self/status').read_text())"
    )
    command = [sys.executable, "-c", script, str(path)]
    status = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
    peak_kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak_kib) * 1024


def test_a_rate_that_no_sound_has_is_undecodable(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    claims(1)(path, 1)
    with pytest.raises(UndecodableAudioError, match="a sample rate of 1 Hz"):
        measure(path)
