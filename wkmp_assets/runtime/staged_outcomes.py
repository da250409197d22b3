"""The outcomes of one run that are not stored for other runs: what it skipped, and what it has not yet stored.

One file per phase of a run, so that a step that handles many files writes one file. The steps of a run may run in
separate processes.
"""

import shutil
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wkmp_assets.model.outcomes import Outcome
from wkmp_assets.runtime.bundles import write_document
from wkmp_assets.runtime.document_files import join_documents, split_documents
from wkmp_assets.runtime.state_files import read_state_file

MAX_AGE_S = 7 * 24 * 3600
"""unit=s: far longer than any run takes."""
MAX_RUNS = 2
"""How many runs are kept in memory, with the values of all their files: one, and the one after which it goes on."""

Signature = tuple[int, int, int]


def sign(path: Path) -> Signature | None:
    """Return what tells this content of a file from any other: inode, time and size; None without the file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


@dataclass
class StagedPhase:
    """The staged outcomes of one phase in one run."""

    documents: dict[str, bytes] = field(default_factory=dict)
    """Partition key -> document."""
    outcomes: dict[str, Outcome[Any]] = field(default_factory=dict)
    """The same, of those that this process has staged."""
    signature: Signature | None = None
    """Of the file."""


class StagedOutcomes:
    """The staged outcomes of all runs of one library.

    Parameters
    ----------
    folder : Path
        Of the phase store; created when the first outcome is staged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks = folder / "marks"
        self._runs: dict[str, dict[str, StagedPhase]] = {}

    def find(self, run_id: str, phase: str) -> StagedPhase:
        """Return what a run has staged of a phase, in this process or another."""
        path = self._path_of(run_id, phase)
        known = self._runs.get(run_id, {}).get(phase)
        signature = sign(path)
        if known is not None and known.signature == signature:
            return known
        content = b"" if signature is None else read_state_file(path)
        return self._remember(run_id, phase, StagedPhase(split_documents(content), {}, signature))

    def put(
        self, run_id: str, phase: str, documents: Mapping[str, bytes], outcomes: Mapping[str, Outcome[Any]]
    ) -> None:
        """Stage outcomes of a phase durably, beside those that are staged."""
        known = self.find(run_id, phase)
        self._write(run_id, phase, {**known.documents, **documents}, {**known.outcomes, **outcomes})

    def drop(self, run_id: str, phase: str, keys: Collection[str]) -> None:
        """Forget staged outcomes."""
        known = self.find(run_id, phase)
        if known.documents.keys() & set(keys):
            kept = {key: document for key, document in known.documents.items() if key not in keys}
            self._write(run_id, phase, kept, {key: known.outcomes[key] for key in kept if key in known.outcomes})

    def _write(self, run_id: str, phase: str, documents: dict[str, bytes], outcomes: dict[str, Outcome[Any]]) -> None:
        path = self._path_of(run_id, phase)
        if documents:
            self._remove_old(run_id)
            write_document(self._folder, path, join_documents(documents))
        else:
            path.unlink(missing_ok=True)
        self._remember(run_id, phase, StagedPhase(documents, outcomes, sign(path)))

    def _remember(self, run_id: str, phase: str, staged: StagedPhase) -> StagedPhase:
        self._runs.setdefault(run_id, {})[phase] = staged
        while len(self._runs) > MAX_RUNS:
            del self._runs[next(iter(self._runs))]
        return staged

    def _path_of(self, run_id: str, phase: str) -> Path:
        return self._marks.joinpath(run_id, f"{phase}.json")

    def _remove_old(self, run_id: str) -> None:
        """Remove what runs that are long over have staged; done once per run, as there may be a thousand of them."""
        if not self._marks.is_dir() or (self._marks / run_id).exists():
            return
        oldest = time.time() - MAX_AGE_S
        for run in self._marks.iterdir():
            with suppress(FileNotFoundError):  # removed by another process
                if run.stat().st_mtime < oldest:
                    shutil.rmtree(run, ignore_errors=True)
