"""Search passages by words, with SQLite's full-text index FTS5 in memory.

The index is built for each search, so the library needs no triggers and no statement more for each file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.read.listing import ListedPassage, open_listed, read_named_passages, select_names

_CREATE_INDEX = """
    CREATE VIRTUAL TABLE found USING fts5(title, artist, album, path, tokenize = 'unicode61 remove_diacritics 2')"""


@dataclass(frozen=True)
class FoundPassages:
    """What a search found."""

    best: Sequence[ListedPassage]
    """As many as were asked for, the best match first."""
    count: int
    """How many there are."""


def search_passages(database: Path, words: str, within: str = "", limit: int | None = None) -> FoundPassages:
    """Find the passages that have all words in title, artist, album or path.

    Parameters
    ----------
    database : Path
        The library.
    words : str
        Any text. Case and accents do not count, and a word also finds longer ones that begin with it. Text without a
        letter or digit finds nothing.
    within : str
        A folder below its root; `""` for all.
    limit : int, optional
        How many to read; None for all.
    """
    asked = " ".join('"{}"*'.format(word.replace('"', "")) for word in words.split() if _has_letter(word))
    if not asked:
        return FoundPassages((), 0)
    guids = _match(database, asked, within)
    named = read_named_passages(database, guids[:limit])
    return FoundPassages([named[guid] for guid in guids[:limit] if guid in named], len(guids))


def _match(database: Path, asked: str, within: str) -> list[str]:
    """Return the guids of the passages that fulfil an expression of FTS5, the best match first."""
    guids: list[str] = []

    def rows(connection: sqlite3.Connection) -> Iterator[tuple[str | None, ...]]:
        for guid, *texts in select_names(connection, within):
            guids.append(str(guid))
            yield tuple(texts)

    with open_listed(database) as connection, closing(sqlite3.connect(":memory:")) as index:
        if connection is None:
            return []
        index.execute(_CREATE_INDEX)
        index.executemany("INSERT INTO found (title, artist, album, path) VALUES (?, ?, ?, ?)", rows(connection))
        # Rows are numbered from 1 in their order.
        found = index.execute("SELECT rowid FROM found WHERE found MATCH ? ORDER BY rank, rowid", [asked])
        return [guids[number - 1] for (number,) in found]


def _has_letter(word: str) -> bool:
    return any(letter.isalnum() for letter in word)
