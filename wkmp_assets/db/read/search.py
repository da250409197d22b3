"""Search passages by words, with SQLite's full-text index FTS5 in memory.

The index is built for each search, so the library needs no triggers and no statement more for each file.
"""

from collections.abc import Sequence

import sqlite_utils

from wkmp_assets.db.read.listing import ListedPassage

_SEARCHED = ("title", "artist", "album", "path")


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
    with sqlite_utils.Database(memory=True) as database:
        table = database.table("passages", pk="id")
        table.insert_all(
            {"id": number, **{name: getattr(one, name) or "" for name in _SEARCHED}}
            for number, one in enumerate(passages)
        )
        table.enable_fts(_SEARCHED, fts_version="FTS5", tokenize="unicode61 remove_diacritics 2")
        return [passages[row["id"]] for row in table.search(asked, columns=["id"])]


def _has_letter(word: str) -> bool:
    return any(letter.isalnum() for letter in word)
