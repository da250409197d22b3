"""Every format of the table is really decoded, and the table knows all that FFmpeg may open."""

from pathlib import Path

import av
import pytest
import soundfile

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.model.audio_formats import (
    AUDIO_ENDINGS,
    AUDIO_FORMATS,
    FFMPEG_CONTAINERS,
    UNREAD_ENDINGS,
    Decoder,
)
from wkmp_assets_tests.audio.format_files import NOT_WRITTEN, SECONDS, make_file

MAX_PADDING_S = 0.1


@pytest.mark.parametrize("ending", sorted(AUDIO_ENDINGS - NOT_WRITTEN))
def test_a_file_of_every_format_is_decoded(tmp_path: Path, ending: str) -> None:
    path = make_file(tmp_path / f"a{ending}")
    (row,) = [one for one in AUDIO_FORMATS if ending in one.endings]
    if row.decoder is Decoder.FFMPEG:
        with av.open(path) as container:
            assert row.container in container.format.name.split(",")
    audio, _ = measure_file(path, pcm_path=None, display_path="a")
    assert SECONDS - MAX_PADDING_S < audio.total_samples / audio.sample_rate_hz < SECONDS + MAX_PADDING_S
    assert audio.peak > 0.1


@pytest.mark.parametrize(
    ("ending", "expected"),
    [(".m4r", "ALAC"), (".dsf", "DSD"), (".dff", "DSD"), (".w64", "WAV"), (".au", "AU"), (".ac3", "AC-3"),
     (".amr", "AMR"), (".webm", "Opus"), (".svx", "8SVX"), (".tta", "TTA")],
)  # fmt: skip
def test_the_library_names_the_format_and_not_the_codec_of_ffmpeg(tmp_path: Path, ending: str, expected: str) -> None:
    audio, _ = measure_file(make_file(tmp_path / f"a{ending}"), pcm_path=None, display_path="a")
    assert audio.format == expected


def test_the_table_names_what_the_decoders_have() -> None:
    known = {part for name in av.formats_available for part in name.split(",")}
    assert [name for name in FFMPEG_CONTAINERS if name not in known] == []
    by_libsndfile = [one.container for one in AUDIO_FORMATS if one.decoder is Decoder.LIBSNDFILE]
    assert [name for name in by_libsndfile if name not in soundfile.available_formats()] == []


def test_endings_are_in_one_place_and_in_one_form() -> None:
    assert all(ending == ending.lower() and ending.startswith(".") for ending in AUDIO_ENDINGS | UNREAD_ENDINGS)
    assert AUDIO_ENDINGS.isdisjoint(UNREAD_ENDINGS)
    assert NOT_WRITTEN <= AUDIO_ENDINGS
