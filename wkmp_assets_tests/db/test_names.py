"""Names of songs, artists, albums and works follow better evidence, in whatever order the files come."""
# ruff: noqa: S608 - identifiers from the tables of this module

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import mutagen.flac
import numpy as np
import pytest
import soundfile
from hypothesis import assume, given
from hypothesis import strategies as st

from wkmp_assets.audio.tags import read_tags
from wkmp_assets.db.plan.name_evidence import rank_of
from wkmp_assets.db.schema import ensure_schema
from wkmp_assets.db.write.names import create_functions
from wkmp_assets.db.write.statements import insert_rows, values_of
from wkmp_assets.identify.tag_matches import match_from_tags
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.rows import ArtistRow
from wkmp_assets.model.values import (
    Artist,
    FileState,
    FileTags,
    KnownRelease,
    PassageLookup,
    Release,
    Song,
    Work,
)
from wkmp_assets_tests.support.builders import (
    LATER,
    column,
    commit,
    entry,
    mbid,
    meanwhile,
    phase_values,
    problems,
    rows,
    run_sql,
    sha,
)

NAMES = (
    "SELECT title AS a, artist_name AS b FROM songs",
    "SELECT name AS a, NULL AS b FROM artists",
    "SELECT title AS a, NULL AS b FROM works",
    "SELECT title AS a, release_date AS b FROM albums",
)
EVIDENCE = {
    "songs": ("title_evidence", "artist_name_evidence"),
    "artists": ("name_evidence",),
    "works": ("title_evidence",),
    "albums": ("title_evidence", "release_date_evidence"),
}
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (f"2026-01-0{day} 10:00:00" for day in (5, 6, 7, 8))


def named(
    text: str,
    rank: NameRank = NameRank.TAG,
    at: str = MONDAY,
    path: str = "a.flac",
    of: str = "x",
    date: str | None = "2001",
) -> FileEntry:
    """A file whose song, artist, work and album have this name, on this evidence."""
    is_answer = rank >= NameRank.ACOUSTID
    song = Song(
        mbid(f"song {of}"),
        text,
        text,
        (Artist(mbid(f"artist {of}"), text, rank),),
        (Work(mbid(f"work {of}"), text, rank),),
        max(rank, NameRank.TAG),
        at if is_answer else None,
    )
    release = Release(mbid(f"album {of}"), text, date)
    one = entry(path, sha(path + text + of), songs=[song], state=FileState.CHANGED, modified_at=at)
    (passage,) = one.passages
    releases = (KnownRelease(release, is_official=True, is_plain_album=True),) if is_answer else ()
    lookup = PassageLookup(passage.match.span, LookupOutcome.MATCH, releases=releases) if is_answer else None
    match = replace(passage.match, release=release, lookup=lookup)
    return replace(one, passages=(replace(passage, match=match),))


def names(database: Path) -> list[tuple[str | None, str | None]]:
    return [(row["a"], row["b"]) for query in NAMES for row in rows(database, query)]


def every(text: str, date: str = "2001") -> list[tuple[str | None, str | None]]:
    return [(text, text), (text, None), (text, None), (text, date)]


def test_a_corrected_tag_replaces_every_name(database: Path) -> None:
    commit(database, named("Typo", date="2011"))
    commit(database, named("Title", at=TUESDAY), now=LATER)
    assert names(database) == every("Title")
    assert problems(database) == []


