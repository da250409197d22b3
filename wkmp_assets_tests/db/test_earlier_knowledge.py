"""A file imported again: what the library knows of a passage stays until an answer replaces it."""
# ruff: noqa: E501, S608 - queries of this module

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import chromaprint
import numpy as np
import pytest

from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.file_entry import EntryFingerprint, FileEntry, PassageEntry
from wkmp_assets.model.fingerprints import is_same_sound
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.values import FileState, PassageLookup, Release, Song
from wkmp_assets.report.partition_metadata import describe_commit
from wkmp_assets_tests.support.builders import (
    LATER,
    Bounds,
    column,
    commit,
    entry,
    flavor,
    meanwhile_sql,
    problems,
    release,
    rows,
    run_sql,
    seconds,
    song,
)

PATH = entry().path
LAST_ALBUM = release("Last")
KNOWN = (
    "song_id, recording_mbid, title, artist, album, title_source, title_confidence, artist_source, artist_confidence, "
    "album_source, album_confidence, mbid_source, mbid_confidence, identity_confidence"
)
LINKS = (
    "SELECT song_id, start_time_ticks, end_time_ticks FROM passage_songs ORDER BY song_id",
    "SELECT album_id FROM passage_albums ORDER BY album_id",
)


def answered_by_services(database: Path, bounds: Bounds | None = None) -> None:
    """Import a file, and let MusicBrainz be the source of what is known."""
    commit(database, entry(bounds=bounds or seconds((0, 200))))
    run_sql(
        database,
        "UPDATE passages SET title_source = 'MusicBrainz', artist_source = 'MusicBrainz', album_source = 'MusicBrainz', mbid_source = 'MusicBrainz', mbid_confidence = 0.93",
    )


def known(database: Path) -> list[Any]:
    return [rows(database, f"SELECT {KNOWN} FROM passages ORDER BY start_time_ticks")] + [
        rows(database, links) for links in LINKS
    ]


def unanswered(
    bounds: Bounds | None = None, outcome: LookupOutcome | None = None, named: Song | None = None, **changed: Any
) -> FileEntry:
    """Return the same file with other bytes and tags. Without `named`, the services know no recording."""
    one = entry(content="retagged", bounds=bounds or seconds((0, 200)), songs=None, state=FileState.CHANGED)
    passages = []
    for passage in one.passages:
        lookup = None if outcome is None else PassageLookup(passage.match.span, outcome, detail="AcoustID: HTTP 503")
        texts = {"title": "Tag", "artist": "Tagger", "album": None, "source": "ID3", "score": 0.65} | changed
        passages.append(
            replace(passage, match=replace(passage.match, song=named, release=None, lookup=lookup, **texts))
        )
    return replace(one, passages=tuple(passages))


def again(database: Path, one: FileEntry) -> FileCommit:
    done = commit(database, one, now=LATER, run_id="run-2")[PATH]
    assert problems(database) == []
    assert done.receipt is not None
    assert (done.receipt.write_locks, done.receipt.selects_in_transaction) == (1, 0)
    return done


@pytest.mark.parametrize("outcome", [None, LookupOutcome.DEFERRED, LookupOutcome.TOO_SHORT])
def test_no_answer_replaces_nothing(database: Path, outcome: LookupOutcome | None) -> None:
    answered_by_services(database)
    before = known(database)
    done = again(database, unanswered(outcome=outcome))
    assert known(database) == before
    said = describe_commit(done)
    assert said["kept"].startswith("1 passage known before: kept because")
    assert "1 of them with a known song" in said["found"]
    assert done.receipt is not None
    assert done.receipt.written is not None
    assert (done.receipt.written.passage_songs, done.receipt.written.passage_albums) == (1, 1)


def test_the_reason_is_the_services_own(database: Path) -> None:
    answered_by_services(database)
    done = again(database, unanswered(outcome=LookupOutcome.DEFERRED))
    assert describe_commit(done)["kept"] == "1 passage known before: kept because AcoustID: HTTP 503"


def test_a_service_that_knows_no_recording_replaces(database: Path) -> None:
    answered_by_services(database)
    done = again(database, unanswered(outcome=LookupOutcome.NO_MATCH))
    assert column(database, "SELECT song_id FROM passages") == [None]
    assert column(database, "SELECT count(*) FROM passage_songs") == [0]
    assert "kept" not in describe_commit(done)


