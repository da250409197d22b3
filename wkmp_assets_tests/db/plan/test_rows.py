"""The rows of a committed file."""
# ruff: noqa: S608 - identifiers from the tables of this module

import json
import math
import random
import uuid
from pathlib import Path

import pytest

from wkmp_assets.model.values import FileState, FileTags
from wkmp_assets_tests.support.builders import (
    LATER,
    RATE_HZ,
    TICKS_PER_SAMPLE,
    column,
    commit,
    dump,
    entry,
    file_row,
    in_a_row,
    mbid,
    problems,
    rows,
    run_sql,
    seconds,
    sha,
    song,
)


def test_a_file_and_its_passages_are_written_as_found(database: Path) -> None:
    one = entry(bounds=in_a_row(24))
    commit(database, one)
    row = file_row(database, one.path)
    assert (row["hash"], row["status"], row["modification_time"]) == (
        sha("a"),
        "INGEST COMPLETE",
        "2026-02-01T10:00:00+00:00",
    )
    assert (row["file_size_bytes"], row["format"], row["sample_rate"], row["channels"]) == (
        1000,
        "FLAC",
        RATE_HZ,
        2,
    )
    assert row["duration_ticks"] == 600 * RATE_HZ * TICKS_PER_SAMPLE
    assert (row["artist"], row["title"], row["album"], row["track_number"], row["year"]) == (
        "Ann",
        "Title",
        "Album",
        1,
        2001,
    )
    stored = rows(database, "SELECT * FROM passages ORDER BY start_time_ticks")
    for passage, found in zip(one.passages, stored, strict=True):
        span, points, match = passage.match.span, passage.lead_points, passage.match
        quarter = span.length_samples // 4
        samples = (span.start_sample, span.start_sample + quarter, span.end_sample - quarter, span.end_sample)
        names = ("start_time_ticks", "lead_in_start_ticks", "lead_out_start_ticks", "end_time_ticks")
        assert [found[name] for name in names] == [sample * TICKS_PER_SAMPLE for sample in samples]
        assert (points.lead_in_ticks, points.lead_out_ticks) == (found[names[1]], found[names[2]])
        assert match.song is not None
        assert (found["title"], found["recording_mbid"]) == (match.song.title, match.song.recording_mbid)
        assert (found["status"], found["import_session_id"], found["file_id"]) == (
            "INGEST COMPLETE",
            "run-1",
            row["guid"],
        )
        assert (found["user_title"], found["fade_in_start_ticks"], found["fade_in_curve"]) == (
            None,
            None,
            None,
        )
        assert (
            json.loads(found["import_metadata"])["amplitude_analysis"]["parameters_used"]["lead_in_threshold_dB"]
            == -12.0
        )
    assert problems(database) == []


def test_every_song_is_linked_to_what_belongs_to_it(database: Path) -> None:
    one = entry(bounds=in_a_row(3), songs=[song("x", ["Ann", "Bob"], ["W1", "W2"]), song("y", ["Bob"], []), None])
    commit(database, one)
    links = rows(
        database,
        """SELECT p.recording_mbid, s.recording_mbid AS linked, p.song_id = s.guid AS agrees, l.start_time_ticks AS start,
                  l.end_time_ticks = p.end_time_ticks - p.start_time_ticks AS is_relative
           FROM passages p JOIN passage_songs l ON l.passage_id = p.guid JOIN songs s ON s.guid = l.song_id ORDER BY p.start_time_ticks""",  # noqa: E501
    )
    expected = [mbid("recording x"), mbid("recording y")]
    assert [link["recording_mbid"] for link in links] == [link["linked"] for link in links] == expected
    assert all(link["agrees"] and link["is_relative"] and link["start"] == 0 for link in links)
    credited = rows(
        database,
        "SELECT s.title, a.name FROM song_artists JOIN songs s ON s.guid = song_id JOIN artists a ON a.guid = artist_id ORDER BY 1, 2",  # noqa: E501
    )
    assert [tuple(credit.values()) for credit in credited] == [("x", "Ann"), ("x", "Bob"), ("y", "Bob")]
    works = rows(
        database,
        "SELECT s.title, w.title AS work, s.work_id = w.guid AS is_first FROM song_works JOIN songs s ON s.guid = song_id JOIN works w ON w.guid = song_works.work_id ORDER BY 2",  # noqa: E501
    )
    assert [tuple(one.values()) for one in works] == [("x", "W1", 1), ("x", "W2", 0)]
    assert column(database, "SELECT count(*) FROM passage_albums") == [2]
    assert column(database, "SELECT release_date FROM albums") == ["2001-02-03"]