@pytest.mark.parametrize("corrected_at", [TUESDAY, "2008-01-10 21:20:00"], ids=["newer", "from an older backup"])
def test_names_are_corrected_in_the_tags_of_a_real_file(database: Path, tmp_path: Path, corrected_at: str) -> None:
    path = tmp_path / "song.flac"
    soundfile.write(path, np.zeros(1000), 44_100)
    segments = phase_values()["passage_segments"]

    def import_with(title: str, artist: str, at: str) -> None:
        file = mutagen.flac.FLAC(path)
        file.delete()
        file.update(
            {
                "title": title, "artist": artist, "album": f"{title} Album", "date": "1999",
                "musicbrainz_trackid": mbid("r"), "musicbrainz_artistid": mbid("a"),
                "musicbrainz_albumid": mbid("b"), "musicbrainz_workid": mbid("w"), "work": f"{title} Work",
            }
        )  # fmt: skip
        file.save()
        tags = read_tags(path)
        assert tags.warnings == ()
        one = entry("song.flac", title, state=FileState.CHANGED, tags=tags, modified_at=at)
        (match,) = match_from_tags(tags, replace(segments, passages=segments.passages[:1]))
        commit(database, replace(one, passages=(replace(one.passages[0], match=match),)))

    import_with("Yesterdya", "The Betales", MONDAY)
    import_with("Yesterday", "The Beatles", corrected_at)
    assert names(database) == [
        ("Yesterday", "The Beatles"), ("The Beatles", None), ("Yesterday Work", None), ("Yesterday Album", "1999"),
    ]  # fmt: skip


CASES = {
    "a tag over a joint credit": (NameRank.CREDIT, TUESDAY, NameRank.TAG, MONDAY, True),
    "a tag over a guess": (NameRank.GUESS, TUESDAY, NameRank.TAG, MONDAY, True),
    "a part of a credit over the whole": (NameRank.CREDIT, TUESDAY, NameRank.PART, MONDAY, True),
    "no part of a credit over a tag": (NameRank.TAG, MONDAY, NameRank.PART, TUESDAY, False),
    "a joint credit over a guess": (NameRank.GUESS, TUESDAY, NameRank.CREDIT, MONDAY, True),
    "MusicBrainz over a tag": (NameRank.TAG, TUESDAY, NameRank.MUSICBRAINZ, MONDAY, True),
    "MusicBrainz over AcoustID": (NameRank.ACOUSTID, TUESDAY, NameRank.MUSICBRAINZ, MONDAY, True),
    "no tag over MusicBrainz": (NameRank.MUSICBRAINZ, MONDAY, NameRank.TAG, TUESDAY, False),
    "no AcoustID over MusicBrainz": (NameRank.MUSICBRAINZ, MONDAY, NameRank.ACOUSTID, TUESDAY, False),
    "no guess over a tag": (NameRank.TAG, MONDAY, NameRank.GUESS, TUESDAY, False),
    "a newer answer over an older one": (NameRank.MUSICBRAINZ, MONDAY, NameRank.MUSICBRAINZ, TUESDAY, True),
    "no older tag over a newer one": (NameRank.TAG, TUESDAY, NameRank.TAG, MONDAY, False),
}
CASES_OF_ONE_FILE = {
    "a tag, saved without a new time": (NameRank.TAG, MONDAY, NameRank.TAG, MONDAY, True),
    "a tag, from an older backup": (NameRank.TAG, TUESDAY, NameRank.TAG, MONDAY, True),
    "a joint credit, from an older backup": (NameRank.CREDIT, TUESDAY, NameRank.CREDIT, MONDAY, True),
    "a tag instead of a joint credit": (NameRank.CREDIT, TUESDAY, NameRank.TAG, MONDAY, True),
    "no joint credit instead of a tag": (NameRank.TAG, MONDAY, NameRank.CREDIT, TUESDAY, False),
    "no older answer": (NameRank.MUSICBRAINZ, TUESDAY, NameRank.MUSICBRAINZ, MONDAY, False),
    "no tag instead of an answer": (NameRank.MUSICBRAINZ, MONDAY, NameRank.TAG, TUESDAY, False),
}


