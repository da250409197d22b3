"""The parts the data sets are built from."""

import copy
import json
from collections import Counter
from pathlib import Path

import mutagen
import numpy as np
import pytest

from wkmp_assets_tests.tools.datasets import hundred_files
from wkmp_assets_tests.tools.datasets.catalogue import load_catalogue
from wkmp_assets_tests.tools.datasets.debian_music import PackageUnavailableError, fetch_package
from wkmp_assets_tests.tools.datasets.encode import FORMATS, AudioFormat, encode
from wkmp_assets_tests.tools.datasets.hundred_plan import plan_library
from wkmp_assets_tests.tools.datasets.hundred_verify import find_problems
from wkmp_assets_tests.tools.datasets.pcm import Pcm, cut, find_loud_span, lean_at, read_pcm, settled_end
from wkmp_assets_tests.tools.datasets.tagging import UNTAGGED, Tags, write_tags

RATE = 48_000


def _tone(seconds: float, level: float = 0.3) -> Pcm:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = level * np.sin(2 * np.pi * 440 * time)
    return Pcm(np.stack([wave, wave], axis=1).astype(np.float32), RATE)


def test_plan_is_the_same_whatever_the_order_of_the_catalogue() -> None:
    catalogue = load_catalogue()
    assert plan_library(catalogue) == plan_library(catalogue[::-1])


def test_plan_has_the_promised_mix() -> None:
    jobs = plan_library(load_catalogue())
    assert Counter(job.form for job in jobs) == {
        "FLAC": 30,
        "MP3": 30,
        "AAC": 20,
        "OGG Vorbis": 8,
        "Opus": 7,
        "WAV": 5,
    }
    assert Counter(job.kind for job in jobs) == {"single": 87, "multi": 10, "duplicate": 3}
    assert all(2.0 <= gap <= 6.0 for job in jobs for gap in job.gap_s)
    assert len({job.path.casefold() for job in jobs}) == 100


def test_subset_has_each_format_a_multi_and_a_whole_duplicate_pair() -> None:
    subset = [job for job in plan_library(load_catalogue()) if job.in_subset]
    assert len(subset) == 10
    assert {job.form for job in subset} == set(FORMATS)
    assert {job.kind for job in subset} == {"single", "multi", "duplicate"}
    numbers = {job.number for job in subset}
    assert all(job.original in numbers for job in subset if job.original is not None)
    assert {track.package for job in subset for track in job.sources} == {
        "hyperrogue-music",
        "singularity-music",
    }


def test_no_track_is_used_twice_except_by_duplicates() -> None:
    used = [track for job in plan_library(load_catalogue()) if job.original is None for track in job.sources]
    assert len(set(used)) == len(used)


def test_a_span_starts_after_a_pause_in_the_music() -> None:
    pause = Pcm(np.zeros((RATE, 2), dtype=np.float32), RATE)
    track = Pcm(np.concatenate([_tone(2).samples, pause.samples, _tone(4).samples]), RATE)
    start, end = find_loud_span(track, from_s=0.5, length_s=3)
    assert 3.0 - 0.05 <= start / RATE <= 3.05
    assert end - start == 3 * RATE


def test_a_settled_end_does_not_lean() -> None:
    track = _tone(4)
    leaning = Pcm(track.samples + 0.1 * np.linspace(-1, 1, track.frames, dtype=np.float32)[:, None], RATE)
    assert lean_at(leaning, settled_end(leaning, 3 * RATE)) < lean_at(leaning, 3 * RATE)


def test_cut_fades_both_ends_and_leaves_the_source_alone() -> None:
    track = _tone(1)
    before = track.samples.copy()
    piece = cut(track, 100, 20_000)
    assert abs(piece.samples[[0, -1]]).max() < 0.01
    assert np.array_equal(track.samples, before)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_encoding_twice_gives_the_same_bytes_and_keeps_the_length(tmp_path: Path, form: AudioFormat) -> None:
    paths = [tmp_path / f"{name}{form.suffix}" for name in "ab"]
    for path in paths:
        encode(_tone(1.7), path, form)
        write_tags(path, form.name, Tags("Title", "Artist", "Album", 3, "2001"))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    decoded = read_pcm(paths[0])
    assert abs(decoded.frames - round(1.7 * RATE)) <= (0 if form.lossless else 0.1 * RATE)
    assert "Title" in str(mutagen.File(paths[0]).tags)


def test_an_untagged_file_has_no_tag_block(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    encode(_tone(1), path, FORMATS["MP3"])
    write_tags(path, "MP3", UNTAGGED)
    assert mutagen.File(path).tags is None


def test_a_missing_tool_names_the_package_and_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageUnavailableError, match="some-music") as caught:
        fetch_package("some-music", tmp_path)
    assert "by hand" in caught.value.remedy
    # Rebuilt the way it is between worker processes.
    assert str(copy.copy(caught.value)) == str(caught.value)


def test_build_without_packages_exits_non_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(package: str) -> Path:
        raise PackageUnavailableError(package, "no network", "try again")

    monkeypatch.setattr(hundred_files, "fetch_package", unavailable)
    assert hundred_files.main(["--out", str(tmp_path), "--subset"]) == 1
    assert not (tmp_path / "manifest.json").exists()


def test_verification_finds_a_gap_that_is_not_silent(tmp_path: Path) -> None:
    encode(_tone(3), tmp_path / "a.flac", FORMATS["FLAC"])
    entry = {
        "path": "a.flac",
        "format": "FLAC",
        "bytes": (tmp_path / "a.flac").stat().st_size,
        "duplicate_of": None,
        "sample_rate": RATE,
        "channels": 2,
        "duration_samples": 3 * RATE,
        "planted_gaps": [],
    }
    assert find_problems(tmp_path, [entry]) == []
    entry = json.loads(json.dumps(entry)) | {"planted_gaps": [[RATE, 2 * RATE]]}
    assert "not silent" in find_problems(tmp_path, [entry])[0]
