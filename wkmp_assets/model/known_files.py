"""A file as the library knows it, and as the file system shows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownFile:
    """The part of a `files` row that decides what happens to a file."""

    guid: str
    path: str
    content_hash: str
    status: str
    modified_at: str
    size_bytes: int | None
    original_is_complete: bool = True
    """For a duplicate: whether one of its copies is still completely imported."""
    has_failed: bool = False
    """Whether its last import failed. Its rows then come from an earlier import."""


@dataclass(frozen=True)
class FileStat:
    """What the file system says of one file."""

    size_bytes: int
    modified_at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`."""
