"""`wkmp import --complete`: real files whose rows are as WKMP leaves them."""
# ruff: noqa: S608 - literals of this module

import json
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.files.walk import read_stat
from wkmp_assets_tests.support.builders import column, mbid, problems, rows, run_sql
from wkmp_assets_tests.support.checked_library import BROKEN, MIX, SONG
from wkmp_assets_tests.support.half_made import set_back
from wkmp_assets_tests.support.wkmp_made import make_wkmp_library
from wkmp_assets_tests.support.workplace import Workplace, make_workplace

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """A song with tags, three songs in one file, and a file that cannot be decoded; all complete, says WKMP.

    WKMP has found a song for every passage, and people have used them.
    """
    source = tmp_path / "source"
    source.mkdir()
    for name, file in (("song.flac", SONG), ("mix.flac", MIX)):
        (source / name).write_bytes(file.read_bytes())
    place = make_workplace(tmp_path, source)
    assert place.wkmp("import", place.music).returncode == 0
    set_back(place.database)
    (place.music / "text.mp3").write_bytes(BROKEN.read_bytes())
    stat = read_stat(place.music / "text.mp3")
    run_sql(
        place.database,
        "INSERT INTO files (guid, path, hash, format, file_size_bytes, modification_time, status) VALUES "
        f"('broken', 'text.mp3', 'x', 'MP3', {stat.size_bytes}, '{stat.modified_at}', 'INGEST COMPLETE')",
        "INSERT INTO passages (guid, file_id, end_time_ticks, status) VALUES "
        "('broken', 'broken', 282240000, 'INGEST COMPLETE')",
        *(f"INSERT INTO songs (guid, recording_mbid) VALUES ('s{n}', '{mbid(str(n))}')" for n in range(3)),
        "UPDATE passages SET song_id = 's' || (SELECT count(*) FROM passages AS before "
        "WHERE before.file_id = passages.file_id AND before.start_time_ticks < passages.start_time_ticks) "
        "WHERE song_id IS NULL AND guid <> 'broken'",
        "UPDATE songs SET lyrics = 'la la', base_probability = 0.25",
        "UPDATE passages SET user_title = 'mine'",
    )
    return place


def run(place: Workplace, *arguments: str) -> str:
    """What a command prints, without line ends."""
    return " ".join(place.wkmp(*arguments, place.music).stdout.split())


def read_status(place: Workplace) -> Any:
    return json.loads(place.wkmp("status", "--json", place.music).stdout)


def test_what_wkmp_left_half_made_is_named_and_completed_once(place: Workplace) -> None:
    edited = (
        "SELECT p.guid, p.song_id, p.user_title, s.lyrics, s.base_probability FROM passages AS p "
        "JOIN songs AS s ON s.guid = p.song_id ORDER BY p.guid"
    )
    before = rows(place.database, edited)
    assert len(before) == 4
    assert [file["path"] for file in read_status(place)["incomplete"]] == ["mix.flac", "song.flac", "text.mp3"]
    assert f"wkmp import {place.music} --complete" in run(place, "status")
    plain = run(place, "import")
    assert "3 files that WKMP left half-made (" in plain
    assert ": wkmp import FOLDER --complete" in plain
    assert "3 unchanged" in plain

    done = place.wkmp("import", "--complete", place.music)
    said = " ".join(done.stdout.split())
    assert "2 imported" in said
    assert "1 half-made file cannot be completed (text.mp3: it cannot be imported (" in said
    assert done.returncode == 1
    assert rows(place.database, edited) == before
    whole = (
        "SELECT f.format = 'FLAC' AND l.song_id = p.song_id AND s.status = 'FLAVOR READY' AND p.import_strategy IS NOT "
        "NULL FROM passages AS p JOIN files AS f ON f.guid = p.file_id JOIN songs AS s ON s.guid = p.song_id "
        "LEFT JOIN passage_songs AS l ON l.passage_id = p.guid WHERE p.guid <> 'broken'"
    )
    assert column(place.database, whole) == [1, 1, 1, 1]
    credited = "SELECT count(*) FROM song_artists JOIN songs ON guid = song_id WHERE title IS NOT NULL"
    assert column(place.database, credited) == [2], "the tags of the song name its artists"
    assert problems(place.database) == []

    assert [(file["path"], bool(file["cannot_because"])) for file in read_status(place)["incomplete"]] == [
        ("text.mp3", True)
    ]
    assert "wkmp failures" in run(place, "status")
    again = run(place, "import", "--complete")
    assert "2 unchanged" in again
    (place.music / "text.mp3").unlink()
    assert "text.mp3: it is not on disk" in run(place, "import", "--complete")


@pytest.mark.long
def test_a_passage_that_people_use_and_the_sound_divides_is_counted_until_the_advice_is_followed(
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "mix.flac").write_bytes(MIX.read_bytes())
    place = make_workplace(tmp_path, source)
    make_wkmp_library(place.database, place.music, ["mix.flac"])
    (whole,) = column(place.database, "SELECT guid FROM passages")
    assert "1 imported" in run(place, "import", "--complete")
    assert len(column(place.database, "SELECT guid FROM passages")) == 4
    assert column(place.database, "SELECT song_id FROM passage_songs WHERE passage_id = ?", whole) == column(
        place.database, "SELECT song_id FROM passages WHERE guid = ?", whole
    )
    said = run(place, "status")
    assert "1 half-made file cannot be completed (mix.flac: people use a passage that WKMP made, from 0.0 s to" in said
    assert "change silence_threshold_dB and silence_min_duration_ticks until the import finds it" in said
    run_sql(
        place.database,
        "INSERT OR REPLACE INTO settings (key, value) VALUES ('silence_min_duration_ticks', '282240000')",
    )
    assert "1 imported" in run(place, "import", "--complete")
    assert read_status(place)["incomplete"] == []
    mine = (
        "SELECT p.guid FROM passages AS p JOIN play_history AS h ON h.passage_id = p.guid "
        "JOIN passage_songs AS l ON l.passage_id = p.guid AND l.song_id = p.song_id"
    )
    assert column(place.database, f"{mine} WHERE user_title IS NOT NULL AND musical_flavor_vector IS NOT NULL") == [
        whole
    ]
    assert problems(place.database) == []


def test_complete_and_retry_deferred_exclude_each_other(tmp_path: Path) -> None:
    place = make_workplace(tmp_path, BROKEN.parent)
    assert place.wkmp("import", "--complete", "--retry-deferred", place.music).returncode == 2
