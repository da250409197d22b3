"""`wkmp failures`, for people and for programs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.builders import commit, entry, run_sql


def failures(folder: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["failures", *options, str(folder)])
    return done.exit_code, done.stdout


def test_failures_are_listed_with_the_same_exit_status_for_people_and_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    commit(tmp_path / "wkmp.db", entry("sure.flac", "b"))
    assert failures(tmp_path) == (0, "Nothing failed.\n")
    status, told = failures(tmp_path, "--json")
    assert (status, json.loads(told)) == (0, {"schema": 1, "failures": []})
    run_sql(
        tmp_path / "wkmp.db",
        "INSERT INTO import_failures (path, phase, code, message, attempts, failed_at) "
        "VALUES ('a.flac', 'file_tags', 'UNREADABLE', 'what to do', 2, '2026-01-01 00:00:00')",
    )
    status, told = failures(tmp_path)
    assert status == 1
    for words in ("a.flac", "file_tags", "UNREADABLE: what to do [2 attempts, last 2026-01-01 00:00:00 UTC]"):
        assert words in told
    status, told = failures(tmp_path, "--json")
    stored = {"path": "a.flac", "phase": "file_tags", "code": "UNREADABLE", "message": "what to do"}
    assert (status, json.loads(told)["failures"]) == (1, [stored | {"attempts": 2, "failed_at": "2026-01-01 00:00:00"}])
