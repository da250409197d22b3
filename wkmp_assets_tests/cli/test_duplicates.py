"""`wkmp duplicates`: groups of files with the same bytes, with the choice and why."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wkmp_assets.cli.main import main
from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets_tests.support.builders import NOW, bare, commit, entry, run_sql, sha
from wkmp_assets_tests.support.paths import ROOT


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with one original of two copies, one copy that came first, and a file of its own."""
    folder = tmp_path / "music"
    for name in ("A/B", "Downloads"):
        (folder / name).mkdir(parents=True)
    commit(folder / "wkmp.db", entry("A/B/1.mp3", "a"), entry("Downloads/2.mp3", "b"), entry("A/B/3.mp3", "c"))
    for path, content, original in (
        ("Downloads/1 [x].mp3", "a", "A/B/1.mp3"),
        ("A/B/1 (1).mp3", "a", "A/B/1.mp3"),
        ("A/B/2.mp3", "b", "Downloads/2.mp3"),
    ):
        commit(folder / "wkmp.db", bare(path, content, duplicate_of=original))
    (tmp_path / "home").mkdir()
    for name, value in {"DAGSTER_HOME": tmp_path / "home", "COLUMNS": "160"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    return folder


def wkmp(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


def test_groups_are_listed_with_the_choice_and_why(music: Path) -> None:
    text = wkmp("duplicates", music).stdout
    assert "2 originals with 3 copies" in text
    lines = [line.split("  ")[0] or line.strip().split("  ")[0] for line in text.splitlines()[2:-1]]
    assert lines == ["A/B/1.mp3", "A/B/1 (1).mp3", "Downloads/1 [x].mp3", "Downloads/2.mp3", "A/B/2.mp3"]
    assert "the copy has the name of one" in text
    assert "the copy is in Downloads, a folder for unsorted files" in text
    assert "the original was imported first" in text


def test_programs_get_them_as_documented(music: Path) -> None:
    told = json.loads(wkmp("duplicates", "--json", music).stdout)
    assert told["schema"] == 1
    assert told["groups"][1] == {
        "content_hash": sha("b"),
        "size_bytes": told["groups"][1]["size_bytes"],
        "original": "Downloads/2.mp3",
        "is_missing": False,
        "copies": [{"path": "A/B/2.mp3", "why": "the original was imported first", "is_missing": False}],
    }
    documented = (ROOT / "docs/guide/ci.md").read_text(encoding="utf-8")
    names = ("groups", "original", "copies", "why", "is_missing", "content_hash", "size_bytes")
    assert [name for name in names if f"`{name}`" not in documented] == []


def test_a_folder_narrows_the_list(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(music / "Downloads")
    assert len(json.loads(wkmp("duplicates", "--json").stdout)["groups"]) == 2, "the current folder"
    (music / "C").mkdir()
    assert "No duplicates." in wkmp("duplicates", music / "C").stdout


def test_copies_that_are_gone_silent_or_imported_too_are_explained(music: Path) -> None:
    database = music / "wkmp.db"
    mark_missing(database, LibraryChanges((), (), (), ("A/B/1 (1).mp3",)), NOW)
    run_sql(
        database,
        "UPDATE files SET status = 'INGEST COMPLETE' WHERE path = 'Downloads/1 [x].mp3'",
        "UPDATE files SET status = 'NO AUDIO' WHERE path IN ('A/B/2.mp3', 'Downloads/2.mp3')",
    )
    groups = json.loads(wkmp("duplicates", "--json", music).stdout)["groups"]
    why = {copy["path"]: (copy["why"], copy["is_missing"]) for group in groups for copy in group["copies"]}
    assert why == {
        "Downloads/1 [x].mp3": ("both are imported; an import with --force makes this one a copy", False),
        "A/B/1 (1).mp3": ("the last scan did not find the copy, or a pattern passed over it", True),
        "Downloads/2.mp3": ("none of them holds sound, so none is imported", False),
    }
