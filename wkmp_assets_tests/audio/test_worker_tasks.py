"""The tasks of worker processes, run in the process of the tests."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wkmp_assets.audio import worker_tasks
from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.sent_tasks import fingerprint_file, measure_flavors, segment_file, tag_file
from wkmp_assets.audio.worker_tasks import MAX_CHANNELS
from wkmp_assets.errors import FileChangedError, FileReplacedError, UndecodableAudioError, UnreadableFileError
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.identity import look_at
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.values import PassageSegments, SegmentationParameters, Span
from wkmp_assets_tests.audio.sounds import joined, melody, silence, tone, write_sound

pytestmark = pytest.mark.slow  # they decode much

PARAMETERS = SegmentationParameters(60.0, 28_224_000, 2_822_400)
HASH = "ab" * 32


@pytest.fixture
def pcm(tmp_path: Path) -> PcmStore:
    return PcmStore(tmp_path / "pcm", 10**9)


def just_hashed(path: Path) -> ExpectedContent:
    """As this run has hashed it; the hash is not looked at again."""
    return ExpectedContent(HASH, look_at(path.parent, path.name))


def segmented(path: Path, pcm: PcmStore) -> PassageSegments:
    return segment_file(path, path.name, just_hashed(path), pcm, PARAMETERS)


def test_a_file_is_decoded_once_for_both_phases(tmp_path: Path, pcm: PcmStore) -> None:
    path = write_sound(tmp_path / "a.wav", joined(melody(15), silence(3, channels=2), melody(15)))
    segments, expected = segmented(path, pcm), just_hashed(path)
    assert (len(segments.passages), segments.warnings) == (2, ())
    path.unlink()
    found = fingerprint_file(path, path.name, expected, pcm, segments)
    assert [one.fingerprint is not None for one in found.passages] == [True, True]


def test_pcm_that_was_evicted_is_decoded_again(tmp_path: Path, pcm: PcmStore) -> None:
    path = write_sound(tmp_path / "a.wav", melody(15))
    segments = segmented(path, pcm)
    before = fingerprint_file(path, path.name, just_hashed(path), pcm, segments)
    pcm.path_for(HASH).unlink()
    assert fingerprint_file(path, path.name, just_hashed(path), pcm, segments) == before
    assert pcm.get(HASH) is not None


def test_loudness_that_an_earlier_version_did_not_keep_is_measured_where_a_decode_is_asked_for(
    tmp_path: Path, pcm: PcmStore
) -> None:
    path = write_sound(tmp_path / "a.wav", melody(3))
    now = segmented(path, pcm)
    earlier = replace(now, envelope=replace(now.envelope, loudness=None))
    found = [
        measure_flavors(path, path.name, just_hashed(path), pcm, segments, now.passages, decode)
        for segments, decode in ((now, False), (earlier, False), (earlier, True))
    ]
    measured, without, again = (flavors.passages[0].measures for flavors in found)
    assert measured == again
    assert without == replace(measured, integrated_lufs=None, loudness_range_lu=None, replaygain_db=None)
    assert measured.integrated_lufs is not None


def test_a_file_that_is_written_to_while_it_is_read_fails_and_leaves_no_pcm(tmp_path: Path, pcm: PcmStore) -> None:
    path = write_sound(tmp_path / "a.wav", melody(2))
    hashed = just_hashed(path)
    os.utime(path, (1, 1))
    with pytest.raises(FileChangedError, match=r"a\.wav"):
        segment_file(path, path.name, hashed, pcm, PARAMETERS)
    assert pcm.get(HASH) is None
    with pytest.raises(FileChangedError, match=r"a\.wav"):
        tag_file(path, path.name, hashed, COVERS)


COVERS = CoverStore(Path("no folder"), Path("no folder"))
"""Not used, because none of the files has a cover."""
TASKS: dict[str, Callable[[Path, ExpectedContent, PcmStore, PassageSegments], object]] = {
    "tags": lambda path, expected, _pcm, _segments: tag_file(path, path.name, expected, COVERS),
    "segments": lambda path, expected, pcm, _segments: segment_file(path, path.name, expected, pcm, PARAMETERS),
    "fingerprints": lambda path, expected, pcm, segments: fingerprint_file(path, path.name, expected, pcm, segments),
    "flavors": lambda path, expected, pcm, segments: measure_flavors(
        path, path.name, expected, pcm, segments, segments.passages
    ),
}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_what_an_earlier_run_hashed_is_read_only_with_the_same_content(
    tmp_path: Path, pcm: PcmStore, task: Callable[[Path, ExpectedContent, PcmStore, PassageSegments], object]
) -> None:
    """Also when the other file has the same size and the same time."""
    path, other = write_sound(tmp_path / "a.wav", melody(12)), write_sound(tmp_path / "b.wav", tone(12, channels=2))
    assert path.stat().st_size == other.stat().st_size
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    earlier, segments = ExpectedContent(hash_file(path, path.name)), segmented(path, pcm)
    done = task(path, earlier, pcm, segments)
    stored = pcm.path_for(earlier.content_hash)
    stored.unlink(missing_ok=True)
    original = path.read_bytes()
    shutil.copy2(other, path)
    with pytest.raises(FileReplacedError, match=r"a\.wav: it has other content.*force"):
        task(path, earlier, pcm, segments)
    assert not stored.exists()
    path.write_bytes(original)
    assert repr(task(path, earlier, pcm, segments)) == repr(done)


@pytest.mark.parametrize("is_just_hashed", [True, False])
def test_a_file_that_is_gone_is_named_by_its_path_in_the_library(tmp_path: Path, is_just_hashed: bool) -> None:
    path = tmp_path / "Artist/Album/a.wav"
    path.parent.mkdir(parents=True)
    write_sound(path, tone(1))
    expected = just_hashed(path) if is_just_hashed else ExpectedContent(HASH)
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"^Artist/Album/a\.wav: cannot be read"):
        tag_file(path, "Artist/Album/a.wav", expected, COVERS)


def test_what_this_run_hashed_is_not_read_for_another_hash(
    tmp_path: Path, pcm: PcmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_sound(tmp_path / "a.wav", melody(12))
    expected, segments = just_hashed(path), segmented(path, pcm)
    monkeypatch.setattr("wkmp_assets.files.verification.hash_file", lambda *_: pytest.fail("a second full read"))
    for task in TASKS.values():
        pcm.path_for(HASH).unlink(missing_ok=True)
        task(path, expected, pcm, segments)


def test_a_file_that_is_replaced_during_the_decode_leaves_no_pcm_even_of_a_killed_worker(
    tmp_path: Path, pcm: PcmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The PCM has no name before the content is verified."""
    path = write_sound(tmp_path / "a.wav", melody(2))
    seen: list[bool] = []

    def die() -> None:
        seen.append(pcm.get(HASH) is not None)
        raise KeyboardInterrupt

    monkeypatch.setattr(worker_tasks.ExpectedContent, "verify", lambda *_: die)
    with pytest.raises(KeyboardInterrupt):
        segment_file(path, path.name, just_hashed(path), pcm, PARAMETERS)
    assert (seen, pcm.get(HASH)) == ([False], None)


