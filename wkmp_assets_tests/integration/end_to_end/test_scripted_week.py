"""A week in the life of a music collection gives exactly the right library after every day.

`pytest -s` prints the story; docs/explanation/week.md is that story (`WKMP_WRITE_WEEK=1` writes it).
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mutagen
import pytest
from dagster import DagsterInstance, RunsFilter
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets_tests.integration.end_to_end.week import LONG_AGO, Week, make_week
from wkmp_assets_tests.support.paths import ROOT, SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until

DAEMON = ["-m", "dagster._daemon", "run", "-m", "wkmp_assets.definitions"]
PAGE = ROOT / "docs" / "explanation" / "week.md"
FIRST = {
    "journey": "Maxstack/Endgame Singularity/01 A New Journey.flac",
    "coherence": "Maxstack/Endgame Singularity/02 Coherence.opus",
    "azrael": "azrael1322/azrael1.mp3",
    "geoscape": "Karl Macklin/Singles/Geoscape theme #1 (100% Orbit).mp3",
}
ALBUM = {
    "caribbean": "Will Savino/HyperRogue [Original Soundtrack]/21 Caribbean.m4a",
    "sea": "Will Savino/ハイパーローグ/22 海.m4a",
}
SATURDAY = {
    "mountain": "Lincoln Domina/HyperRogue/61 Lost Mountain.opus",
    "ufo": "Manuel 'Vanethian' Marino/Ufo_ Alien Invasion/01 Ufo AI Main Theme.ogg",
    "battlescape": "Crystan/UFO Alien Invasion/03 Battlescape… Three.m4a",
}


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Week:
    return make_week(tmp_path, monkeypatch)


def add(week: Week, recordings: dict[str, str]) -> None:
    for recording, path in recordings.items():
        week.put(SAMPLE_LIBRARY / path, path, recording)


def test_a_week_ends_with_exactly_the_right_library(week: Week) -> None:
    for day in (sunday, monday, tuesday, wednesday, thursday, friday, saturday, last_sunday):
        day(week)
    fresh = fresh_import(week)
    assert week.contents() == fresh, "what follows from bytes and paths is as in a library made today"
    week.tell("A new library of the same files holds the same passages, songs and tags under the same paths.")
    story = "\n".join(["# A week in the life of a library", "", *HEAD, *week.story, ""])
    print(story)  # noqa: T201 - the story is there to be read
    if os.environ.get("WKMP_WRITE_WEEK"):
        PAGE.write_text(story, encoding="utf-8")
    assert story == PAGE.read_text(encoding="utf-8"), "WKMP_WRITE_WEEK=1 writes it"


HEAD = [
    "`test_scripted_week.py` plays this week and writes it down. It uses real music, the real command, the real sensor",
    "and a real Dagster instance. After every day it compares the library with a ledger. Every recording still has its",
    "first guid, passages and plays, wherever its file is now.",
]


def sunday(week: Week) -> None:
    week.day("Sunday: the first import")
    add(week, FIRST)
    assert week.wkmp("import").exit_code == 0
    for recording, times in (("journey", 3), ("azrael", 2), ("coherence", 1)):
        week.play(recording, times)
    week.tell("Music is played: six plays of three recordings.")
    week.note()
    week.check()


def monday(week: Week) -> None:
    week.day("Monday: an album is copied in")
    add(week, ALBUM)
    week.tick()
    assert week.results(list(ALBUM.values())) == ["imported"] * 2
    week.tell("Two files of an album arrive, and the library has two more recordings.")
    week.note()
    week.check()
    assert not week.tick().run_requests


def tuesday(week: Week) -> None:
    week.day("Tuesday: a file is retagged")
    path = FIRST["journey"]
    tags = mutagen.File(week.music / path)
    tags["title"] = "A New Name"
    tags.save()
    os.utime(week.music / path, (LONG_AGO + 60, LONG_AGO + 60))
    week.tick()
    with week.library() as library:
        (title,) = library.execute("SELECT title FROM files WHERE path = ?", [path]).fetchone()
    assert title == "A New Name"
    week.tell("Its new title is in the library. Row, passages and plays are the same.")
    week.check()


def wednesday(week: Week) -> None:
    week.day("Wednesday: a whole artist is moved, two names are swapped")
    (week.music / "Maxstack").rename(week.music / "M")
    moved = {recording: path.replace("Maxstack", "M") for recording, path in FIRST.items() if "Maxstack" in path}
    caribbean, sea = (week.music / path for path in ALBUM.values())
    caribbean.rename(week.music / "aside")
    sea.rename(caribbean)
    (week.music / "aside").rename(sea)
    moved |= {"caribbean": ALBUM["sea"], "sea": ALBUM["caribbean"]}
    week.ledger |= moved
    week.tick()
    assert week.results(list(moved.values())) == ["moved"] * 4
    week.tell("All four are recognised by their content. Nothing is decoded.")
    week.check()


def thursday(week: Week) -> None:
    week.day("Thursday: two files are deleted, one of which was played")
    for recording in ("azrael", "geoscape"):
        shutil.rmtree(week.music / Path(FIRST[recording]).parts[0])
        week.ledger[recording] = None
    gone = [FIRST["geoscape"], FIRST["azrael"]]
    assert not week.tick().run_requests
    week.check(missing=gone)
    listed = week.wkmp("missing").stdout
    assert all(path in listed for path in gone)
    week.tell("The command lists both.")
    before = dump(week)
    assert week.wkmp("prune").exit_code == 0
    assert dump(week) == before, "shown only"
    assert week.wkmp("prune", "--yes").exit_code == 0
    week.tell("The file that was played is kept.")
    week.check(missing=[FIRST["azrael"]])


def friday(week: Week) -> None:
    week.day("Friday: the disk is unmounted, and mounted again")
    before = dump(week), partitions(week)
    week.music.rename(week.place / "unplugged")
    week.music.mkdir()
    with pytest.raises(LibraryRootError, match="check that its disk is mounted"):
        week.tick()
    week.tell("The sensor: an error, check that the disk is mounted.")
    assert week.wkmp("import").exit_code == 1
    assert week.wkmp("prune", "--yes", "--with-history", "--emptied").exit_code == 1
    assert (dump(week), partitions(week)) == before
    week.music.rmdir()
    (week.place / "unplugged").rename(week.music)
    assert not week.tick().run_requests
    assert (dump(week), partitions(week)) == before
    week.check(missing=[FIRST["azrael"]])


def saturday(week: Week) -> None:
    week.day("Saturday: the machine is switched off in the middle of an import")
    add(week, SATURDAY)
    known = len(week.statuses())
    week.tell("Three files are copied in, and the daemon imports them, two at once.")
    kill_daemon_when(week, lambda: len(week.statuses()) > known)
    week.tell("After the first file, the daemon and all its processes are killed (SIGKILL).")
    whole = set(week.statuses()) & set(SATURDAY.values())
    assert whole
    assert all(week.statuses()[path] == "INGEST COMPLETE" for path in whole)
    kill_daemon_when(week, lambda: set(SATURDAY.values()) <= set(week.statuses()) and is_idle())
    week.tell("The daemon starts again and imports the other files.")
    week.note()
    week.check(missing=[FIRST["azrael"]])


def last_sunday(week: Week) -> None:
    week.day("Sunday: a copy, an original that goes, and a backup")
    copy = "Unsorted/copy of the ufo.ogg"
    week.put(SAMPLE_LIBRARY / SATURDAY["ufo"], copy, "copy")
    del week.ledger["copy"]
    week.tell("A file is copied to another folder.")
    week.tick()
    week.check(missing=[FIRST["azrael"]], copies=[copy])
    week.tell("The original is deleted.")
    (week.music / SATURDAY["ufo"]).unlink()
    week.ledger["ufo"] = copy
    week.tick()
    assert week.results([copy]) == ["moved"]
    week.tick()
    week.check(missing=[FIRST["azrael"], SATURDAY["ufo"]])
    week.tell("The copy takes the place of its original, with its passages.")
    add(week, {recording: FIRST[recording] for recording in ("azrael", "geoscape")})
    week.put(SAMPLE_LIBRARY / SATURDAY["ufo"], SATURDAY["ufo"], "copy")
    del week.ledger["copy"]
    week.tell("Everything is restored from a backup.")
    assert week.wkmp("import").exit_code == 0
    week.check(copies=[SATURDAY["ufo"]])
    assert week.wkmp("import").exit_code == 0


def dump(week: Week) -> list[str]:
    with closing(sqlite3.connect(week.database)) as library:
        return list(library.iterdump())


def partitions(week: Week) -> list[str]:
    with DagsterInstance.get() as instance:
        return list(instance.get_dynamic_partitions(partitions_name(week.settings)))


def kill_daemon_when(week: Week, is_time: Callable[[], bool]) -> None:
    """Let Dagster's daemon import new files, one per run, and kill all processes at a given moment."""
    environment = {**os.environ, "WKMP_FILES_PER_RUN": "1", "WKMP_WATCH": "1"}
    with (week.place / "killed.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *DAEMON], env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
        try:
            printed = week.place / "killed.log"
            wait_until(is_time, lambda: f"it is time:\n{printed.read_text()[-2000:]}", look_every_s=0.1)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            ended = process.wait()
    assert ended == -signal.SIGKILL, "it was at work until then"


def is_idle() -> bool:
    with DagsterInstance.get() as instance:
        return not instance.get_runs_count(RunsFilter(statuses=NOT_FINISHED_STATUSES))


def fresh_import(week: Week) -> object:
    """Import the same files into another library, with another Dagster home."""
    place = week.place / "fresh"
    (place / "home").mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", place / "home")
    environment = {**os.environ, "DAGSTER_HOME": str(place / "home"), "WKMP_DATABASE": str(place / "wkmp.db")}
    command = [sys.executable, "-m", "wkmp_assets.cli.main", "import", str(week.music)]
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)
    return week.contents(place / "wkmp.db")
