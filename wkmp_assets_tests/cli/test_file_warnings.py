"""`wkmp warnings`, and what the other commands say about doubtful files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wkmp_assets.cli.main import main
from wkmp_assets.db.read.file_warnings import ListedWarning
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.paths import ROOT

CUT = FileWarning(WarningKind.CUT_SHORT, "The file is cut short: 3.0 s of the 9.0 s it announces.")
CLIPPED = FileWarning(WarningKind.CLIPPED, "The largest sample is 1.000 of full scale.")


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of three files, two of which are doubtful."""
    folder = tmp_path / "music"
    (folder / "A").mkdir(parents=True)
    (folder / "B").mkdir()
    commit(
        folder / "wkmp.db",
        replace(entry("A/cut [live].mp3", "a"), warnings=(CUT, CLIPPED)),
        replace(entry("B/loud.mp3", "b"), warnings=(CLIPPED,)),
        entry("B/fine.mp3", "c"),
    )
    (tmp_path / "home").mkdir()
    for name, value in {"DAGSTER_HOME": tmp_path / "home", "COLUMNS": "160"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    return folder


def wkmp(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


def listed(*arguments: str | Path) -> list[ListedWarning]:
    found = json.loads(wkmp("warnings", "--json", *arguments).stdout)
    return [ListedWarning(**one) for one in found["warnings"]]


def test_doubtful_files_are_listed_with_kind_and_sentence(music: Path) -> None:
    text = wkmp("warnings", music).stdout
    for words in ("3 warnings about 2 files", "A/cut [live].mp3", "cut short", CUT.text, "B/loud.mp3", "clipped"):
        assert words in text
    assert "fine" not in text


def test_programs_get_them_as_documented(music: Path) -> None:
    assert listed(music) == [
        ListedWarning("A/cut [live].mp3", "cut short", CUT.text),
        ListedWarning("A/cut [live].mp3", "clipped", CLIPPED.text),
        ListedWarning("B/loud.mp3", "clipped", CLIPPED.text),
    ]
    documented = (ROOT / "docs/guide/ci.md").read_text(encoding="utf-8")
    names = ("path", "kind", "message", "warnings", "with_warnings")
    assert [name for name in names if f"`{name}`" not in documented] == []


def test_a_kind_and_a_folder_narrow_the_list(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.path for one in listed(music, "--kind", "cut-short")] == ["A/cut [live].mp3"]
    assert [one.kind for one in listed(music, "--kind", "cut-short", "--kind", "clipped")] == ["cut short"] + [
        "clipped"
    ] * 2
    assert [one.path for one in listed(music / "B")] == ["B/loud.mp3"]
    monkeypatch.chdir(music / "A")
    assert {one.path for one in listed()} == {"A/cut [live].mp3"}, "the current folder"
    assert "No warnings." in wkmp("warnings", music, "--kind", "no-audio").stdout


def test_an_unknown_kind_is_refused_with_the_known_ones(music: Path) -> None:
    result = CliRunner().invoke(main, ["warnings", str(music), "--kind", "odd"])
    assert result.exit_code == 2
    assert "over-segmented" in result.output


def test_status_counts_them(music: Path) -> None:
    assert "2 files: 1 cut short, 2 clipped (see: wkmp warnings" in wkmp("status", music).stdout
    told = json.loads(wkmp("status", "--json", music).stdout)
    assert (told["with_warnings"], told["warnings"]) == (2, {"cut short": 1, "clipped": 2})


def test_a_library_without_doubts_says_nothing_of_them(music: Path) -> None:
    fine = music.parent / "fine"
    fine.mkdir()
    commit(fine / "wkmp.db", entry("a.mp3"))
    assert "No warnings." in wkmp("warnings", fine).stdout
    assert "Warnings" not in wkmp("status", fine).stdout
    told = json.loads(wkmp("status", "--json", fine).stdout)
    assert (told["with_warnings"], told["warnings"]) == (0, {})