@pytest.mark.parametrize(
    ("path", "case"),
    [
        *(pytest.param("b.flac", case, id=name) for name, case in CASES.items()),
        *(pytest.param("a.flac", case, id=f"one file: {name}") for name, case in CASES_OF_ONE_FILE.items()),
    ],
)
def test_better_or_newer_evidence_replaces(
    database: Path, path: str, case: tuple[NameRank, str, NameRank, str, bool]
) -> None:
    """The time tells files apart. What a file said before counts no more when it says something as good."""
    old, old_at, new, new_at, is_replaced = case
    commit(database, named("Old", old, old_at))
    commit(database, named("New", new, new_at, path), now=LATER)
    # Artists and works carry ranks of their own; a song and a release that tags name are always named by a tag.
    assert [column(database, f"SELECT {name}") for name in ("name FROM artists", "title FROM works")] == [
        ["New" if is_replaced else "Old"]
    ] * 2


def test_the_order_of_files_makes_no_difference(database: Path) -> None:
    files = (
        ("Tag", NameRank.TAG, TUESDAY, "2011"),
        ("Newer tag", NameRank.TAG, WEDNESDAY, "2012"),
        ("Guess", NameRank.GUESS, THURSDAY, None),
    )
    for number, order in enumerate(permutations(files)):
        for place, (text, rank, at, date) in enumerate(order):
            commit(database, named(text, rank, at, f"{number}/{place}.flac", of=str(number), date=date))
    found = [{tuple(row.values()) for row in rows(database, query)} for query in NAMES]
    assert column(database, "SELECT count(*) FROM songs") == [6]
    # The guess is about the artist and the work; the same file has tags of its own for song and album, but no date.
    assert found == [{("Guess", "Guess")}, {("Newer tag", None)}, {("Newer tag", None)}, {("Guess", "2012")}]


FILES = tuple(mbid(f"file {number}") for number in range(4))


def test_the_next_import_of_another_file_restores_its_newer_name(database: Path) -> None:
    commit(database, named("Typo", at=WEDNESDAY))
    commit(database, named("Title", at=TUESDAY, path="b.flac"))
    commit(database, named("Older title", at=MONDAY), now=LATER)
    assert names(database) == every("Older title")
    commit(database, named("Title", at=TUESDAY, path="b.flac"), now=LATER)
    assert names(database) == every("Title")


def test_a_tag_that_its_file_gave_up_stays_until_another_file_has_one(database: Path) -> None:
    commit(database, named("Typo", at=WEDNESDAY))
    commit(database, named("Title & Guest", NameRank.CREDIT, THURSDAY), now=LATER)
    artist_and_work = [(name, None) for name in ("Typo", "Typo")]
    assert names(database)[1:3] == artist_and_work
    commit(database, named("Title & Guest", NameRank.CREDIT, THURSDAY), now=LATER)
    assert names(database)[1:3] == artist_and_work
    commit(database, named("Title", at=MONDAY, path="b.flac"), now=LATER)
    assert names(database)[1:3] == [("Title", None)] * 2


SOLO = (("Foo feat. Bar", ("foo",)), ("Foo", ("foo",)), ("Foo & The Orchestra of Somewhere", ("foo",)))
JOINT = (
    ("Emily meets Hall & Oates", ("emily", "hall & oates")),
    ("Hall & Oates feat. Tyler, The Creator", ("hall & oates", "tyler")),
    ("Emily", ("emily",)),
)
Credited = tuple[FileTags, ...]


def credited(folder: Path, songs: Sequence[tuple[str, Sequence[str]]]) -> Credited:
    """Return the tags of songs with these credits and artists."""
    path = folder / "song.flac"
    soundfile.write(path, np.zeros(1000), 44_100)
    tags = []
    for number, (credit, artists) in enumerate(songs):
        file = mutagen.flac.FLAC(path)
        file["musicbrainz_trackid"] = mbid(f"r{number}")
        file["musicbrainz_artistid"] = [mbid(artist) for artist in artists]
        file.update({"title": f"song {number}", "artist": credit})
        file.save()
        tags.append(read_tags(path))
    return tuple(tags)


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Credited:
    return credited(tmp_path_factory.mktemp("solo"), SOLO)


@pytest.fixture(scope="module")
def joint(tmp_path_factory: pytest.TempPathFactory) -> Credited:
    return credited(tmp_path_factory.mktemp("joint"), JOINT)