def test_tags_that_name_another_recording_replace(database: Path) -> None:
    answered_by_services(database)
    again(database, unanswered(named=song("Other"), title="Other"))
    assert rows(database, "SELECT title, recording_mbid FROM passages") == [
        {"title": "Other", "recording_mbid": song("Other").recording_mbid}
    ]
    assert column(database, "SELECT count(*) FROM passage_songs") == [1]


def test_tags_that_name_the_same_recording_erase_no_text_and_no_album(database: Path) -> None:
    answered_by_services(database)
    again(database, unanswered(named=song("a 0"), title=None, artist=None))
    assert rows(database, "SELECT title, artist, album, title_source FROM passages") == [
        {"title": "a 0", "artist": "Ann", "album": "Album", "title_source": "MusicBrainz"}
    ]
    assert column(database, "SELECT count(*) FROM passage_albums") == [1]


@pytest.mark.parametrize(("source", "title"), [("ID3", "Tag"), ("Filename", "Tag"), (None, "Tag"), ("AcoustID", "a 0")])
def test_a_new_tag_replaces_a_text_of_no_service_and_keeps_the_song(
    database: Path, source: str | None, title: str
) -> None:
    answered_by_services(database)
    run_sql(database, f"UPDATE passages SET title_source = {'NULL' if source is None else repr(source)}")
    again(database, unanswered())
    assert column(database, "SELECT title FROM passages") == [title]
    assert None not in column(database, "SELECT song_id FROM passages")


def test_a_title_that_the_tags_lost_stays_though_there_is_no_song(database: Path) -> None:
    commit(database, entry(songs=[None], bounds=seconds((0, 200))))
    run_sql(database, "UPDATE passages SET title = 'Known', title_source = 'ID3', title_confidence = 0.65")
    again(database, unanswered(title=None, artist=None, score=0.0))
    assert rows(database, "SELECT title, title_source FROM passages") == [{"title": "Known", "title_source": "ID3"}]


def test_a_passage_cut_in_two_keeps_its_song_on_the_longest_piece(database: Path) -> None:
    answered_by_services(database)
    again(database, unanswered(seconds((0, 60), (62, 200))))
    assert [
        song_id is not None for song_id in column(database, "SELECT song_id FROM passages ORDER BY start_time_ticks")
    ] == [False, True]
    assert rows(
        database,
        "SELECT s.start_time_ticks AS a, s.end_time_ticks = p.end_time_ticks - p.start_time_ticks AS b FROM passage_songs AS s JOIN passages AS p ON p.guid = s.passage_id",
    ) == [{"a": 0, "b": 1}]


def test_passages_with_moved_boundaries_keep_their_songs_in_order(database: Path) -> None:
    answered_by_services(database, seconds((0, 100), (110, 200)))
    before = column(database, "SELECT song_id FROM passages ORDER BY start_time_ticks")
    again(database, unanswered(seconds((3, 99), (105, 204))))
    assert column(database, "SELECT song_id FROM passages ORDER BY start_time_ticks") == before


def test_a_song_in_a_medley_keeps_its_place(database: Path) -> None:
    answered_by_services(database)
    commit(database, entry(path="other.flac", content="b"))
    run_sql(
        database,
        "INSERT INTO passage_songs SELECT p.guid, s.guid, 28224000, 56448000, '2020-01-01 00:00:00' FROM passages AS p, songs AS s WHERE p.title = 'a 0' AND s.title = 'b 0'",
    )
    before = known(database)[1]
    again(database, unanswered())
    assert known(database)[1] == before


