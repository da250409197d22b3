"""Rows of a library whose values are of the kinds of their columns.

SQLite keeps any value in any column, and a library may come from anybody. So rows are judged where they become values
of Python: bytes in the place of text, text in the place of a number, text that is not UTF-8, an infinite number. Such a
value counts as nothing. A row whose id, path or place is such a value does not count. Each such column is named once.
"""

import logging
import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from wkmp_assets.errors import LibraryChangedError, OddValueError, WkmpError

_LOG = logging.getLogger(__name__)

_TEXT, _INTEGER, _REAL, _BYTES, _ANY = "text", "a whole number", "a number", "bytes", "text or a number"
_INTEGERS = """
duration_ticks sample_rate channels file_size_bytes size_bytes track_number year start_time_ticks end_time_ticks
fade_in_start_ticks lead_in_start_ticks lead_out_start_ticks fade_out_start_ticks start_ticks end_ticks fade_in_ticks
lead_in_ticks lead_out_ticks fade_out_ticks length_ticks width height priority timestamp attempts"""
_REALS = """
flavor_completeness title_confidence artist_confidence album_confidence mbid_confidence identity_confidence confidence
weight"""
_TEXTS = """
guid path hash content_hash format artist title album modification_time modified_at status matching_hashes created_at
updated_at file_id user_title recording_mbid song_id musical_flavor_vector flavor import_metadata additional_metadata
decode_status flavor_source_blend title_source artist_source album_source mbid_source validation_status
import_session_id import_timestamp import_strategy artist_name flavor_vector work_id name mbid file_path entity_id
passage_id album_id image_id id source_type data_extracted phase code message kind failed_at missing_since run_id
imported_at file command at after example boundaries song song_mbid passage recording"""
_BLOBS = "before passages_text flavor_bytes"
_KINDS = {
    name: kind
    for kind, names in ((_INTEGER, _INTEGERS), (_REAL, _REALS), (_TEXT, _TEXTS), (_BYTES, _BLOBS))
    for name in names.split()
}
"""Name of a column, in the library or in a query of ours -> what belongs there. Of other columns only bytes are odd."""
_IDS_AND_PLACES = """
guid path hash content_hash file_id passage_id passage image_id start_time_ticks end_time_ticks start_ticks end_ticks
length_ticks"""
NEEDED = frozenset(_IDS_AND_PLACES.split())
"""Columns without which a row is of no use."""
_NEVER_NULL = """
modification_time modified_at created_at updated_at name message phase code kind failed_at missing_since at command
file_path source_type"""
_EMPTY: dict[str, str | int] = {**dict.fromkeys(_NEVER_NULL.split(), ""), "attempts": 0}
"""Column that is never NULL, and without which its row still counts -> what an odd value counts as."""
_TYPES: dict[str, tuple[type, ...]] = {
    _TEXT: (str,), _INTEGER: (int,), _REAL: (float, int), _BYTES: (bytes,), _ANY: (str, int, float)
}  # fmt: skip
_STORAGE = {_TEXT: "'text'", _INTEGER: "'integer'", _REAL: "'real', 'integer'"}
_FOUND = {bytes: "bytes", str: "text", int: "a number", float: "a fraction"}
_DROPPED: Any = object()
_named: set[tuple[Path, str, str]] = set()
"""Library, column and kind of value that were named in this process."""


def readable(column: str) -> str:
    """Return SQL for what a checked row has of a column."""
    name = column.rpartition(".")[2]
    nothing = "''" if name in _EMPTY else "NULL"
    return f"iif(typeof({column}) IN ({_STORAGE[_KINDS[name]]}, 'null'), {column}, {nothing})"


