"""The committed music agrees with its manifests."""

import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import mutagen
import pytest

from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY, TEST_DATA
from wkmp_assets_tests.tools.datasets.pcm import NoAudioDecodedError, read_pcm, window_levels_dbfs

BROKEN = TEST_DATA / "broken_files"


def _records(folder: Path) -> list[dict[str, Any]]:
    manifest = folder.with_name(f"{folder.name}.manifest.json")
    records: list[dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))
    return records


@pytest.mark.parametrize("folder", [SAMPLE_LIBRARY, BROKEN], ids=["sample_library", "broken_files"])
def test_manifest_names_every_file_and_no_other(folder: Path) -> None:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("wkmp.db"))
    files = {str(path.relative_to(folder)) for path in found}
    assert {record["path"] for record in _records(folder)} == files - {"ATTRIBUTION.md"}


@pytest.mark.parametrize("record", _records(SAMPLE_LIBRARY), ids=lambda record: str(record["path"]))
def test_sample_decodes_to_what_the_manifest_says(record: dict[str, Any]) -> None:
    pcm = read_pcm(SAMPLE_LIBRARY / record["path"])
    assert (pcm.rate, pcm.channels) == (record["sample_rate"], record["channels"])
    # A plain decode of an MP4 ends with the encoder's padding of less than one frame of 1024 samples.
    padding = 1023 if record["format"] == "AAC" else 0
    assert 0 <= pcm.frames - record["duration_samples"] <= padding
    assert pcm.bad_packets == 0
    for passage in record["passages"]:
        start, end = (round(passage[key] * pcm.rate) for key in ("start_s", "end_s"))
        levels = window_levels_dbfs(pcm.samples[start:end], pcm.rate // 10)
        assert levels.min() > -50, "music throughout, to both ends"


def test_broken_files_fail_or_decode_in_part_as_the_manifest_says() -> None:
    for record in _records(BROKEN):
        try:
            frames = read_pcm(BROKEN / record["path"]).frames
        except NoAudioDecodedError:
            frames = 0
        assert (frames > 0) == (record["status"] == "INGEST COMPLETE"), record["path"]
        assert frames == record["duration_samples"]


def test_duplicate_equals_its_original() -> None:
    copies = [record for record in _records(SAMPLE_LIBRARY) if record["duplicate_of"]]
    assert copies
    for record in copies:
        original = SAMPLE_LIBRARY / record["duplicate_of"]
        assert (SAMPLE_LIBRARY / record["path"]).read_bytes() == original.read_bytes()


def test_invented_ids_are_valid_and_stand_in_the_files() -> None:
    with_ids = [record for record in _records(SAMPLE_LIBRARY) if record["recording_mbid"]]
    assert {Path(record["path"]).suffix for record in with_ids} == {".mp3", ".flac", ".m4a"}
    for record in with_ids:
        assert str(uuid.UUID(record["recording_mbid"])) == record["recording_mbid"]
        tags = mutagen.File(SAMPLE_LIBRARY / record["path"]).tags
        assert record["recording_mbid"] in str(tags)


def test_every_format_is_there_and_the_library_stays_small() -> None:
    formats = Counter(record["format"] for record in _records(SAMPLE_LIBRARY))
    assert set(formats) == {"FLAC", "MP3", "AAC", "OGG Vorbis", "Opus", "WAV"}
    assert sum(path.stat().st_size for path in SAMPLE_LIBRARY.rglob("*") if path.is_file()) < 15_000_000
