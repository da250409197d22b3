"""`wkmp import`, `status` and `failures` as a person uses them."""

import hashlib
import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from wkmp_assets.db.kept_open import keep_open
from wkmp_assets_tests.support.library_rows import library_rows, rows_of_a_copy
from wkmp_assets_tests.support.paths import ROOT, TEST_DATA
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.processes import processes_of
from wkmp_assets_tests.support.workplace import Imported, Workplace, interrupt

DOCS = ROOT / "docs"


def test_the_summary_says_what_happened(imported_sample: Imported) -> None:
    summary = imported_sample.result.stdout
    assert "16 imported, 1 duplicate, 1 no audio" in summary
    assert "1.00 per file written, at most 1" in summary


@pytest.fixture
def copied(tmp_path: Path, imported_sample: Imported) -> Workplace:
    """The sample library, imported, in a copy that a test may change."""
    (place := tmp_path / "copy").mkdir()
    shutil.copytree(imported_sample.place.home, place / "home", ignore=shutil.ignore_patterns("*.sock"))
    shutil.copytree(imported_sample.place.music, place / "music")
    return Workplace(place / "home", place / "music")


def test_a_second_import_opens_no_music_and_writes_nothing(copied: Workplace) -> None:
    workplace = copied
    before = hashlib.sha256(workplace.database.read_bytes()).hexdigest()
    for file in workplace.music.rglob("*.*"):
        if file.suffix not in {".db", ".gate", ".db-wal", ".db-shm"} and file.is_file():
            file.chmod(0)  # root can read it, but then the access time shows that
    accessed = {file: file.stat().st_atime_ns for file in workplace.music.rglob("*.flac")}
    again = workplace.wkmp("import", workplace.music)
    assert again.returncode == 0
    assert "18 unchanged" in again.stdout
    assert hashlib.sha256(workplace.database.read_bytes()).hexdigest() == before
    assert {file: file.stat().st_atime_ns for file in accessed} == accessed


def test_only_new_and_changed_files_are_imported(copied: Workplace) -> None:
    music = (copied.music / "azrael1322/azrael1.mp3").read_bytes()
    (copied.music / "azrael1322/azrael1.mp3").write_bytes(music + b"changed")
    (copied.music / "azrael1322/azrael2.mp3").write_bytes(music + b"new")
    assert "2 imported, 17 unchanged" in copied.wkmp("import", copied.music).stdout


def test_a_part_of_a_library_is_imported_with_paths_of_the_whole(workplace: Workplace) -> None:
    assert workplace.wkmp("import", workplace.music / "Maxstack").returncode == 0
    with closing(sqlite3.connect(workplace.database)) as connection:
        paths = [path for (path,) in connection.execute("SELECT path FROM files")]
    assert len(paths) == 3
    assert all(path.startswith("Maxstack/") for path in paths)


def test_the_kind_of_music_can_be_named_for_one_import(workplace: Workplace) -> None:
    assert workplace.wkmp("import", workplace.music / "azrael1322", "--preset", "rock-pop").returncode == 0
    with closing(sqlite3.connect(workplace.database)) as connection:
        ((metadata,),) = connection.execute("SELECT import_metadata FROM passages")
    used = json.loads(metadata)["amplitude_analysis"]["parameters_used"]
    assert (used["lead_in_threshold_dB"], used["max_lead_out_duration_s"]) == (-8.0, 2.0)


@pytest.mark.long
def test_ctrl_c_commits_what_is_measured_and_a_second_import_goes_on(
    workplace: Workplace, imported_sample: Imported
) -> None:
    workplace.extra = {"WKMP_FILES_PER_RUN": "4", "WKMP_WORKERS": "2"}
    process = workplace.start("import", workplace.music)
    wait_until(lambda: workplace.database.exists() or process.poll() is not None, "there is a library")
    with keep_open(workplace.database):
        interrupt(process)
        out, err = process.communicate()
        assert rows_of_a_copy(workplace.database) == library_rows(workplace.database)
    wait_until(lambda: not processes_of(workplace.home), "no process of it is left")
    assert process.returncode == 1
    assert "go on with: wkmp import" in out
    assert "Traceback" not in err
    (counts,) = (line for line in out.splitlines() if line.startswith("Files"))
    assert sum(map(int, re.findall(r"\d+", counts))) == 18, counts
    with closing(sqlite3.connect(workplace.database)) as connection:
        done = connection.execute("SELECT count(*) FROM files").fetchone()[0]
        assert connection.execute("SELECT count(*) FROM files WHERE status = 'PENDING'").fetchone()[0] == 0
        assert connection.execute("SELECT path FROM import_failures").fetchall() == []
    assert done > 0
    assert f"Stopped. {done} of 18 files are safely in the library" in out
    assert workplace.wkmp("import", workplace.music).returncode == 0
    assert library_rows(workplace.database) == library_rows(imported_sample.place.database)


