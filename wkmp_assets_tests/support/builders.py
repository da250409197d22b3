"""Build results of the phases, commit them, and read the library through another connection."""

import hashlib
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from wkmp_assets.db.commit import FileCommitter
from wkmp_assets.db.connection import open_reader, snapshot
from wkmp_assets.db.plan.file_plan import candidate_file_guids, plan_file
from wkmp_assets.db.read.file_state import read_state
from wkmp_assets.model.batch import FileCommit, WriteBatch
from wkmp_assets.model.file_entry import FileEntry, PassageEntry, passage_entry
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.outcomes import Outcome, Result
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import (
    Artist,
    AudioProperties,
    Candidate,
    Cover,
    CoverKind,
    CoverSource,
    Envelope,
    FileIdentity,
    FileState,
    FileTags,
    Fingerprints,
    Flavors,
    KnownRelease,
    LeadPointParameters,
    LeadPoints,
    PassageFingerprint,
    PassageFlavor,
    PassageLeadPoints,
    PassageLookup,
    PassageMatch,
    PassageSegments,
    PathNames,
    RecordingLookups,
    Release,
    SegmentationParameters,
    Song,
    SongMatches,
    SoundMeasures,
    Span,
    Work,
)

RATE_HZ = 44_100
TICKS_PER_SAMPLE = 640
ODD = FileWarning(WarningKind.OVER_SEGMENTED, "odd")
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
MODIFIED = "2026-02-01 10:00:00"
Bounds = Sequence[tuple[int, int]]


def sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def mbid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def artist(name: str) -> Artist:
    return Artist(mbid(f"artist {name}"), name)


def work(title: str) -> Work:
    return Work(mbid(f"work {title}"), title)


def release(title: str = "Album", date: str | None = "2001-02-03") -> Release:
    return Release(mbid(f"release {title}"), title, date)


def known_release(
    title: str = "Album", date: str | None = "2001-02-03", *, is_official: bool = True, is_plain_album: bool = True
) -> KnownRelease:
    return KnownRelease(release(title, date), is_official, is_plain_album)


def song(title: str, artists: Sequence[str] = ("Ann", "Bob", "Cyd"), works: Sequence[str] = ("Opus",)) -> Song:
    credit = " & ".join(artists) or None
    return Song(mbid(f"recording {title}"), title, credit, tuple(map(artist, artists)), tuple(map(work, works)))


def seconds(*bounds: tuple[float, float]) -> Bounds:
    """Return intervals in seconds as samples."""
    return [(round(start * RATE_HZ), round(end * RATE_HZ)) for start, end in bounds]


def in_a_row(count: int) -> Bounds:
    """Return `count` passages of 20 s with 3 s between them."""
    return seconds(*((number * 23.0, number * 23.0 + 20.0) for number in range(count)))


def match(bounds: tuple[int, int], song: Song | None, *, album: Release | None = None) -> PassageMatch:
    title = song.title if song else None
    level, score = (MatchLevel.HIGH, 1.0) if song else (MatchLevel.NONE, 0.0)
    return PassageMatch(Span(*bounds), level, score, "ID3" if song else None, title, "Ann", "Album", song, album)


def lead_points(span: Span) -> PassageLeadPoints:
    quarter = span.length_samples // 4
    return PassageLeadPoints(span, span.start_sample + quarter, span.end_sample - quarter, 0.3, False, False)


def fingerprint(span: Span) -> PassageFingerprint:
    return PassageFingerprint(span, "AQAD", span.length_samples / RATE_HZ)


def passage(bounds: tuple[int, int], song: Song | None, *, album: Release | None = None) -> PassageEntry:
    """Return one passage of a file's entry, with the results of all phases."""
    span = Span(*bounds)
    return passage_entry(match(bounds, song, album=album), lead_points(span), fingerprint(span), None, RATE_HZ)


def flavor(span: Span, bright: float = 0.25, classes: dict[str, dict[str, float]] | None = None) -> PassageFlavor:
    """Return a flavor with as few characteristics as possible."""
    measured = {
        "user.brightness": {"bright": bright, "dark": 1 - bright},
        "user.tempo": {"bpm_100": 0.5, "bpm_125": 0.25, "bpm_155": 0.25},
    }
    return PassageFlavor(span, measured, SoundMeasures(123.4, "Eb", "minor", 0.75, -15.5, 14.1, -14.87), classes or {})


def audio(total_samples: int = 600 * RATE_HZ) -> AudioProperties:
    return AudioProperties("FLAC", RATE_HZ, 2, total_samples, 0.9)


def identity(content: str = "a", state: FileState = FileState.NEW, **known: Any) -> FileIdentity:
    return FileIdentity(state, sha(content), **{"size_bytes": 1000, "modified_at": MODIFIED} | known)


LEAD_PARAMETERS = LeadPointParameters(-12.0, -12.0)


def entry(
    path: str = "Artist/Album/01.flac",
    content: str = "a",
    bounds: Bounds | None = None,
    *,
    songs: Sequence[Song | None] | None = None,
    state: FileState = FileState.NEW,
    tags: FileTags | None = None,
    **known: Any,
) -> FileEntry:
    """Return the entry of a file with content, by default with one identified passage."""
    bounds = in_a_row(1) if bounds is None else bounds
    songs = [song(f"{content} {number}") for number in range(len(bounds))] if songs is None else songs
    passages = tuple(
        passage(span, played, album=release() if played else None) for span, played in zip(bounds, songs, strict=True)
    )
    tags = tags or FileTags(title="Title", artist="Ann", album="Album", track_number=1, year=2001)
    heard = audio()
    duration_ticks = heard.total_samples * TICKS_PER_SAMPLE
    return FileEntry(path, identity(content, state, **known), tags, heard, duration_ticks, passages, LEAD_PARAMETERS)


