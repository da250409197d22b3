"""Files as the library knows them and as the disk shows them."""

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
    """For a duplicate: whether a file it was matched with is still completely imported."""


@dataclass(frozen=True)
class FileStat:
    """What the file system says of one file."""

    size_bytes: int
    modified_at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`: what the library compares, to the second."""