def import_in(order: Sequence[int], tagged: Credited, database: Path) -> None:
    segments = phase_values()["passage_segments"]
    for number in order:
        tags = tagged[number]
        (match,) = match_from_tags(tags, replace(segments, passages=segments.passages[:1]))
        at = (MONDAY, TUESDAY, WEDNESDAY)[number]
        one = entry(f"{number}.flac", str(number), tags=tags, modified_at=at)
        commit(database, replace(one, passages=(replace(one.passages[0], match=match),)))


@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
def test_an_artist_is_named_by_the_song_without_guests(database: Path, solo: Credited, order: tuple[int, ...]) -> None:
    import_in(order, solo, database)
    assert column(database, "SELECT name FROM artists") == ["Foo"]


@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
def test_artists_of_joint_credits_are_linked_at_once_and_named_by_what_tells_them_apart(
    database: Path, joint: Credited, order: tuple[int, ...]
) -> None:
    import_in(order[:1], joint, database)
    credit, artists = JOINT[order[0]]
    assert set(column(database, "SELECT artist_mbid FROM artists")) == set(map(mbid, artists))
    assert set(column(database, "SELECT name FROM artists")) <= {credit, "Emily", "Hall & Oates", "Tyler, The Creator"}
    import_in(order[1:], joint, database)
    found = {row["artist_mbid"]: row["name"] for row in rows(database, "SELECT artist_mbid, name FROM artists")}
    assert found == {mbid("emily"): "Emily", mbid("hall & oates"): "Hall & Oates", mbid("tyler"): "Tyler, The Creator"}
    assert column(database, "SELECT count(*) FROM song_artists") == [5]


EVIDENCES = st.builds(
    lambda rank, at, file, text: (text, f"{rank} {at} {file}\n{text}"),
    st.sampled_from([1, 2, 3, 4, 6]),
    st.sampled_from(["", MONDAY, TUESDAY, "9999-12-31 23:59:59.00000000000253402300800"]),
    st.sampled_from(FILES),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5),
)


