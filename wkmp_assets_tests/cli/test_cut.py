"""`wkmp split` and `wkmp join`: a person's boundaries stay, whatever later imports find."""

import hashlib
import json
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from wkmp_assets.cli.cut import parse_time, plan_splits
from wkmp_assets.cli.main import main
from wkmp_assets.db.hand_commit import commit_cut_edit
from wkmp_assets.db.read.listing import read_passages
from wkmp_assets.errors import EditRefusedError
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.flavor import MEASURED_NAMES
from wkmp_assets.model.hand_edits import Cut, CutEdit
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets.model.values import FileState
from wkmp_assets_tests.support.builders import (
    LATER,
    LEAD_PARAMETERS,
    bare,
    commit,
    entry,
    flavor,
    passage,
    problems,
    rows,
    run_sql,
    seconds,
    song,
)
from wkmp_assets_tests.support.documented_json import undocumented_names

pytestmark = pytest.mark.slow

PATH = "Live.wav"
SECONDS = 26
SONG = song("The longer one")


def write_sound(path: Path, loudness: float = 0.3) -> str:
    """Write two notes with 20 ms of fade between them, and return the hash of the file."""
    rate = 22_050
    at = np.arange(SECONDS * rate) / rate
    pitch = np.where(at < 12, 220.0, 330.0)
    sound = loudness * np.sin(2 * np.pi * pitch * at) * np.clip(np.abs(at - 12) * 50, 0, 1)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    folder = tmp_path / "music"
    folder.mkdir()
    commit(folder / "wkmp.db", imported(write_sound(folder / PATH), (0, SECONDS)))
    return folder


def imported(content_hash: str, *bounds: tuple[float, float], **known: Any) -> FileEntry:
    """Return what an import finds, with these boundaries."""
    one = entry(PATH, bounds=seconds(*bounds), songs=[SONG, *[None] * 9][: len(bounds)], **known)
    heard = tuple(replace(found, flavor=flavor(found.match.span)) for found in one.passages)
    identity = replace(one.identity, content_hash=content_hash)
    return replace(one, identity=identity, passages=heard, duration_ticks=SECONDS * TICKS_PER_SECOND)


