"""Files that WKMP marked complete but left half-made are recognised, and completed without losing anything."""
# ruff: noqa: S608 - literals of this module

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.db.read.incomplete import IncompleteFile, read_incomplete
from wkmp_assets.model.batch import written_rows
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.values import Artist, FileState, FileTags
from wkmp_assets.report.text import explain_incomplete
from wkmp_assets_tests.db.test_schema import create_older
from wkmp_assets_tests.support.builders import (
    LATER,
    Bounds,
    bare,
    column,
    commit,
    entry,
    flavor,
    in_a_row,
    mbid,
    opened,
    prepared,
    problems,
    rows,
    run_sql,
    seconds,
    song,
)
from wkmp_assets_tests.support.half_made import set_back

PATH = entry().path
TAGS = FileTags(title="Title", artist="Zoe", album="Album", artists=(Artist(mbid("Zoe"), "Zoe"),))


@pytest.fixture
def half_made(database: Path) -> Path:
    """Two files as WKMP left them; the second has two passages."""
    commit(database, entry(), entry("b.flac", "b", in_a_row(2)))
    set_back(database)
    return database


def unanswered(one: FileEntry) -> FileEntry:
    """A file that is imported again without an answer, with measured flavors."""
    passages = []
    for passage in one.passages:
        texts = {"title": "Tag", "artist": "Zoe", "album": None, "source": "ID3", "score": 0.65}
        match = replace(passage.match, song=None, release=None, **texts)
        passages.append(replace(passage, match=match, flavor=flavor(passage.match.span)))
    return replace(one, passages=tuple(passages), identity=replace(one.identity, state=FileState.CHANGED))


def complete(database: Path, **of_first: Any) -> None:
    commit(database, unanswered(entry(**of_first)), unanswered(entry("b.flac", "b", in_a_row(2))), now=LATER)
    assert problems(database) == []


def test_what_wkmp_left_is_named(half_made: Path) -> None:
    lacks = ("format", "lead points", "links to songs", "names of songs", "artists", "flavors")
    assert read_incomplete(half_made) == [IncompleteFile(PATH, lacks), IncompleteFile("b.flac", lacks)]
    assert read_incomplete(half_made, ["b.flac", "c.flac"]) == [IncompleteFile("b.flac", lacks)]


MENDED = {
    "lead points": "UPDATE passages SET lead_in_start_ticks = start_time_ticks, lead_out_start_ticks = end_time_ticks",
    "format": "UPDATE files SET format = 'MP3'",
    "links to songs": "INSERT INTO passage_songs SELECT guid, song_id, 0, 9, '' FROM passages",
    "names of songs": "UPDATE songs SET title = 'Title'",
    "artists": "INSERT INTO song_artists SELECT guid, 'Ann', 1.0, '' FROM songs",
    "flavors": "UPDATE passages SET musical_flavor_vector = '{}'",
}


@pytest.mark.parametrize("what", MENDED)
def test_each_lack_is_seen_alone(half_made: Path, what: str) -> None:
    run_sql(half_made, "INSERT INTO artists (guid, artist_mbid, name) VALUES ('Ann', 'Ann', 'Ann')")
    run_sql(half_made, *(statement for name, statement in MENDED.items() if name != what))
    assert {file.lacks for file in read_incomplete(half_made)} == {(what,)}
    run_sql(half_made, MENDED[what])
    assert read_incomplete(half_made) == []


def test_a_complete_file_without_passages_is_incomplete(half_made: Path) -> None:
    run_sql(half_made, "DELETE FROM passages")
    assert {file.lacks for file in read_incomplete(half_made)} == {("passages", "format")}


def test_nothing_that_this_import_writes_is_called_incomplete(database: Path) -> None:
    """No song, no artists, no lead points, a quarter of the passage as lead-in, no flavor: all of it may be true."""
    (passage,) = entry(songs=[None]).passages
    silent = replace(passage.lead_points, lead_in_ticks=None, lead_out_ticks=None)
    commit(
        database,
        entry("quarter.flac", "q"),
        entry("unknown.flac", "u", songs=[None]),
        entry("nobody's.flac", "n", songs=[song("x", [], [])]),
        replace(entry("quiet.flac", "s"), passages=(replace(passage, lead_points=silent),)),
        entry("silent.flac", "z", bounds=[]),
        bare("copy.flac", "q"),
    )
    run_sql(database, "UPDATE files SET format = 'Unknown' WHERE path = 'quarter.flac'")
    assert read_incomplete(database) == []


def test_a_passage_that_a_person_adds_to_a_file_of_ours_is_not_incomplete(database: Path) -> None:
    commit(database, entry())
    theirs = "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks) "
    run_sql(database, f"{theirs} SELECT 'theirs', guid, 1, 9 FROM files")
    assert read_incomplete(database) == []


WHOLE, PIECES = seconds((0, 27)), seconds((0, 12), (15, 27))
KEPT = ("lead points", "flavors")


