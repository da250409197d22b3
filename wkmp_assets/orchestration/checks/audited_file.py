"""One file as the store checks see it: its rows, and what its last commit still has to say about them. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from wkmp_assets.db.read.audit import AuditedFile, AuditedPassage, LibraryAudit
from wkmp_assets.model.batch import WrittenRows
from wkmp_assets.report.partition_metadata import RecordedCommit


class Standing(StrEnum):
    """Whether a partition's last receipt speaks of the rows that are there now."""

    CURRENT = "by receipt"
    MOVED = "moved"
    """The file is at another path by now, and another partition speaks for it."""
    OUTDATED = "imported again"
    """A later import wrote it and left no receipt: it is still running, or was killed after the commit."""
    NO_RECEIPT = "by rows alone"
    """Its last run wrote none of them, because nothing had changed or it failed; or there was no run."""


@dataclass(frozen=True)
class Subject:
    """One partition's file."""

    path: str
    """Where the file is; for one that has moved, where it is now."""
    file: AuditedFile | None
    """None when the library has no such file."""
    standing: Standing
    commit: RecordedCommit | None = None
    is_recorded_as_failed: bool = False
    ownerless_passages: int = 0
    """Passages of the file the receipt speaks of, when that has no row."""

    @property
    def written(self) -> WrittenRows | None:
        """What the receipt says the library holds, as far as it still speaks of it."""
        receipt = self.commit.receipt if self.commit and self.standing is Standing.CURRENT else None
        return receipt.written if receipt else None

    @property
    def run_id(self) -> str | None:
        """The import that wrote the file's passages last: passages of others are there because people need them."""
        if self.commit and self.written and self.written.passages:
            return self.commit.run_id
        written = [passage for passage in self.passages if passage.run_id]
        return max(written, key=lambda passage: passage.imported_at or "").run_id if written else None

    @property
    def passages(self) -> tuple[AuditedPassage, ...]:
        """All passages of the file."""
        return self.file.passages if self.file else ()

    @property
    def imported_passages(self) -> tuple[AuditedPassage, ...]:
        """Those the last import wrote."""
        run_id = self.run_id
        return tuple(passage for passage in self.passages if run_id and passage.run_id == run_id)


def subject_of(path: str, commit: RecordedCommit | None, audit: LibraryAudit) -> Subject:
    """Bring a partition's rows and its last receipt together.

    Parameters
    ----------
    path : str
        The partition's file, relative to the library.
    commit : RecordedCommit or None
        What its metadata tells; None when it never was imported.
    audit : LibraryAudit
        What the library holds at that path, and of the file its receipt speaks of.
    """
    written = commit.receipt.written if commit and commit.receipt else None
    at_path = audit.by_path.get(path)
    failed = path in audit.failures
    if commit is None or written is None:
        return Subject(path, at_path, Standing.NO_RECEIPT, commit, failed)
    file = audit.by_guid.get(written.file)
    if file is None and at_path is None:
        return Subject(path, None, Standing.CURRENT, commit, failed, audit.ownerless.get(written.file, 0))
    if file is None:
        return Subject(path, at_path, Standing.OUTDATED, commit, failed)
    if file.path != path:
        return Subject(file.path, file, Standing.MOVED, commit)
    standing = Standing.OUTDATED if _is_outdated(written, commit.run_id, file) else Standing.CURRENT
    return Subject(path, file, standing, commit, failed)


def _is_outdated(written: WrittenRows, run_id: str, file: AuditedFile) -> bool:
    """Tell whether a later import wrote the file: only an import changes its hash, or the run on its passages."""
    return file.content_hash != written.content_hash or any(
        passage.run_id not in {None, run_id} and (passage.imported_at or "") >= written.written_at
        for passage in file.passages
    )
