"""`wkmp list`, `search`, `show`, `similar`, `playlist` and `export`: what people do with a library."""

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wkmp_assets.cli import library_flavors, options
from wkmp_assets.cli.main import main
from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.listing import _from, read_passages, stream_flavors, within_files
from wkmp_assets.model import flavor_table
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets_tests.support.builders import commit, entry, flavor, run_sql, seconds, song

AIR = song("Air on the G String", ("Bach",))
FUGUE = song("Fugue", ("Bach",))
ROCK = song("Señor Rock", ("Älva",))


def heard(path: str, played: Any, bright: float, **known: Any) -> FileEntry:
    one = entry(path, path, songs=[played], **known)
    passages = tuple(replace(p, flavor=flavor(p.match.span, bright)) for p in one.passages)
    return replace(one, passages=passages)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    files = (
        heard("Bach/Air.flac", AIR, 0.2, bounds=seconds((1, 61))),
        heard("Bach/Air again.flac", AIR, 0.21, bounds=seconds((0, 60))),
        heard("Bach/Fugue.flac", FUGUE, 0.3, bounds=seconds((0, 60))),
        heard("Rock/one [live].flac", ROCK, 0.9, bounds=seconds((0, 60))),
        entry("Rock/two.flac", "two", seconds((0, 20), (23, 43)), songs=[None, None]),
    )
    commit(folder / "wkmp.db", *files)
    return folder


