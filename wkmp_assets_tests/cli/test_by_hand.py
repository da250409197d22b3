"""`wkmp identify`, `accept` and `reject`: what a person says stays, whatever later imports find."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.db.read.removal import read_removable
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import FileState, FileTags, PassageLookup
from wkmp_assets_tests.support.builders import (
    LATER,
    NOW,
    bare,
    commit,
    entry,
    flavor,
    mbid,
    meanwhile,
    problems,
    rows,
    run_sql,
    seconds,
    song,
)
from wkmp_assets_tests.support.music_services import (
    MusicServices,
    music_services,
    musicbrainz_recording,
    musicbrainz_release,
)

pytestmark = pytest.mark.slow

PATH = "Bach/Air.flac"
GUESS = song("Guess")
RIGHT = mbid("recording the right one")
CLASSES = {"mood_happy": {"happy": 0.9, "not_happy": 0.1}}


def matched(score: float = 0.75, *, bounds: Any = None, source: str = "AcoustID", **known: Any) -> FileEntry:
    """Return a file whose passages a service matched, with flavors that have the wrong song's classes."""
    bounds = bounds or seconds((0, 60))
    one = entry(PATH, bounds=bounds, songs=[GUESS] * len(bounds), **known)
    passages = tuple(
        replace(
            passage,
            match=replace(
                passage.match,
                level=MatchLevel.MEDIUM,
                score=score,
                source=source,
                lookup=PassageLookup(passage.match.span, LookupOutcome.MATCH),
            ),
            flavor=flavor(passage.match.span, 0.3, CLASSES),
        )
        for passage in one.passages
    )
    return replace(one, passages=passages)


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    folder = tmp_path / "music"
    (folder / "Bach").mkdir(parents=True)
    commit(folder / "wkmp.db", matched())
    return folder


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[MusicServices]:
    with music_services() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


