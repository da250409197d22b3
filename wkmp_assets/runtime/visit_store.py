"""What a worker found out about a file, on disk from the moment of its discovery.

The worker writes all of it as one file. The run that asked for the visit refers to it until it stores the values, and a
later run takes it over when the first one was stopped before its commit.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wkmp_assets.model.json_text import parse_json
from wkmp_assets.model.outcomes import Outcome, Result
from wkmp_assets.runtime.atomic_files import translate_disk_errors
from wkmp_assets.runtime.bundles import delete_others, place_of, read_each, write_document
from wkmp_assets.runtime.document_files import join_documents, split_documents
from wkmp_assets.runtime.phase_documents import from_document, to_document
from wkmp_assets.runtime.state_files import read_state_file

_VISIT = "visit"
"""Name of the document that tells what the others were computed from."""
_REFERENCE = b'{"visit": '


@dataclass(frozen=True)
class StoredVisit:
    """The values of a visit, and the name of its file's content."""

    values: Mapping[str, Any]
    """By phase."""
    token: str
    """No other visit has it."""


class VisitStore:
    """The visits of one library that no run has stored yet.

    Parameters
    ----------
    folder : Path
        Of the phase store; created when the first visit is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._visits = folder / "visits"
        self._noted: dict[str, StoredVisit] = {}

    def __reduce__(self) -> tuple[type["VisitStore"], tuple[Path]]:
        """Go to a worker without what this process knows."""
        return VisitStore, (self._folder,)

    def _path_of(self, key: str) -> Path:
        return place_of(self._visits, key)

    def keep(self, key: str, basis: Mapping[str, Any], results: Mapping[str, Result[Any]]) -> str:
        """Write down durably what a visit found out.

        Parameters
        ----------
        key : str
            Partition key.
        basis : mapping
            What the values were computed from, as JSON has it.
        results : mapping of str to Result
            By phase.

        Returns
        -------
        str
            The token of this visit, which no other has.

        Raises
        ------
        StateDiskError
            The disk is full, or the folder may not be written to.
        """
        token = uuid.uuid4().hex
        head = json.dumps({"token": token, "basis": basis}).encode("ascii")
        documents = {phase: to_document(phase, key, outcome) for phase, outcome in results.items()}
        with translate_disk_errors(self._folder):
            write_document(self._folder, self._path_of(key), join_documents({_VISIT: head, **documents}))
        return token

    def find(self, key: str, basis: Mapping[str, Any], phases: Iterable[str]) -> StoredVisit | None:
        """Return the values of an earlier visit with the same basis; None when any of these phases lacks one."""
        documents = self._read(key)
        head = _head_of(documents)
        if head.get("basis") != basis:
            return None
        values: dict[str, Any] = {}
        for phase in phases:
            outcome = from_document(phase, key, documents.get(phase))
            if not isinstance(outcome, Result):
                return None
            values[phase] = outcome.value
        return StoredVisit(values, head["token"])

    def note(self, key: str, visit: StoredVisit) -> None:
        """Take note of a visit that a worker has kept, so that its values are not written twice."""
        self._noted[key] = visit

    def refer_to(self, phase: str, key: str, outcome: Outcome[Any]) -> bytes | None:
        """Return a document that refers to the visit; None for an outcome that is not from it."""
        noted = self._noted.get(key)
        if noted is None or not isinstance(outcome, Result) or noted.values.get(phase) is not outcome.value:
            return None
        return _REFERENCE + json.dumps(noted.token).encode("ascii") + b"}"

    def resolve(self, key: str, documents: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return documents of a partition by phase, with those of its visit for what refers to it.

        What refers to a visit that is gone is left out.
        """
        referring = {phase for phase, document in documents.items() if document.startswith(_REFERENCE)}
        visited = self._read(key) if referring else {}
        token = _head_of(visited).get("token")
        resolved = {phase: document for phase, document in documents.items() if phase not in referring}
        for phase in referring & visited.keys():
            if _head_of({_VISIT: documents[phase]}).get("visit") == token:
                resolved[phase] = visited[phase]
        return resolved

    def forget_notes(self) -> None:
        """Forget what was noted; the visits stay on disk."""
        self._noted.clear()

    def drop(self, keys: Iterable[str]) -> None:
        """Delete the visits of files whose values are stored and committed."""
        for key in keys:
            self._noted.pop(key, None)
            self._path_of(key).unlink(missing_ok=True)

    def keep_only(self, keys: Iterable[str]) -> int:
        """Delete the visits of all other partitions; return how many there were."""
        return len(delete_others(self._visits, keys))

    def read_all(self) -> Iterator[dict[str, bytes]]:
        """Yield the documents of every visit, by phase."""
        return map(split_documents, read_each(self._visits))

    def _read(self, key: str) -> dict[str, bytes]:
        with suppress(FileNotFoundError):
            return split_documents(read_state_file(self._path_of(key)))
        return {}


def _head_of(documents: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        head = parse_json(documents.get(_VISIT, b"{}"))
    except ValueError:  # damaged
        return {}
    return head if isinstance(head, dict) else {}
