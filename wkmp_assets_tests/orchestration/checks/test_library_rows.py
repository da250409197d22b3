"""The checks of the rows: green after an import, red for every kind of damage."""
# ruff: noqa: S608 - identifiers and paths of this module

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG

from wkmp_assets.model.values import FileState
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets_tests.support.builders import commit, entry, file_row, run_sql, seconds
from wkmp_assets_tests.support.checked_library import (
    MIX,
    SILENT,
    SONG,
    TAKE,
    CheckedLibrary,
    Evaluations,
    findings,
    number,
)

pytestmark = pytest.mark.slow

WHOLE, INSIDE, ORDERED = "file_is_all_or_nothing", "passages_inside_file", "lead_points_ordered"
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
SECOND = 28_224_000


def damage(database: Path, script: str) -> None:
    """Run statements without foreign keys and CHECKs, so that they can do harm."""
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(f"PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {script}")


def of(path: str) -> str:
    return f"(SELECT guid FROM files WHERE path = '{path}')"


def passages_of(path: str) -> str:
    return f"(SELECT guid FROM passages WHERE file_id = {of(path)} ORDER BY start_time_ticks)"


ANOTHER_PASSAGE = """
INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, status, import_session_id, import_timestamp)
SELECT 'another', file_id, 0, 28224000, status, {session}, {stamp} FROM passages WHERE file_id = {file} LIMIT 1"""

MIX_PASSAGE = f"guid = {passages_of('mix.flac')}"
WHOLE_DAMAGES = {
    "a passage is gone": ("mix.flac", f"DELETE FROM passages WHERE {MIX_PASSAGE}", "1 of 3 passages are gone"),
    "a link to a song is gone": ("song.flac", "DELETE FROM passage_songs", "1 of 1 links to songs are gone"),
    "a link to an album is gone": ("song.flac", "DELETE FROM passage_albums", "1 of 1 links to albums are gone"),
    "provenance is gone": (
        "mix.flac",
        f"DELETE FROM import_provenance WHERE passage_id = {passages_of('mix.flac')}",
        "2 of 6 provenance rows are gone",
    ),
    "a passage more": (
        "mix.flac",
        ANOTHER_PASSAGE.format(session="import_session_id", stamp="import_timestamp", file=of("mix.flac")),
        "1 passages more than the 3",
    ),
    "a link more": (
        "song.flac",
        """INSERT INTO passage_albums SELECT passage_id, 'other', created_at FROM passage_albums;
           INSERT INTO albums (guid, album_mbid, title) VALUES ('other', 'other', 'Other')""",
        "1 links to albums more than the 1",
    ),
    "a passage of an earlier import is left over": (
        "mix.flac",
        ANOTHER_PASSAGE.format(session="'run-0'", stamp="'2020-01-01 00:00:00'", file=of("mix.flac")),
        "1 passages of earlier imports are left over",
    ),
    "the status says it has no audio": (
        "song.flac",
        f"UPDATE files SET status = 'NO AUDIO' WHERE guid = {of('song.flac')}",
        "its status is NO AUDIO; the import wrote INGEST COMPLETE",
    ),
    "the status says it was never imported": (
        "mix.flac",
        f"UPDATE files SET status = 'PENDING' WHERE guid = {of('mix.flac')}",
        "it has passages that an import wrote",
    ),
    "the status says a silent file is complete": (
        "silent.flac",
        f"UPDATE files SET status = 'INGEST COMPLETE' WHERE guid = {of('silent.flac')}",
        "it has no passages",
    ),
    "a passage is not complete": (
        "mix.flac",
        f"UPDATE passages SET status = 'PENDING' WHERE {MIX_PASSAGE}",
        "1 of its passages are not INGEST COMPLETE",
    ),
    "the file is gone, its passages are not": (
        "mix.flac",
        "DELETE FROM files WHERE path = 'mix.flac'",
        "is gone, and 3 of its passages are left without a file",
    ),
    "the file is gone": (
        "mix.flac",
        "PRAGMA foreign_keys = ON; DELETE FROM files WHERE path = 'mix.flac'",
        "its row",
    ),
    "a song is gone": ("song.flac", "DELETE FROM songs", "refers to song"),
    "an album is gone": ("song.flac", "DELETE FROM albums", "refers to album"),
    "an artist is gone": ("song.flac", "DELETE FROM artists", "refers to artist"),
    "a work is gone": ("song.flac", "DELETE FROM works", "refers to work"),
}

