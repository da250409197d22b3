"""Keep a library open for the length of a run or a command, and leave it at rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.write.rest import bring_leftovers_to_rest


@contextmanager
def keep_open(database: Path) -> Iterator[None]:
    """Keep one idle connection open within the block, so that other connections open and close cheaply.

    When the last connection closes, SQLite checkpoints the write-ahead log. The next one to open rebuilds the log's
    index under the write lock. An idle connection holds no lock and saves both. It is read-only and closes last, so
    it cannot empty the log. Therefore the log is emptied after it, including one that an earlier import left behind.
    """
    with open_reader(database) as connection:
        if connection is not None:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        try:
            yield
        finally:
            if connection is not None:
                connection.close()
            bring_leftovers_to_rest(database)
