"""An identified library is imported again without answers of the services; real runs with all checks."""

import shutil
from pathlib import Path
from typing import Any

import mutagen
import pytest
from werkzeug import Response

from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.builders import problems, rows, run_sql
from wkmp_assets_tests.support.checked_library import MIX, SONG, TAKE, CheckedLibrary, Evaluations, checked_library
from wkmp_assets_tests.support.memory_instance import memory_instance
from wkmp_assets_tests.support.music_services import MusicServices, know_everything, music_services

pytestmark = pytest.mark.slow

KNOWN = """
SELECT f.path, p.guid, p.start_time_ticks, p.song_id, p.recording_mbid, p.title, p.artist, p.album, p.title_source,
       p.title_confidence, p.artist_source, p.artist_confidence, p.album_source, p.album_confidence, p.mbid_source,
       p.mbid_confidence, p.user_title
FROM passages AS p JOIN files AS f ON f.guid = p.file_id ORDER BY f.path, p.start_time_ticks"""
SONG_LINKS = "SELECT passage_id, song_id, start_time_ticks, end_time_ticks FROM passage_songs ORDER BY 1, 2"
ALBUM_LINKS = "SELECT passage_id, album_id FROM passage_albums ORDER BY 1, 2"
PEOPLES = "SELECT guid, base_probability, lyrics FROM songs ORDER BY guid"
CHECKS = ("file_is_all_or_nothing", "reads_outside_transaction", "locks_per_file")


@pytest.fixture(scope="module")
def identified_once(tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool) -> Path:
    """A folder with a library of three files and five passages with songs from the services, and its state."""
    folder = tmp_path_factory.mktemp("identified")
    with checked_library(folder, workers) as library, music_services() as services:
        know_everything(services)
        for name, source in (("mix.flac", MIX), ("song.flac", SONG), ("take.wav", TAKE)):
            library.add(name, source)
        library.with_settings(**services.settings).import_all()
        assert sum(row["song_id"] is not None for row in rows(library.database, KNOWN)) == 5
    return folder


@pytest.fixture
def identified(identified_once: Path, library: CheckedLibrary) -> CheckedLibrary:
    """A copy of it, without an API key, in an instance without receipts of it."""
    shutil.copytree(identified_once, library.music.parent, dirs_exist_ok=True)
    return library


def knowledge(library: CheckedLibrary) -> list[Any]:
    return [rows(library.database, query) for query in (KNOWN, SONG_LINKS, ALBUM_LINKS, PEOPLES)]


def assert_sound(library: CheckedLibrary, evaluations: Evaluations) -> None:
    assert problems(library.database) == []
    judged = [evaluations[name] for name in CHECKS if name in evaluations]
    assert "file_is_all_or_nothing" in evaluations
    assert [one.description for one in judged if not one.passed] == []


def retag(library: CheckedLibrary) -> None:
    """Change the genre of the tagged files."""
    for path in library.music.glob("*.flac"):
        tags = mutagen.File(path)
        tags["genre"] = ["Another"]
        tags.save()


def test_a_retag_without_a_key(identified: CheckedLibrary) -> None:
    before = knowledge(identified)
    retag(identified)
    assert_sound(identified, identified.import_all())
    assert knowledge(identified) == before


def test_another_state_folder(identified: CheckedLibrary, tmp_path: Path) -> None:
    before = knowledge(identified)
    other = identified.with_settings(state_dir=tmp_path / "other state")
    assert_sound(other, other.import_all(force=True))
    assert knowledge(other) == before


def test_a_library_that_moved_with_its_database(identified: CheckedLibrary, tmp_path: Path) -> None:
    before = knowledge(identified)
    music = tmp_path / "moved"
    shutil.move(identified.music, music)
    with memory_instance() as instance:
        moved = CheckedLibrary(music, instance, identified._workers, state_dir=tmp_path / "new state")
        assert_sound(moved, moved.import_all(force=True))
        assert knowledge(moved) == before


