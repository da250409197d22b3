"""A week in the life of a music collection gives exactly the right library after every day.

`pytest -s` prints the story; docs/explanation/week.md is that story (`WKMP_WRITE_WEEK=1` writes it).
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import mutagen
import pytest
from click.testing import CliRunner
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from werkzeug import Response

from wkmp_assets.cli.main import main
from wkmp_assets.errors import LibraryRootError
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.integration.end_to_end.week import LONG_AGO, Week, make_home, make_week
from wkmp_assets_tests.support.builders import column, rows
from wkmp_assets_tests.support.library_rows import a_player, library_rows, rows_of_a_copy
from wkmp_assets_tests.support.music_services import MusicServices, know_everything
from wkmp_assets_tests.support.paths import ROOT, SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.wkmp_made import make_wkmp_library
from wkmp_assets_tests.support.workplace import Workplace

STARTING = (DagsterRunStatus.STARTING,)
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


WEDNESDAY = {"caves": "Shawn Parrotte & NeonCorridor/HyperRogue/02 Living Caves.flac"}
OLD = ("Unsorted/untitled take.wav", "Maxstack/Сингулярность/03 Пробуждение.ogg")
"""Files of another collection, whose library WKMP made."""
_OLD_KNOWLEDGE = (
    "SELECT guid, file_id, song_id, user_title FROM passages ORDER BY guid",
    "SELECT guid, recording_mbid, base_probability, lyrics FROM songs ORDER BY guid",
    "SELECT passage_id, album_id FROM passage_albums ORDER BY passage_id",
    "SELECT guid, passage_id FROM play_history ORDER BY guid",
)
_DOWN = Response(status=503, headers={"Retry-After": "3600"})
_TEXTS = "SELECT guid, title, artist, album FROM passages ORDER BY guid"
_ALBUMS = "SELECT passage_id, album_id FROM passage_albums ORDER BY 1, 2"


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, services: MusicServices) -> Week:
    know_everything(services)
    return make_week(tmp_path, monkeypatch, workers, services)


def add(week: Week, recordings: dict[str, str]) -> None:
    for recording, path in recordings.items():
        week.put(SAMPLE_LIBRARY / path, path, recording)


def test_three_days_end_with_exactly_the_right_library(week: Week) -> None:
    """The short form of the week."""
    for day in (sunday, monday, tuesday):
        day(week)
    assert week.contents() == fresh_import(week)


@pytest.mark.long
def test_a_week_ends_with_exactly_the_right_library(week: Week) -> None:
    first = (sunday, monday, tuesday, wednesday, thursday, friday, saturday)
    for day in (*first, second_sunday, second_monday, second_tuesday, second_wednesday):
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
    "`test_scripted_week.py` plays this week and three more days, and writes them down. It uses real music, the real",
    "command, the real sensor and a real Dagster instance. A local server plays AcoustID and MusicBrainz. After every",
    "day it compares the library with a ledger. Every recording still has its first guid, passages, songs, links,",
    "plays and edits, wherever its file is now.",
]


def sunday(week: Week) -> None:
    week.day("Sunday: the first import")
    add(week, FIRST)
    assert week.wkmp("import").exit_code == 0
    for recording, times in (("journey", 3), ("azrael", 2), ("coherence", 1)):
        week.play(recording, times)
    week.tell("Music is played: six plays of three recordings.")
    week.edit("journey")
    week.tell("Somebody enters a title for a passage, and lyrics and a probability for its song.")
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
    week.tell("Three files are copied in, and the daemon imports them in two runs at once.")
    # Dagster gives up a run that was launched and has not begun only after a minute. So all have begun.
    kill_daemon_when(week, lambda instance: len(week.statuses()) > known and not count_runs(instance, STARTING))
    week.tell("After the first file, the daemon and all its processes are killed (SIGKILL).")
    whole = set(week.statuses()) & set(SATURDAY.values())
    assert whole
    assert all(week.statuses()[path] == "INGEST COMPLETE" for path in whole)
    kill_daemon_when(
        week,
        lambda instance: (
            set(SATURDAY.values()) <= set(week.statuses()) and not count_runs(instance, NOT_FINISHED_STATUSES)
        ),
    )
    week.tell("The daemon starts again and imports the other files.")
    week.note()
    week.check(missing=[FIRST["azrael"]])


def second_sunday(week: Week) -> None:
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


def second_monday(week: Week) -> None:
    week.day("Monday: a library that WKMP made is adopted, without a network")
    place = Workplace(week.place / "old" / "home", week.place / "old" / "music", {"WKMP_WORKERS": "1"})
    make_home(place.home)
    for path in OLD:
        (place.music / path).parent.mkdir(parents=True)
        shutil.copy2(SAMPLE_LIBRARY / path, place.music / path)
    make_wkmp_library(place.database, place.music, OLD)
    week.tell("Another collection has a library of WKMP's own import: songs, albums, plays, and what a person entered.")
    before = [rows(place.database, query) for query in _OLD_KNOWLEDGE]
    for options in ((), ("--force",)):
        with a_player(place.database):
            result = place.wkmp("import", *options, place.music)
            week.tell_command(["import", *options], result.stdout + result.stderr, result.returncode)
            assert result.returncode == 0
            assert rows_of_a_copy(place.database) == library_rows(place.database)
        assert [rows(place.database, query) for query in _OLD_KNOWLEDGE] == before
    assert column(place.database, "SELECT count(*) FROM files WHERE format = 'Unknown'") == [0]
    quarters = "SELECT count(*) FROM passages WHERE lead_in_start_ticks = end_time_ticks / 4"
    assert column(place.database, quarters) == [0]
    week.tell("Formats and lead points are measured. Every song, link, play and edit is as it was.")
    week.check(copies=[SATURDAY["ufo"]])


def second_tuesday(week: Week) -> None:
    week.day("Tuesday: files are retagged while the services are down")
    assert week.services is not None
    week.services.acoustid_behaviour = week.services.musicbrainz_behaviour = lambda _request: _DOWN
    shutil.rmtree(week.settings.state_dir / "services")
    for recording in ("journey", "coherence", "mountain"):
        tags = mutagen.File(week.music / str(week.ledger[recording]))
        tags["genre"] = "Another"
        tags.save()
    before = [rows(week.database, query) for query in (_TEXTS, _ALBUMS)]
    with a_player(week.database):
        assert week.wkmp("import").exit_code == 0
        assert [rows(week.database, query) for query in (_TEXTS, _ALBUMS)] == before
        week.tell("Titles, artists and albums of the three files are kept, too.")
        week.check(copies=[SATURDAY["ufo"]])
        shutil.copyfile(week.database, week.place / "backup.db")
    week.tell("In the evening, `wkmp.db` is copied, and no file beside it.")


def second_wednesday(week: Week) -> None:
    week.day("Wednesday: yesterday's `wkmp.db` is restored")
    assert week.services is not None
    week.services.acoustid_behaviour = week.services.musicbrainz_behaviour = lambda _request: None
    add(week, WEDNESDAY)
    week.tick()
    week.note()
    week.check(copies=[SATURDAY["ufo"]])
    for file in week.place.glob("wkmp.db*"):
        file.unlink()
    shutil.copyfile(week.place / "backup.db", week.database)
    assert WEDNESDAY["caves"] not in week.statuses()
    week.tell("A file is copied in and imported. Then the disk with the library breaks, and the copy takes its place.")
    with a_player(week.database):
        week.tick()
        week.check(copies=[SATURDAY["ufo"]])
        assert rows_of_a_copy(week.database) == library_rows(week.database)
    week.tell("The file is imported again and has the same rows. A copy of `wkmp.db` alone holds all of them.")


def dump(week: Week) -> list[str]:
    with closing(sqlite3.connect(week.database)) as library:
        return list(library.iterdump())


def partitions(week: Week) -> list[str]:
    with DagsterInstance.get() as instance:
        return list(instance.get_dynamic_partitions(partitions_name(week.settings)))


def kill_daemon_when(week: Week, is_time: Callable[[DagsterInstance], bool]) -> None:
    """Let Dagster's daemon import new files, two per run, and kill all processes at a given moment."""
    environment = {**os.environ, "WKMP_FILES_PER_RUN": "2", "WKMP_WATCH": "1"}
    with (week.place / "killed.log").open("ab") as log, DagsterInstance.get() as instance:
        process = subprocess.Popen(
            [sys.executable, *DAEMON], env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
        try:
            printed = week.place / "killed.log"
            wait_until(
                lambda: is_time(instance), lambda: f"it is time:\n{printed.read_text()[-2000:]}", look_every_s=0.1
            )
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            ended = process.wait()
    assert ended == -signal.SIGKILL, "it was at work until then"


def count_runs(instance: DagsterInstance, statuses: Sequence[DagsterRunStatus]) -> int:
    return instance.get_runs_count(RunsFilter(statuses=statuses))


def fresh_import(week: Week) -> object:
    """Import the same files into another library, with another Dagster home."""
    place = week.place / "fresh"
    make_home(place / "home")
    elsewhere = {"DAGSTER_HOME": str(place / "home"), "WKMP_DATABASE": str(place / "wkmp.db")}
    result = CliRunner().invoke(main, ["import", str(week.music)], env=elsewhere)
    assert result.exit_code == 0, result.stderr
    return week.contents(place / "wkmp.db")