def bare(path: str, content: str = "a", state: FileState = FileState.DUPLICATE, **known: Any) -> FileEntry:
    """Return the entry of a file whose content no phase has read: a duplicate, or a moved or touched file."""
    return FileEntry(path, identity(content, state, **known))


def done(value: FileEntry) -> Result[FileEntry]:
    return Result(value, value.identity.content_hash)


def commit(
    database: Path,
    *outcomes: FileEntry | tuple[str, Outcome[FileEntry]],
    now: datetime = NOW,
    run_id: str = "run-1",
) -> dict[str, FileCommit]:
    """Commit entries, or paths with other outcomes, as one run; return path -> commit."""
    given = dict((one.path, done(one)) if isinstance(one, FileEntry) else one for one in outcomes)
    with FileCommitter(database, run_id=run_id, now=lambda: now) as committer:
        commits = list(committer.commit_all({encode_key(path): outcome for path, outcome in given.items()}))
    by_key = {one.key: one for one in commits}
    return {path: by_key[encode_key(path)] for path in given}


def prepared(database: Path, one: FileEntry, now: datetime = NOW, run_id: str = "run-1") -> WriteBatch:
    """Return the batch for an entry and the current library."""
    with open_reader(database) as reader:
        assert reader is not None
        with snapshot(reader):
            state = read_state(reader, one, candidate_file_guids(one))
    return plan_file(one, state, Stamp(now, run_id))


@contextmanager
def meanwhile(action: Callable[[], None]) -> Iterator[list[WriteBatch]]:
    """Call a function whenever a file was read and planned, before it is written; yield the batches so far."""
    batches: list[WriteBatch] = []

    def plan_then_act(*arguments: Any) -> WriteBatch:
        batches.append(plan_file(*arguments))
        action()
        return batches[-1]

    with mock.patch("wkmp_assets.db.commit.plan_file", plan_then_act):
        yield batches


def meanwhile_sql(database: Path, *statements: str) -> AbstractContextManager[list[WriteBatch]]:
    """Let another connection execute one statement before each try, until none are left."""
    left = iter(statements)

    def execute_next() -> None:
        for statement in left:
            run_sql(database, statement)
            break

    return meanwhile(execute_next)


@contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """Open another connection, which commits each statement."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows(database: Path, query: str, *values: Any) -> list[dict[str, Any]]:
    with opened(database) as connection:
        return [dict(row) for row in connection.execute(query, values)]


def column(database: Path, query: str, *values: Any) -> list[Any]:
    return [next(iter(row.values())) for row in rows(database, query, *values)]


def file_row(database: Path, path: str) -> dict[str, Any]:
    (row,) = rows(database, "SELECT * FROM files WHERE path = ?", path)
    return row


def run_sql(database: Path, *statements: str) -> None:
    with opened(database) as connection:
        for statement in statements:
            connection.execute(statement)


def dump(database: Path) -> list[str]:
    """Return the whole database as statements."""
    with opened(database) as connection:
        return list(connection.iterdump())


def problems(database: Path) -> list[Any]:
    """Return the problems that SQLite finds in the file and its references."""
    with opened(database) as connection:
        integrity = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        return integrity + [tuple(row) for row in connection.execute("PRAGMA foreign_key_check")]


_HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=1800)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
if float(sys.argv[2]) < 0:
    sys.stdin.read()
else:
    time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
connection.close()
"""


@contextmanager
def write_lock_held(database: Path, for_s: float = -1) -> Iterator[None]:
    """Let another process hold SQLite's write lock without the gate, for a time or for the block."""
    command = [sys.executable, "-c", _HOLD, str(database), str(for_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate()
    assert holder.returncode == 0


def phase_values() -> dict[str, Any]:
    """Return one value of every phase, with every field set."""
    one = entry(bounds=in_a_row(2))
    envelope = Envelope(RATE_HZ, 441, 1000, np.array([0.0, 0.25, 1e-9], dtype=np.float32))
    spans = tuple(item.match.span for item in one.passages)
    segments = PassageSegments(audio(), envelope, spans, SegmentationParameters(60.0, 42_336_000, 2_822_400), (ODD,))
    candidate = Candidate(song("Song"), 200.5, mbid("acoustid"), 0.9, 0.8, 1.0, 0.88)
    lookups = (
        PassageLookup(
            spans[0],
            LookupOutcome.MATCH,
            (candidate,),
            (KnownRelease(release(), is_official=True, is_plain_album=True),),
        ),
        PassageLookup(spans[1], LookupOutcome.DEFERRED, detail="MusicBrainz: HTTP 503"),
    )
    return {
        "file_identity": identity(state=FileState.MOVED, moved_from="Old/Ä.flac", duplicate_of=None),
        "file_tags": FileTags(
            "T",
            "A",
            "B",
            3,
            1999,
            mbid("r"),
            (artist("Ann"),),
            release(),
            (work("W"),),
            (FileWarning(WarningKind.IGNORED_TAGS, "w"),),
            PathNames(("T",), ("A",)),
            covers=(Cover(CoverKind.FRONT, f"{sha('c')[:2]}/{sha('c')}.jpg", 600, 500, CoverSource.BESIDE),),
        ),
        "passage_segments": segments,
        "fingerprints": Fingerprints(tuple(map(fingerprint, spans))),
        "recording_lookups": RecordingLookups(lookups, asked=3, from_cache=1),
        "song_matches": SongMatches(
            tuple(replace(item.match, lookup=lookup) for item, lookup in zip(one.passages, lookups, strict=True))
        ),
        "lead_points": LeadPoints(tuple(map(lead_points, spans)), LEAD_PARAMETERS),
        "flavors": Flavors(tuple(flavor(span) for span in spans)),
        "library_entry": one,
    }
