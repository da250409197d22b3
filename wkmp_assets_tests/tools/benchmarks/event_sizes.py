"""The room that Dagster's databases take, by table and by kind of event."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Sizes:
    """Bytes."""

    bytes_in_all: int
    """Of all files below the folder."""
    tables: Mapping[str, int] = field(default_factory=dict)
    """By table or index: its pages."""
    events: Mapping[str, int] = field(default_factory=dict)
    """By kind: the text of its events."""

    def without(self, before: "Sizes") -> "Sizes":
        """Return what came after an earlier measurement."""
        tables = {name: size - before.tables.get(name, 0) for name, size in self.tables.items()}
        events = {name: size - before.events.get(name, 0) for name, size in self.events.items()}
        return Sizes(self.bytes_in_all - before.bytes_in_all, tables, events)


def measure_sizes(folder: Path) -> Sizes:
    """Measure all databases below a folder. Their write-ahead logs are copied into them first."""
    tables: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for path in sorted(folder.rglob("*.db")):
        with closing(sqlite3.connect(path, timeout=60)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            tables.update(dict(database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")))
            (has_events,) = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'event_logs'").fetchone()
            if has_events:
                query = (
                    "SELECT coalesce(dagster_event_type, 'log message'), sum(length(event)) FROM event_logs GROUP BY 1"
                )
                events.update(dict(database.execute(query)))
    in_all = sum(path.stat().st_size for path in folder.rglob("*.db*") if path.is_file())
    return Sizes(in_all, dict(tables), dict(events))
