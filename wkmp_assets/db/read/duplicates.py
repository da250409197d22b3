"""Read which files of a library have the same bytes, and which of them is the original."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.db.read.select import column_list, has_table
from wkmp_assets.model.copy_ranks import explain_choice, rank_copy
from wkmp_assets.model.statuses import FileStatus

_NO_SOUND = "none of them holds sound, so none is imported"
_GONE = "the last scan did not find the copy, or a pattern passed over it"
_BOTH_IMPORTED = "both are imported; an import with --force makes this one a copy"


@dataclass(frozen=True)
class ListedCopy:
    """One copy of an original."""

    path: str
    why: str
    """Why it is not the original."""
    is_missing: bool
    """Whether the last scan did not find it."""


@dataclass(frozen=True)
class CopyGroup:
    """Two or more files with the same bytes."""

    content_hash: str
    size_bytes: int | None
    original: str
    """The file whose passages stand for all. Without sound, the best path."""
    is_missing: bool
    """Whether the last scan did not find the original."""
    copies: tuple[ListedCopy, ...]


@dataclass(frozen=True)
class _File:
    path: str
    hash: str
    status: str
    file_size_bytes: int | None


def read_duplicates(database: Path) -> list[CopyGroup]:
    """Read the groups of files with the same bytes, by the path of the original; none when there is no library yet."""
    statuses = (FileStatus.INGEST_COMPLETE, FileStatus.DUPLICATE_HASH, FileStatus.NO_AUDIO)
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "files"):
            return []
        columns = column_list(connection, "files", ["path", "hash", "status", "file_size_bytes"])
        query = f"""
            WITH finished AS (SELECT {columns} FROM files WHERE status IN (?, ?, ?))
            SELECT * FROM finished
            WHERE hash IN (SELECT hash FROM finished GROUP BY hash HAVING count(*) > 1)
            ORDER BY hash, path"""  # noqa: S608 - literals only
        files = [_File(**dict(row)) for row in connection.execute(query, statuses)]
    missing = {file.path for file in read_missing(database)}
    groups = [_group(list(group), missing) for _, group in groupby(files, key=lambda file: file.hash)]
    return sorted(groups, key=lambda group: group.original)


def _group(files: Sequence[_File], missing: set[str]) -> CopyGroup:
    ranked = sorted(files, key=lambda file: rank_copy(file.path))
    original = next((file for file in ranked if file.status == FileStatus.INGEST_COMPLETE), ranked[0])
    copies = tuple(
        ListedCopy(file.path, _explain(original, file, missing), file.path in missing)
        for file in ranked
        if file != original
    )
    return CopyGroup(original.hash, original.file_size_bytes, original.path, original.path in missing, copies)


def _explain(original: _File, copy: _File, missing: set[str]) -> str:
    if copy.path in missing:
        return _GONE
    if original.status == FileStatus.NO_AUDIO:
        return _NO_SOUND
    if copy.status == FileStatus.INGEST_COMPLETE:
        return _BOTH_IMPORTED
    return explain_choice(original.path, copy.path)
