"""The committed list of tracks the 100-file library is planned from.

With it the plan is the same everywhere, and a part of the library needs only a part of the packages. Rebuild
it with `python -m wkmp_assets_tests.tools.datasets.catalogue` when packages change; that downloads all of them.
"""

import json
import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import Any

import mutagen

from wkmp_assets_tests.tools.datasets.debian_music import (
    PackageUnavailableError,
    fetch_package,
    music_files,
    package_version,
)
from wkmp_assets_tests.tools.datasets.licences import licence_of
from wkmp_assets_tests.tools.datasets.pcm import NoLoudSpanError, find_loud_span, opens_with_libav, read_pcm

CATALOGUE = Path(__file__).with_name("catalogue.json")
PACKAGES = (
    "asc-music",
    "colobot-common-sounds",
    "hedgewars-data",
    "hyperrogue-music",
    "nexuiz-music",
    "planetblupi-music-ogg",
    "singularity-music",
    "supertux-data",
    "ufoai-music",
    "warzone2100-music",
)
MUSIC_FOLDERS = frozenset({"music", "cdtracks"})
MIN_DURATION_S = 45.0
RATES = frozenset({22_050, 44_100, 48_000})
PIECE_FROM_S = 3
MAX_PIECE_DURATION_S = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Track:
    """One track of a Debian package.

    Parameters
    ----------
    frames : > 0
        Exact length as decoded, without packets that cannot be decoded.
    libav : bool
        Whether libav opens it; the rest need libsndfile.
    bad_packets : >= 0
        Packets left out while decoding.
    makes_pieces : bool
        Has a minute of uninterrupted music, so that pieces for multi-track files can be cut from it.
    """

    package: str
    version: str
    path: str
    licence: str
    frames: int
    rate: int
    channels: int
    libav: bool
    bad_packets: int
    makes_pieces: bool
    title: str | None
    artist: str | None
    album: str | None
    track: int | None
    date: str | None

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate

    @property
    def suffix(self) -> str:
        """Ending of the file name, with the dot."""
        return PurePosixPath(self.path).suffix.lower()


def load_catalogue(path: Path = CATALOGUE) -> list[Track]:
    """Read the committed list, in its order: by package, then by path."""
    return [Track(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def build_catalogue() -> list[Track]:
    """Decode every track of every package and describe those of at least 45 s."""
    found = [(package, str(path)) for package in PACKAGES for path in music_files(package) if _is_music(path)]
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        tracks = pool.map(describe, *zip(*found, strict=True), chunksize=4)
        return [track for track in tracks if track.seconds >= MIN_DURATION_S and track.rate in RATES]


def describe(package: str, path: str) -> Track:
    """Decode one track and describe it."""
    folder = fetch_package(package)
    pcm = read_pcm(folder / path)
    try:
        find_loud_span(pcm, from_s=PIECE_FROM_S, length_s=MAX_PIECE_DURATION_S)
        makes_pieces = True
    except NoLoudSpanError:
        makes_pieces = False
    return Track(
        package=package,
        version=package_version(package),
        path=path,
        licence=licence_of(package, folder, PurePosixPath(path)),
        frames=pcm.frames,
        rate=pcm.rate,
        channels=pcm.channels,
        libav=opens_with_libav(folder / path),
        bad_packets=pcm.bad_packets,
        makes_pieces=makes_pieces,
        **_source_tags(folder / path),
    )


def _is_music(path: Path) -> bool:
    return not MUSIC_FOLDERS.isdisjoint(part.lower() for part in path.parts)


def _source_tags(path: Path) -> dict[str, Any]:
    try:
        tags = mutagen.File(path, easy=True).tags or {}
    except mutagen.MutagenError:
        tags = {}
    texts = {key: _first(tags, key) for key in ("title", "artist", "album", "date", "tracknumber")}
    number = (texts.pop("tracknumber") or "").split("/")[0]
    return {**texts, "track": int(number) if number.isdecimal() and int(number) > 0 else None}


def _first(tags: Any, key: str) -> str | None:
    texts = [text.strip() for text in tags.get(key, [])]
    return next((text for text in texts if text), None)


def main() -> int:
    """Rebuild the committed list; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        tracks = build_catalogue()
    except PackageUnavailableError:
        log.exception("The catalogue could not be built.")
        return 1
    rows = [asdict(track) for track in tracks]
    CATALOGUE.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    log.info("%d tracks, %.1f hours", len(tracks), sum(track.seconds for track in tracks) / 3600)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