@pytest.fixture(scope="module")
def artists() -> Iterator[sqlite3.Connection]:
    """A library without any rows."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        ensure_schema(connection)
        create_functions(connection)
        yield connection


def final_name(artists: sqlite3.Connection, evidences: Sequence[tuple[str, str]], first: str | None) -> Any:
    """The name and evidence of an artist after rows with these arrived one by one."""
    artists.execute("DELETE FROM artists")
    if first is not None:
        artists.execute("INSERT INTO artists (guid, artist_mbid, name) VALUES ('g', 'm', ?)", [first])
    for name, evidence in evidences:
        row = ArtistRow("g", "m", name, MONDAY, MONDAY, evidence)
        artists.execute(insert_rows(ArtistRow, 1), values_of([row]))
    return artists.execute("SELECT name, name_evidence FROM artists").fetchone()


def file_of(evidence: tuple[str, str]) -> str:
    return evidence[1].partition("\n")[0].rpartition(" ")[2]


@given(st.data(), st.lists(EVIDENCES, min_size=2, max_size=6, unique_by=file_of))
def test_any_evidence_in_any_order_gives_one_name(
    artists: sqlite3.Connection, data: st.DataObject, evidences: list[tuple[str, str]]
) -> None:
    """Each file says one thing."""
    other = data.draw(st.permutations(evidences))
    first = data.draw(st.sampled_from([None, "of an older version"]))
    assert final_name(artists, evidences, first) == final_name(artists, other, first)


@given(st.data(), st.lists(EVIDENCES.filter(lambda one: one[1] < f"{NameRank.ACOUSTID:d}"), min_size=1, max_size=8))
def test_whatever_the_files_once_said_the_best_that_they_say_now_names(
    artists: sqlite3.Connection, data: st.DataObject, evidences: list[tuple[str, str]]
) -> None:
    """The second import asks also the files that lost against what another one no longer says."""
    now = {file_of(one): one for one in evidences}
    imports = [one for _ in range(2) for one in data.draw(st.permutations(list(now.values())))]
    best = max(now.values(), key=lambda one: rank_of(one[1]))
    assume(best[1][0] == max(one[1][0] for one in evidences))
    assert final_name(artists, [*evidences, *imports], None) == best


@pytest.mark.parametrize(
    ("rank", "is_replaced"),
    [
        (NameRank.GUESS, False),
        (NameRank.CREDIT, False),
        (NameRank.PART, False),
        (NameRank.TAG, True),
        (NameRank.MUSICBRAINZ, True),
    ],
)
def test_a_library_of_an_older_version_heals(database: Path, rank: NameRank, *, is_replaced: bool) -> None:
    """It does not say where its names are from, so what is no better than a guess replaces none."""
    commit(database, named("Typo"))
    run_sql(database, *(f"UPDATE {table} SET {name} = NULL" for table, kept in EVIDENCE.items() for name in kept))
    commit(database, named("Title", rank), now=LATER)
    assert column(database, "SELECT name FROM artists") == ["Title" if is_replaced else "Typo"]
    if is_replaced:
        assert names(database) == every("Title")


@pytest.mark.parametrize("table", EVIDENCE)
def test_a_name_that_a_person_changed_stays(database: Path, table: str) -> None:
    commit(database, named("Typo"))
    fields = [name.removesuffix("_evidence") for name in EVIDENCE[table]]
    run_sql(database, *(f"UPDATE {table} SET {name} = 'mine'" for name in fields))
    commit(database, named("Title", NameRank.MUSICBRAINZ, TUESDAY), now=LATER)
    assert set(rows(database, f"SELECT {', '.join(fields)} FROM {table}")[0].values()) == {"mine"}


def test_a_file_of_the_future_does_not_name_things_for_ever(database: Path) -> None:
    commit(database, named("Typo", at="9999-12-31 23:59:59.00000000000253402300800"))
    commit(database, named("Title", at=MONDAY), now=LATER)
    assert names(database) == every("Title")


def test_a_file_that_is_minutes_ahead_can_be_corrected_at_once(database: Path) -> None:
    commit(database, named("Typo", at="2026-03-01 12:05:00"))
    commit(database, named("Title", at="2026-03-01 12:02:00"), now=LATER)
    assert names(database) == every("Title")


def test_better_evidence_that_arrives_meanwhile_stays(database: Path) -> None:
    commit(database, named("Typo"))
    other = [named("Answer", NameRank.MUSICBRAINZ, path="b.flac")]

    def import_other() -> None:
        if other:
            commit(database, other.pop())

    with meanwhile(import_other):
        commit(database, named("Title", at=TUESDAY), now=LATER)
    assert names(database) == every("Answer")


def test_an_album_in_the_tags_takes_musicbrainz_title_and_date(database: Path) -> None:
    """Which release it is, the tags say; how it is called, MusicBrainz."""
    one = named("Answer", NameRank.MUSICBRAINZ)
    (passage,) = one.passages
    assert passage.match.release is not None
    tagged = replace(passage.match, release=Release(passage.match.release.mbid, "Tag", "1888"))
    commit(database, replace(one, passages=(replace(passage, match=tagged),)))
    assert rows(database, "SELECT title, release_date FROM albums") == [{"title": "Answer", "release_date": "2001"}]


def test_of_two_passages_the_better_evidence_names_their_song(database: Path) -> None:
    one = entry(bounds=[(0, 1_000_000), (2_000_000, 3_000_000)])
    (song,) = (passage.match.song for passage in named("Tag").passages)
    (answered,) = (passage.match.song for passage in named("Answer", NameRank.MUSICBRAINZ).passages)
    passages = zip(one.passages, (song, answered), strict=True)
    commit(
        database,
        replace(one, passages=tuple(replace(p, match=replace(p.match, song=s)) for p, s in passages)),
    )
    assert names(database)[:3] == every("Answer")[:3]
