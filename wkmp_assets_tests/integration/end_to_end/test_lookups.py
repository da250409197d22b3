"""Imports of the sample library with AcoustID and MusicBrainz, both simulated on this machine."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug import Response

from wkmp_assets_tests.support.library_rows import library_rows
from wkmp_assets_tests.support.music_services import KEY, MusicServices, know_everything, music_services
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.workplace import Imported, Workplace, make_workplace


@dataclass(frozen=True)
class Beside:
    """A workplace and the services that its imports ask."""

    place: Workplace
    services: MusicServices
    printed: str = ""


def make_beside(folder: Path, services: MusicServices, key: str = KEY) -> Workplace:
    know_everything(services)
    place = make_workplace(folder, SAMPLE_LIBRARY)
    place.extra = services.environment | {"WKMP_ACOUSTID_API_KEY": key, "HOME": str(folder)}
    return place


def import_(place: Workplace, *options: str) -> str:
    result = place.wkmp("import", place.music, *options)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def query(place: Workplace, text: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(place.database)) as connection:
        return connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def identified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    with music_services() as services:
        place = make_beside(tmp_path_factory.mktemp("identified"), services)
        yield Beside(place, services, import_(place))


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    with music_services() as services:
        yield Beside(make_beside(tmp_path, services), services)


def test_every_passage_that_was_heard_has_a_song(identified: Beside) -> None:
    heard = query(
        identified.place, "SELECT count(DISTINCT passage_id) FROM import_provenance WHERE source_type = 'Chromaprint'"
    )
    with_song = query(identified.place, "SELECT count(*), count(DISTINCT song_id) FROM passages WHERE song_id NOT NULL")
    assert with_song[0][0] == heard[0][0] > 15
    assert query(identified.place, "SELECT count(*) FROM passages WHERE mbid_source = 'MusicBrainz'")[0][0] > 10
    assert query(identified.place, "SELECT count(*) FROM songs WHERE guid NOT IN (SELECT song_id FROM song_works)") == [
        (0,)
    ]
    weights = query(identified.place, "SELECT sum(weight) FROM song_artists GROUP BY song_id")
    assert {total for (total,) in weights} == {1.0}
    assert query(
        identified.place, "SELECT count(*) FROM passages WHERE guid NOT IN (SELECT passage_id FROM passage_albums)"
    )


def test_files_of_one_folder_are_of_one_release(identified: Beside) -> None:
    rows = query(
        identified.place,
        """SELECT files.path, albums.title FROM albums JOIN passage_albums ON albums.guid = album_id
        JOIN passages ON passages.guid = passage_id JOIN files ON files.guid = file_id""",
    )
    by_folder: dict[str, set[str]] = {}
    for path, title in rows:
        by_folder.setdefault(str(path).rpartition("/")[0], set()).add(str(title))
    # Three passages without tags, and two files without an album in a folder whose other files name one.
    assert by_folder["Various Artists/Mixes"] == {"All Together"}
    assert by_folder["Maxstack/Endgame Singularity"] == {"Endgame: Singularity (Advanced Research)", "All Together"}
    # A recording that is alone in its folder gets the older release.
    assert next(iter(by_folder["Karl Macklin/Singles"])).startswith("Album ")


def test_names_of_file_and_folder_are_evidence_that_is_kept(identified: Beside) -> None:
    documents = [
        path.read_text(encoding="utf-8") for path in identified.place.home.rglob("phases/**/*") if path.is_file()
    ]
    assert sum('"names": {"file": ["untitled take"], "folders": ["Unsorted"]}' in text for text in documents) == 1


def test_it_still_is_one_lock_per_file(identified: Beside) -> None:
    assert "1.00 per file written, at most 1" in identified.printed


def test_the_library_says_what_was_asked_and_what_spoke_for_it(identified: Beside) -> None:
    rows = query(
        identified.place, "SELECT data_extracted, confidence FROM import_provenance WHERE source_type = 'Lookup'"
    )
    assert len(rows) > 15
    for text, confidence in rows:
        said = json.loads(str(text))
        assert said["outcome"] == "match"
        assert said["candidates"][0]["confidence"] == confidence


@pytest.mark.long
def test_a_warm_cache_sends_nothing_and_rows_are_the_same_with_any_cache(identified: Beside) -> None:
    before, asked = library_rows(identified.place.database), len(identified.services.asked)
    import_(identified.place, "--force")
    assert len(identified.services.asked) == asked
    assert library_rows(identified.place.database) == before
    shutil.rmtree(identified.place.home / ".wkmp" / "services")
    import_(identified.place, "--force")
    assert len(identified.services.asked) > asked
    assert library_rows(identified.place.database) == before


@pytest.mark.long
def test_importing_again_while_the_services_are_gone_keeps_what_they_said(identified: Beside) -> None:
    before = library_rows(identified.place.database)
    shutil.rmtree(identified.place.home / ".wkmp" / "services")
    identified.services.acoustid_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "3600"})
    try:
        printed = import_(identified.place, "--force")
    finally:
        identified.services.acoustid_behaviour = lambda _request: None
    assert "that an earlier import found (AcoustID: HTTP 503" in printed
    assert library_rows(identified.place.database) == before


def test_the_key_is_nowhere(identified: Beside) -> None:
    assert KEY not in identified.printed
    files = [file for root in (identified.place.home, identified.place.music) for file in root.rglob("*")]
    assert any(file.name == "AcoustID.sqlite" for file in files)
    assert [file for file in files if file.is_file() and KEY.encode() in file.read_bytes()] == []


@pytest.mark.long
def test_what_was_deferred_is_completed_without_decoding(beside: Beside, identified: Beside) -> None:
    beside.services.acoustid_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "3600"})
    printed = import_(beside.place)
    assert "AcoustID: HTTP 503, come back in 3600 s" in printed
    assert "--retry-deferred" in printed
    assert "12 files have deferred lookups" in beside.place.wkmp("status", beside.place.music).stdout
    assert beside.services.count("AcoustID") == 1
    deferred = query(beside.place, "SELECT count(*) FROM passages WHERE song_id IS NULL")[0][0]
    assert isinstance(deferred, int)
    assert deferred > 10
    beside.services.acoustid_behaviour = lambda _request: None
    segments = beside.place.home / ".wkmp"
    before = {file: file.stat().st_mtime_ns for file in segments.rglob("passage_segments/*/*.json")}
    assert before
    beside.services.acousticbrainz_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "3600"})
    printed = import_(beside.place, "--retry-deferred")
    assert "to look up again" in printed
    assert "1.00 per file written, at most 1" in printed
    assert "passages without classes yet (AcousticBrainz: HTTP 503, come back in 3600 s)" in printed
    assert "12 files lack only classes, and AcousticBrainz is not asked: HTTP 503" in import_(
        beside.place, "--retry-deferred"
    )
    beside.services.acousticbrainz_behaviour = lambda _request: None
    assert "12 to look up again" in import_(beside.place, "--retry-deferred")
    assert {file: file.stat().st_mtime_ns for file in segments.rglob("passage_segments/*/*.json")} == before
    assert library_rows(beside.place.database) == library_rows(identified.place.database)
    assert "0 to look up again" in import_(beside.place, "--retry-deferred")


def test_a_refused_key_is_said_and_stops_no_import(beside: Beside) -> None:
    beside.place.extra["WKMP_ACOUSTID_API_KEY"] = "Not-The-Key"
    for folder in beside.place.music.iterdir():
        if folder.is_dir() and folder.name != "Maxstack":
            shutil.rmtree(folder)
    printed = import_(beside.place)
    assert printed.count("refused the application key") == 1
    assert "Not-The-Key" not in printed
    assert beside.services.count("AcoustID") == 1
    assert query(beside.place, "SELECT count(*) FROM files WHERE status = 'INGEST COMPLETE'") == [(3,)]


def test_without_a_key_nobody_is_asked(imported_sample: Imported) -> None:
    assert "Deferred" not in imported_sample.result.stdout
    assert not (imported_sample.place.home / ".wkmp" / "services").exists()


def test_everything_again_and_nothing_but_the_deferred_is_no_command(workplace: Workplace) -> None:
    result = workplace.wkmp("import", workplace.music, "--force", "--retry-deferred")
    assert result.returncode == 2
    assert "give only one of them" in result.stderr
