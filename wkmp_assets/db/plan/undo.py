"""Remember the rows of a file before a run changes them, and plan to restore them."""

import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from wkmp_assets.db.read.file_state import LibraryState, expect_unchanged
from wkmp_assets.model.batch import WriteBatch
from wkmp_assets.model.json_text import parse_json
from wkmp_assets.model.rows import (
    FileRow,
    FileRows,
    PassageAlbumRow,
    PassageRow,
    PassageSongRow,
    ProvenanceRow,
    UndoRow,
)
from wkmp_assets.model.timestamps import Stamp

_LEVEL = 1
"""Of the compression: the fastest, which halves the rows."""
MAX_REMEMBERED_BYTES = 100_000_000
"""Of one file's rows, unpacked: 10 KB for each of 10,000 passages. What is longer is cut, so it is no JSON."""
_STAMPS = frozenset({"import_session_id", "import_timestamp", "created_at", "updated_at", "timestamp"})
_ANALYZED_AT = re.compile(r'"analyzed_at": "[^"]*"')
"""In `import_metadata`: when the import wrote it."""
_Row = PassageRow | PassageSongRow | PassageAlbumRow | ProvenanceRow
_TAGS = ("artist", "title", "album", "track_number", "year")


def remember(batch: WriteBatch, rows: FileRows | None, command: str, stamp: Stamp) -> WriteBatch:
    """Return a batch that also keeps the rows as they were; the same batch where it changes nothing to restore.

    That is so where the file had no passages, and where all rows get the values that they have.

    Parameters
    ----------
    batch : WriteBatch
        What is to be written.
    rows : FileRows or None
        Of the file, read in the snapshot from which the batch was planned.
    command : str
        What the run does, such as `import`.
    stamp : Stamp
        Time and run of this write.
    """
    if rows is None or not rows.passages or not _has_changes(batch, rows):
        return batch
    before = zlib.compress(json.dumps(asdict(rows), default=_text_of).encode(), _LEVEL)
    return replace(batch, undo=UndoRow(stamp.run_id, rows.file.guid, batch.path, command, stamp.text, before))


def _has_changes(batch: WriteBatch, rows: FileRows) -> bool:
    """Tell whether a batch gives a file other rows than it has. Times and the run of a write are no change."""
    if batch.removed_passages:
        return True
    if batch.file is not None and any(getattr(batch.file, tag) != getattr(rows.file, tag) for tag in _TAGS):
        return True
    written = {passage.guid for passage in batch.passages}
    pairs: tuple[tuple[Iterable[_Row], Iterable[_Row]], ...] = (
        (batch.passages, (row for row in rows.passages if row.guid in written)),
        (batch.passage_songs, (row for row in rows.passage_songs if row.passage_id in written)),
        (batch.passage_albums, (row for row in rows.passage_albums if row.passage_id in written)),
        (batch.provenance, (row for row in rows.provenance if row.passage_id in written)),
    )
    return any(_without_stamps(new) != _without_stamps(old) for new, old in pairs)


def _without_stamps(rows: Iterable[_Row]) -> list[str]:
    """Return rows as texts in an order of their own, without what every write renews."""
    return sorted(json.dumps(_kept_values(row), sort_keys=True, default=_text_of) for row in rows)


def _kept_values(row: _Row) -> dict[str, Any]:
    values = {name: value for name, value in vars(row).items() if name not in _STAMPS}
    if isinstance(row, PassageRow):
        values["import_metadata"] = _ANALYZED_AT.sub("", str(row.import_metadata))
    return values


def _text_of(value: bytes) -> str:
    """Return the text of a BLOB, which other programs may put into any column."""
    return value.decode("utf-8", "replace")


def read_remembered(before: bytes) -> FileRows:
    """Return the rows that a run kept.

    Raises
    ------
    ValueError
        It is something else. The library may come from anybody.
    """
    try:
        unpacked = zlib.decompressobj()
        found: Any = parse_json(unpacked.decompress(before, MAX_REMEMBERED_BYTES))
        return FileRows(
            FileRow(**found["file"]),
            tuple(PassageRow(**row) for row in found["passages"]),
            tuple(PassageSongRow(**row) for row in found["passage_songs"]),
            tuple(PassageAlbumRow(**row) for row in found["passage_albums"]),
            tuple(ProvenanceRow(**row) for row in found["provenance"]),
        )
    except (zlib.error, KeyError, TypeError) as error:
        raise ValueError("not the rows of a file") from error


def plan_restore(before: FileRows, now: FileRows, state: LibraryState, stamp: Stamp) -> WriteBatch:
    """Return the batch that gives a file its earlier passages and tags.

    Path, content, size and time stay, because they are those of the file on disk. Songs, artists, albums and works
    stay, because other files may have them.

    Parameters
    ----------
    before, now : FileRows
        The rows to restore, and those in the library.
    state : LibraryState
        What the rows depend on, read in the same snapshot as `now`.
    stamp : Stamp
        Time and run of this write.
    """
    staying = {passage.guid for passage in before.passages}
    imported = {passage.guid: passage.import_timestamp for passage in before.passages}

    def made_at(passage: str, created_at: str) -> str:
        # The links of an import have the time of the import that wrote the passage.
        return stamp.text if created_at == imported[passage] else created_at

    return WriteBatch(
        now.file.path,
        file=replace(now.file, updated_at=stamp.text, **{name: getattr(before.file, name) for name in _TAGS}),
        expected=expect_unchanged(state, now.file),
        removed_passages=tuple(passage.guid for passage in now.passages if passage.guid not in staying),
        passage_references=state.passage_references,
        keeps_failure=True,
        passages=tuple(
            replace(passage, import_session_id=stamp.run_id, import_timestamp=stamp.text, updated_at=stamp.text)
            for passage in before.passages
        ),
        passage_songs=tuple(
            replace(link, created_at=made_at(link.passage_id, link.created_at)) for link in before.passage_songs
        ),
        passage_albums=tuple(
            replace(link, created_at=made_at(link.passage_id, link.created_at)) for link in before.passage_albums
        ),
        provenance=before.provenance,
        warnings=state.warnings,
    )