def test_the_same_song_twice_in_a_file_is_one_song(database: Path) -> None:
    commit(database, entry(bounds=in_a_row(2), songs=[song("x"), song("x")]))
    counts = [
        column(database, f"SELECT count(*) FROM {table}")[0] for table in ("songs", "passage_songs", "song_artists")
    ]
    assert counts == [1, 2, 3]


@pytest.mark.parametrize("count", range(1, 31))
def test_the_weights_of_a_song_s_artists_sum_to_exactly_one(database: Path, count: int) -> None:
    names = [f"Artist {number % count}" for number in range(count + 2)]
    commit(database, entry(songs=[song("x", names)]))
    weights = column(database, "SELECT weight FROM song_artists ORDER BY rowid")
    assert len(weights) == count
    assert column(database, "SELECT sum(weight) FROM song_artists") == [1.0]
    assert math.fsum(weights) == 1.0
    for seed in range(5):
        random.Random(seed).shuffle(weights)
        assert sum(weights) == 1.0
    assert max(weights) - min(weights) < 1e-12


def test_one_source_says_one_thing_about_a_passage(database: Path) -> None:
    commit(database, entry(bounds=in_a_row(2), songs=[song("x"), None]))
    assert column(database, "SELECT source_type FROM import_provenance ORDER BY 1") == [
        "Chromaprint",
        "Chromaprint",
        "ID3",
    ]


def test_the_ids_depend_on_nothing_but_the_file_and_its_songs(tmp_path: Path) -> None:
    files = [entry("a.flac", "a", in_a_row(3)), entry("b.flac", "b", in_a_row(2), songs=[song("a 0"), None])]
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    commit(first, *files, run_id="run")
    for one in reversed(files):
        commit(second, one, run_id="run")
    tables = (
        "files",
        "passages",
        "songs",
        "artists",
        "works",
        "albums",
        "passage_songs",
        "song_artists",
        "import_provenance",
    )
    for table in tables:
        assert sorted(map(str, rows(first, f"SELECT * FROM {table}"))) == sorted(
            map(str, rows(second, f"SELECT * FROM {table}"))
        )


def test_what_is_written_together_lies_together_in_every_index(database: Path) -> None:
    """With evenly spread ids each row would touch a page of its own, in every index."""
    titles = [f"song {number}" for number in range(5)]
    commit(database, entry(bounds=in_a_row(5), songs=[song(title, ["Ann", "Bob"]) for title in titles]))
    of_the_file = column(
        database,
        "SELECT guid FROM files UNION ALL SELECT guid FROM passages UNION ALL SELECT id FROM import_provenance",
    )
    assert len(of_the_file) == len(set(of_the_file)) > 5
    assert len({guid[:13] for guid in of_the_file}) == 1
    commit(database, entry("b.flac", "b", in_a_row(2), songs=[song("other", ["Bob", "Ann"]), song("nobody's", [])]))
    songs = {row["title"]: row["guid"] for row in rows(database, "SELECT title, guid FROM songs")}
    assert {songs[title][:13] for title in titles} == {mbid("artist Ann")[:13]}
    assert songs["other"][:13] == mbid("artist Bob")[:13]
    assert len(set(songs.values())) == 7
    assert {uuid.UUID(guid).version for guid in [*songs.values(), *of_the_file]} == {5, 8}


def test_guids_that_exist_already_win(database: Path) -> None:
    commit(database, entry("other.flac", content="other", bounds=[]))
    one = entry(songs=[song("x", ["Zoe"], ["W"])])
    tables = {"songs": "recording_mbid", "artists": "artist_mbid", "works": "work_mbid"}
    ids = {"songs": mbid("recording x"), "artists": mbid("artist Zoe"), "works": mbid("work W")}
    extra = {"songs": "", "artists": ", name", "works": ", title"}
    for table, name in tables.items():
        value = ", 'T'" if extra[table] else ""
        run_sql(
            database,
            f"INSERT INTO {table} (guid, {name}{extra[table]}) VALUES ('old {table}', '{ids[table]}'{value})",
        )
    run_sql(
        database,
        f"INSERT INTO albums (guid, album_mbid, title) VALUES ('old albums', '{mbid('release Album')}', 'T')",
    )
    commit(database, one)
    (song_row,) = rows(database, "SELECT * FROM songs WHERE title = 'x'")
    assert (song_row["guid"], song_row["work_id"]) == ("old songs", "old works")
    assert column(database, "SELECT artist_id FROM song_artists WHERE song_id = 'old songs'") == ["old artists"]
    assert column(database, "SELECT work_id FROM song_works WHERE song_id = 'old songs'") == ["old works"]
    assert column(database, "SELECT album_id FROM passage_albums") == ["old albums"]
    assert problems(database) == []


