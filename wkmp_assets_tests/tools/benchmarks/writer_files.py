"""Invented files to write, as large as the results of the real phases."""

import random
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from wkmp_assets.model.file_entry import EntryFingerprint, FileEntry, PassageEntry
from wkmp_assets.model.ticks import to_seconds
from wkmp_assets.model.values import FileTags
from wkmp_assets_tests.support.builders import entry, in_a_row, passage, release, song
from wkmp_assets_tests.tools.datasets.catalogue import load_catalogue
from wkmp_assets_tests.tools.datasets.hundred_plan import plan_library

FINGERPRINT_LENGTH = 2300
"""Characters: the average in an import of the 100-file library."""


@cache
def files_of(process: int, count: int, passages: int) -> tuple[FileEntry, ...]:
    """Return the files of one process, different from every other's.

    Songs, works and album are a file's own; of a song's two artists one is in all of the process' files and one in
    all files of all processes.
    """
    return tuple(
        _file(
            f"Artist {process}/Album {number}/{number:03d}.flac",
            [f"Song {process} {number} {position}" for position in range(passages)],
            artists=[f"Artist {process}", "Orchestra"],
            album=f"Album {process} {number}",
        )
        for number in range(count)
    )


def hundred_files() -> list[FileEntry]:
    """Return the files of the 100-file library: its paths, tags and number of passages, with everything identified.

    Its copies get content of their own: the baseline knows no duplicates.
    """
    return [
        _file(
            job.path,
            [f"{job.path} {position}" for position in range(len(job.sources) if job.kind == "multi" else 1)],
            artists=[job.tags.artist or "Unknown"],
            album=job.tags.album or "Unknown",
        )
        for job in plan_library(load_catalogue())
    ]


def _file(path: str, titles: Sequence[str], *, artists: Sequence[str], album: str) -> FileEntry:
    listed = [
        _with_fingerprint(passage(bounds, song(title, artists, [title]), album=release(album)), title)
        for bounds, title in zip(in_a_row(len(titles)), titles, strict=True)
    ]
    tags = FileTags(title=titles[0], artist=artists[0], album=album, track_number=1, year=2001)
    return replace(entry(path, path, [], tags=tags), passages=tuple(listed))


def _with_fingerprint(made: PassageEntry, title: str) -> PassageEntry:
    text = urlsafe_b64encode(random.Random(title).randbytes(3 * FINGERPRINT_LENGTH // 4)).decode()
    return replace(made, fingerprint=EntryFingerprint(text, to_seconds(made.length_ticks)))
