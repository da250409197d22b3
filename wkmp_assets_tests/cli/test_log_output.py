"""`wkmp --verbose` and `wkmp --log-file`."""

import logging
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wkmp_assets.cli.log_output import logged
from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.builders import commit, entry

OURS = logging.getLogger("wkmp_assets")
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [A-Z]+ wkmp_assets\.\S+: \S.*")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a library with one song, and see that a command leaves no handler behind."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    folder = tmp_path / "music"
    folder.mkdir()
    commit(folder / "wkmp.db", entry("a.mp3"))
    yield folder
    assert OURS.handlers == []
    assert OURS.level == logging.NOTSET


def wkmp(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_verbose_says_on_the_error_output_what_is_done(library: Path) -> None:
    silent, told = wkmp("list", library), wkmp("-v", "list", library)
    assert silent.stderr == ""
    assert told.stderr.startswith(f"info: library {library}, database {library / 'wkmp.db'}")
    assert told.stdout == silent.stdout


def test_details_need_it_twice(library: Path) -> None:
    (library / "wkmp.db").write_bytes(b"no database" * 100)
    assert "debug: " not in wkmp("-v", "list", library).stderr
    assert "debug: the command ends with an error" in wkmp("-vv", "list", library).stderr


def test_quiet_and_verbose_contradict_each_other(library: Path) -> None:
    result = wkmp("--quiet", "--verbose", "list", library)
    assert result.exit_code == 2
    assert "leave one out" in result.stderr


def test_a_log_file_is_private_and_appended_to(library: Path, tmp_path: Path) -> None:
    log = tmp_path / "wkmp.log"
    assert wkmp("--log-file", log, "list", library).stderr == ""
    assert log.stat().st_mode & 0o777 == 0o600
    wkmp("--log-file", log, "status", library)
    lines = log.read_text().splitlines()
    assert len(lines) == 2
    assert all(map(LINE.fullmatch, lines))


def test_a_log_file_has_the_traceback_of_an_error(library: Path, tmp_path: Path) -> None:
    (library / "wkmp.db").write_bytes(b"no database" * 100)
    log = tmp_path / "wkmp.log"
    result = wkmp("--log-file", log, "list", library)
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert sqlite3.DatabaseError.__name__ in log.read_text()


def test_a_link_is_refused(library: Path, tmp_path: Path) -> None:
    other, link = tmp_path / "other", tmp_path / "wkmp.log"
    other.touch()
    link.symlink_to(other)
    result = wkmp("--log-file", link, "list", library)
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert other.read_text() == ""


def test_a_name_cannot_forge_a_line(library: Path, tmp_path: Path) -> None:
    forged = library.parent / "x\n2026-01-01T00:00:00Z INFO wkmp_assets.db: forged \x1b[2J"
    forged.mkdir()
    commit(forged / "wkmp.db", entry("a.mp3"))
    log = tmp_path / "wkmp.log"
    result = wkmp("-v", "--log-file", log, "list", forged)
    assert "\x1b" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert len(log.read_text().splitlines()) == 1


def test_warnings_are_still_seen_beside_a_log_file(tmp_path: Path) -> None:
    with logged(0, tmp_path / "wkmp.log"):
        runner = CliRunner()
        with runner.isolation() as (_, errors, _both):
            OURS.getChild("db").warning("locked [by] another program")
            OURS.getChild("db").info("a detail")
            assert errors.getvalue() == b"warning: locked [by] another program\n"