def test_more_channels_than_the_library_holds_are_refused(tmp_path: Path, pcm: PcmStore) -> None:
    path = write_sound(tmp_path / "a.wav", tone(1, channels=MAX_CHANNELS + 1))
    with pytest.raises(UndecodableAudioError, match="33 channels"):
        segmented(path, pcm)


def test_what_looks_wrong_is_said(tmp_path: Path, pcm: PcmStore) -> None:
    rate_hz = 37_800  # 746 2/3 ticks a sample
    parts = [joined(tone(1, rate_hz), silence(2, rate_hz)) for _ in range(10)]
    too_many, inexact = segmented(write_sound(tmp_path / "a.wav", joined(*parts), rate_hz), pcm).warnings
    assert [too_many.kind, inexact.kind] == [WarningKind.OVER_SEGMENTED, WarningKind.ROUNDED_POSITIONS]
    assert too_many.text.startswith("10 passages in 0.5 minutes")
    assert "37800 Hz is not a whole number of ticks" in inexact.text


LIBRARY_DEFAULTS = SegmentationParameters(64.0, 50_803_200, 2_822_400)


@pytest.mark.parametrize(
    ("offset", "subtype"),
    [pytest.param(0.005, "PCM_16", id="offset of -46 dBFS"), pytest.param(-1 / 128, "PCM_U8", id="zero of 127")],
)
def test_a_file_with_an_offset_is_cut_at_its_silence(
    tmp_path: Path, pcm: PcmStore, offset: float, subtype: str
) -> None:
    rate_hz = 8_000
    music = tone(4, rate_hz, amplitude=0.3)
    samples = joined(music, silence(3, rate_hz), music) + np.float32(offset)
    path = write_sound(tmp_path / "a.wav", samples, rate_hz, subtype=subtype)
    found = segment_file(path, path.name, just_hashed(path), pcm, LIBRARY_DEFAULTS)
    assert found.passages == (Span(0, 4 * rate_hz), Span(7 * rate_hz, 11 * rate_hz))
    nothing = write_sound(tmp_path / "b.wav", silence(10, rate_hz) + np.float32(offset), rate_hz, subtype=subtype)
    assert segment_file(nothing, nothing.name, just_hashed(nothing), pcm, LIBRARY_DEFAULTS).passages == ()


def test_quiet_music_of_24_bit_and_music_in_one_of_eight_channels_is_audio(tmp_path: Path, pcm: PcmStore) -> None:
    loudness = np.repeat(np.linspace(0.6, 1.2, 8), 20_000).astype(np.float32)
    music = melody(20, 8_000, channels=1) * loudness
    quiet = music * np.float32(10 ** (-66 / 20) / np.sqrt((music**2).mean()))
    path = write_sound(tmp_path / "quiet.wav", quiet, 8_000, subtype="PCM_24")
    assert len(segment_file(path, path.name, just_hashed(path), pcm, LIBRARY_DEFAULTS).passages) == 1
    surround = np.concatenate([silence(20, 8_000, channels=7), music * np.float32(0.003)])
    path = write_sound(tmp_path / "surround.wav", surround, 8_000, subtype="PCM_24")
    assert len(segment_file(path, path.name, just_hashed(path), pcm, LIBRARY_DEFAULTS).passages) == 1
