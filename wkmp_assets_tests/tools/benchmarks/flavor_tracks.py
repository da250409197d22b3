"""The music for judging flavors: the 100-file library, and music that influenced no choice of parameters."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen

from wkmp_assets_tests.tools.datasets.catalogue import MIN_DURATION_S, load_catalogue
from wkmp_assets_tests.tools.datasets.debian_music import fetch_package, music_files
from wkmp_assets_tests.tools.datasets.hundred_plan import plan_library

UNSEEN_PACKAGE = "wesnoth-1.16-music"
"""Of no library here: ten composers, one game, well tagged."""
MAX_DURATION_S = 600.0
"""Longer ones would cost essentia more than all the others."""


@dataclass(frozen=True)
class Track:
    """One file that holds one recording."""

    path: Path
    package: str
    """The game whose soundtrack it is from."""
    group: str
    """In the library artist and album, in held-out music the composer; a unique name where none is known."""


def library_tracks(root: Path) -> list[Track]:
    """List single-track files of the 100-file library, of each recording the first."""
    records = json.loads((root / "manifest.json").read_text(encoding="utf-8"))["files"]
    found: dict[tuple[str, str], Track] = {}
    for record in records:
        if record["kind"] == "single":
            (source,) = record["sources"]
            track = Track(root / record["path"], source["package"], str(Path(record["path"]).parent))
            found.setdefault((source["package"], source["file"]), track)
    return list(found.values())


def held_out_tracks() -> list[Track]:
    """List music that is not in the library: other tracks of its packages, and another package.

    Raises
    ------
    PackageUnavailableError
        A package is not available.
    """
    catalogue = load_catalogue()
    used = {(track.package, track.path) for job in plan_library(catalogue) for track in job.sources}
    left = [track for track in catalogue if (track.package, track.path) not in used and track.seconds <= MAX_DURATION_S]
    others = [_track(track.package, track.path, track.artist) for track in left]
    unseen = [_unseen(str(path)) for path in music_files(UNSEEN_PACKAGE)]
    return [*others, *(track for track in unseen if track is not None)]


def _track(package: str, path: str, artist: str | None) -> Track:
    return Track(fetch_package(package) / path, package, artist or path)


def _unseen(path: str) -> Track | None:
    file: Any = mutagen.File(fetch_package(UNSEEN_PACKAGE) / path, easy=True)
    if not MIN_DURATION_S <= file.info.length <= MAX_DURATION_S:
        return None
    return _track(UNSEEN_PACKAGE, path, next(iter((file.tags or {}).get("artist", [])), None))