@pytest.mark.parametrize("force", [False, True])
def test_a_database_that_wkmp_made(identified: CheckedLibrary, tmp_path: Path, *, force: bool) -> None:
    """Such a library has no receipts, fingerprints or sources, but values that people entered."""
    run_sql(
        identified.database,
        "DELETE FROM import_provenance",
        "UPDATE passages SET title_source = NULL, title_confidence = NULL, artist_source = NULL, "
        "artist_confidence = NULL, album_source = NULL, album_confidence = NULL, mbid_source = NULL, "
        "mbid_confidence = NULL, identity_confidence = NULL, import_session_id = NULL, import_timestamp = NULL, "
        "import_strategy = NULL, user_title = 'mine'",
        "UPDATE songs SET base_probability = 0.25, lyrics = 'la la'",
    )
    songs = "SELECT guid, song_id, recording_mbid, user_title FROM passages ORDER BY guid"
    before = [rows(identified.database, query) for query in (songs, SONG_LINKS, PEOPLES)]
    if not force:
        retag(identified)
    with memory_instance() as instance:  # an instance without receipts of this library
        other = CheckedLibrary(identified.music, instance, identified._workers, state_dir=tmp_path / "other state")
        assert_sound(other, other.import_all(force=force))
    assert [rows(identified.database, query) for query in (songs, SONG_LINKS, PEOPLES)] == before


def test_a_service_that_is_down(identified: CheckedLibrary, services: MusicServices, tmp_path: Path) -> None:
    before = knowledge(identified)
    retag(identified)
    services.acoustid_behaviour = services.musicbrainz_behaviour = lambda _request: Response("", 503)
    asking = identified.with_settings(**services.settings, state_dir=tmp_path / "other state")
    evaluations = asking.import_all()
    assert_sound(asking, evaluations)
    assert not evaluations["lookups_complete"].passed, "they are still to be looked up"
    assert [row["song_id"] for row in knowledge(asking)[0]] == [row["song_id"] for row in before[0]]
    assert knowledge(asking)[1:] == before[1:]


def test_a_service_that_knows_none_replaces(
    identified: CheckedLibrary, services: MusicServices, tmp_path: Path
) -> None:
    retag(identified)
    services.default_results = lambda _fingerprint: []
    asking = identified.with_settings(**services.settings, state_dir=tmp_path / "other state")
    assert_sound(asking, asking.import_all())
    left = [row["song_id"] for row in knowledge(asking)[0] if row["path"] == "mix.flac"]
    assert not any(left)


def test_boundaries_after_other_settings(identified: CheckedLibrary, tmp_path: Path) -> None:
    before = knowledge(identified)
    run_sql(
        identified.database,
        "INSERT INTO settings (key, value) VALUES ('silence_min_duration_ticks', '282240000') "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    other = identified.with_settings(state_dir=tmp_path / "other state")
    assert_sound(other, other.import_all(force=True))
    (joined,) = (row for row in knowledge(other)[0] if row["path"] == "mix.flac")
    assert joined["song_id"] in {row["song_id"] for row in before[0] if row["path"] == "mix.flac"}
    record = other.instance.fetch_materializations(_entry_of("mix.flac"), limit=1).records[0]
    assert record.asset_materialization is not None
    assert str(record.asset_materialization.metadata["warnings"].value).count("no passage of its own any more") == 2


def test_the_receipt_and_the_numbers_say_it(identified: CheckedLibrary) -> None:
    retag(identified)
    identified.import_all()
    record = identified.instance.fetch_materializations(_entry_of("mix.flac"), limit=1).records[0]
    assert record.asset_materialization is not None
    said = record.asset_materialization.metadata["kept"].value
    assert said == "3 passages known before: kept because no service was asked"


def _entry_of(key: str) -> Any:
    import dagster as dg

    return dg.AssetRecordsFilter(asset_key=dg.AssetKey("library_entry"), asset_partitions=[key])