INSIDE_DAMAGES = {
    "it ends after its file": (
        "song.flac",
        f"UPDATE passages SET end_time_ticks = end_time_ticks + {SECOND} WHERE guid = {passages_of('song.flac')}",
        "s after its file",
    ),
    "it starts before its file": (
        "mix.flac",
        f"UPDATE passages SET start_time_ticks = -1 WHERE {MIX_PASSAGE}",
        "starts before its file",
    ),
    "it ends where it starts": (
        "mix.flac",
        f"UPDATE passages SET end_time_ticks = start_time_ticks WHERE {MIX_PASSAGE}",
        "ends where it starts",
    ),
    "it overlaps the next": (
        "mix.flac",
        f"UPDATE passages SET end_time_ticks = 20 * {SECOND} WHERE {MIX_PASSAGE}",
        "overlaps passage",
    ),
}

ORDERED_DAMAGES = {
    "lead-in after lead-out": (
        "mix.flac",
        f"""UPDATE passages SET lead_in_start_ticks = 9 * {SECOND}, lead_out_start_ticks = 3 * {SECOND}
            WHERE {MIX_PASSAGE}""",
        "has its lead points out of order",
    ),
    "lead-in before the start": (
        "mix.flac",
        f"UPDATE passages SET lead_in_start_ticks = -1 WHERE {MIX_PASSAGE}",
        "has its lead points out of order",
    ),
    "lead-out after the end": (
        "mix.flac",
        f"UPDATE passages SET lead_out_start_ticks = end_time_ticks + 1 WHERE {MIX_PASSAGE}",
        "has its lead points out of order",
    ),
    "fades that cross": (
        "mix.flac",
        f"""UPDATE passages SET fade_in_start_ticks = 9 * {SECOND}, fade_out_start_ticks = 3 * {SECOND}
            WHERE {MIX_PASSAGE}""",
        "has its fade points out of order",
    ),
}

DAMAGES = [
    pytest.param(check, *rest, id=f"{check}: {name}")
    for check, damages in ((WHOLE, WHOLE_DAMAGES), (INSIDE, INSIDE_DAMAGES), (ORDERED, ORDERED_DAMAGES))
    for name, rest in damages.items()
]


def test_an_import_is_green(imported: tuple[CheckedLibrary, Evaluations]) -> None:
    _, evaluations = imported
    for name in (WHOLE, INSIDE, ORDERED):
        assert evaluations[name].passed
        assert findings(evaluations[name]) == []
        assert number(evaluations[name], "passages") == 4
    assert number(evaluations[WHOLE], "judged_how") == {"by receipt": 4, "recorded as failed": 1}


@pytest.mark.parametrize(("check", "path", "script", "words"), DAMAGES)
def test_damage_is_red_and_named(library: CheckedLibrary, check: str, path: str, script: str, words: str) -> None:
    damage(library.database, script)
    evaluation = library.check(check, tags={PARTITION_NAME_TAG: path})[check]
    assert (evaluation.passed, evaluation.severity) == (False, ERROR)
    lines = findings(evaluation)
    assert {line["file"] for line in lines} == {path}
    assert any(words in line["finding"] for line in lines), lines
    assert path in str(evaluation.description)
    assert "mport the file again" in str(evaluation.description) or "mport it again" in str(evaluation.description)


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE files SET matching_hashes = NULL WHERE path = 'twin.flac'",
        "UPDATE files SET matching_hashes = 'no list' WHERE path = 'twin.flac'",
        "UPDATE files SET hash = 'other' WHERE path = 'song.flac'",
        "UPDATE files SET status = 'PENDING' WHERE path = 'song.flac'",
        "DELETE FROM files WHERE path = 'song.flac'",
    ],
)
def test_a_duplicate_without_its_original_is_a_warning(library: CheckedLibrary, script: str) -> None:
    """The next scan imports it by itself."""
    damage(library.database, script)
    evaluation = library.check(WHOLE, tags={PARTITION_NAME_TAG: "twin.flac"})[WHOLE]
    assert (evaluation.passed, evaluation.severity) == (False, WARN)
    assert "it is a duplicate" in findings(evaluation)[0]["finding"]


