"""The music on which flavors are calibrated and judged: soundtracks of Debian packages, split by album for good.

No track is in both halves, and neither is an album: constants come from one half, reported figures from the other.
"""

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import mutagen
import numpy as np
from numpy.typing import NDArray

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.files.hashing import hash_file
from wkmp_assets_tests.tools.datasets.debian_music import MUSIC_SUFFIXES, fetch_package

FOLDERS = {
    "asc-music": "usr/share/games/asc/music",
    "btanks-data": "usr/share/games/btanks/data/tunes",
    "colobot-common-sounds": "usr/share/games/colobot/music",
    "drascula-music": "usr/share/scummvm/drascula/audio",
    "extremetuxracer-data": "usr/share/games/etr/music",
    "fillets-ng-data": "usr/share/games/fillets-ng/music",
    "freedroidrpg-data": "usr/share/freedroidrpg/data/sound/music",
    "frozen-bubble-data": "usr/share/games/frozen-bubble/snd",
    "hedgewars-data": "usr/share/games/hedgewars/Data/Music",
    "hyperrogue-music": "usr/share/hyperrogue/music",
    "lordsawar-data": "usr/share/games/lordsawar/music",
    "lugaru-data": "usr/share/games/lugaru/Sounds",
    "megaglest-data": "usr/share/games/megaglest",
    "naev-data": "usr/share/naev/dat/snd/music",
    "nexuiz-music": "usr/share/games/nexuiz/data/music.pk3.d",
    "openclonk-data": "usr/share/games/openclonk/Music.ocg",
    "singularity-music": "usr/share/games/singularity/music",
    "supertux-data": "usr/share/games/supertux2/music",
    "supertuxkart-data": "usr/share/games/supertuxkart/data/music",
    "ufoai-music": "usr/share/games/ufoai/base/0music.pk3.d/music",
    "unknown-horizons": "usr/share/unknown-horizons/content/audio/music",
    "warzone2100-music": "usr/share/games/warzone2100/music",
    "wesnoth-1.16-music": "usr/share/games/wesnoth/1.16/data/core/music",
    "widelands-data": "usr/share/games/widelands/data/music",
    "xmoto-data": "usr/share/games/xmoto/Textures/Musics",
}
"""Debian package -> where its music is. A package is one album: the soundtrack of one game."""
MIN_DURATION_S = 45.0
MAX_DURATION_S = 600.0
"""Longer ones would cost essentia more than all the others."""
MAX_TRACKS = 8
"""Per album, evenly over its files, so that no album decides."""
MIN_TRACKS = 3


class Half(StrEnum):
    """What a track serves for."""

    CALIBRATION = "calibration"
    """Constants are computed and variants compared on it."""
    REPORT = "report"
    """Figures are reported from it; it decides nothing."""


@dataclass(frozen=True)
class CorpusTrack:
    """One track."""

    path: Path
    album: str
    half: Half


def corpus_cache() -> Path:
    """Return the folder for downloads, in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wkmp_corpus"


def halves() -> dict[str, Half]:
    """Return the half of every album: those with the lower hashes serve for calibration."""
    ordered = sorted(FOLDERS, key=lambda album: hashlib.sha256(album.encode()).hexdigest())
    count = len(ordered) // 2
    return {album: Half.CALIBRATION if rank < count else Half.REPORT for rank, album in enumerate(ordered)}


def corpus_tracks(cache: Path | None = None) -> list[CorpusTrack]:
    """List the tracks, in a fixed order.

    Raises
    ------
    PackageUnavailableError
        A package is not available.
    """
    half_of = halves()
    found = []
    for album, folder in FOLDERS.items():
        paths = _chosen(fetch_package(album, cache or corpus_cache()) / folder)
        found += [CorpusTrack(path, album, half_of[album]) for path in paths]
    return found


def corpus_pcm(path: Path, cache: Path | None = None) -> NDArray[np.int16]:
    """Return the PCM of a file as an import keeps it. It is decoded once and stays in the cache."""
    store = PcmStore((cache or corpus_cache()) / "pcm", 2**40)
    target = store.path_for(hash_file(path, path.name))
    if not target.exists():
        measure_file(path, pcm_path=target, display_path=path.name)
    return np.fromfile(target, "<i2")


def _chosen(folder: Path) -> list[Path]:
    """Choose tracks evenly over a folder; an album with fewer than `MIN_TRACKS` has none."""
    fitting = [path for path in sorted(folder.rglob("*")) if _fits(path)]
    if len(fitting) < MIN_TRACKS:
        return []
    count = min(MAX_TRACKS, len(fitting))
    return [fitting[number * len(fitting) // count] for number in range(count)]


def _fits(path: Path) -> bool:
    if path.suffix.lower() not in MUSIC_SUFFIXES or path.is_symlink() or not path.is_file():
        return False
    file = mutagen.File(path)
    return file is not None and MIN_DURATION_S <= file.info.length <= MAX_DURATION_S
