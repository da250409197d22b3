"""The library a benchmark works on: the 100-file dataset with its manifest, or any folder of music."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wkmp_assets.files.walk import WalkReport, find_audio_files
from wkmp_assets_tests.support.paths import ROOT

HUNDRED_FILES = ROOT / "test_data" / "100_file_dataset"
DOCS = ROOT / "docs" / "benchmarks"


class NoMusicError(Exception):
    """The folder holds nothing to measure; the message says how to get it."""


@dataclass(frozen=True)
class MusicFile:
    """One file, with its data from the manifest."""

    path: Path
    relative: str
    format: str
    kind: str
    """`single`, `multi`, `duplicate`; `single` for everything when there is no manifest."""
    seconds: float | None
    """None when there is no manifest."""
    gaps_s: tuple[tuple[float, float], ...]
    """Planted gaps, start and end in seconds."""


def find_music(root: Path, *, subset: bool) -> list[MusicFile]:
    """List the files to measure, sorted by path.

    Parameters
    ----------
    root : Path
        Root of the library; its `manifest.json` is used if there is one.
    subset : bool
        Only the ten files that the manifest marks.

    Raises
    ------
    NoMusicError
        There is no music, or no manifest to name the subset.
    """
    manifest = root / "manifest.json"
    if manifest.is_file():
        records = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        return [_from_manifest(root, record) for record in records if record["in_subset"] or not subset]
    if subset:
        raise NoMusicError(f"{root} has no manifest.json, which names the subset; build it: make dataset")
    paths = [path for path, _ in find_audio_files(root, root, WalkReport())] if root.is_dir() else []
    if not paths:
        raise NoMusicError(f"no audio files in {root}; build the 100-file library: make dataset")
    return [MusicFile(root / path, path, _suffix(path), "single", None, ()) for path in paths]


def link_library(files: list[MusicFile], folder: Path) -> Path:
    """Make a library of some files in another folder, by hard links where that is possible."""
    for file in files:
        target = folder / file.relative
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file.path, target)
        except OSError:
            target.write_bytes(file.path.read_bytes())
    return folder


def _from_manifest(root: Path, record: dict[str, Any]) -> MusicFile:
    rate = record["sample_rate"]
    return MusicFile(
        path=root / record["path"],
        relative=record["path"],
        format=record["format"],
        kind=record["kind"],
        seconds=record["duration_samples"] / rate,
        gaps_s=tuple((start / rate, end / rate) for start, end in record["planted_gaps"]),
    )


def _suffix(path: str) -> str:
    return Path(path).suffix.removeprefix(".").upper()
