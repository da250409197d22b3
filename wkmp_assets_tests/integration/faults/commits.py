"""Every kind of commit, and its result when nothing disturbs it."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.commit import FileCommitter
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.outcomes import Failed, Outcome
from wkmp_assets.model.values import FileState
from wkmp_assets_tests.integration.faults.statement_faults import COMMIT, Moment, fault_at
from wkmp_assets_tests.support.builders import LATER, bare, commit, done, dump, entry, in_a_row, run_sql, seconds, song

Unit = tuple[str, Outcome[FileEntry]]


@dataclass(frozen=True)
class Kind:
    """One run of commits."""

    units: tuple[Unit, ...]
    """Path and outcome of each file, in the order in which they are committed."""
    before: Callable[[Path], None] = lambda _database: None
    """What happened to the library before."""


def _kind(*entries: FileEntry, before: Callable[[Path], None] = lambda _database: None) -> Kind:
    return Kind(tuple((one.path, done(one)) for one in entries), before)


def _one_file(database: Path) -> None:
    commit(database, entry("old.flac", bounds=in_a_row(2)))


def _file_with_a_past(database: Path) -> None:
    """Three passages, a recorded failure, and another file with the bytes that this one will get."""
    first = entry(bounds=seconds((0, 20), (30, 50), (60, 80)))
    commit(database, first, entry("Copy.flac", content="b"))
    commit(database, (first.path, Failed("p", "C", "m")))
    run_sql(database, "UPDATE files SET status = 'PENDING' WHERE path = 'Copy.flac'")


_NAMES = [f"Artist {number}" for number in range(4)]
_MANY = entry(bounds=in_a_row(24), songs=[song(f"Song {number}", _NAMES, ["Opus 1", "Opus 2"]) for number in range(24)])
EVERY_STATEMENT = "other passages"
THREE_FILES = "three files in a row"
KINDS = {
    "1 passage": _kind(entry()),
    "24 passages": _kind(_MANY),
    # Updates, deletes, new links, inserts, a copy to update, a failure to delete.
    EVERY_STATEMENT: _kind(
        entry(content="b", bounds=seconds((0, 21), (100, 120)), state=FileState.CHANGED), before=_file_with_a_past
    ),
    "duplicate": _kind(bare("new.flac"), before=_one_file),
    "moved": _kind(bare("new.flac", state=FileState.MOVED, moved_from="old.flac"), before=_one_file),
    "touched": _kind(bare("old.flac", state=FileState.TOUCHED, modified_at="2026-02-20 20:20:20"), before=_one_file),
    "no audio": _kind(entry("new.flac", content="silence", bounds=[]), before=_one_file),
    "failed": Kind((("new.flac", Failed("passage_segments", "DECODE_ERROR", "new.flac: no sound")),), _one_file),
    THREE_FILES: _kind(entry("a.flac"), entry("b.flac", content="b", bounds=in_a_row(3)), bare("c.flac")),
}


def commit_units(committer: FileCommitter, units: Sequence[Unit]) -> None:
    """Commit files as one run."""
    for _ in committer.commit_all({encode_key(path): outcome for path, outcome in units}):
        pass


def committer_of(database: Path) -> FileCommitter:
    """The committer of undisturbed and of disturbed runs."""
    return FileCommitter(database, run_id="run-2", now=lambda: LATER)


@dataclass(frozen=True)
class Undisturbed:
    """A run of commits in which nothing went wrong, to compare the others with."""

    kind: Kind
    template: Path
    """The library before."""
    database: Path
    """The library afterwards."""
    statements: tuple[str, ...]
    dumps: tuple[list[str], ...]
    """The whole library before, and after each file."""

    @classmethod
    def run(cls, kind: Kind, folder: Path) -> "Undisturbed":
        """Prepare a library and commit to a copy of it."""
        template, database = folder / "template.db", folder / "undisturbed.db"
        commit(template, ("unrelated.flac", Failed("p", "C", "m")))  # at the least its tables exist
        kind.before(template)
        shutil.copy(template, database)
        dumps = [dump(database)]
        with fault_at(-1, Moment.BEFORE, lambda: None) as statements, committer_of(database) as committer:
            for unit in kind.units:
                commit_units(committer, [unit])
                dumps.append(dump(database))
        return cls(kind, template, database, tuple(statements), tuple(dumps))

    def fresh(self, database: Path) -> Path:
        """Copy the library, as it was before, to another path."""
        for old in database.parent.glob(f"{database.name}*"):
            old.unlink()
        shutil.copy(self.template, database)
        return database

    def committed(self, index: int, moment: Moment) -> int:
        """Number of files that are committed when statement `index` meets its fault."""
        executed = self.statements[: index + (moment is Moment.AFTER)]
        return executed.count(COMMIT)
