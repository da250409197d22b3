"""An exception at every statement of every kind of commit leaves the library as it was."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wkmp_assets.errors import LibraryDiskError
from wkmp_assets_tests.integration.faults.commits import EVERY_STATEMENT, KINDS, Undisturbed, commit_units, committer_of
from wkmp_assets_tests.integration.faults.statement_faults import BEGIN, Moment, disk_full, fault_at, interrupted
from wkmp_assets_tests.support.builders import dump, problems
from wkmp_assets_tests.support.library_rows import library_rows
from wkmp_assets_tests.tools.plan import plan_test

FAULTS = {"disk full": (disk_full, LibraryDiskError), "Ctrl-C": (interrupted, KeyboardInterrupt)}

MOMENTS = pytest.mark.parametrize("moment", [Moment.BEFORE, pytest.param(Moment.AFTER, marks=pytest.mark.long)])
"""After one statement is before the next, but for the last one of a commit."""

AFTER_BEGIN = (BEGIN, Moment.AFTER)
"""SQLite cannot fail here, but a signal can arrive, which the test below covers."""


@plan_test("TC-U-BW-040-01")
@MOMENTS
@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_at_any_statement_leaves_whole_files_only(tmp_path: Path, kind: str, moment: Moment) -> None:
    disturb_every_statement(Undisturbed.run(KINDS[kind], tmp_path), moment, *FAULTS["disk full"])


@MOMENTS
def test_so_does_one_that_is_no_error(tmp_path: Path, moment: Moment) -> None:
    disturb_every_statement(Undisturbed.run(KINDS[EVERY_STATEMENT], tmp_path), moment, *FAULTS["Ctrl-C"])


def disturb_every_statement(
    undisturbed: Undisturbed, moment: Moment, fault: Callable[[], None], error: type[BaseException]
) -> None:
    units = undisturbed.kind.units
    for index, statement in enumerate(undisturbed.statements):
        if (statement, moment) == AFTER_BEGIN:
            continue
        where = f"{moment} statement {index}, {statement[:40]}"
        database = undisturbed.fresh(undisturbed.template.with_name("disturbed.db"))
        committed = undisturbed.committed(index, moment)
        with fault_at(index, moment, fault), committer_of(database) as committer:
            with pytest.raises(error):
                commit_units(committer, units)
            assert problems(database) == [], where
            assert dump(database) == undisturbed.dumps[committed], where
            commit_units(committer, units[committed:])
        assert library_rows(database) == library_rows(undisturbed.database), where
        assert problems(database) == [], where


def test_an_interrupt_right_after_begin_locks_nobody_out(tmp_path: Path) -> None:
    undisturbed = Undisturbed.run(KINDS["1 passage"], tmp_path)
    database = undisturbed.fresh(tmp_path / "disturbed.db")
    with fault_at(0, Moment.AFTER, interrupted), pytest.raises(KeyboardInterrupt), committer_of(database) as committer:
        commit_units(committer, undisturbed.kind.units)
    assert dump(database) == undisturbed.dumps[0]
    with committer_of(database) as committer:
        commit_units(committer, undisturbed.kind.units)
    assert library_rows(database) == library_rows(undisturbed.database)


def test_the_kinds_of_commit_reach_every_statement_there_is(tmp_path: Path) -> None:
    """Every statement must occur in some kind of commit, so that each meets a fault."""
    reached = set()
    for number, kind in enumerate(KINDS.values()):
        (folder := tmp_path / str(number)).mkdir()
        for statement in Undisturbed.run(kind, folder).statements:
            verb, *words = statement.replace(" INTO ", " ").replace(" FROM ", " ").split()
            reached.update((verb, word) for word in words[:1])
    assert reached - {("BEGIN", "IMMEDIATE")} == STATEMENTS


_LINKS = {"passage_songs", "passage_albums", "import_provenance"}
_ENTITIES = {"songs", "artists", "works", "albums", "song_artists", "song_works"}
STATEMENTS = (
    {
        ("INSERT", table)
        for table in {"files", "passages", "import_failures", "import_undo", "import_warnings"} | _LINKS | _ENTITIES
    }
    | {("DELETE", table) for table in {"passages", "import_failures"} | _LINKS}
    | {("UPDATE", "files")}
)
