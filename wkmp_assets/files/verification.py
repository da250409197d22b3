"""Whether a file that is read again still has the content that its identity names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from wkmp_assets.errors import FileChangedError, FileReplacedError
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.identity import look_at
from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.values import FileIdentity


@dataclass(frozen=True)
class ExpectedContent:
    """The content that a file must have, so that what is read from it can be stored under its content hash."""

    content_hash: str
    just_hashed: FileStat | None = None
    """Size and time of the file when this run hashed it; None when an earlier run did."""

    @classmethod
    def of(cls, identity: FileIdentity, *, is_just_hashed: bool) -> Self:
        """Return the content of an identity, which this run computed or an earlier one."""
        on_disk = FileStat(identity.size_bytes, identity.modified_at) if is_just_hashed else None
        return cls(identity.content_hash, on_disk)

    def verify(self, path: Path, display_path: str) -> Callable[[], None]:
        """Check the content of a file before it is read, and return the check for afterwards.

        A file that an earlier run hashed is hashed again. Afterwards, and for a file that this run hashed, its size and
        time are compared.

        Parameters
        ----------
        path : Path
            The file.
        display_path : str
            Its path in the library, for messages.

        Returns
        -------
        callable
            Raises `FileChangedError` when the file was written to meanwhile.

        Raises
        ------
        FileReplacedError
            The file has other content.
        UnreadableFileError, LinkedFileError
            It cannot be read, or is reached through a symbolic link.
        """
        expected = self.just_hashed
        if expected is None:
            expected = _look_at(path, display_path)
            if not _has_content(path, display_path, self.content_hash):
                raise FileReplacedError(display_path, "it has other content than at its import")

        def verify_again() -> None:
            if not _is_still(path, display_path, expected):
                raise FileChangedError(display_path, "it was written to during the import")

        return verify_again


def _has_content(path: Path, display_path: str, content_hash: str) -> bool:
    return hash_file(path, display_path) == content_hash


def _is_still(path: Path, display_path: str, on_disk: FileStat) -> bool:
    return _look_at(path, display_path) == on_disk


def _look_at(path: Path, display_path: str) -> FileStat:
    """Read size and time; the path in the library tells which part of the path is the root."""
    return look_at(path.parents[len(PurePosixPath(display_path).parts) - 1], display_path)