@pytest.fixture
def used(database: Path) -> Path:
    """A file that WKMP took for one passage, which people use; its sound has two."""
    commit(database, entry(bounds=WHOLE))
    set_back(database)
    run_sql(database, "UPDATE passages SET user_title = 'mine'")
    return database


def pieces(bounds: Bounds = PIECES) -> FileEntry:
    """The same file, imported again without an answer."""
    return unanswered(entry(bounds=bounds, tags=TAGS))


def remove_in_the_player(database: Path) -> None:
    with opened(database) as player:
        player.execute("PRAGMA foreign_keys = ON")
        player.execute("DELETE FROM passages WHERE user_title = 'mine'")


def test_a_used_passage_that_the_sound_divides_gets_its_song_and_stays_counted(used: Path) -> None:
    columns = (
        "SELECT guid, start_time_ticks, lead_in_start_ticks, lead_out_start_ticks, end_time_ticks, title, user_title, "
        "song_id, import_timestamp, musical_flavor_vector FROM passages WHERE user_title = 'mine'"
    )
    before = rows(used, columns)
    batch = prepared(used, pieces())
    written = written_rows(batch)
    assert written is not None
    assert (written.passage_songs, written.kept_passages) == (0, 1), "the checks count links of written passages"
    commit(used, pieces(), now=LATER)
    assert rows(used, columns) == before
    (link,) = rows(used, "SELECT passage_id, song_id, start_time_ticks, end_time_ticks FROM passage_songs")
    (old,) = before
    assert link == {
        "passage_id": old["guid"],
        "song_id": old["song_id"],
        "start_time_ticks": 0,
        "end_time_ticks": old["end_time_ticks"],
    }
    credited = "SELECT s.title, a.name FROM songs AS s JOIN song_artists ON song_id = s.guid JOIN artists AS a"
    assert rows(used, f"{credited} ON a.guid = artist_id") == [{"title": "a 0", "name": "Zoe"}]
    for _ in range(2):
        (file,) = read_incomplete(used)
        assert file.lacks == KEPT
        assert "people use a passage that WKMP made, from 0.0 s to 27.0 s, and the import finds" in file.cannot_because
        commit(used, pieces(), now=LATER)
        assert problems(used) == []


def test_removing_the_passage_ends_it(used: Path) -> None:
    commit(used, pieces(), now=LATER)
    remove_in_the_player(used)
    assert read_incomplete(used) == []


def test_settings_that_make_the_passage_end_it(used: Path) -> None:
    """The first piece has the fingerprint of the whole, as in files where both last over two minutes."""
    commit(used, pieces(), now=LATER)
    commit(used, pieces(WHOLE), now=LATER)
    assert read_incomplete(used) == []
    assert column(used, "SELECT user_title FROM passages JOIN passage_songs ON passage_id = guid") == ["mine"]


def test_a_used_passage_without_its_link_is_completed_first(used: Path) -> None:
    """An earlier version of this import left it so."""
    commit(used, pieces(), now=LATER)
    run_sql(used, "DELETE FROM passage_songs")
    assert read_incomplete(used) == [IncompleteFile(PATH, ("lead points", "links to songs", "flavors"))]
    commit(used, pieces(), now=LATER)
    assert [file.lacks for file in read_incomplete(used)] == [KEPT]


def test_a_link_that_a_person_made_to_another_song_is_enough(used: Path) -> None:
    run_sql(
        used,
        "INSERT INTO songs (guid, recording_mbid) VALUES ('theirs', 'theirs')",
        "INSERT INTO passage_songs SELECT guid, 'theirs', 0, 9, '' FROM passages",
    )
    commit(used, pieces(), now=LATER)
    assert column(used, "SELECT song_id FROM passage_songs") == ["theirs"]
    assert [file.lacks for file in read_incomplete(used)] == [KEPT]


@pytest.mark.parametrize("kind", ["no audio", "copy"])
def test_a_used_passage_of_a_file_that_is_no_longer_complete_stays_counted(used: Path, kind: str) -> None:
    if kind == "copy":
        commit(used, entry("0.flac", "other", WHOLE))
        run_sql(used, f"UPDATE files SET hash = (SELECT hash FROM files WHERE path = '0.flac') WHERE path = '{PATH}'")
        commit(used, bare(PATH, "other", duplicate_of="0.flac"), now=LATER)
    else:
        commit(used, pieces([]), now=LATER)
    assert column(used, f"SELECT status <> 'INGEST COMPLETE' FROM files WHERE path = '{PATH}'") == [1]
    linked = "SELECT count(*) FROM passage_songs JOIN passages ON guid = passage_id WHERE user_title = 'mine'"
    assert column(used, linked) == [1]
    (file,) = read_incomplete(used)
    assert file.lacks == KEPT
    assert ("is a copy of another; remove it" in file.cannot_because) == (kind == "copy")
    remove_in_the_player(used)
    assert read_incomplete(used) == []


