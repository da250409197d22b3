"""Large libraries of tiny files, for code that never opens files: the sensor, and the lists of the web UI."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from wkmp_assets.db.schema import ensure_schema
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.known_files import FileStat
from wkmp_assets_tests.support.builders import sha

ALBUM_FILES = 20
ALBUMS_PER_ARTIST = 5
LONG_AGO = 1_000_000_000
"""Unix time so early that files count as settled."""


def paths_of(number: int) -> Iterator[str]:
    """Yield as many relative paths, sorted as a scan sorts them."""
    for index in range(number):
        album, track = divmod(index, ALBUM_FILES)
        artist, album = divmod(album, ALBUMS_PER_ARTIST)
        yield f"Artist {artist:05}/Album {album}/{track + 1:02} Title.mp3"


def make_tree(root: Path, number: int) -> list[str]:
    """Write that many files of a few bytes, each with its own, and return their relative paths.

    Parameters
    ----------
    root : Path
        The music folder; made if need be.
    number : int
        How many files.
    """
    paths = list(paths_of(number))
    for path in paths:
        file = root / path
        if path.endswith("/01 Title.mp3"):
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())
        os.utime(file, (LONG_AGO, LONG_AGO))
    return paths


def know_all(database: Path, root: Path, paths: Sequence[str]) -> None:
    """Create a library that knows all these files as unchanged, without passages, which are not needed here."""
    with closing(sqlite3.connect(database)) as library:
        library.execute("PRAGMA journal_mode = WAL")
        ensure_schema(library)
        with library:
            library.executemany(
                "INSERT INTO files (guid, path, hash, file_size_bytes, modification_time, status) "
                "VALUES (?, ?, ?, ?, ?, 'INGEST COMPLETE')",
                ((path, path, sha(path), stat.size_bytes, stat.modified_at) for path, stat in _stats(root, paths)),
            )


def _stats(root: Path, paths: Sequence[str]) -> Iterator[tuple[str, FileStat]]:
    for path in paths:
        yield path, read_stat(root / path)
