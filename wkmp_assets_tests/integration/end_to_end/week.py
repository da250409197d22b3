"""A music collection during a week: its files, sensor ticks, commands, and the rows its library must have.

The ledger has the path of every recording, or None when its file is gone. Guid, passages and plays are noted at the
first import and must never change. The story has no times, so that it is the same every time.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from dagster import DagsterInstance

from wkmp_assets.cli.main import main
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.report.text import counted
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.kept_workers import kept_workers
from wkmp_assets_tests.support.music_services import MusicServices
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.sensor_tick import run_tick

LONG_AGO = 1_700_000_000
"""Unix time so early that files count as settled."""
_SAID = ("Files", "Missing", "Error", "Removed", "To be removed", "Nothing")
"""Beginnings of output lines that go into the story."""
_ABOUT = """
SELECT hash, duration_ticks, format, sample_rate, channels, artist, title, album, track_number, year
FROM files WHERE status = 'INGEST COMPLETE'"""
_PASSAGES = """
SELECT f.hash, p.start_time_ticks, p.end_time_ticks, p.lead_in_start_ticks, p.lead_out_start_ticks, p.title, p.artist,
       p.recording_mbid, p.song_id, p.musical_flavor_vector
FROM passages AS p JOIN files AS f ON f.guid = p.file_id
WHERE f.status = 'INGEST COMPLETE' ORDER BY p.start_time_ticks"""

_SONGS = """
SELECT p.guid, p.song_id, p.recording_mbid, p.user_title, s.base_probability, s.lyrics
FROM passages AS p LEFT JOIN songs AS s ON s.guid = p.song_id
WHERE p.guid IN (SELECT value FROM json_each(?)) ORDER BY p.start_time_ticks"""
_LINKS = """
WITH of_file AS (SELECT * FROM passage_songs WHERE passage_id IN (SELECT value FROM json_each(?)))
SELECT passage_id, song_id FROM of_file
UNION SELECT song_id, artist_id FROM song_artists WHERE song_id IN (SELECT song_id FROM of_file)
UNION SELECT song_id, work_id FROM song_works WHERE song_id IN (SELECT song_id FROM of_file)"""


@dataclass(frozen=True)
class Identity:
    """The rows that a recording got at its first import."""

    guid: str
    passages: tuple[str, ...]
    plays: int
    songs: tuple[tuple[object, ...], ...]
    """Song of every passage, with what a person entered for either."""
    links: frozenset[tuple[object, ...]]
    """Songs of passages, artists and works of songs. More may be found later."""


@dataclass
class Week:
    """A collection, its library (in another folder, as on a machine with a disk for music), and the story."""

    place: Path
    workers: WorkerPool
    services: MusicServices | None = None
    """What the imports ask; None: they have no key."""
    story: list[str] = field(default_factory=list)
    ledger: dict[str, str | None] = field(default_factory=dict)
    """Recording -> path of its file, None when it is gone."""
    first: dict[str, Identity] = field(default_factory=dict)

    @property
    def music(self) -> Path:
        return self.place / "music"

    @property
    def database(self) -> Path:
        return self.place / "wkmp.db"

    @property
    def settings(self) -> Settings:
        return load_settings()

    def environment(self) -> dict[str, str]:
        return {
            "DAGSTER_HOME": str(self.place / "home"),
            "WKMP_LIBRARY_ROOT": str(self.music),
            "WKMP_DATABASE": str(self.database),
            "WKMP_WATCH_SETTLE_S": "0",
            "WKMP_WORKERS": "1",
            **(self.services.environment if self.services else {}),
        }

    def day(self, title: str) -> None:
        self.story.append(f"\n## {title}\n")

    def tell(self, line: str) -> None:
        self.story.append(f"- {line}")

    def put(self, source: Path, path: str, recording: str | None = None, *, at: int = LONG_AGO) -> None:
        """Copy a file into the collection in one step."""
        target = self.music / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        os.utime(target, (at, at))
        self.ledger[recording or path] = path

    def wkmp(self, *arguments: str) -> Result:
        """Run the real command in this process, and add its output to the story."""
        with kept_workers():
            result = CliRunner().invoke(main, [*arguments, str(self.music)], env={"COLUMNS": "1000"})
        self.tell_command(arguments, result.stdout + result.stderr, result.exit_code)
        return result

    def tell_command(self, arguments: Sequence[str], printed: str, exit_status: int) -> None:
        """Add a command and what it printed to the story."""
        said = [" ".join(line.split()) for line in printed.splitlines() if line.startswith(_SAID)]
        told = "; ".join(line.replace(str(self.place), "").partition(" (in library_scan")[0] for line in said)
        self.tell(f"`wkmp {' '.join(arguments)}`: {told or 'done'} (exit status {exit_status})")

    def tick(self, told: str = "") -> dg.SensorResult:
        """Evaluate the sensor once and run its requests, as the daemon does; tell the result or `told`."""
        with DagsterInstance.get() as instance:
            result = run_tick(self.settings, instance, self.workers)
        requests = result.run_requests or ()
        files = sum(int(request.tags["wkmp/files"]) for request in requests)
        said = f"imports {counted(files, 'file')}" if requests else str(getattr(result.skip_reason, "skip_message", ""))
        self.tell(f"The sensor: {told or said}.")
        return result

    def results(self, paths: Sequence[str]) -> list[str]:
        """Result of the last import of each file."""
        keys = [encode_key(path) for path in paths]
        with DagsterInstance.get() as instance:
            commits = recorded_commits(instance, self.settings, keys)
        return [commits[key].result for key in keys]

    def note(self) -> None:
        """Note the rows of the recordings that are new today."""
        for recording, path in self.ledger.items():
            if path is not None and recording not in self.first:
                self.first[recording] = self.identity(path)

    def identity(self, path: str) -> Identity:
        with self.library() as library:
            guid = library.execute("SELECT guid FROM files WHERE path = ?", [path]).fetchone()["guid"]
            query = "SELECT guid FROM passages WHERE file_id = ? ORDER BY start_time_ticks"
            passages = tuple(row["guid"] for row in library.execute(query, [guid]))
            marks = json.dumps(passages)
            plays = "SELECT count(*) FROM play_history WHERE passage_id IN (SELECT value FROM json_each(?))"
            played = library.execute(plays, [marks]).fetchone()[0]
            songs, links = (map(tuple, library.execute(text, [marks])) for text in (_SONGS, _LINKS))
            return Identity(guid, passages, played, tuple(songs), frozenset(links))

    @contextmanager
    def library(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.database, isolation_level=None)) as library:
            library.row_factory = sqlite3.Row
            library.execute("PRAGMA foreign_keys = ON")
            yield library

    def play(self, recording: str, times: int) -> None:
        """Play a recording, as the player notes it."""
        path = self.ledger[recording]
        with self.library() as library:
            library.execute(
                "CREATE TABLE IF NOT EXISTS play_history (guid TEXT PRIMARY KEY, passage_id TEXT NOT NULL "
                "REFERENCES passages(guid) ON DELETE CASCADE)"
            )
            query = "SELECT p.guid FROM passages AS p JOIN files AS f ON f.guid = p.file_id WHERE f.path = ?"
            passage = library.execute(query, [path]).fetchone()["guid"]
            for number in range(times):
                library.execute("INSERT INTO play_history VALUES (?, ?)", [f"{recording} {number}", passage])

    def edit(self, recording: str) -> None:
        """Enter a title for a recording, and lyrics and a probability for its song, as the review program does."""
        path = self.ledger[recording]
        with self.library() as library:
            query = "SELECT p.* FROM passages AS p JOIN files AS f ON f.guid = p.file_id WHERE f.path = ?"
            passage = library.execute(query, [path]).fetchone()
            library.execute("UPDATE passages SET user_title = 'mine' WHERE guid = ?", [passage["guid"]])
            song = "UPDATE songs SET lyrics = 'la la', base_probability = 0.25 WHERE guid = ?"
            assert library.execute(song, [passage["song_id"]]).rowcount == 1

    def statuses(self) -> dict[str, str]:
        with self.library() as library:
            return {row["path"]: row["status"] for row in library.execute("SELECT path, status FROM files")}

    def missing(self) -> list[str]:
        with self.library() as library:
            return [row["path"] for row in library.execute("SELECT path FROM missing_files ORDER BY path")]

    def contents(self, database: Path | None = None) -> tuple[dict[str, str], dict[str, Any]]:
        """Return path -> content, and the rows of each content, as far as only bytes and paths determine them.

        Which of several copies is the original depends on the order of imports.
        """
        with closing(sqlite3.connect(database or self.database)) as library:
            held: dict[str, Any] = {content: [tuple(rest)] for content, *rest in library.execute(_ABOUT)}
            for content, *rest in library.execute(_PASSAGES):
                held[content].append(tuple(rest))
            return dict(library.execute("SELECT path, hash FROM files").fetchall()), held

    def check(self, *, missing: Sequence[str] = (), copies: Sequence[str] = ()) -> None:
        """Compare the library with the ledger: exactly these files, each with the rows of its first import."""
        there = {path for path in self.ledger.values() if path is not None}
        assert set(self.statuses()) == there | set(missing) | set(copies)
        assert self.missing() == sorted(missing)
        for recording, path in self.ledger.items():
            if path is not None and recording in self.first:
                now, first = self.identity(path), self.first[recording]
                assert replace(now, links=first.links) == first, f"{recording}: {now}, at first {first}"
                assert now.links >= first.links, recording
        with self.library() as library:
            assert library.execute("PRAGMA foreign_key_check").fetchall() == []
            assert library.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        played = sum(identity.plays for identity in self.first.values())
        known = [identity for recording, identity in self.first.items() if self.ledger[recording]]
        songs = len({song for identity in known for _, song, *_ in identity.songs if song})
        found = [counted(len(there), "recording"), counted(len(copies), "copy", "copies"), f"{len(missing)} missing"]
        self.tell(
            f"The library holds what it must: {', '.join(found)}, {counted(songs, 'song')}, {counted(played, 'play')}."
        )


def make_week(
    place: Path, monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, services: MusicServices | None = None
) -> Week:
    """Begin a week in a folder, with an empty collection, and set this process's environment to it."""
    made = Week(place, workers, services)
    made.music.mkdir()
    make_home(place / "home")
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made


def make_home(home: Path) -> None:
    """Make a DAGSTER_HOME with the dagster.yaml of the repository."""
    home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home)