@pytest.mark.parametrize(
    ("script", "table"),
    [
        ("INSERT INTO passage_songs VALUES ('nobody', 'nothing', 0, 1, 0)", "passage_songs"),
        ("UPDATE passages SET file_id = 'nowhere' WHERE file_id = " + of("mix.flac"), "passages"),
        ("INSERT INTO song_works VALUES ('nothing', 'nothing', 0)", "song_works"),
        ("CREATE TABLE queue (p REFERENCES passages(guid)); INSERT INTO queue VALUES ('nobody')", "queue"),
    ],
)
def test_an_orphan_anywhere_is_red_when_the_whole_library_is_judged(
    library: CheckedLibrary, script: str, table: str
) -> None:
    damage(library.database, script)
    evaluation = library.check(WHOLE)[WHOLE]
    assert (evaluation.passed, evaluation.severity) == (False, ERROR)
    assert any(f"of table {table} refers" in line["finding"] for line in findings(evaluation))


def test_what_people_add_is_no_offence(library: CheckedLibrary) -> None:
    """A passage and links of their own; an overlap with theirs is shown."""
    run_sql(
        library.database,
        f"INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks) "
        f"VALUES ('theirs', {of('song.flac')}, 0, {SECOND})",
        "INSERT INTO albums (guid, album_mbid, title) VALUES ('other', 'other', 'Other')",
        "INSERT INTO passage_albums (passage_id, album_id, created_at) "
        f"VALUES ({passages_of('song.flac')}, 'other', '2031-01-01 00:00:00')",
        f"UPDATE passages SET user_title = 'Mine' WHERE {MIX_PASSAGE}",
    )
    evaluations = library.check(WHOLE, INSIDE, ORDERED)
    assert all(evaluation.passed for evaluation in evaluations.values())
    assert findings(evaluations[WHOLE]) == []
    (line,) = findings(evaluations[INSIDE])
    assert (line["file"], line["severity"]) == ("song.flac", "note")
    assert "theirs" in line["finding"]


def test_a_passage_a_person_shaped_may_overlap(library: CheckedLibrary) -> None:
    """It keeps its boundaries when the audio changes and its fades do not fit the new ones."""
    run_sql(
        library.database,
        f"UPDATE passages SET end_time_ticks = 20 * {SECOND}, fade_in_start_ticks = {SECOND} WHERE {MIX_PASSAGE}",
    )
    evaluation = library.check(INSIDE)[INSIDE]
    assert evaluation.passed
    assert [line["severity"] for line in findings(evaluation)] == ["note"]


def test_a_passage_kept_for_people_is_expected_and_missed(empty_library: CheckedLibrary) -> None:
    library = empty_library
    library.add("a.flac", MIX)
    assert library.import_all()[WHOLE].passed
    # The library's passages are of an earlier day, so that the next import is the later one.
    run_sql(
        library.database,
        "UPDATE passages SET import_timestamp = '2020-01-01 00:00:00', user_title = 'Mine'",
    )
    library.add("a.flac", SILENT)
    evaluations = library.import_all()
    assert evaluations[WHOLE].passed
    assert file_row(library.database, "a.flac")["status"] == "NO AUDIO"
    assert number(evaluations[WHOLE], "passages") == 3
    run_sql(library.database, "PRAGMA foreign_keys = ON", f"DELETE FROM passages WHERE guid = {passages_of('a.flac')}")
    gone = library.check(WHOLE)[WHOLE]
    assert (gone.passed, gone.severity) == (False, WARN)
    assert "1 passages are gone that were kept" in findings(gone)[0]["finding"]