def _text(content: bytes) -> str | bytes:
    """Return text; what is not UTF-8 stays bytes, which are odd in every column of text."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


class _CheckedCursor(sqlite3.Cursor):
    """Leaves out the rows that do not count."""

    kinds: tuple[str, ...] | None = None
    usual: set[tuple[type, ...]]
    """Types of rows of this query that were found in order."""

    def __next__(self) -> Any:
        while (row := super().__next__()) is _DROPPED:
            pass
        return row

    def fetchone(self) -> Any:
        while (row := super().fetchone()) is _DROPPED:
            pass
        return row

    def fetchall(self) -> list[Any]:
        return [row for row in super().fetchall() if row is not _DROPPED]


class CheckedConnection(sqlite3.Connection):
    """A connection for reading a library. Its rows are `sqlite3.Row`, with checked values."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.text_factory = _text
        self.row_factory = sqlite3.Row  # of cursors that others make
        self._odd: dict[tuple[str, str], None] = {}
        self._reads_for: str | None = None
        self._odd_of_file: str | None = None
        self._version = 0

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Execute a statement; its rows are checked, but for those of a PRAGMA, which are of the schema."""
        if sql.lstrip()[:6].upper() == "PRAGMA":
            return super().execute(sql, parameters)
        cursor = self.cursor(_CheckedCursor)
        cursor.row_factory = self._check
        return cursor.execute(sql, parameters)

    @contextmanager
    def reading_for(self, path: str) -> Iterator[Self]:
        """Read within the block what the rows of one file depend on: none of it may be left out.

        Raises
        ------
        OddValueError
            A row that would not count. It names the file.
        """
        self._reads_for, self._odd_of_file, self._version = path, None, self._read_version()
        try:
            yield self
        finally:
            self._reads_for = None

    def is_as_read(self) -> bool:
        """Tell whether nobody has written to the library since the last file's rows were read."""
        return self._read_version() == self._version

    def _read_version(self) -> int:
        return int(super().execute("PRAGMA data_version").fetchone()[0])

    def explain(self, error: LibraryChangedError) -> WkmpError:
        """Return the reason for a change that comes with every try: the odd value that was read, if there was any."""
        return error if self._odd_of_file is None else OddValueError(error.path, _depends_on(self._odd_of_file))

    def name_odd_values(self, database: Path) -> None:
        """Name the columns with odd values, each once in this process."""
        for column, found in self._odd:
            if (database, column, found) not in _named:
                _named.add((database, column, found))
                what = "the row does not count" if column in NEEDED else "it counts as nothing"
                _LOG.warning("%s holds %s; %s", database, _describe(column, found), what)

    def _check(self, cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
        assert isinstance(cursor, _CheckedCursor)  # noqa: S101 - for the type checker
        if cursor.kinds is None:
            cursor.kinds = tuple(_KINDS.get(column[0], _ANY) for column in cursor.description)
            cursor.usual = set()
        types = tuple(map(type, values))
        if types not in cursor.usual or (float in types and not _are_finite(values)):
            names = [column[0] for column in cursor.description]
            checked = [self._judge(*one) for one in zip(names, cursor.kinds, values, strict=True)]
            if _DROPPED in checked:
                return _DROPPED
            if all(one is other for one, other in zip(checked, values, strict=True)):
                cursor.usual.add(types)
            values = tuple(checked)
        return sqlite3.Row(cursor, values)

    def _judge(self, name: str, kind: str, value: Any) -> Any:
        """Return a value, what an odd one counts as, or that its row does not count."""
        if value is None or (isinstance(value, _TYPES[kind]) and _are_finite((value,))):
            return value
        found = _FOUND[type(value)] if _are_finite((value,)) else "an infinite number"
        self._odd[name, found] = None
        self._odd_of_file = _describe(name, found)
        if name not in NEEDED:
            return _EMPTY.get(name)
        if self._reads_for is not None:
            raise OddValueError(self._reads_for, _depends_on(self._odd_of_file))
        return _DROPPED


def _describe(column: str, found: str) -> str:
    kind = _KINDS.get(column, _ANY)
    if kind == _TEXT and found == "bytes":
        found = "bytes that are no text"
    return f"{found} in {column}, where {kind} belongs"


def _depends_on(odd_value: str) -> str:
    return f"the library holds, for this file or what it plays, {odd_value}"


def _are_finite(values: tuple[Any, ...]) -> bool:
    return all(not isinstance(value, float) or math.isfinite(value) for value in values)
