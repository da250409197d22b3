"""One file as the checks see it: its rows, and the receipt of its last commit while that still describes them."""

from dataclasses import dataclass
from enum import StrEnum

from wkmp_assets.db.read.audit import AuditedFile, AuditedPassage, LibraryAudit
from wkmp_assets.model.batch import WrittenRows
from wkmp_assets.report.partition_metadata import RecordedCommit


class ReceiptState(StrEnum):
    """Whether a partition's last receipt describes the rows that are there now."""

    CURRENT = "by receipt"
    MOVED = "moved"
    """The file is now at another path, which has a partition of its own."""
    OUTDATED = "imported again"
    """A later import wrote the file and left no receipt: it is still running, or was killed after the commit."""
    NO_RECEIPT = "by rows alone"
    """No run has written the file, or the last one was of an older version and skipped it or failed."""


@dataclass(frozen=True)
class CheckedFile:
    """The file of one partition."""

    path: str
    """Its path; after a move, the new one."""
    file: AuditedFile | None
    """None when the library has no such file."""
    receipt_state: ReceiptState
    commit: RecordedCommit | None = None
    is_recorded_as_failed: bool = False
    ownerless_passages: int = 0
    """Passages of the receipt's file, when that file has no row."""

    @property
    def written(self) -> WrittenRows | None:
        """The rows that the receipt claims; None when it no longer describes the file."""
        receipt = self.commit.receipt if self.commit and self.receipt_state is ReceiptState.CURRENT else None
        return receipt.written if receipt else None

    @property
    def run_id(self) -> str | None:
        """The import that wrote the file's passages last. Passages of earlier ones are kept because people use them."""
        if self.commit and self.written and self.written.passages:
            return self.commit.run_id
        written = [passage for passage in self.passages if passage.run_id]
        return max(written, key=lambda passage: passage.imported_at or "").run_id if written else None

    @property
    def passages(self) -> tuple[AuditedPassage, ...]:
        """All passages of the file, in order of their start."""
        return self.file.passages if self.file else ()

    @property
    def imported_passages(self) -> tuple[AuditedPassage, ...]:
        """The passages that the last import wrote."""
        run_id = self.run_id
        return tuple(passage for passage in self.passages if run_id and passage.run_id == run_id)


def match_receipt(path: str, commit: RecordedCommit | None, audit: LibraryAudit) -> CheckedFile:
    """Match the rows of a partition's file with the receipt of its last commit.

    Parameters
    ----------
    path : str
        The partition's file, relative to the library.
    commit : RecordedCommit or None
        From the partition's metadata; None when it was never materialized.
    audit : LibraryAudit
        The rows at that path, and the rows of the file that the receipt names.
    """
    written = commit.receipt.written if commit and commit.receipt else None
    at_path = audit.by_path.get(path)
    failed = path in audit.failures
    if commit is None or written is None:
        return CheckedFile(path, at_path, ReceiptState.NO_RECEIPT, commit, failed)
    file = audit.by_guid.get(written.file)
    if file is None and at_path is None:
        return CheckedFile(path, None, ReceiptState.CURRENT, commit, failed, audit.ownerless.get(written.file, 0))
    if file is None:
        return CheckedFile(path, at_path, ReceiptState.OUTDATED, commit, failed)
    if file.path != path:
        return CheckedFile(file.path, file, ReceiptState.MOVED, commit)
    receipt_state = ReceiptState.OUTDATED if _is_outdated(written, commit.run_id, file) else ReceiptState.CURRENT
    return CheckedFile(path, file, receipt_state, commit, failed)


def _is_outdated(written: WrittenRows, run_id: str, file: AuditedFile) -> bool:
    """Tell whether a later import wrote the file: only imports change its hash and the run of its passages."""
    return file.content_hash != written.content_hash or any(
        passage.run_id not in {None, run_id} and (passage.imported_at or "") >= written.written_at
        for passage in file.passages
    )
