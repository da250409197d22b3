"""Values of the library's `status` columns."""

from enum import StrEnum


class FileStatus(StrEnum):
    """Values of `files.status`."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    INGEST_COMPLETE = "INGEST COMPLETE"
    DUPLICATE_HASH = "DUPLICATE HASH"
    NO_AUDIO = "NO AUDIO"


FINISHED = frozenset({FileStatus.INGEST_COMPLETE, FileStatus.DUPLICATE_HASH, FileStatus.NO_AUDIO})
"""Statuses of files that need no further work."""


class PassageStatus(StrEnum):
    """What an import writes to `passages.status`."""

    INGEST_COMPLETE = "INGEST COMPLETE"


class SongStatus(StrEnum):
    """What an import writes to `songs.status`."""

    PENDING = "PENDING"
    FLAVOR_READY = "FLAVOR READY"
