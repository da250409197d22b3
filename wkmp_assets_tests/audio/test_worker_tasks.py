"""The tasks of worker processes, run in the process of the tests."""

import os
from pathlib import Path

import pytest

from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.worker_tasks import MAX_CHANNELS, fingerprint_file, segment_file
from wkmp_assets.errors import FileChangedError, UndecodableAudioError
from wkmp_assets.files.identity import look_at
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.values import FileIdentity, FileState, PassageSegments, SegmentationParameters
from wkmp_assets_tests.audio.sounds import joined, melody, silence, tone, write_sound

PARAMETERS = SegmentationParameters(60.0, 28_224_000, 2_822_400)
HASH = "ab" * 32


@pytest.fixture
def pcm(tmp_path: Path) -> PcmStore:
    return PcmStore(tmp_path / "pcm", 10**9)


def identity(path: Path) -> FileIdentity:
    found = look_at(path.parent, path.name)
    return FileIdentity(FileState.NEW, HASH, found.size_bytes, found.modified_at)


def segmented(path: Path, pcm: PcmStore) -> PassageSegments:
    return segment_file(path, path.name, identity(path), pcm, PARAMETERS)


def test_a_file_is_decoded_once_for_both_phases(tmp_path: Path, pcm: PcmStore) -> None:
    path = write_sound(tmp_path / "a.wav", joined(melody(15), silence(3, channels=2), melody(15)))
    segments = segmented(path, pcm)
    assert (len(segments.passages), segments.warnings) == (2, ())
    path.unlink()
    found = fingerprint_file(path, path.name, HASH, pcm, segments)
    assert [one.fingerprint is not None for one in found.passages] == [True, True]


def test_pcm_that_was_evicted_is_decoded_again(tmp_path: Path, pcm: PcmStore) -> None:
    path = write_sound(tmp_path / "a.wav", melody(15))
    segments = segmented(path, pcm)
    before = fingerprint_file(path, path.name, HASH, pcm, segments)
    pcm.path_for(HASH).unlink()
    assert fingerprint_file(path, path.name, HASH, pcm, segments) == before
    assert pcm.get(HASH) is not None


def test_a_file_that_is_written_to_while_it_is_read_fails_and_leaves_no_pcm(tmp_path: Path, pcm: PcmStore) -> None:
    path = write_sound(tmp_path / "a.wav", melody(2))
    hashed = identity(path)
    os.utime(path, (1, 1))
    with pytest.raises(FileChangedError, match=r"a\.wav"):
        segment_file(path, path.name, hashed, pcm, PARAMETERS)
    assert pcm.get(HASH) is None


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
