"""`kill -9` between any two statements of a commit: no partial file, nothing locked, and a re-run completes it."""

import random
import time
from contextlib import closing
from pathlib import Path

import pytest

from wkmp_assets.db.connection import open_writer
from wkmp_assets.db.schema import ensure_schema
from wkmp_assets_tests.integration.faults import dying_writer
from wkmp_assets_tests.integration.faults.commits import (
    EVERY_STATEMENT,
    KINDS,
    THREE_FILES,
    Undisturbed,
    commit_units,
    committer_of,
)
from wkmp_assets_tests.integration.faults.extent import EXTENT, IS_FULL, full_form, repeatable
from wkmp_assets_tests.integration.faults.gate import gate_is_free
from wkmp_assets_tests.integration.faults.statement_faults import Moment
from wkmp_assets_tests.support.builders import column, commit, dump, entry, in_a_row, problems, rows, song
from wkmp_assets_tests.support.library_rows import library_rows, whole_files
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.tools.plan import plan_test

SHORT_FORM = {EVERY_STATEMENT, THREE_FILES}


@plan_test("TC-I-BW-040-02")
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(
    "kind", [kind if kind in SHORT_FORM else pytest.param(kind, marks=full_form) for kind in KINDS]
)
def test_a_kill_at_any_statement_leaves_whole_files_and_a_free_gate(tmp_path: Path, kind: str, moment: Moment) -> None:
    undisturbed = Undisturbed.run(KINDS[kind], tmp_path)
    units = undisturbed.kind.units
    for index, statement in enumerate(undisturbed.statements):
        where = f"killed {moment} statement {index}, {statement[:40]}"
        database = undisturbed.fresh(tmp_path / "killed.db")
        writer = dying_writer.start(dying_writer.commit_until_killed, database, kind, index, moment)
        assert dying_writer.was_killed(writer), where
        assert gate_is_free(database), where
        committed = undisturbed.committed(index, moment)
        assert problems(database) == [], where
        assert dump(database) == undisturbed.dumps[committed], where
        with committer_of(database) as committer:
            commit_units(committer, units[committed:])
        assert library_rows(database) == library_rows(undisturbed.database), where


FILES = {
    f"{number}.flac": entry(
        f"{number}.flac",
        # Every fourth has the bytes of the previous one.
        content=str(number - (number % 4 == 3)),
        bounds=in_a_row(12),
        songs=[song(f"{number} {one}", [f"Artist {one % 5}"]) for one in range(12)],
    )
    for number in range(24)
}


def write_until_killed(database: Path, paths: list[str]) -> None:
    """Commit one file after the other, repeatedly and without a pause."""
    while True:
        commit(database, *(FILES[path] for path in paths))


def test_writers_killed_at_random_moments_leave_whole_files(tmp_path: Path) -> None:
    """Three processes only commit, so that kills happen inside transactions and in the gate."""
    reference, database = tmp_path / "reference.db", tmp_path / "killed.db"
    commit(reference, *FILES.values())
    present: set[str] = set()
    states: set[int] = set()
    for number in range(EXTENT.writer_kills):
        moments = random.Random(f"{EXTENT.seed} writers {number}")
        with repeatable(f"kill {number}, {len(present)} files in the library"):
            if len(present) > 0.7 * len(FILES):
                commit(database, *FILES.values())
                assert library_rows(database) == library_rows(reference)
                remove(database)
                present = set()
            kill_writers(database, sorted(FILES.keys() - present), moments.uniform(0, 0.2))
            assert gate_is_free(database)
            assert problems(database) == []
            present = whole_files(database, reference)
        states.add(len(present))
    assert len(states) >= (4 if IS_FULL else 3), "the kills are spread over the import"


def kill_writers(database: Path, paths: list[str], delay_s: float) -> None:
    """Start writers, and kill them some time after the first write."""
    writers = [dying_writer.start(write_until_killed, database, paths) for _ in range(3)]
    wait_for_a_change(database)
    time.sleep(delay_s)
    for writer in writers:
        writer.kill()
    assert [dying_writer.was_killed(writer) for writer in writers] == [True] * 3


def wait_for_a_change(database: Path) -> None:
    """Wait until a process writes, even if there is no database yet."""
    log = database.with_name(f"{database.name}-wal")
    wait_until(lambda: log.exists() and log.stat().st_size, "somebody writes", look_every_s=0.001)


def remove(database: Path) -> None:
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()


def test_a_kill_while_the_tables_are_made_leaves_all_of_them_or_none(tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed.db"
    statements = make_tables(undisturbed, die_at=-1)
    for index in range(0, statements, 1 if IS_FULL else 23):
        database = tmp_path / f"{index}.db"
        assert dying_writer.was_killed(dying_writer.start(make_tables, database, index)), index
        assert problems(database) == [], index
        assert library_rows(database) in ({}, library_rows(undisturbed)), index
        commit(database, entry())
        assert schema_of(database) == schema_of(undisturbed), index
        assert column(database, "SELECT status FROM files") == ["INGEST COMPLETE"], index


def make_tables(database: Path, die_at: int) -> int:
    """Open a library for the first time, and die before one of the statements. Return their number."""
    executed: list[str] = []

    def trace(statement: str) -> None:
        if len(executed) == die_at:
            dying_writer.kill_oneself()
        executed.append(statement)

    with closing(open_writer(database, busy_timeout_ms=250)) as connection:
        connection.set_trace_callback(trace)
        ensure_schema(connection)
    return len(executed)


def schema_of(database: Path) -> list[dict[str, object]]:
    """Return the schema without the table of migrations, which sqlite-utils creates in two separate steps."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> '_sqlite_migrations' ORDER BY name"
    return rows(database, query)
