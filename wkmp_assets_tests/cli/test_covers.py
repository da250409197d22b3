"""What `wkmp status` says of the covers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.model.file_entry import EntryCover
from wkmp_assets.model.values import CoverKind
from wkmp_assets_tests.support.builders import commit, entry, sha


def wkmp(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_status_counts_covers_and_says_how_to_get_back_those_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    commit(tmp_path / "wkmp.db", entry("a.mp3", "a"))
    assert "Covers" not in wkmp("status", tmp_path)
    there, gone = tmp_path / "there.jpg", tmp_path / "gone.jpg"
    there.touch()
    covers = tuple(
        EntryCover(kind, sha(kind), str(path), 9, 9) for kind, path in zip(CoverKind, (there, gone), strict=False)
    )
    commit(tmp_path / "wkmp.db", replace(entry("b.mp3", "b"), covers=covers))
    text = wkmp("status", tmp_path)
    assert f"2 (1 is gone from disk; to make it again: wkmp import {tmp_path} --force)" in text
    told = json.loads(wkmp("status", "--json", tmp_path))
    assert (told["covers"], told["covers_gone"]) == (2, 1)
    gone.touch()
    assert "gone" not in wkmp("status", tmp_path)
