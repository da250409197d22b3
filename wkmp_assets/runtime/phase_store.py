"""Phase values on disk: one small JSON document per phase and partition.

Values in memory would be lost, because the steps of a run may run in separate processes. Documents name the content
they were computed from and stay after the commit, so that a single phase can run again later without decoding.
"""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.outcomes import RUN_SCOPED, Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.model.phases import IDENTITY
from wkmp_assets.model.values import SCHEMA_VERSION
from wkmp_assets.runtime.atomic_files import remove_leftovers, replace_durably, temporary_name, translate_disk_errors

_BEGINNING_BYTES = 32_768
"""How much of a document to read for its content hash, which comes after a partition key of any length."""
_HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
MAX_MARK_AGE_S = 7 * 24 * 3600
"""unit=s: far longer than any run takes."""


def _name_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8")).hexdigest()


@cache
def _adapter(phase: str) -> TypeAdapter[Any]:
    return TypeAdapter(PHASE_VALUES[phase])


class PhaseStore:
    """The documents of one library.

    Parameters
    ----------
    folder : Path
        Created when the first document is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unfinished = folder / "unfinished"
        self._marks = folder / "marks"

    def path_of(self, phase: str, key: str) -> Path:
        """Return the path of a phase's document for a partition; its name is a hash of the key."""
        name = _name_of(key)
        return self._folder / phase / name[:2] / f"{name}.json"

    def write(self, phase: str, outcomes: Iterable[tuple[str, Outcome[Any]]], run_id: str) -> None:
        """Store outcomes durably: each is written under a temporary name, synced and renamed.

        An outcome that holds for one run only (unchanged, interrupted) leaves the stored value alone. A small mark in
        the folder of that run tells its later phases; other runs may have other marks for the same file.

        Raises
        ------
        StateDiskError
            The disk is full, or the folder may not be written to.
        """
        with translate_disk_errors(self._folder):
            remove_leftovers(self._unfinished)
            self._remove_old_marks(run_id)
            for key, outcome in outcomes:
                self._write(phase, key, outcome, run_id)

    def _write(self, phase: str, key: str, outcome: Outcome[Any], run_id: str) -> None:
        path = self.path_of(phase, key)
        mark = self._mark_of(path, run_id)
        if isinstance(outcome, Skipped) and outcome.reason in RUN_SCOPED:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(outcome.reason, encoding="utf-8")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._replace(path, _to_document(phase, key, outcome))
        mark.unlink(missing_ok=True)

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
        links: list[tuple[Path, Path]] = []
        with translate_disk_errors(self._folder):
            for key, (before, content_hash) in moves.items():
                for phase in set(PHASE_VALUES) - {IDENTITY}:
                    source, target = self.path_of(phase, before), self.path_of(phase, key)
                    if _is_of(source, content_hash):
                        links.append((self._second_name(source, f"{phase}-{target.name}"), target))
            for temporary, target in links:
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(target)
                # When both are names of one file, the rename leaves both.
                temporary.unlink(missing_ok=True)

    def _second_name(self, source: Path, name: str) -> Path:
        self._unfinished.mkdir(exist_ok=True)
        temporary = self._unfinished / temporary_name(name)
        temporary.unlink(missing_ok=True)
        try:
            temporary.hardlink_to(source)
        except OSError:  # a file system without links
            shutil.copyfile(source, temporary)
        return temporary

    def keep_only(self, keys: Iterable[str]) -> int:
        """Delete the documents of all other partitions; return how many there were.

        Raises
        ------
        StateDiskError
            The folder cannot be read or may not be written to.
        """
        kept = {_name_of(key) for key in keys}
        deleted = 0
        with translate_disk_errors(self._folder):
            for phase in PHASE_VALUES:
                for path in (self._folder / phase).glob("*/*.json"):
                    if path.stem not in kept:
                        path.unlink(missing_ok=True)
                        deleted += 1
        return deleted

    def find_hashes(self, phase: str) -> set[str]:
        """Return every SHA-256 that the stored values of a phase mention, as 64 hex digits.

        Raises
        ------
        StateDiskError
            The folder cannot be read.
        """
        found: set[str] = set()
        with translate_disk_errors(self._folder):
            for path in (self._folder / phase).glob("*/*.json"):
                with suppress(FileNotFoundError):  # deleted by another process
                    found.update(match.decode() for match in _HASH.findall(path.read_bytes()))
        return found

    def _mark_of(self, path: Path, run_id: str) -> Path:
        return self._marks / run_id / path.relative_to(self._folder).with_suffix(".mark")

    def _remove_old_marks(self, run_id: str) -> None:
        """Remove the marks of runs that are long over; done once per run, as there may be a thousand of them."""
        if not self._marks.is_dir() or (self._marks / run_id).exists():
            return
        oldest = time.time() - MAX_MARK_AGE_S
        for run in self._marks.iterdir():
            with suppress(FileNotFoundError):  # removed by another process
                if run.stat().st_mtime < oldest:
                    shutil.rmtree(run, ignore_errors=True)

    def _replace(self, path: Path, content: bytes) -> None:
        # One folder for all documents, so that leftovers are found without a walk through 100,000 of them.
        self._unfinished.mkdir(exist_ok=True)
        temporary = self._temporary_of(path)
        temporary.write_bytes(content)
        replace_durably(temporary, path)

    def _temporary_of(self, path: Path) -> Path:
        return self._unfinished / temporary_name(f"{path.parent.parent.name}-{path.name}")

    def read(self, phase: str, key: str, run_id: str) -> Outcome[Any]:
        """Read an outcome as a later phase of run `run_id` sees it.

        A document that is missing, damaged or of another version gives `Failed`, whose message says what to run again.
        """
        marked = _read_mark(self._mark_of(self.path_of(phase, key), run_id))
        return self.read_stored(phase, key) if marked is None else marked

    def read_stored(self, phase: str, key: str) -> Outcome[Any]:
        """Read the outcome that any run stored last; otherwise like `read`."""
        path = self.path_of(phase, key)
        try:
            document = json.loads(path.read_bytes())
            if document["schema_version"] != SCHEMA_VERSION:
                return _unusable(phase, key, f"has the format of another version ({document['schema_version']})")
            return _from_document(phase, document)
        except FileNotFoundError:
            return _unusable(phase, key, "is missing")
        except (ValueError, KeyError, TypeError, ValidationError):
            return _unusable(phase, key, "is damaged")


