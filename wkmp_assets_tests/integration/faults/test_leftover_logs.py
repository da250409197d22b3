"""A write-ahead log of a killed process: commits in it are recovered, but a torn end is not."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from wkmp_assets_tests.integration.faults import dying_writer
from wkmp_assets_tests.integration.faults.commits import commit_units, committer_of
from wkmp_assets_tests.integration.faults.conftest import SHORT_FILES, Reference
from wkmp_assets_tests.integration.faults.extent import EXTENT, full_form, repeatable
from wkmp_assets_tests.integration.faults.imports import RunningImports, look_at_what_is_left, succeed
from wkmp_assets_tests.support.builders import commit, done, entry, in_a_row, problems
from wkmp_assets_tests.support.library_rows import a_player, library_rows, paths_in, whole_files
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.workplace import Workplace

FILES = tuple(entry(f"{number}.flac", content=str(number), bounds=in_a_row(number)) for number in range(1, 6))
UNITS = tuple((one.path, done(one)) for one in FILES)
FRAME_BYTES = 24 + 4096


def log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def commit_and_die(database: Path, ends: Path) -> None:
    """Commit all files, write down where each commit ends in the log, and leave the log behind."""
    with committer_of(database) as committer, ends.open("w") as written:
        for unit in UNITS:
            commit_units(committer, [unit])
            print(log_of(database).stat().st_size, file=written, flush=True)
        dying_writer.kill_oneself()


@dataclass(frozen=True)
class LeftBehind:
    """A library with a log whose writer was killed."""

    database: Path
    ends: list[int]
    """Offset in the log at which the commit of each file ends."""

    def copy(self, folder: Path, damage: Callable[[Path, int], None], offset: int) -> Path:
        """Copy the library, with a log that is damaged from an offset on."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file in (self.database, log_of(self.database)):
            shutil.copy(file, folder)
        damage(log_of(folder / self.database.name), offset)
        return folder / self.database.name


@pytest.fixture
def left_behind(tmp_path: Path) -> LeftBehind:
    database, ends = tmp_path / "left.db", tmp_path / "ends"
    commit(database, entry("first.flac", content="first"))
    assert dying_writer.was_killed(dying_writer.start(commit_and_die, database, ends))
    return LeftBehind(database, [int(end) for end in ends.read_text().split()])


@pytest.fixture
def undisturbed(tmp_path: Path) -> Path:
    database = tmp_path / "undisturbed.db"
    commit(database, entry("first.flac", content="first"))
    commit(database, *FILES)
    return database


def cut_off(log: Path, offset: int) -> None:
    with log.open("r+b") as file:
        file.truncate(offset)


def scramble(log: Path, offset: int) -> None:
    size = log.stat().st_size
    with log.open("r+b") as file:
        file.seek(offset)
        file.write(random.Random(offset).randbytes(size - offset))


@pytest.mark.parametrize("damage", [cut_off, pytest.param(scramble, marks=pytest.mark.long)])
def test_a_damaged_log_gives_the_files_whose_commits_it_still_holds_and_the_next_run_the_others(
    tmp_path: Path, left_behind: LeftBehind, undisturbed: Path, damage: Callable[[Path, int], None]
) -> None:
    moments = random.Random(EXTENT.seed)
    offsets = {0, 1, 32, 33, *(moments.randrange(left_behind.ends[-1]) for _ in range(10))}
    offsets |= {end + shift for end in left_behind.ends for shift in (-FRAME_BYTES, -1, 0, 1)}
    for offset in sorted(offsets - {left_behind.ends[-1] + 1}):
        with repeatable(f"{damage.__name__} at {offset} of {left_behind.ends}"):
            recovered = sum(end <= offset for end in left_behind.ends)
            expected = {"first.flac", *(one.path for one in FILES[:recovered])}
            looked_at = left_behind.copy(tmp_path / "look", damage, offset)
            assert whole_files(looked_at, undisturbed) == expected
            assert problems(looked_at) == []
            resumed = left_behind.copy(tmp_path / "resume", damage, offset)
            with committer_of(resumed) as committer:
                commit_units(committer, UNITS[recovered:])
            assert library_rows(resumed) == library_rows(undisturbed)
            assert problems(resumed) == []


@full_form
def test_an_import_goes_on_from_the_log_of_a_killed_one_although_its_end_is_torn(
    half_imported: Workplace, short_library: Reference
) -> None:
    database = half_imported.database
    half_imported.extra = {"WKMP_FILES_PER_RUN": "1"}
    imports = RunningImports(half_imported, [half_imported.music])
    wait_until(lambda: bool(paths_in(database)) or imports.have_ended, "a file is in the library")
    with a_player(database) as player:
        player.execute("BEGIN").execute("SELECT count(*) FROM files").fetchone()  # so that no run can empty the log
        wait_until(lambda: len(paths_in(database)) >= 3 or imports.have_ended, "three files are in the library")
        imports.kill()
        imports.outcomes()
    copies = half_imported.home / "copy"
    committed = look_at_what_is_left(database, copies, short_library.databases)
    assert 3 <= len(committed) < len(SHORT_FILES)
    cut_off(log_of(database), log_of(database).stat().st_size - 1000)
    torn = look_at_what_is_left(database, copies, short_library.databases)
    assert len(torn) == len(committed) - 1, "the last commit is incomplete now"
    succeed(half_imported.wkmp("import", half_imported.music))
    assert library_rows(database) == library_rows(short_library.databases[0])
