"""A program like the WKMP player: it reads and writes the library all the time during an import, without the gate.

It is started with the database's path, stops when its standard input closes, and prints a JSON summary.
"""

import json
import os
import random
import select
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

TABLES = (
    "CREATE TABLE IF NOT EXISTS play_history (passage_id TEXT REFERENCES passages(guid) ON DELETE CASCADE)",
    "CREATE TABLE IF NOT EXISTS queue (passage_guid TEXT)",
)
UNFINISHED = """
SELECT f.path FROM files AS f WHERE f.status NOT IN ('INGEST COMPLETE', 'DUPLICATE HASH', 'NO AUDIO')
UNION ALL
SELECT f.path FROM files AS f WHERE f.status = 'INGEST COMPLETE'
  AND NOT EXISTS (SELECT 1 FROM passages AS p WHERE p.file_id = f.guid)
UNION ALL
SELECT 'passage ' || p.guid FROM passages AS p WHERE p.status <> 'INGEST COMPLETE'
  OR p.song_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM passage_songs AS l WHERE l.passage_id = p.guid)
  OR NOT EXISTS (SELECT 1 FROM import_provenance AS i WHERE i.passage_id = p.guid)
UNION ALL
SELECT 'failure ' || path FROM import_failures"""
WRITES = {
    "play_history": "INSERT INTO play_history (passage_id) VALUES (?)",
    "queue": "INSERT INTO queue (passage_guid) VALUES (?)",
    "user_title": "UPDATE passages SET user_title = 'mine', updated_at = CURRENT_TIMESTAMP WHERE guid = ?",
}


def ticks() -> Iterator[None]:
    """Yield every 2 ms, until standard input closes."""
    while not select.select([sys.stdin], [], [], 0.002)[0]:
        yield


def play(database: str) -> dict[str, object]:
    """Read and write until told to stop."""
    while not os.path.exists(database):  # noqa: PTH110 - a program of few imports
        time.sleep(0.01)
    done: Counter[str] = Counter()
    unfinished: list[str] = []
    chance = random.Random(7)
    with closing(sqlite3.connect(database, isolation_level=None, timeout=1800)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        while not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'import_failures'").fetchone():
            time.sleep(0.01)
        for table in TABLES:
            connection.execute(table)
        for _ in ticks():
            unfinished += [name for (name,) in connection.execute(UNFINISHED)]
            done["reads"] += 1
            passages = [guid for (guid,) in connection.execute("SELECT guid FROM passages ORDER BY guid")]
            if passages:
                what = chance.choice([*WRITES, "play_history", "queue"])
                try:
                    connection.execute(WRITES[what], [chance.choice(passages)])
                    done[what] += 1
                except sqlite3.IntegrityError:  # the import has deleted this passage after it was listed
                    done["gone"] += 1
    return {"done": dict(done), "unfinished": unfinished}


if __name__ == "__main__":
    print(json.dumps(play(sys.argv[1])))  # noqa: T201 - what it has to say