def _unusable(phase: str, key: str, what: str) -> Failed:
    message = f"{key}: the stored result of {phase} {what}; {IMPORT_WITH_FORCE}"
    return Failed(phase, "PHASE_VALUE_UNUSABLE", message)


def _to_document(phase: str, key: str, outcome: Outcome[Any]) -> bytes:
    document: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "phase": phase, "partition": key}
    if isinstance(outcome, Result):
        value = _adapter(phase).dump_python(outcome.value, mode="json")
        document |= {"outcome": "result", "content_hash": outcome.content_hash, "value": value}
    elif isinstance(outcome, Skipped):
        document |= {"outcome": "skipped", "reason": outcome.reason, "detail": outcome.detail}
    else:
        document |= {
            "outcome": "failed",
            "in": outcome.phase,
            "code": outcome.code,
            "message": outcome.message,
        }
    # ASCII with escapes, because JSON has no other form for a file name that is not UTF-8.
    return json.dumps(document).encode("ascii")


def _from_document(phase: str, document: dict[str, Any]) -> Outcome[Any]:
    if document["outcome"] == "result":
        return Result(_adapter(phase).validate_python(document["value"]), document["content_hash"])
    if document["outcome"] == "skipped":
        return Skipped(SkipReason(document["reason"]), document["detail"])
    return Failed(document["in"], document["code"], document["message"])


def _is_of(path: Path, content_hash: str) -> bool:
    """Tell whether a document exists and is of this content, without reading its value, which may be long."""
    try:
        with path.open("rb") as document:
            return f'"content_hash": "{content_hash}"'.encode() in document.read(_BEGINNING_BYTES)
    except FileNotFoundError:
        return False


def _read_mark(mark: Path) -> Skipped | None:
    try:
        return Skipped(SkipReason(mark.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
