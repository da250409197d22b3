"""Search passages by words, with SQLite's full-text index FTS5 in memory.

The index is built for each search, so the library needs no triggers and no statement more for each file.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from wkmp_assets.db.read.listing import ListedPassage

_SEARCHED = ("title", "artist", "album", "path")
_CREATE_INDEX = """
    CREATE VIRTUAL TABLE found USING fts5(title, artist, album, path, tokenize = 'unicode61 remove_diacritics 2')"""


def search_passages(passages: Sequence[ListedPassage], words: str) -> list[ListedPassage]:
    """Return the passages that have all words in title, artist, album or path, the best match first.

    Parameters
    ----------
    passages : sequence of ListedPassage
        Where to search.
    words : str
        Any text. Case and accents do not count, and a word also finds longer ones that begin with it. Text without a
        letter or digit finds nothing.
    """
    asked = " ".join('"{}"*'.format(word.replace('"', "")) for word in words.split() if _has_letter(word))
    if not asked or not passages:
        return []
    rows = ((number, *(getattr(one, name) or "" for name in _SEARCHED)) for number, one in enumerate(passages))
    with closing(sqlite3.connect(":memory:")) as index:
        index.execute(_CREATE_INDEX)
        index.executemany("INSERT INTO found (rowid, title, artist, album, path) VALUES (?, ?, ?, ?, ?)", rows)
        found = index.execute("SELECT rowid FROM found WHERE found MATCH ? ORDER BY rank", [asked])
        return [passages[number] for (number,) in found]


def _has_letter(word: str) -> bool:
    return any(letter.isalnum() for letter in word)