def test_a_moved_file_is_judged_where_it_is(empty_library: CheckedLibrary) -> None:
    library = empty_library
    library.add("old.flac", SONG)
    library.import_all()
    (library.music / "old.flac").rename(library.music / "new.flac")
    # A scan would drop the old partition.
    library.instance.add_dynamic_partitions(partitions_name(library.settings), ["new.flac"])
    assert library.import_one("new.flac")[WHOLE].passed
    evaluation = library.check(WHOLE)[WHOLE]
    assert evaluation.passed
    assert number(evaluation, "judged_how")["moved"] == 1
    damage(library.database, "UPDATE passages SET status = 'PENDING'")
    moved = library.check(WHOLE, tags={PARTITION_NAME_TAG: "old.flac"})[WHOLE]
    assert {line["file"] for line in findings(moved)} == {"new.flac"}
    assert number(library.check(WHOLE)[WHOLE], "offenders") == 1


def test_an_import_that_was_killed_before_it_recorded_its_receipt_is_no_offence(library: CheckedLibrary) -> None:
    """Its files are judged by their rows alone, until they are imported again."""
    changed = entry("mix.flac", content="changed", bounds=seconds((0, 20)), state=FileState.CHANGED)
    commit(library.database, changed, run_id="killed")
    evaluation = library.check(WHOLE)[WHOLE]
    assert evaluation.passed
    assert number(evaluation, "judged_how") == {"by receipt": 3, "imported again": 1, "recorded as failed": 1}
    damage(library.database, f"UPDATE files SET status = 'PENDING' WHERE guid = {of('mix.flac')}")
    assert not library.check(WHOLE)[WHOLE].passed


def test_unchanged_files_are_judged_by_the_receipt_of_their_last_import(empty_library: CheckedLibrary) -> None:
    library = empty_library
    library.add("song.flac", SONG)
    library.add("take.wav", TAKE)
    library.import_all()
    evaluation = library.import_all()[WHOLE]
    assert evaluation.passed
    assert number(evaluation, "judged_how") == {"by receipt": 2}
    damage(library.database, "DELETE FROM songs")
    assert not library.check(WHOLE)[WHOLE].passed


def test_a_duplicate_of_the_same_run_is_judged_with_its_original(library: CheckedLibrary) -> None:
    evaluation = library.check(WHOLE, tags={PARTITION_NAME_TAG: "twin.flac"})[WHOLE]
    assert evaluation.passed
    assert number(evaluation, "judged") == 1


def test_of_very_many_offenders_the_table_shows_a_hundred(library: CheckedLibrary) -> None:
    damage(
        library.database,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
        "INSERT INTO passage_albums (passage_id, album_id) SELECT 'nobody', i FROM n",
    )
    evaluation = library.check(WHOLE)[WHOLE]
    assert len(findings(evaluation)) == 100


def test_importing_again_mends_it(empty_library: CheckedLibrary) -> None:
    """The checks' descriptions advise this."""
    library = empty_library
    for name, source in {"mix.flac": MIX, "song.flac": SONG, "take.wav": TAKE, "twin.flac": SONG}.items():
        library.add(name, source)
    library.import_all()
    damage(
        library.database,
        f"""DELETE FROM passages WHERE {MIX_PASSAGE};
            UPDATE passages SET end_time_ticks = 40 * {SECOND} WHERE {MIX_PASSAGE};
            DELETE FROM passage_songs;
            UPDATE files SET matching_hashes = NULL;
            UPDATE passages SET lead_in_start_ticks = 9 * {SECOND}, lead_out_start_ticks = 3 * {SECOND}
            WHERE guid = {passages_of("take.wav")};
            UPDATE files SET status = 'NO AUDIO' WHERE path = 'take.wav'""",
    )
    broken = library.check(WHOLE, INSIDE, ORDERED)
    assert not any(evaluation.passed for evaluation in broken.values())
    assert number(broken[WHOLE], "offenders") == 4
    library.import_all(force=True)
    assert all(evaluation.passed for evaluation in library.check().values())