def test_status_counts_and_failures_lists(imported_broken: Imported) -> None:
    place = imported_broken.place
    status = place.wkmp("status", place.music)
    assert status.returncode == 0
    assert "3 imported" in status.stdout
    failures = place.wkmp("failures", place.music)
    assert failures.returncode == 1
    assert "text.mp3" in failures.stdout
    assert "DECODE_ERROR" in failures.stdout


def test_doubtful_files_of_an_import_are_counted_and_listed(imported_broken: Imported) -> None:
    place = imported_broken.place
    (said,) = (line for line in imported_broken.result.stdout.splitlines() if line.startswith("Warnings"))
    assert "2 cut short" in said
    assert "(wkmp warnings FOLDER lists them)" in said
    listed = json.loads(place.wkmp("warnings", "--json", "--kind", "cut-short", place.music).stdout)["warnings"]
    assert [one["path"] for one in listed] == ["truncated.flac", "truncated.mp3"]
    assert all(one["message"].startswith("The file is cut short: ") for one in listed)


def test_status_for_programs_is_as_documented(imported_broken: Imported, tmp_path: Path) -> None:
    place = imported_broken.place
    result = place.wkmp("status", "--json", place.music)
    assert result.returncode == 0
    found = json.loads(result.stdout)
    assert found["files"]["INGEST COMPLETE"] == 3
    assert (found["schema"], found["database"], found["exists"]) == (1, str(place.database), True)
    assert found["rows"]["passages"] >= 3
    failed = {failure["path"]: failure for failure in found["failures"]}
    assert failed["text.mp3"]["code"] == "DECODE_ERROR"
    assert failed["text.mp3"]["attempts"] == 1
    assert found["deferred"] == []
    documented = (DOCS / "guide" / "ci.md").read_text(encoding="utf-8")
    names = [*found, *found["rows"], *failed["text.mp3"]]
    assert [name for name in names if f"`{name}`" not in documented] == []
    (tmp_path / "empty").mkdir()
    nothing = json.loads(place.wkmp("status", "--json", tmp_path / "empty").stdout)
    assert (nothing["exists"], nothing["files"], nothing["failures"]) == (False, {}, [])


def test_a_mended_file_leaves_the_list_of_failures(workplace: Workplace) -> None:
    shutil.rmtree(workplace.music)
    workplace.music.mkdir()
    shutil.copy(TEST_DATA / "broken_files/text.mp3", workplace.music / "song.mp3")
    assert workplace.wkmp("import", workplace.music).returncode == 1
    shutil.copy(TEST_DATA / "sample_library/azrael1322/azrael1.mp3", workplace.music / "song.mp3")
    assert workplace.wkmp("import", workplace.music).returncode == 0
    assert "Nothing failed" in workplace.wkmp("failures", workplace.music).stdout


def test_a_mistyped_command_is_exit_status_2(workplace: Workplace) -> None:
    assert workplace.wkmp_process("import", workplace.music / "no such folder").returncode == 2
    assert workplace.wkmp("import", "--workers", "0", workplace.music).returncode == 2
    assert workplace.wkmp("import", workplace.music, "--preset", "polka").returncode == 2
    assert "keeps the lead points" in workplace.wkmp("import", ".", "--preset", "classical", "--retry-deferred").stderr
    elsewhere = workplace.wkmp("import", workplace.music, "--library", workplace.home)
    assert elsewhere.returncode == 2
    assert "is not inside the library" in elsewhere.stderr


def test_a_database_that_is_none_is_named_and_left_alone(workplace: Workplace) -> None:
    workplace.database.write_bytes(b"This is a shopping list, not a database. " * 100)
    before = workplace.database.read_bytes()
    result = workplace.wkmp("import", workplace.music)
    assert result.returncode == 1
    assert "is not a usable SQLite database" in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert workplace.database.read_bytes() == before


def test_an_emptied_library_is_an_error_and_not_a_deletion(copied: Workplace) -> None:
    workplace = copied
    for folder in workplace.music.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    result = workplace.wkmp("import", workplace.music)
    assert result.returncode == 1
    assert "check that its disk is mounted" in " ".join(result.stderr.split())
    with closing(sqlite3.connect(workplace.database)) as connection:
        assert connection.execute("SELECT count(*) FROM files").fetchone()[0] == 18