def test_several_used_passages_are_told_together(database: Path) -> None:
    commit(database, entry(bounds=in_a_row(2)))
    set_back(database)
    run_sql(database, "UPDATE passages SET user_title = 'mine'")
    commit(database, pieces(seconds((50, 60))), now=LATER)
    (file,) = read_incomplete(database)
    assert "people use 2 passages that WKMP made, from 0.0 s to 43.0 s, and" in file.cannot_because
    assert column(database, "SELECT count(*) FROM song_artists") == [0], "the tags do not say whose artist it is"


def test_libraries_that_lack_tables_and_columns(database: Path, tmp_path: Path) -> None:
    create_older(database)
    assert read_incomplete(database) == []
    run_sql(database, "ALTER TABLE files ADD COLUMN status TEXT", "UPDATE files SET status = 'INGEST COMPLETE'")
    assert [(file.path, file.lacks) for file in read_incomplete(database)] == [
        ("a.mp3", ("format", "lead points", "flavors")),
        ("b.mp3", ("passages", "format")),
    ]
    assert read_incomplete(tmp_path / "none.db") == []


def test_an_import_without_an_answer_completes_and_loses_nothing(half_made: Path) -> None:
    """Only the library knows the songs; the tags know the artists; the sound gives the rest."""
    run_sql(
        half_made,
        "UPDATE songs SET base_probability = 0.25, lyrics = 'la la'",
        "UPDATE passages SET user_title = 'mine'",
    )
    query = (
        "SELECT p.guid, p.song_id, p.user_title, s.lyrics, s.base_probability FROM passages AS p "
        "JOIN songs AS s ON s.guid = song_id ORDER BY p.guid"
    )
    before = rows(half_made, query)
    assert len(before) == 3
    complete(half_made, tags=TAGS)
    assert rows(half_made, query) == before
    assert read_incomplete(half_made) == []
    linked = (
        "SELECT p.song_id = l.song_id AND p.recording_mbid = s.recording_mbid AND l.start_time_ticks = 0 "
        "AND l.end_time_ticks = p.end_time_ticks - p.start_time_ticks AND s.status = 'FLAVOR READY' "
        "AND s.title IS NOT NULL AND p.musical_flavor_vector IS NOT NULL AND s.flavor_vector IS NOT NULL AS whole "
        "FROM passages AS p JOIN passage_songs AS l ON l.passage_id = p.guid JOIN songs AS s ON s.guid = l.song_id"
    )
    assert column(half_made, linked) == [1, 1, 1]
    assert column(half_made, "SELECT DISTINCT format FROM files") == ["FLAC"]
    credited = "SELECT a.name FROM song_artists JOIN artists AS a ON a.guid = artist_id"
    assert column(half_made, credited) == ["Zoe"], "the tags of a file with two passages do not say whose artist it is"


def test_what_was_completed_is_corrected_by_an_answer(half_made: Path) -> None:
    complete(half_made, tags=TAGS)
    assert column(half_made, "SELECT DISTINCT substr(title_evidence, 1, 2) FROM songs") == ["1 "]
    commit(half_made, entry(state=FileState.CHANGED), now=LATER)
    assert column(half_made, "SELECT title FROM songs WHERE recording_mbid = ?", song("a 0").recording_mbid) == ["a 0"]


def test_a_link_that_a_person_removed_from_a_file_of_ours_is_not_made_again(database: Path) -> None:
    commit(database, entry())
    run_sql(database, "DELETE FROM passage_songs")
    commit(database, unanswered(entry()), now=LATER)
    assert column(database, "SELECT count(*) FROM passage_songs") == [0]


def test_why_a_file_cannot_be_completed_is_said(half_made: Path) -> None:
    run_sql(
        half_made,
        f"INSERT INTO import_failures (path, phase, code, message) VALUES ('{PATH}', 'p', 'CORRUPT', 'm')",
        "INSERT INTO missing_files (path) VALUES ('b.flac')",
    )
    assert explain_incomplete(read_incomplete(half_made)) == (
        f"2 half-made files cannot be completed ({PATH}: it cannot be imported (CORRUPT); wkmp failures FOLDER says "
        "why and what to do; b.flac: it is not on disk)"
    )
    run_sql(half_made, "DELETE FROM missing_files")
    said = explain_incomplete(read_incomplete(half_made), "/m")
    assert said.startswith("1 file that WKMP left half-made (no format in 1, no lead points in 1, ")
    assert "): wkmp import /m --complete. 1 half-made file cannot" in said


def test_of_two_copies_that_wkmp_imported_the_first_is_completed(database: Path) -> None:
    commit(database, entry("a.flac"), entry("b.flac", "b"))
    run_sql(database, "UPDATE files SET hash = (SELECT hash FROM files WHERE path = 'a.flac')")
    set_back(database)
    copy = bare("b.flac", "a", duplicate_of="a.flac")
    commit(database, unanswered(entry("a.flac")), copy, now=LATER)
    assert rows(database, "SELECT path, status FROM files ORDER BY path") == [
        {"path": "a.flac", "status": "INGEST COMPLETE"},
        {"path": "b.flac", "status": "DUPLICATE HASH"},
    ]
    assert read_incomplete(database) == []
    assert column(database, "SELECT count(*) FROM import_failures") == [0]
