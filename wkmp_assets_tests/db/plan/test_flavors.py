"""Flavors of songs and passages in the library: shared between files, and combined with what people entered."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.db.read.counts import Deferred, read_deferred
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.flavor import Flavor
from wkmp_assets.model.values import ClassesOutcome, FileState
from wkmp_assets_tests.db.test_races import commit_while
from wkmp_assets_tests.support.builders import (
    LATER,
    column,
    commit,
    entry,
    flavor,
    problems,
    rows,
    run_sql,
    seconds,
    song,
)

HAPPY = {"mood_happy": {"happy": 0.75, "not_happy": 0.25}}
CHRISTMAS = {"user.christmas": {"christmasy": 1.0, "not_christmasy": 0.0}}
SONG = song("Song")


def flavored(
    bright: float = 0.25,
    classes: Flavor | None = None,
    *,
    path: str = "a.flac",
    length_s: float = 20,
    state: FileState = FileState.CHANGED,
    identified: bool = True,
) -> FileEntry:
    """Return a file with one passage of that brightness."""
    one = entry(path, path, seconds((0, length_s)), songs=[SONG if identified else None], state=state)
    (passage,) = one.passages
    return replace(one, passages=(replace(passage, flavor=flavor(passage.match.span, bright, classes)),))


def song_row(database: Path) -> dict[str, Any]:
    (row,) = rows(database, "SELECT flavor_vector, flavor_source_blend, status FROM songs")
    return row


def song_flavor(database: Path) -> Flavor:
    found: Flavor = json.loads(song_row(database)["flavor_vector"])
    return found


def passage_flavor(database: Path, path: str = "a.flac") -> Flavor:
    query = "SELECT musical_flavor_vector FROM passages WHERE file_id = (SELECT guid FROM files WHERE path = ?)"
    found: Flavor = json.loads(column(database, query, path)[0])
    return found


def bright(found: Flavor) -> float:
    return found["user.brightness"]["bright"]


def test_song_and_passage_get_the_same_flavor_in_one_transaction(database: Path) -> None:
    done = commit(database, flavored(0.25, HAPPY))["a.flac"]
    assert done.receipt is not None
    assert (done.receipt.write_locks, done.receipt.selects_in_transaction) == (1, 0)
    assert song_flavor(database) == passage_flavor(database)
    assert set(song_flavor(database)) == {"mood_happy", "user.brightness", "user.tempo"}
    assert (song_row(database)["status"], json.loads(song_row(database)["flavor_source_blend"])) == (
        "FLAVOR READY",
        ["AcousticBrainz", "Measured"],
    )
    (passage,) = rows(database, "SELECT flavor_source_blend, flavor_completeness, additional_metadata FROM passages")
    assert json.loads(passage["flavor_source_blend"]) == ["AcousticBrainz", "Measured"]
    assert passage["flavor_completeness"] == pytest.approx(3 / (18 + 30), abs=1e-4)
    assert json.loads(passage["additional_metadata"])["measured"] == {
        "bpm": 123.4, "key": "Eb", "scale": "minor", "key_clarity": 0.75, "level_estimate_db": -15.5,
        "crest_factor_db": 14.1, "integrated_lufs": -14.87,
    }  # fmt: skip


def test_a_passage_without_a_song_has_what_was_measured(database: Path) -> None:
    commit(database, flavored(identified=False))
    assert set(passage_flavor(database)) == {"user.brightness", "user.tempo"}
    assert column(database, "SELECT flavor_completeness FROM passages") == [pytest.approx(2 / 48, abs=1e-4)]


def test_a_song_that_got_no_answer_waits_unless_the_library_has_its_classes(database: Path) -> None:
    def unanswered(outcome: ClassesOutcome) -> FileEntry:
        one = flavored()
        (passage,) = one.passages
        assert passage.flavor is not None
        silent = replace(passage.flavor, outcome=outcome, detail="AcousticBrainz: HTTP 503")
        return replace(one, passages=(replace(passage, flavor=silent),))

    for waiting in (ClassesOutcome.DEFERRED, ClassesOutcome.GONE):
        commit(database, unanswered(waiting))
        assert read_deferred(database) == Deferred([], ["a.flac"], SONG.recording_mbid)
    commit(database, unanswered(ClassesOutcome.NO_MATCH))
    assert read_deferred(database) == Deferred([], [])
    commit(database, flavored(0.25, HAPPY))
    commit(database, unanswered(ClassesOutcome.DEFERRED))
    assert read_deferred(database) == Deferred([], [])
    assert passage_flavor(database)["mood_happy"] == HAPPY["mood_happy"]


def test_the_same_flavor_again_writes_no_song(database: Path) -> None:
    commit(database, flavored())
    before = rows(database, "SELECT * FROM songs")
    again = commit(database, flavored(), now=LATER)["a.flac"]
    assert again.batch is not None
    assert again.batch.song_flavors == ()
    assert rows(database, "SELECT * FROM songs") == before


def test_what_people_defined_and_noted_stays(database: Path) -> None:
    commit(database, flavored(0.25))
    run_sql(
        database,
        """UPDATE passages SET additional_metadata = '{"danceability": 0.5}', musical_flavor_vector =
           '{"user.christmas": {"christmasy": 1.0, "not_christmasy": 0.0}}'""",
        "UPDATE songs SET flavor_vector = (SELECT musical_flavor_vector FROM passages)",
    )
    commit(database, flavored(0.75), now=LATER)
    for found in (passage_flavor(database), song_flavor(database)):
        assert found["user.christmas"] == CHRISTMAS["user.christmas"]
        assert bright(found) == 0.75
    noted = json.loads(column(database, "SELECT additional_metadata FROM passages")[0])
    assert (noted["danceability"], noted["measured"]["bpm"]) == (0.5, 123.4)


def test_what_is_no_json_object_is_left_alone(database: Path) -> None:
    commit(database, flavored())
    run_sql(database, "UPDATE passages SET additional_metadata = 'my notes', musical_flavor_vector = 'odd'")
    commit(database, flavored(), now=LATER)
    assert column(database, "SELECT additional_metadata FROM passages") == ["my notes"]
    assert bright(passage_flavor(database)) == 0.25


def test_the_replaced_system_s_own_shape_counts_as_no_flavor(database: Path) -> None:
    commit(database, flavored())
    run_sql(database, """UPDATE songs SET flavor_vector = '{"key": "C", "bpm": 120.5}', status = 'FLAVORING FAILED'""")
    commit(database, flavored(), now=LATER)
    assert set(song_flavor(database)) == {"user.brightness", "user.tempo"}
    assert song_row(database)["status"] == "FLAVOR READY"


def test_classes_stay_when_the_service_no_longer_gives_them(database: Path) -> None:
    commit(database, flavored(0.25, HAPPY))
    commit(database, flavored(0.75), now=LATER)
    for found in (passage_flavor(database), song_flavor(database)):
        assert found["mood_happy"] == HAPPY["mood_happy"]
        assert bright(found) == 0.75


def test_of_several_files_the_longest_passage_speaks_for_the_song(database: Path) -> None:
    commit(database, flavored(0.1, path="long.flac", length_s=60), flavored(0.9, path="short.flac", length_s=30))
    assert bright(song_flavor(database)) == 0.1
    assert (bright(passage_flavor(database, "long.flac")), bright(passage_flavor(database, "short.flac"))) == (0.1, 0.9)
    commit(database, flavored(0.5, path="longest.flac", length_s=90))
    assert bright(song_flavor(database)) == 0.5


def test_of_several_passages_in_one_file_the_longest_speaks_for_the_song(database: Path) -> None:
    one = entry(bounds=seconds((0, 20), (30, 80), (90, 110)), songs=[SONG] * 3)
    passages = zip(one.passages, (0.1, 0.5, 0.9), strict=True)
    told = tuple(replace(passage, flavor=flavor(passage.match.span, value)) for passage, value in passages)
    commit(database, replace(one, passages=told))
    assert bright(song_flavor(database)) == 0.5


def test_a_file_that_was_not_listened_to_changes_no_flavor(database: Path) -> None:
    commit(database, flavored(0.25, HAPPY))
    query = "SELECT musical_flavor_vector, flavor_source_blend, flavor_completeness, additional_metadata FROM passages"
    before = (rows(database, query), song_row(database))
    (passage,) = flavored().passages
    commit(database, replace(flavored(), passages=(replace(passage, flavor=None),)), now=LATER)
    assert (rows(database, query), song_row(database)) == before


SOMEBODY = {
    "a song's flavor": """UPDATE songs SET flavor_vector = '{"user.christmas": {"a": 0.5, "b": 0.5}}'""",
    "a passage's": """UPDATE passages SET musical_flavor_vector = '{"user.christmas": {"a": 0.5, "b": 0.5}}'""",
    "a note": """UPDATE passages SET additional_metadata = '{"user.christmas": 1}'""",
}


@pytest.mark.parametrize("statement", SOMEBODY.values(), ids=SOMEBODY)
def test_what_somebody_writes_meanwhile_is_noticed_and_kept(statement: str, database: Path) -> None:
    commit(database, flavored(0.25))
    assert commit_while(database, flavored(0.75), statement).conflicts == 1
    kept = rows(database, "SELECT p.*, s.flavor_vector FROM passages AS p JOIN songs AS s ON s.guid = p.song_id")
    assert "user.christmas" in json.dumps(kept)
    assert bright(song_flavor(database)) == 0.75


def test_twenty_four_songs_get_their_flavors_in_one_statement(database: Path) -> None:
    bounds = seconds(*((number * 30.0, number * 30.0 + 20) for number in range(24)))
    one = entry(bounds=bounds)
    told = tuple(replace(passage, flavor=flavor(passage.match.span)) for passage in one.passages)
    plain = commit(database, replace(entry("b.flac", "b", bounds=bounds)))["b.flac"].receipt
    done = commit(database, replace(one, passages=told))[one.path].receipt
    assert plain is not None
    assert done is not None
    assert (done.write_locks, done.statements - plain.statements) == (1, 1)
    assert column(database, "SELECT count(*) FROM songs WHERE status = 'FLAVOR READY'") == [24]
    assert problems(database) == []
