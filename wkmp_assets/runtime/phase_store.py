"""Phase values on disk: one bundle for each file, with a JSON document of each phase.

Values in memory would be lost, because the steps of a run may run in separate processes. Documents name the content
they were computed from and stay after the commit, so that a single phase can run again later without decoding.

A run of the whole import stages the outcomes of each phase and stores them together, before it commits its files.
Other runs store theirs at once.

See Also
--------
wkmp_assets.runtime.staged_outcomes : what only one run sees.
wkmp_assets.runtime.visit_store : what a worker found out about a file, before its run asks for it.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from wkmp_assets.model.outcomes import RUN_SCOPED, Outcome, Skipped
from wkmp_assets.model.phases import IDENTITY, PHASES
from wkmp_assets.runtime.atomic_files import translate_disk_errors
from wkmp_assets.runtime.bundles import BundleFolder
from wkmp_assets.runtime.document_files import find_hashes, is_of
from wkmp_assets.runtime.phase_documents import from_document, to_document
from wkmp_assets.runtime.staged_outcomes import Signature, StagedOutcomes, StagedPhase, sign
from wkmp_assets.runtime.visit_store import VisitStore


class PhaseStore:
    """The phase values of one library.

    Parameters
    ----------
    folder : Path
        Created when the first document is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.bundles = BundleFolder(folder)
        self._staged = StagedOutcomes(folder)
        self._recent: dict[str, tuple[Signature | None, dict[str, Outcome[Any]]]] = {}
        """Partition key -> the bundle that this process has stored last, and its values that it knows."""

    @cached_property
    def visits(self) -> VisitStore:
        """What workers found out, before a run asks for it."""
        return VisitStore(self._folder)

    def write(self, phase: str, outcomes: Iterable[tuple[str, Outcome[Any]]], run_id: str) -> None:
        """Store outcomes durably: each bundle is written under a temporary name, synced and renamed.

        An outcome that holds for one run only (unchanged, interrupted) leaves the stored value alone. It is staged for
        the later phases of that run; other runs may have staged others for the same file.

        Raises
        ------
        StateDiskError
            The disk is full, or the folder may not be written to.
        """
        kept = {key: _without_detail(outcome) for key, outcome in outcomes}
        self.stage(phase, {key: one for key, one in kept.items() if _is_run_scoped(one)}, run_id)
        stored = {key: one for key, one in kept.items() if not _is_run_scoped(one)}
        with translate_disk_errors(self._folder):
            self._staged.drop(run_id, phase, stored)  # or it would be stored over these
            documents = self._write_each(phase, stored)
            self._store(
                {key: {phase: document} for key, document in documents.items()},
                {key: {phase: outcome} for key, outcome in stored.items()},
            )
        self.settle(run_id)

    def stage(self, phase: str, outcomes: Mapping[str, Outcome[Any]], run_id: str) -> None:
        """Keep outcomes durably for the later phases of a run, until `settle` stores them.

        Raises
        ------
        StateDiskError
            The disk is full, or the folder may not be written to.
        """
        if not outcomes:
            return
        kept = {key: _without_detail(outcome) for key, outcome in outcomes.items()}
        documents = self._write_each(phase, kept)
        with translate_disk_errors(self._folder):
            self._staged.put(run_id, phase, documents, kept)

    def _write_each(self, phase: str, outcomes: Mapping[str, Outcome[Any]]) -> dict[str, bytes]:
        return {
            key: self.visits.refer_to(phase, key, outcome) or to_document(phase, key, outcome)
            for key, outcome in outcomes.items()
        }

    def settle(self, run_id: str) -> None:
        """Store what a run has staged, for all runs. What holds for the run only stays staged.

        Raises
        ------
        StateDiskError
            The disk is full, or the folder may not be written to.
        """
        with translate_disk_errors(self._folder):
            documents: dict[str, dict[str, bytes]] = {}
            outcomes: dict[str, dict[str, Outcome[Any]]] = {}
            for phase in PHASES:
                staged = self._staged.find(run_id, phase)
                for key, document in staged.documents.items():
                    outcome = self._staged_outcome(staged, phase, key)
                    if outcome is not None and not _is_run_scoped(outcome):
                        documents.setdefault(key, {})[phase] = document
                        outcomes.setdefault(key, {})[phase] = outcome
            self._store(documents, outcomes)
            for phase in {phase for found in documents.values() for phase in found}:
                self._staged.drop(run_id, phase, [key for key, found in documents.items() if phase in found])

    def _store(
        self, documents: Mapping[str, dict[str, bytes]], outcomes: Mapping[str, Mapping[str, Outcome[Any]]]
    ) -> None:
        if not documents:
            return
        resolved = {key: self.visits.resolve(key, found) for key, found in documents.items()}
        self.bundles.update(resolved)
        self._recent = {
            key: (sign(self.bundles.path_of(key)), {phase: outcomes[key][phase] for phase in found})
            for key, found in resolved.items()
        }

    def carry(self, moves: Mapping[str, tuple[str, str]]) -> None:
        """Copy the values of moved files to their new partitions, so that later phases can run without decoding.

        Only values of the same content are copied, and all at once, because two files may have changed places. The old
        partitions keep theirs.

        Parameters
        ----------
        moves : mapping of str to tuple of str and str
            New partition key -> old one, and the file's content hash.

        Raises
        ------
        StateDiskError
            The folder may not be written to.
        """
        with translate_disk_errors(self._folder):
            carried = {key: self._documents_of(before, content_hash) for key, (before, content_hash) in moves.items()}
            self.bundles.update({key: documents for key, documents in carried.items() if documents})

    def _documents_of(self, key: str, content_hash: str) -> dict[str, bytes]:
        """Return the documents of a partition that are of this content, but for what file it is."""
        documents = self.bundles.read(key)
        return {name: one for name, one in documents.items() if name != IDENTITY and is_of(one, content_hash)}

    def keep_only(self, keys: Iterable[str]) -> int:
        """Delete the documents of all other partitions; return of how many phases there were any.

        Raises
        ------
        StateDiskError
            The folder cannot be read or may not be written to.
        """
        with translate_disk_errors(self._folder):
            return self.bundles.keep_only(keys) + self.visits.keep_only(keys)

    def find_hashes(self, phase: str) -> set[str]:
        """Return every SHA-256 that the stored values of a phase mention, as 64 hex digits.

        Raises
        ------
        StateDiskError
            The folder cannot be read.
        """
        with translate_disk_errors(self._folder):
            return {
                content_hash
                for documents in chain(self.bundles.read_all(), self.visits.read_all())
                for content_hash in find_hashes(documents.get(phase, b""))
            }

    def read(self, phase: str, key: str, run_id: str) -> Outcome[Any]:
        """Read an outcome as a later phase of run `run_id` sees it.

        A document that is missing, damaged or of another version gives `Failed`, whose message says what to run again.
        """
        return self.read_each(phase, [key], run_id)[key]

    def read_each(self, phase: str, keys: Iterable[str], run_id: str) -> dict[str, Outcome[Any]]:
        """Read the outcomes of several partitions, as `read` does."""
        staged = self._staged.find(run_id, phase)
        found = {key: self._staged_outcome(staged, phase, key) for key in keys}
        return {key: self.read_stored(phase, key) if outcome is None else outcome for key, outcome in found.items()}

    def _staged_outcome(self, staged: StagedPhase, phase: str, key: str) -> Outcome[Any] | None:
        if key not in staged.outcomes and key in staged.documents:
            staged.outcomes[key] = from_document(
                phase, key, self.visits.resolve(key, {phase: staged.documents[key]}).get(phase)
            )
        return staged.outcomes.get(key)

    def read_stored(self, phase: str, key: str) -> Outcome[Any]:
        """Read the outcome that any run stored last; otherwise like `read`."""
        signature, known = self._recent.get(key, (None, {}))
        if phase in known and signature == sign(self.bundles.path_of(key)):
            return known[phase]
        return from_document(phase, key, self.bundles.read_one(phase, key))


def _is_run_scoped(outcome: Outcome[Any] | None) -> bool:
    return isinstance(outcome, Skipped) and outcome.reason in RUN_SCOPED


def _without_detail(outcome: Outcome[Any]) -> Outcome[Any]:
    return Skipped(outcome.reason) if isinstance(outcome, Skipped) and outcome.reason in RUN_SCOPED else outcome
