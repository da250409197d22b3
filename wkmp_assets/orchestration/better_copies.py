"""Copies that wait until a better copy of them is imported, so that the better one becomes the original.

Files of one run decide among themselves. Of files in different runs, the one whose run comes first would always be the
original. So every scan notes which files that wait have the same size, and a run looks up whether a better copy of its
new files waits for another run. The run notes that, and the sensor requests the copy again when the better one is
imported.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.db.read.known_files import read_known_by_path
from wkmp_assets.errors import AudioFileError
from wkmp_assets.files.changes import HashedFile
from wkmp_assets.files.equal_sizes import group_equal_sizes
from wkmp_assets.files.hashing import hash_file, never
from wkmp_assets.files.identity import look_at
from wkmp_assets.files.walk import WalkReport
from wkmp_assets.model.file_key import storable
from wkmp_assets.model.json_text import parse_json
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Skipped, SkipReason
from wkmp_assets.model.statuses import FINISHED, FileStatus
from wkmp_assets.orchestration.music_objects import at_hand
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.state_files import read_state_file
from wkmp_assets.settings import Settings

MAX_COMPARED = 20
"""How many better paths of the same size are compared with a file. More of one size are placeholders, not copies."""


def note_equal_sizes(settings: Settings, changes: LibraryChanges, report: WalkReport) -> None:
    """Write down which files of a scan wait for their import and have the same size.

    Raises
    ------
    StateDiskError
        The state folder cannot be written to.
    """
    groups = json.dumps(group_equal_sizes(report.found, changes.to_import))
    if groups != json.dumps(_read(settings.equal_sizes_path, [])) or not settings.equal_sizes_path.exists():
        write_atomically(settings.equal_sizes_path, groups.encode())


def note_waits(settings: Settings, run_id: str, waits: Mapping[str, str]) -> None:
    """Write down which copies a run did not import: path -> path of the better copy.

    Raises
    ------
    StateDiskError
        The state folder cannot be written to.
    """
    if waits:
        write_atomically(settings.waits_dir / f"{run_id}.json", json.dumps(waits).encode())


def read_waits(settings: Settings, changes: LibraryChanges) -> dict[str, str]:
    """Return the copies that wait, with the better copy of each, and delete notes on copies that no longer do.

    Parameters
    ----------
    settings : Settings
        Of the library.
    changes : LibraryChanges
        A scan of the whole library.
    """
    to_import = frozenset(changes.to_import)
    waits: dict[str, str] = {}
    for note in sorted(settings.waits_dir.glob("*.json")):
        noted = _read(note, {})
        waiting = {path: better for path, better in noted.items() if path in to_import and better in to_import}
        if not waiting:
            note.unlink(missing_ok=True)
        waits |= waiting
    return waits


def wait_for(path: str) -> Skipped:
    """Return the outcome of a file that waits for a better copy."""
    return Skipped(SkipReason.WAITS, f"{path} has the same bytes and a better place")


def find_better_copies(
    library: Library,
    hashed: Mapping[str, HashedFile],
    same_content: Mapping[str, Sequence[KnownFile]],
    *,
    is_stopping: Callable[[], bool] = never,
) -> dict[str, str]:
    """Return the files of a run that have a better copy outside the run: partition key -> path of that copy.

    They are new, or duplicates whose originals are gone: one of these takes over the row of the original.

    A copy in the library goes before all others, and a file that failed before none.

    Parameters
    ----------
    library : Library
        Where the files are.
    hashed : mapping of str to HashedFile
        The files of the run, by partition key.
    same_content : mapping of str to sequence of KnownFile
        Content hash -> rows of the library with that hash.
    is_stopping : callable, optional
        Asked while files are hashed.

    Raises
    ------
    HashingStoppedError
        `is_stopping` says so.
    """
    better = find_better_paths(library.settings, {file.path for file in hashed.values()})
    doubtful = {
        key: file
        for key, file in hashed.items()
        if file.path in better
        and _has_no_place_yet(file.known)
        and not _has_original(library, same_content.get(file.content_hash, ()))
    }
    if not doubtful:
        return {}
    failed = {failure.path for failure in read_failures(library.database)}
    paths = {path for file in doubtful.values() for path in better[file.path]}
    known = read_known_by_path(library.database, sorted(paths))
    hashes: dict[str, str | None] = {}
    found: dict[str, str] = {}
    for key, file in doubtful.items():
        for path in better[file.path]:
            if storable(path) in failed or _stands(known.get(path), file.content_hash):
                continue
            if path not in hashes:
                hashes[path] = _hash_of_size(library, path, file.on_disk.size_bytes, is_stopping)
            if hashes[path] == file.content_hash:
                found[key] = path
                break
    return found


def find_better_paths(settings: Settings, in_run: set[str]) -> dict[str, list[str]]:
    """Return for each file of the run, by path, the better paths of its size outside the run."""
    better: dict[str, list[str]] = {}
    for group in _read(settings.equal_sizes_path, []):
        for place, path in enumerate(group):
            if path in in_run:
                others = [other for other in group[: min(place, MAX_COMPARED)] if other not in in_run]
                better |= {path: others} if others else {}
    return better


def _read(path: Path, empty: Any) -> Any:
    """Return a note; `empty` when there is none, or it is damaged."""
    try:
        found = parse_json(read_state_file(path))
    except (OSError, ValueError):
        return empty
    return found if isinstance(found, type(empty)) else empty


def _has_no_place_yet(row: KnownFile | None) -> bool:
    return row is None or row.status not in FINISHED or row.status == FileStatus.DUPLICATE_HASH


def _stands(row: KnownFile | None, content_hash: str) -> bool:
    """Tell whether the library has a file as imported with this content, or as one without sound."""
    return row is not None and row.content_hash == content_hash and not _has_no_place_yet(row)


def _has_original(library: Library, rows: Sequence[KnownFile]) -> bool:
    return any(row.status == FileStatus.INGEST_COMPLETE and library.has_file(row.path) for row in rows)


def _hash_of_size(library: Library, path: str, size_bytes: int, is_stopping: Callable[[], bool]) -> str | None:
    """Return the content hash of a file that a scan finds and that has a certain size; else None."""
    try:
        if library.is_ignored(path) or look_at(library.root, path).size_bytes != size_bytes:
            return None
        with at_hand(library.settings, path) as file:
            return hash_file(file, path, is_stopping)
    except AudioFileError:
        return None