PEOPLES_TIME = "2020-01-01 00:00:00"
PEOPLES_LINKS = (
    "INSERT INTO songs (guid, recording_mbid) VALUES ('mine', 'mine')",
    f"INSERT INTO passage_songs SELECT guid, 'mine', 5, 9, '{PEOPLES_TIME}' FROM passages",
    "INSERT INTO albums (guid, album_mbid, title) VALUES ('mine', 'mine', 'Mixtape')",
    f"INSERT INTO passage_albums SELECT guid, 'mine', '{PEOPLES_TIME}' FROM passages",
)
ANSWERS: dict[str, dict[str, Any]] = {
    "no match": {"outcome": LookupOutcome.NO_MATCH},
    "another recording": {"named": song("Other"), "title": "Other"},
    "the same recording by tags": {"named": song("a 0")},
    "the same recording by a service": {"named": song("a 0"), "outcome": LookupOutcome.MATCH, "source": "MusicBrainz"},
    "none": {},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("album", [None, LAST_ALBUM], ids=["no release", "a release"])
def test_links_that_people_made_stay_whatever_the_answer_is(
    database: Path, answer: dict[str, Any], album: Release | None
) -> None:
    answered_by_services(database)
    run_sql(database, *PEOPLES_LINKS)
    one = unanswered(**answer)
    again(database, replace(one, passages=tuple(on_album(passage, album) for passage in one.passages)))
    links = "SELECT start_time_ticks AS a, end_time_ticks AS b, created_at FROM passage_songs WHERE song_id = 'mine'"
    assert rows(database, links) == [{"a": 5, "b": 9, "created_at": PEOPLES_TIME}]
    assert column(database, "SELECT created_at FROM passage_albums WHERE album_id = 'mine'") == [PEOPLES_TIME]
    assert column(database, "SELECT count(*) FROM passage_songs") == [1 if answer == ANSWERS["no match"] else 2]


def on_album(passage: PassageEntry, album: Release | None) -> PassageEntry:
    return replace(passage, match=replace(passage.match, release=album))


def test_the_imports_own_links_are_known_after_an_import_without_an_answer(database: Path) -> None:
    answered_by_services(database)
    again(database, unanswered())
    one = unanswered(named=song("Other"), title="Other")
    commit(database, one, now=LATER + timedelta(days=1), run_id="run-3")
    assert column(database, "SELECT songs.title FROM passage_songs JOIN songs ON guid = song_id") == ["Other"]
    assert column(database, "SELECT count(*) FROM passage_albums") == [0]


def test_a_link_that_a_person_made_to_the_song_that_is_found_stays_as_it_is(database: Path) -> None:
    answered_by_services(database)
    run_sql(database, f"UPDATE passage_songs SET start_time_ticks = 7, created_at = '{PEOPLES_TIME}'")
    again(database, unanswered(named=song("a 0"), outcome=LookupOutcome.MATCH))
    assert column(database, "SELECT start_time_ticks FROM passage_songs") == [7]


def test_what_wkmp_linked_itself_is_replaced_by_an_answer(database: Path) -> None:
    answered_by_services(database)
    run_sql(
        database,
        "UPDATE passages SET import_timestamp = NULL",
        f"UPDATE passage_songs SET created_at = '{PEOPLES_TIME}'",
        *PEOPLES_LINKS,
    )
    again(database, unanswered(named=song("Other"), title="Other"))
    query = "SELECT coalesce(songs.title, 'mine') FROM passage_songs JOIN songs ON guid = song_id ORDER BY 1"
    assert column(database, query) == ["Other", "mine"]


def test_an_album_that_a_person_links_meanwhile_is_not_lost(database: Path) -> None:
    answered_by_services(database)
    run_sql(database, PEOPLES_LINKS[2])
    with meanwhile_sql(database, PEOPLES_LINKS[3]) as batches:
        commit(database, unanswered(), now=LATER, run_id="run-2")
    assert len(batches) == 2
    assert "mine" in column(database, "SELECT album_id FROM passage_albums")


def test_acoustid_alone_does_not_replace_what_musicbrainz_said_of_the_same_recording(database: Path) -> None:
    answered_by_services(database)
    before = known(database)
    worse = replace(song("a 0", ["Anne", "Bob", "Cyd"]), title="A 0 (Live?)")
    done = again(
        database,
        unanswered(
            outcome=LookupOutcome.DEFERRED, named=worse, title=worse.title, artist="anne", source="AcoustID", score=0.7
        ),
    )
    assert known(database) == before
    assert describe_commit(done)["kept"] == "1 passage known before: kept because AcoustID: HTTP 503"


def test_acoustid_replaces_what_acoustid_said(database: Path) -> None:
    answered_by_services(database)
    run_sql(database, "UPDATE passages SET title_source = 'AcoustID', mbid_source = 'AcoustID'")
    again(
        database,
        unanswered(outcome=LookupOutcome.DEFERRED, named=song("a 0"), title="New", source="AcoustID", score=0.7),
    )
    assert rows(database, "SELECT title, artist, mbid_confidence FROM passages") == [
        {"title": "New", "artist": "Ann", "mbid_confidence": 0.7}
    ]


def chromaprint_of(seed: int, shift: int = 0, noise: float = 0.0) -> str:
    random = np.random.default_rng(seed)
    items = random.integers(0, 2**32, 300, dtype=np.uint32)[shift:]
    flips = np.random.default_rng(seed + 1).random((len(items), 32)) < noise
    return chromaprint.encode_fingerprint(  # type: ignore[no-any-return]  # it has no types
        [int(one) ^ sum(1 << int(bit) for bit in np.flatnonzero(row)) for one, row in zip(items, flips, strict=True)], 1
    ).decode()


def hear(one: FileEntry, fingerprint: str) -> FileEntry:
    passages = [replace(passage, fingerprint=EntryFingerprint(fingerprint, 200.0)) for passage in one.passages]
    return replace(one, passages=tuple(passages))


def test_fingerprints_tell_the_same_sound_from_another() -> None:
    one = chromaprint_of(1)
    assert is_same_sound(one, one)
    assert is_same_sound(one, chromaprint_of(1, shift=20, noise=0.1))
    assert is_same_sound(one, chromaprint_of(2)) is False
    assert is_same_sound(one, "AQAD") is None
    assert is_same_sound(one, "ä") is None


@pytest.mark.parametrize(("sound", "stays"), [(chromaprint_of(1, noise=0.1), True), (chromaprint_of(5), False)])
def test_a_replaced_file_with_other_sound_keeps_nothing(database: Path, sound: str, *, stays: bool) -> None:
    commit(database, hear(entry(bounds=seconds((0, 200))), chromaprint_of(1)))
    again(database, hear(unanswered(), sound))
    assert (column(database, "SELECT song_id FROM passages") != [None]) is stays


def test_equal_fingerprints_need_no_overlap(database: Path) -> None:
    commit(database, hear(entry(bounds=seconds((0, 100))), chromaprint_of(1)))
    before = column(database, "SELECT song_id FROM passages")
    again(database, hear(unanswered(seconds((300, 400))), chromaprint_of(1)))
    assert column(database, "SELECT song_id FROM passages") == before


def test_a_song_that_a_person_links_meanwhile_is_not_lost(database: Path) -> None:
    answered_by_services(database)
    run_sql(database, "INSERT INTO songs (guid, recording_mbid) VALUES ('mine', 'mine')")
    edit = "UPDATE passages SET song_id = 'mine', recording_mbid = 'mine'"
    link = "INSERT INTO passage_songs SELECT guid, 'mine', 0, 5, '2026-01-01' FROM passages"
    with meanwhile_sql(database, edit, link) as batches:
        commit(database, unanswered(), now=LATER, run_id="run-2")
    assert len(batches) == 3
    assert column(database, "SELECT song_id FROM passages") == ["mine"]
    assert "mine" in column(database, "SELECT song_id FROM passage_songs")


def test_a_database_of_wkmp_keeps_what_people_and_wkmp_entered(database: Path) -> None:
    """WKMP stores no sources with texts, and people give songs probabilities and lyrics, and passages titles."""
    answered_by_services(database)
    run_sql(
        database,
        "UPDATE passages SET title_source = NULL, artist_source = NULL, album_source = NULL, mbid_source = NULL, mbid_confidence = NULL, identity_confidence = NULL, title_confidence = NULL, user_title = 'mine', import_session_id = NULL",
        "DELETE FROM import_provenance",
        "UPDATE songs SET base_probability = 0.25, lyrics = 'la la'",
    )
    reached = "SELECT p.user_title, s.base_probability, s.lyrics, s.guid FROM passages AS p JOIN passage_songs AS l ON l.passage_id = p.guid JOIN songs AS s ON s.guid = l.song_id AND s.guid = p.song_id"
    before = rows(database, reached)
    assert len(before) == 1
    again(database, unanswered())
    assert rows(database, reached) == before


def test_a_kept_song_keeps_the_classes_of_the_passages_flavor(database: Path) -> None:
    classes = {"mood_happy": {"happy": 0.75, "not_happy": 0.25}}
    one = entry(bounds=seconds((0, 200)))
    heard = replace(one.passages[0], flavor=flavor(one.passages[0].match.span, classes=classes))
    commit(database, replace(one, passages=(heard,)))
    new = unanswered()
    again(database, replace(new, passages=(replace(new.passages[0], flavor=flavor(heard.match.span, 0.5)),)))
    (vector,) = column(database, "SELECT musical_flavor_vector FROM passages")
    assert "happy" in json.dumps(json.loads(vector))