PEOPLE_S = {
    "songs": "title = 'mine', base_probability = 2.5, min_cooldown = 1, ramping_cooldown = 2, lyrics = 'la', "
    "related_songs = '[]', last_played_at = 'now', flavor_vector = '{}', status = 'FLAVOR READY'",
    "artists": "name = 'mine', base_probability = 0, min_cooldown = 3, ramping_cooldown = 4, last_played_at = 'now'",
    "works": "title = 'mine', base_probability = 7, min_cooldown = 3, ramping_cooldown = 4, last_played_at = 'now'",
    "albums": "title = 'mine', release_date = '1999'",
    "song_artists": "weight = 0.25",
}


def test_what_people_and_players_wrote_stays(database: Path) -> None:
    commit(database, entry())
    run_sql(database, *(f"UPDATE {table} SET {values}" for table, values in PEOPLE_S.items()))
    run_sql(
        database,
        "UPDATE passages SET user_title = 'mine', fade_in_start_ticks = start_time_ticks + 5, fade_in_curve = 'cosine'",
    )
    before = {table: rows(database, f"SELECT * FROM {table}") for table in PEOPLE_S}
    commit(database, entry(state=FileState.CHANGED), now=LATER)
    assert {table: rows(database, f"SELECT * FROM {table}") for table in PEOPLE_S} == before
    (passage,) = rows(database, "SELECT * FROM passages")
    kept = [passage[name] for name in ("user_title", "fade_in_start_ticks", "fade_in_curve")]
    assert kept == ["mine", passage["start_time_ticks"] + 5, "cosine"]
    assert passage["updated_at"] == "2026-03-02 12:00:00"


def test_what_was_missing_is_filled_in(database: Path) -> None:
    commit(database, entry())
    run_sql(
        database,
        "UPDATE songs SET title = NULL, artist_name = NULL, work_id = NULL",
        "UPDATE albums SET release_date = NULL",
    )
    commit(database, entry(state=FileState.CHANGED), now=LATER)
    assert rows(database, "SELECT title, artist_name, work_id = (SELECT guid FROM works) AS has_work FROM songs") == [
        {"title": "a 0", "artist_name": "Ann & Bob & Cyd", "has_work": 1}
    ]
    assert column(database, "SELECT release_date FROM albums") == ["2001-02-03"]


TAGS = {
    "a missing value keeps the old one": (
        {"title": "X", "artist": "Y"},
        {"title": "Z"},
        {"title": "Z", "artist": "Y"},
    ),
    "a new value is added": (
        {"title": "X"},
        {"album": "B", "year": 1999},
        {"title": "X", "album": "B", "year": 1999},
    ),
    "nothing new": ({"track_number": 4}, {}, {"track_number": 4}),
}


@pytest.mark.parametrize(("old", "new", "merged"), TAGS.values(), ids=TAGS)
def test_tags_are_merged(database: Path, old: dict[str, str], new: dict[str, str], merged: dict[str, str]) -> None:
    commit(database, entry(tags=FileTags(**old)))  # type: ignore[arg-type] # from a table of cases
    commit(database, entry(content="b", tags=FileTags(**new), state=FileState.CHANGED))  # type: ignore[arg-type] # from a table of cases
    row = file_row(database, entry().path)
    names = ("title", "artist", "album", "track_number", "year")
    assert {name: row[name] for name in names if row[name] is not None} == merged


def test_an_import_of_the_same_again_changes_nothing_but_times(database: Path) -> None:
    one = entry(bounds=seconds((0, 20), (30, 50)), state=FileState.CHANGED)
    commit(database, one)
    before = dump(database)
    commit(database, one)
    after = [line for line in dump(database) if not line.startswith('INSERT INTO "import_undo"')]
    assert sorted(after) == sorted(before)


def test_the_ids_of_a_file_s_passages_lie_together(database: Path) -> None:
    """The fewer index pages a transaction touches, the shorter it holds the lock."""
    commit(database, entry(bounds=in_a_row(5)))
    (file,) = column(database, "SELECT guid FROM files")
    for query in ("SELECT guid FROM passages", "SELECT id FROM import_provenance"):
        ids_of_file = [uuid.UUID(text) for text in column(database, query)]
        assert len(set(ids_of_file)) == len(ids_of_file) >= 5
        assert {one.version for one in ids_of_file} == {8}
        assert {one.hex[:12] for one in ids_of_file} == {uuid.UUID(file).hex[:12]}