@pytest.fixture
def music(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "music"
    shutil.copytree(made, folder)
    for one in ("Bach", "Rock"):
        (folder / one).mkdir()
    for name in ("Bach/Air.flac", "Bach/Fugue.flac"):
        (folder / name).touch()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    return folder


def wkmp(*arguments: str | Path, status: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def read(*arguments: str | Path, status: int = 0) -> Any:
    found = json.loads(wkmp(*arguments, "--json", status=status).stdout)
    assert found["schema"] == 1
    return found


def paths(found: list[dict[str, Any]]) -> list[str]:
    return [one["path"] for one in found]


def test_passages_are_listed_by_path_and_start(music: Path) -> None:
    found = read("list", music)["passages"]
    assert [(one["path"], one["number"], one["start_s"]) for one in found] == [
        ("Bach/Air again.flac", 1, 0.0),
        ("Bach/Air.flac", 1, 1.0),
        ("Bach/Fugue.flac", 1, 0.0),
        ("Rock/one [live].flac", 1, 0.0),
        ("Rock/two.flac", 1, 0.0),
        ("Rock/two.flac", 2, 23.0),
    ]
    air = found[1]
    assert (air["title"], air["recording_mbid"], air["end_s"], air["lead_in_s"]) == (
        AIR.title,
        AIR.recording_mbid,
        61.0,
        16.0,
    )
    assert paths(read("list", music / "Rock")["passages"]) == ["Rock/one [live].flac"] + ["Rock/two.flac"] * 2
    text = wkmp("list", music).stdout
    assert "6 passages of 5 files" in text
    assert "Rock/two.flac at 0:23" in text
    assert "Rock/one [live].flac" in text, "brackets are no markup"


@pytest.mark.usefixtures("music")
def test_a_library_that_does_not_exist_has_no_passages(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "No library yet" in wkmp("list", tmp_path / "empty").stdout
    wkmp("export", "--format", "sqlite", "--output", tmp_path / "x.db", tmp_path / "empty", status=1)


def test_the_folder_may_be_left_out_in_a_library_or_with_a_setting(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(music / "Rock")
    assert len(read("list")["passages"]) == 3
    monkeypatch.chdir(tmp_path)
    assert "name the folder of your music" in wkmp("list", status=2).stderr
    monkeypatch.setenv("WKMP_LIBRARY_ROOT", str(music))
    assert len(read("list")["passages"]) == 6
    monkeypatch.setenv("WKMP_LIBRARY_ROOT", str(music / "gone"))
    assert "no folder" in wkmp("list", status=2).stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("air", {"Bach/Air.flac", "Bach/Air again.flac"}),
        ("BACH fug", {"Bach/Fugue.flac"}),
        ("senor ann", {"Rock/one [live].flac"}),
        ('"live" OR', set()),
        ("one [live]", {"Rock/one [live].flac"}),
        ("* -", set()),
    ],
)
def test_words_are_searched_without_case_accents_and_operators(music: Path, words: str, expected: set[str]) -> None:
    found = read("search", words, music, status=0 if expected else 1)
    assert set(paths(found["passages"])) == expected


def test_a_search_without_result_says_so(music: Path) -> None:
    assert "Nothing found." in wkmp("search", "nobody", music, status=1).stdout
    assert "1 more" in wkmp("search", "air", music, "--limit", "1").stdout


def test_a_file_is_shown_with_why_it_was_named(music: Path) -> None:
    text = wkmp("show", music / "Bach/Air.flac").stdout
    for said in (
        "Air on the G String",
        AIR.recording_mbid,
        "Bach",
        "song: ID3",
        "High",
        "bpm 123.4",
        "Opus",
        "dark (80 %)",
    ):
        assert said in text, said
    found = read("show", "Rock/two.flac", music)["file"]
    assert (found["status"], len(found["passages"])) == ("INGEST COMPLETE", 2)
    assert "does not have" in wkmp("show", "Rock/three.flac", music, status=1).stderr


@pytest.mark.parametrize("few", [0, 3, 4])
def test_the_most_similar_passages_come_first_with_what_they_share(
    music: Path, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four passages have a flavor: many are compared as arrays, few are not."""
    monkeypatch.setattr(library_flavors, "MAX_FEW", few)
    found = read("similar", music / "Bach/Air.flac")
    assert found["like"]["path"] == "Bach/Air.flac"
    assert paths(found["similar"]) == ["Bach/Air again.flac", "Bach/Fugue.flac", "Rock/one [live].flac"]
    assert [len(one["shared"]) for one in found["similar"]] == [1, 1, 0]
    distances = [one["distance"] for one in found["similar"]]
    assert distances == sorted(distances)
    assert paths(read("similar", FUGUE.recording_mbid, music)["similar"])[0].startswith("Bach/Air")
    assert paths(read("similar", "señor", music, "--limit", "1")["similar"]) == ["Bach/Fugue.flac"]
    assert "dark" in wkmp("similar", music / "Bach/Air.flac").stdout
    assert any(music.parent.rglob("flavors.npz")) == (few < 4)


@pytest.mark.parametrize("vector", ["changed", "damaged", "none"])
def test_a_flavor_that_another_program_changed_counts_at_once(
    music: Path, tmp_path: Path, vector: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kept numbers belong to texts, not to passages. With small batches they decide who is compared first."""
    monkeypatch.setattr(flavor_table, "MIN_BATCH", 1)
    monkeypatch.setattr(library_flavors, "MAX_FEW", 0)
    before = paths(read("similar", music / "Bach/Air.flac")["similar"])
    assert before[-1] == "Rock/one [live].flac"
    (kept,) = tmp_path.rglob("flavors.npz")
    mine = {one.passage: one for one in read_passages(music / "wkmp.db")}
    (guid,) = (guid for guid, one in mine.items() if one.path == "Rock/one [live].flac")
    (air,) = (guid for guid, one in mine.items() if one.path == "Bach/Air.flac")
    flavors = {guid: text.decode() for guid, text in stream_flavors(music / "wkmp.db")}
    text = {"changed": flavors[air], "damaged": flavors[guid][:-1], "none": None}[vector]
    with closing(sqlite3.connect(music / "wkmp.db")) as connection, connection:
        connection.execute("UPDATE passages SET musical_flavor_vector = ? WHERE guid = ?", (text, guid))
    after = read("similar", music / "Bach/Air.flac")["similar"]
    if vector == "changed":
        assert (after[0]["path"], after[0]["distance"]) == ("Rock/one [live].flac", 0.0)
    else:
        assert paths(after) == before[:-1]
    kept.write_bytes(b"damaged")
    assert read("similar", music / "Bach/Air.flac")["similar"] == after


@pytest.mark.parametrize(
    ("like", "said", "status"),
    [("nobody", "no file, recording or title", 1), ("Rock/two.flac", "has no flavor", 1)],
)
def test_what_has_nothing_similar_is_a_sentence(music: Path, like: str, said: str, status: int) -> None:
    assert said in wkmp("similar", like, music, status=status).stderr
    assert said in wkmp("playlist", "--like", like, music, status=status).stderr


def test_a_passage_that_the_file_lacks_is_refused(music: Path) -> None:
    assert "the file has 2 passages" in wkmp("similar", "Rock/two.flac", "--passage", "3", music, status=2).stderr


def test_a_playlist_has_each_song_once_with_start_and_end(music: Path, tmp_path: Path) -> None:
    output = tmp_path / "evening.m3u8"
    wkmp("playlist", "--like", music / "Bach/Air.flac", "--minutes", "2", "--output", output)
    assert output.read_text(encoding="utf-8").splitlines() == [
        "#EXTM3U",
        "#EXTINF:60,Air on the G String - Ann",
        "#EXTVLCOPT:start-time=1.000",
        "#EXTVLCOPT:stop-time=61.000",
        str(music / "Bach/Air.flac"),
        "#EXTINF:60,Fugue - Ann",
        "#EXTVLCOPT:start-time=0.000",
        "#EXTVLCOPT:stop-time=60.000",
        str(music / "Bach/Fugue.flac"),
    ]
    run_sql(music / "wkmp.db", "INSERT INTO missing_files (path) VALUES ('Bach/Fugue.flac')")
    smooth = wkmp("playlist", "--like", "fugue", "--smooth", music).stdout
    assert str(music / "Bach/Fugue.flac") not in smooth, "it is not on disk"
    assert str(music / "Rock/one [live].flac") in smooth


def test_a_library_is_exported_for_other_programs(music: Path, tmp_path: Path) -> None:
    as_json = json.loads(wkmp("export", "--format", "json", music).stdout)
    assert as_json == read("list", music)
    table = list(csv.DictReader(io.StringIO(wkmp("export", "--format", "csv", music).stdout)))
    assert paths(table) == paths(as_json["passages"])
    assert table[1]["start_s"] == "1.0"
    assert wkmp("export", "--format", "m3u8", music / "Bach").stdout.count("#EXTINF") == 3
    copy = tmp_path / "copy.db"
    wkmp("export", "--format", "sqlite", "--output", copy, music)
    with closing(sqlite3.connect(copy)) as library:
        assert library.execute("SELECT count(*) FROM passages").fetchone() == (6,)
    assert "exists" in wkmp("export", "--format", "sqlite", "--output", copy, music, status=2).stderr
    assert "needs --output" in wkmp("export", "--format", "sqlite", music, status=2).stderr


def test_reading_changes_nothing(music: Path) -> None:
    before = (music / "wkmp.db").read_bytes()
    for arguments in (("list",), ("search", "air"), ("show", "Bach/Air.flac"), ("similar", "air")):
        wkmp(*arguments, music)
    assert (music / "wkmp.db").read_bytes() == before


def test_a_row_is_one_line_for_programs(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = wkmp("list", music).output.splitlines()
    assert [line.endswith("Rock/one [live].flac") for line in lines].count(True) == 1
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("fitted", [options.MAX_FITTED, 0])
def test_a_name_with_colons_is_no_emoji(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fitted: int) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(options, "MAX_FITTED", fitted)
    name = "My :cat: [live].mp3"
    commit(tmp_path / "wkmp.db", entry(name))
    for arguments in (("list",), ("show", name)):
        assert name in wkmp(*arguments, tmp_path).stdout


def test_a_long_list_has_the_lines_of_a_short_one(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = wkmp("list", music).output.splitlines()
    with monkeypatch.context() as long:
        long.setattr(options, "MAX_FITTED", 1)
        assert wkmp("list", music).output.splitlines() == short


@pytest.mark.parametrize("within", ["Bach/Air.flac", "Bach", "B"])
def test_what_is_below_a_folder_is_found_by_an_index(music: Path, within: str) -> None:
    """So one file of 100,000 is read as fast as one of five."""
    with open_reader(music / "wkmp.db") as connection:
        assert connection is not None
        files, parameters = within_files(within)
        query = f"EXPLAIN QUERY PLAN SELECT p.guid {_from(connection, files)}"
        plan = [row["detail"] for row in connection.execute(query, parameters)]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN")], plan
    expected = {"Bach/Air.flac": 1, "Bach": 3, "B": 0}[within]
    assert len(read_passages(music / "wkmp.db", within)) == expected


def test_the_sound_is_said_in_words(music: Path) -> None:
    assert "Sounds" in wkmp("show", music / "Bach/Air.flac").output


def test_a_lookup_and_damaged_evidence_are_shown(music: Path) -> None:
    found = json.dumps({"candidates": [{"title": "Air", "artist": "Bach", "confidence": 0.8}], "outcome": "match"})
    run_sql(
        music / "wkmp.db",
        f"UPDATE import_provenance SET data_extracted = '{found}', confidence = 0.8",  # noqa: S608 - a literal of this test
    )
    assert "Air - Bach 0.80" in wkmp("show", music / "Bach/Air.flac").stdout
    run_sql(music / "wkmp.db", "UPDATE import_provenance SET data_extracted = 'no JSON', confidence = NULL")
    assert "Air on the G String" in wkmp("show", music / "Bach/Air.flac").stdout


def test_a_library_of_one_passage_has_nothing_similar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    commit(tmp_path / "wkmp.db", heard("Air.flac", AIR, 0.2, bounds=seconds((1, 61))))
    assert "has no other passage with a flavor" in wkmp("similar", "air", tmp_path).stdout


def test_what_is_doubtful_about_a_file_is_shown_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    doubt = FileWarning(WarningKind.CLIPPED, "2 % of its samples are at full scale")
    one = heard("Air.flac", AIR, 0.2, bounds=seconds((1, 61)))
    commit(tmp_path / "wkmp.db", replace(one, warnings=(doubt,)))
    assert "2 % of its samples are at full scale" in wkmp("show", "Air.flac", tmp_path).stdout