def wkmp(*arguments: str | Path, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


def passages(music: Path) -> list[dict[str, Any]]:
    return rows(music / "wkmp.db", "SELECT * FROM passages ORDER BY start_time_ticks")


def known(music: Path) -> dict[str, Any]:
    """Return what a person's word is about: of the only passage, with its links."""
    (row,) = passages(music)
    names = ("guid", "song_id", "recording_mbid", "mbid_source", "mbid_confidence", "title", "artist", "album")
    links = rows(music / "wkmp.db", "SELECT song_id, start_time_ticks, end_time_ticks FROM passage_songs")
    albums = rows(music / "wkmp.db", "SELECT album_id FROM passage_albums ORDER BY 1")
    word = rows(music / "wkmp.db", "SELECT data_extracted FROM import_provenance WHERE source_type = 'Person'")
    flavors = json.loads(row["musical_flavor_vector"]).keys()
    return {name: row[name] for name in names} | {
        "links": links, "albums": albums, "word": word, "flavor": sorted(flavors)
    }  # fmt: skip


LATER_IMPORTS = {
    "the same match": matched(),
    "another recording": replace(matched(), passages=matched(bounds=seconds((1, 60))).passages),
    "a sure match": matched(0.99, source="MusicBrainz"),
    "wrong tags": matched(1.0, source="ID3", tags=FileTags(title="Wrong", recording_mbid=GUESS.recording_mbid)),
    "retagged": matched(content="retagged"),
    "moved": bare("Bach/New.flac", state=FileState.MOVED, moved_from=PATH),
    "touched": bare(PATH, state=FileState.TOUCHED),
}


def test_a_named_recording_gets_musicbrainz_names_in_one_transaction(music: Path, services: MusicServices) -> None:
    services.recordings[RIGHT] = musicbrainz_recording(
        RIGHT,
        "Air",
        [(mbid("artist Bach"), "Bach")],
        releases=[musicbrainz_release(mbid("release Suites"), "Suites", "1999")],
        works=[(mbid("work BWV 1068"), "BWV 1068")],
    )
    text = wkmp("identify", music / PATH, "--recording", RIGHT.upper(), music)
    assert f"{PATH}, passage 1: recording {RIGHT} (Air - Bach)" in text
    assert "Written in one transaction (1 write lock held" in text
    now = known(music)
    assert (now["title"], now["artist"], now["album"]) == ("Air", "Bach", "Suites")
    assert (now["recording_mbid"], now["mbid_source"], now["mbid_confidence"]) == (RIGHT, "Person", 1.0)
    assert [one["song_id"] for one in now["links"]] == [now["song_id"]]
    assert [one["album_id"] for one in now["albums"]] == [
        one["guid"] for one in rows(music / "wkmp.db", "SELECT guid FROM albums WHERE title = 'Suites'")
    ]
    (song_row,) = rows(music / "wkmp.db", f"SELECT * FROM songs WHERE recording_mbid = '{RIGHT}'")  # noqa: S608 - a literal
    assert (song_row["title"], song_row["artist_name"], song_row["status"]) == ("Air", "Bach", "FLAVOR READY")
    assert "mood_happy" not in now["flavor"], "those are the classes of another recording"
    assert "user.brightness" in now["flavor"]
    assert json.loads(now["word"][0]["data_extracted"])["before"]["recording_mbid"] == GUESS.recording_mbid
    assert services.count("MusicBrainz") == 1
    assert problems(music / "wkmp.db") == []


@pytest.mark.slow  # it asks a service that is down again after pauses
def test_without_an_answer_the_names_stay_and_that_is_said(music: Path, services: MusicServices) -> None:
    before = known(music)
    assert "MusicBrainz does not know this recording" in wkmp("identify", music / PATH, "--recording", RIGHT, music)
    now = known(music)
    assert [now[name] for name in ("title", "artist", "album")] == [before[n] for n in ("title", "artist", "album")]
    assert (now["recording_mbid"], now["albums"]) == (RIGHT, before["albums"])
    services.server.stop()
    other = mbid("recording of a service that is down")
    assert "The names stay as they were. MusicBrainz: " in wkmp("identify", music / PATH, "--recording", other, music)
    assert known(music)["recording_mbid"] == other


def test_without_a_key_no_service_is_asked(
    music: Path, services: MusicServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WKMP_ACOUSTID_API_KEY")
    assert "MusicBrainz was not asked: no AcoustID key" in wkmp("identify", music / PATH, "--recording", RIGHT, music)
    assert services.asked == []


@pytest.mark.parametrize("command", [("identify", "--recording", "none"), ("reject",)], ids=["none", "reject"])
def test_a_passage_without_song_loses_the_names_of_the_wrong_one(music: Path, command: tuple[str, ...]) -> None:
    found = json.loads(
        CliRunner().invoke(main, [command[0], str(music / PATH), str(music), *command[1:], "--json"]).stdout
    )
    assert (found["schema"], found["said"], found["passage"]["recording_mbid"]) == (1, command[0], None)
    assert found["receipt"]["write_locks"] == 1
    now = known(music)
    assert (now["song_id"], now["recording_mbid"], now["mbid_source"], now["links"]) == (None, None, "Person", [])
    assert (now["title"], now["albums"]) == ("Title", []), "that of the file's tags"
    assert "mood_happy" not in now["flavor"]


def test_an_accepted_match_stays_as_it_is_and_is_sure(music: Path) -> None:
    before = known(music)
    wkmp("accept", music / PATH, music)
    now = known(music)
    changed = {name for name in now if now[name] != before[name]}
    assert changed == {"mbid_source", "mbid_confidence", "word"}
    assert passages(music)[0]["identity_confidence"] == 1.0


@pytest.mark.parametrize(
    ("said", "later"),
    [
        *(("named", later) for later in LATER_IMPORTS),
        *(("none", later) for later in ("another recording", "wrong tags", "retagged")),
        *(("accept", later) for later in ("the same match", "a sure match", "moved")),
    ],
)
def test_no_later_import_changes_what_a_person_said(music: Path, said: str, later: str) -> None:
    recording = {"named": RIGHT, "none": "none"}.get(said)
    wkmp(*(("identify", "--recording", recording) if recording else ("accept",)), music / PATH, music)
    before = known(music)
    one = LATER_IMPORTS[later]
    commit(music / "wkmp.db", one, now=LATER, run_id="run-2")
    after = known(music)
    if said == "accept":  # the import says the same, so newer names of that recording may come
        for name in ("title", "album"):
            before.pop(name), after.pop(name)
    for link in (*before["links"], *after["links"]):
        link.pop("end_time_ticks")
    assert after == before
    assert problems(music / "wkmp.db") == []


def test_a_copy_and_a_prune_know_what_a_person_said(music: Path) -> None:
    wkmp("reject", music / PATH, music)
    commit(music / "wkmp.db", entry("A/First.flac", "b"), now=LATER, run_id="run-2")
    become_copy = bare(PATH, "b", duplicate_of="A/First.flac")
    commit(music / "wkmp.db", become_copy, now=LATER, run_id="run-3")
    assert [row["mbid_source"] for row in passages(music)].count("Person") == 1
    (removable,) = read_removable(music / "wkmp.db", [PATH])
    assert removable.edited == 1


def test_a_word_that_comes_while_the_file_is_imported_counts(music: Path) -> None:
    """The import has read the passage as its own, and reads it again."""

    def accept_within_the_same_second() -> None:
        if not known(music)["word"]:
            wkmp("accept", PATH, music)
            run_sql(music / "wkmp.db", f"UPDATE files SET updated_at = '{Stamp(NOW, '').text}'")  # noqa: S608

    with meanwhile(accept_within_the_same_second) as batches:
        commit(music / "wkmp.db", matched(0.9, source="MusicBrainz"), run_id="run-2")
    assert len(batches) == 2
    assert known(music)["mbid_source"] == "Person"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("identify", "gone.flac", "--recording", "none"), "the library does not have gone.flac"),
        (("identify", PATH, "--recording", "4e0d"), "neither the MBID of a recording nor `none`"),
        (("identify", PATH, "--recording", "none", "--passage", "2"), "it has no passage 2, but 1"),
        (("accept", PATH, "--passage", "0"), "0 is not in the range"),
        (("accept", "gone.flac"), "does not have"),
        (("reject", "gone.flac"), "does not have"),
    ],
)
def test_what_cannot_be_is_a_sentence(music: Path, arguments: tuple[str, ...], said: str) -> None:
    before = known(music)
    assert said in wkmp(*arguments, music, status=2)
    assert known(music) == before


def test_only_doubtful_matches_are_judged(music: Path) -> None:
    wkmp("accept", PATH, music)
    assert "a person named its song already" in wkmp("reject", PATH, music, status=2)
    wkmp("identify", PATH, "--recording", "none", music)
    assert "its passage has no song" in wkmp("accept", PATH, music, status=2)
    commit(music / "wkmp.db", entry("sure.flac", "b"), entry("two.flac", "c", seconds((0, 20), (23, 43))))
    assert "its match is High" in wkmp("accept", "sure.flac", music, status=2)
    assert "it has 2 passages; name one with --passage N" in wkmp("accept", "two.flac", music, status=2)
    wkmp("identify", "two.flac", "--passage", "2", "--recording", "none", music)


def test_a_failure_of_the_file_stays_recorded(music: Path) -> None:
    run_sql(
        music / "wkmp.db",
        "INSERT INTO import_failures (path, phase, code, message, failed_at) "  # noqa: S608
        f"VALUES ('{PATH}', 'file_tags', 'UNREADABLE', 'm', '2026-01-01 00:00:00')",
    )
    wkmp("accept", PATH, music)
    assert len(rows(music / "wkmp.db", "SELECT * FROM import_failures")) == 1
