"""The import of the sample library and of the broken files, compared with their manifests record by record."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from wkmp_assets.model import ticks
from wkmp_assets_tests.support.workplace import Imported, read_manifest

SAMPLE = read_manifest("sample_library")
BROKEN = read_manifest("broken_files")


def rows(imported: Imported, query: str, *values: Any) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(imported.place.database)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]


def file_row(imported: Imported, path: str) -> dict[str, Any]:
    (row,) = rows(imported, "SELECT * FROM files WHERE path = ?", path)
    return row


def passages(imported: Imported, record: dict[str, Any]) -> list[dict[str, Any]]:
    guid = file_row(imported, record["path"])["guid"]
    return rows(imported, "SELECT * FROM passages WHERE file_id = ? ORDER BY start_time_ticks", guid)


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["path"] for record in records]


IMPORTABLE = [record for record in BROKEN if record["status"] != "FAILED"]
UNIMPORTABLE = [record for record in BROKEN if record["status"] == "FAILED"]
IDENTIFIED = [record for record in SAMPLE if record["recording_mbid"]]


def test_the_sample_library_imports_without_a_failure(imported_sample: Imported) -> None:
    assert imported_sample.result.returncode == 0, imported_sample.result.stderr
    assert rows(imported_sample, "SELECT * FROM import_failures") == []
    found = {row["path"] for row in rows(imported_sample, "SELECT path FROM files")}
    assert found == {record["path"] for record in SAMPLE}


@pytest.mark.parametrize("record", SAMPLE, ids=ids(SAMPLE))
def test_a_sample_file_becomes_what_the_manifest_says(imported_sample: Imported, record: dict[str, Any]) -> None:
    check_file(imported_sample, record)
    check_passages(imported_sample, record)


@pytest.mark.parametrize("record", IMPORTABLE, ids=ids(IMPORTABLE))
def test_a_damaged_file_is_imported_as_far_as_it_decodes(imported_broken: Imported, record: dict[str, Any]) -> None:
    check_file(imported_broken, record)
    check_passages(imported_broken, record)


def check_file(imported: Imported, record: dict[str, Any]) -> None:
    row = file_row(imported, record["path"])
    said = ("status", "format", "sample_rate", "channels", "artist", "title", "album", "track_number", "year")
    assert {name: row[name] for name in said} == {name: record[name] for name in said}
    assert row["duration_ticks"] == ticks.from_samples(record["duration_samples"], record["sample_rate"])


def check_passages(imported: Imported, record: dict[str, Any]) -> None:
    found = passages(imported, record)
    assert len(found) == len(record["passages"])
    for passage, truth in zip(found, record["passages"], strict=True):
        start, end = passage["start_time_ticks"], passage["end_time_ticks"]
        assert start / ticks.TICKS_PER_SECOND == pytest.approx(truth["start_s"], abs=record["tolerance_s"])
        assert end / ticks.TICKS_PER_SECOND == pytest.approx(truth["end_s"], abs=record["tolerance_s"])
        per_sample = ticks.TICKS_PER_SECOND // record["sample_rate"]
        assert start % per_sample == end % per_sample == 0, "boundaries are whole samples"
        assert passage["status"] == "INGEST COMPLETE"
        lead_in, lead_out = passage["lead_in_start_ticks"], passage["lead_out_start_ticks"]
        assert start <= lead_in <= lead_out <= end


@pytest.mark.parametrize("record", IDENTIFIED, ids=ids(IDENTIFIED))
def test_embedded_ids_become_a_song_with_artists_album_and_works(
    imported_sample: Imported, record: dict[str, Any]
) -> None:
    if record["status"] != "INGEST COMPLETE":
        assert passages(imported_sample, record) == []
        return
    (passage,) = passages(imported_sample, record)
    assert (passage["recording_mbid"], passage["mbid_source"]) == (record["recording_mbid"], "ID3")
    (song,) = rows(imported_sample, "SELECT * FROM songs WHERE guid = ?", passage["song_id"])
    assert (song["recording_mbid"], song["title"]) == (record["recording_mbid"], record["title"])
    artists = rows(
        imported_sample,
        "SELECT artist_mbid AS mbid, name, weight FROM song_artists JOIN artists ON guid = artist_id WHERE song_id = ?",
        song["guid"],
    )
    assert sum(artist.pop("weight") for artist in artists) == 1.0
    assert sorted(artists, key=lambda artist: artist["mbid"]) == sorted(
        record["artists"], key=lambda artist: artist["mbid"]
    )
    works = rows(
        imported_sample,
        "SELECT work_mbid AS mbid, title FROM song_works JOIN works ON guid = work_id WHERE song_id = ?",
        song["guid"],
    )
    assert sorted(works, key=lambda work: work["mbid"]) == sorted(record["works"], key=lambda work: work["mbid"])
    albums = rows(
        imported_sample,
        "SELECT album_mbid FROM passage_albums JOIN albums ON guid = album_id WHERE passage_id = ?",
        passage["guid"],
    )
    assert [album["album_mbid"] for album in albums] == [record["album_mbid"]]


def test_a_copy_and_its_original_know_each_other(imported_sample: Imported) -> None:
    copies = [record for record in SAMPLE if record["duplicate_of"]]
    assert copies, "the sample library holds a duplicate"
    for record in copies:
        copy, original = (
            file_row(imported_sample, record["path"]),
            file_row(imported_sample, record["duplicate_of"]),
        )
        assert original["guid"] in copy["matching_hashes"]
        assert copy["guid"] in original["matching_hashes"]


@pytest.mark.parametrize("record", UNIMPORTABLE, ids=ids(UNIMPORTABLE))
def test_a_file_without_sound_is_a_named_failure(imported_broken: Imported, record: dict[str, Any]) -> None:
    assert imported_broken.result.returncode == 1
    assert record["path"] in imported_broken.result.stdout
    assert rows(imported_broken, "SELECT * FROM files WHERE path = ?", record["path"]) == []
    (failure,) = rows(imported_broken, "SELECT * FROM import_failures WHERE path = ?", record["path"])
    assert failure["phase"] == record["failed_phase"]
    assert record["path"] in failure["message"]


@pytest.mark.parametrize("name", ["imported_sample", "imported_broken"])
def test_the_database_is_sound(name: str, request: pytest.FixtureRequest) -> None:
    imported = request.getfixturevalue(name)
    assert rows(imported, "PRAGMA foreign_key_check") == []
    assert rows(imported, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