def wkmp(*arguments: str | Path, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


def passages(music: Path) -> list[dict[str, Any]]:
    return rows(music / "wkmp.db", "SELECT * FROM passages ORDER BY start_time_ticks, guid")


def places(music: Path) -> list[tuple[float, float]]:
    return [(row["start_time"], row["end_time"]) for row in passages(music)]


def everything(music: Path) -> list[Any]:
    """Return all that an import could change of the passages."""
    links = ("passage_songs", "passage_albums", "import_provenance")
    return [passages(music), *(rows(music / "wkmp.db", f"SELECT * FROM {table} ORDER BY 1, 2") for table in links)]  # noqa: S608


def content_hash(music: Path) -> str:
    found: str = rows(music / "wkmp.db", "SELECT hash FROM files")[0]["hash"]
    return found


def test_a_file_is_split_measured_and_joined_again(music: Path) -> None:
    (before,) = passages(music)
    text = wkmp("split", music / PATH, "0:12", music)
    assert "passage 1: 0:00.0 to 0:12.0" in text
    assert "Written in one transaction (1 write lock held" in text
    first, second = passages(music)
    assert places(music) == [(0, 12), (12, SECONDS)]
    assert second["guid"] == before["guid"], "the longest part keeps song, names and history"
    assert (second["title"], second["song_id"]) == (before["title"], before["song_id"])
    assert (first["title"], first["song_id"], first["recording_mbid"]) == (None, None, None)
    for row in (first, second):
        assert set(json.loads(row["musical_flavor_vector"])) == MEASURED_NAMES
        assert row["start_time"] <= row["lead_in_point"] <= row["lead_out_point"] <= row["end_time"]
        assert json.loads(row["import_metadata"])["boundaries"] == "a person"
        assert json.loads(row["additional_metadata"])["measured"]["integrated_lufs"] < 0
    links = rows(music / "wkmp.db", "SELECT * FROM passage_songs")
    assert [(one["passage_id"], one["start_time_ms"], one["end_time_ms"]) for one in links] == [
        (second["guid"], 0, 14_000)
    ]
    heard = "SELECT passage_id FROM import_provenance WHERE source_type = 'Chromaprint'"
    assert {row["passage_id"] for row in rows(music / "wkmp.db", heard)} == {first["guid"], second["guid"]}

    split = everything(music)
    found = content_hash(music)
    for later in (
        imported(found, (0, SECONDS)),
        imported(found, (0, 5), (5, 12), (12, SECONDS), state=FileState.CHANGED),
        imported(found),
        imported("retagged" * 8, (0, SECONDS), state=FileState.CHANGED),
        bare(PATH, state=FileState.TOUCHED),
    ):
        if later.audio is None:
            later = replace(later, identity=replace(later.identity, content_hash=content_hash(music)))
        commit(music / "wkmp.db", later, now=LATER, run_id="run-2")
        assert everything(music) == split
        assert rows(music / "wkmp.db", "SELECT status FROM files")[0]["status"] == "INGEST COMPLETE"
    run_sql(music / "wkmp.db", f"UPDATE files SET hash = '{found}'")  # noqa: S608 - a hash

    done = json.loads(CliRunner().invoke(main, ["join", str(music / PATH), "2", "1", str(music), "--json"]).stdout)
    assert undocumented_names(done, "guide/by_hand.md", "guide/library.md") == set()
    assert (done["schema"], len(done["passages"]), done["receipt"]["write_locks"]) == (1, 1, 1)
    (joined,) = passages(music)
    assert (joined["guid"], joined["song_id"], places(music)) == (before["guid"], before["song_id"], [(0, SECONDS)])
    assert problems(music / "wkmp.db") == []


def cut(music: Path, numbers: tuple[int, ...], *bounds: tuple[float, float]) -> None:
    """Write boundaries with measures that nobody measured."""
    file = rows(music / "wkmp.db", "SELECT hash FROM files")[0]["hash"]
    before = [(row["start_time_ticks"], row["end_time_ticks"]) for row in passages(music)]
    pieces = tuple(passage(span, None) for span in seconds(*bounds))
    one = Cut(numbers, tuple((piece.start_ticks, piece.end_ticks) for piece in pieces))
    edit = CutEdit(PATH, file, tuple(before), (one,), pieces, LEAD_PARAMETERS)
    commit_cut_edit(music / "wkmp.db", edit, LATER, "by-hand")


def test_a_passage_that_is_used_lives_on_and_two_of_them_are_not_joined(music: Path) -> None:
    cut(music, (1,), (0, 12), (12, SECONDS))
    first, _ = passages(music)
    run_sql(music / "wkmp.db", f"UPDATE passages SET user_title = 'mine' WHERE guid = '{first['guid']}'")  # noqa: S608
    cut(music, (1, 2), (0, SECONDS))
    assert [(row["guid"], row["user_title"]) for row in passages(music)] == [(first["guid"], "mine")]
    cut(music, (1,), (0, 20), (20, SECONDS))
    run_sql(music / "wkmp.db", "UPDATE passages SET user_title = 'mine'")
    with pytest.raises(EditRefusedError, match="only one can stay"):
        cut(music, (1, 2), (0, SECONDS))
    run_sql(
        music / "wkmp.db",
        f"UPDATE passages SET fade_in_start_ticks = {18 * TICKS_PER_SECOND} WHERE start_time_ticks = 0",  # noqa: S608
    )
    with pytest.raises(EditRefusedError, match="a fade point"):
        cut(music, (1,), (0, 10.5), (10.5, 20))
    assert len(passages(music)) == 2
    with pytest.raises(EditRefusedError, match="imported again meanwhile"):
        commit_cut_edit(music / "wkmp.db", CutEdit(PATH, "c" * 64, (), (), (), LEAD_PARAMETERS), LATER, "by-hand")


def test_other_sound_under_the_path_gives_the_cuts_up(music: Path) -> None:
    mark = """UPDATE passages SET import_metadata = '{"boundaries": "a person"}'"""
    run_sql(music / "wkmp.db", mark)
    commit(music / "wkmp.db", replace(imported("b" * 64, (0, 9)), duration_ticks=9 * TICKS_PER_SECOND), now=LATER)
    assert places(music) == [(0, 9)]
    (warning,) = rows(music / "wkmp.db", "SELECT message FROM import_warnings WHERE kind = 'lost song'")
    assert "cut it again" in warning["message"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("split", PATH, "26"), "0:26.0 lies in no passage; its passages: 1 from 0:00.0 to 0:26.0"),
        (("split", PATH, "0"), "lies in no passage"),
        (("split", PATH, "12", "12.2"), "shorter than half a second"),
        (("split", PATH, "half"), "half is no time"),
        (("split", PATH), "Missing argument 'AT"),
        (("split", "gone.wav", "5"), "the library does not have gone.wav"),
        (("join", PATH, "1", "2"), "it has no passage 2"),
        (("join", PATH, "1", "1"), "are not neighbours"),
        (("join", "gone.wav", "1", "2"), "the library does not have gone.wav"),
    ],
)
def test_what_cannot_be_is_a_sentence(music: Path, arguments: tuple[str, ...], said: str) -> None:
    before = everything(music)
    assert said in wkmp(*arguments, music, status=2)
    assert everything(music) == before


def test_a_file_that_is_no_longer_what_was_imported_is_refused(music: Path) -> None:
    write_sound(music / PATH, loudness=0.2)
    assert "it has other content than at its import" in wkmp("split", music / PATH, "12", music, status=1)
    (music / PATH).unlink()
    wkmp("split", PATH, "12", music, status=1)
    assert len(passages(music)) == 1


def test_a_time_in_two_overlapping_passages_is_refused(music: Path) -> None:
    (one,) = read_passages(music / "wkmp.db")
    both = (one, replace(one, number=2, start_ticks=10 * TICKS_PER_SECOND))
    with pytest.raises(EditRefusedError, match="in passages 1 and 2, which overlap"):
        plan_splits(PATH, both, [12 * TICKS_PER_SECOND])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("83.5", 83.5), ("1:23.5", 83.5), ("1:02:03", 3723), ("0:00.001", 0.001), ("1:2:3:4", None), ("-5", None)],
)
def test_times_are_read(text: str, expected: float | None) -> None:
    assert parse_time(text) == (None if expected is None else round(expected * TICKS_PER_SECOND))


def test_a_cut_can_be_undone(music: Path) -> None:
    before = [(row["guid"], row["start_time"], row["end_time"], row["title"]) for row in passages(music)]
    said = json.loads(CliRunner().invoke(main, ["split", str(music / PATH), "0:12", str(music), "--json"]).stdout)
    assert undocumented_names(said, "guide/by_hand.md", "guide/library.md") == set()
    assert len(passages(music)) == 2
    wkmp("undo", said["run"], music)
    assert [(row["guid"], row["start_time"], row["end_time"], row["title"]) for row in passages(music)] == before
