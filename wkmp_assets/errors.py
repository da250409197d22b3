"""Every exception the package raises.

::

    WkmpError
    ├── PermanentError                 the same input fails again: change something first
    │   ├── SettingsError
    │   ├── LibraryRootError
    │   ├── NotImportedError
    │   ├── PartitionKeyError
    │   ├── AudioFileError             one file; becomes a `Failed` value, never stops the others
    │   │   ├── UnencodableNameError
    │   │   ├── LinkedFileError
    │   │   ├── UnreadableFileError
    │   │   ├── UndecodableAudioError
    │   │   ├── ProtectedAudioError
    │   │   ├── TooLongError
    │   │   ├── FileChangedError
    │   │   └── OriginalNotImportedError
    │   ├── CorruptLibraryError
    │   ├── UnwritableLibraryError
    │   └── CommitRefusedError
    └── TransientError                 the same input may succeed later
        ├── WorkersError
        ├── LibraryLockedError
        ├── LibraryChangedError
        ├── LibraryDiskError
        ├── StateDiskError
        └── ServiceUnavailableError    never stops an import: the passage is looked up later
            ├── RefusedKeyError
            └── ServiceGoneError

Each class takes the facts as fields and builds its own message: what was tried, on what, and what to do
next. `sqlite3` and decoder exceptions are translated once, in `db` and `audio`, and never leave them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path


class WkmpError(Exception):
    """Base of every error raised on purpose by this package."""

    def __reduce__(self) -> tuple[object, ...]:
        # Raised in worker processes: carried over as it is, since the facts cannot be told from the finished message.
        return _restore, (type(self), self.args, vars(self))


def _restore(kind: type[WkmpError], arguments: tuple[object, ...], facts: dict[str, object]) -> WkmpError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    vars(error).update(facts)
    return error


class PermanentError(WkmpError):
    """A rerun with the same input cannot help."""


class TransientError(WkmpError):
    """A rerun may help."""


class SettingsError(PermanentError):
    """A setting is missing or out of its bounds."""


class LibraryRootError(PermanentError):
    """The music folder cannot be read, or is suddenly empty."""


class NotImportedError(PermanentError):
    """Files wait for their import, and any of them may be a missing one under another name."""

    def __init__(self, files: list[str]) -> None:
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        super().__init__(
            f"{', '.join(files[:3])}{more} not imported yet: any of them may be a missing file that was moved. Nothing "
            "was removed. Import first, then prune."
        )


class PartitionKeyError(PermanentError):
    """A partition key does not decode to a path inside the library."""


class AudioFileError(PermanentError):
    """One audio file cannot be imported; the others are not affected.

    Parameters
    ----------
    path : str
        Path relative to the library root, as a person would type it.
    cause : str
        What went wrong, in one clause.
    """

    code: ClassVar[str] = "FILE_ERROR"
    next_step: ClassVar[str] = "look at the file"

    def __init__(self, path: str, cause: str) -> None:
        super().__init__(f"{path}: {cause}; {self.next_step}")
        self.path = path
        self.cause = cause


class UnencodableNameError(AudioFileError):
    """The file's name is not UTF-8, so the library (UTF-8 text) cannot hold its path."""

    code = "NAME_NOT_UTF8"
    next_step = "rename it (for example with convmv) and import again"


class LinkedFileError(AudioFileError):
    """The path goes through a symbolic link; nothing outside the library is read."""

    code = "SYMBOLIC_LINK"
    next_step = "import the file where it is, or move it into the library"


class UnreadableFileError(AudioFileError):
    """The file cannot be opened or read."""

    code = "READ_ERROR"
    next_step = "check that it exists and its permissions, then import again"


class UndecodableAudioError(AudioFileError):
    """No decoder gets any sound out of the file."""

    code = "DECODE_ERROR"
    next_step = "play it elsewhere; if it is damaged replace it, then import again"


class ProtectedAudioError(AudioFileError):
    """The sound is encrypted, and only the shop's own player has the key."""

    code = "PROTECTED"
    next_step = "get a copy without protection, then import again"


class TooLongError(AudioFileError):
    """The file lasts longer than the disk should be made to hold."""

    code = "TOO_LONG"
    next_step = "divide it, then import again"


class FileChangedError(AudioFileError):
    """The file was written to while it was being imported."""

    code = "FILE_CHANGED"
    next_step = "import it again when nothing writes to it any more"


class OriginalNotImportedError(AudioFileError):
    """The file is a copy of another one, and that one could not be imported."""

    code = "ORIGINAL_FAILED"
    next_step = "mend the other file first, then import both again"


class CorruptLibraryError(PermanentError):
    """SQLite says that the database file is damaged or is no database."""

    def __init__(self, database: Path, detail: str) -> None:
        super().__init__(
            f"{database} is not a usable SQLite database ({detail}); it was left untouched. "
            "Restore a backup, or move the file away to start a new library."
        )
        self.database = database


class UnwritableLibraryError(PermanentError):
    """The database or its folder is read-only, or cannot be opened."""

    def __init__(self, database: Path, detail: str) -> None:
        super().__init__(
            f"cannot write to {database} ({detail}); check the permissions of the file, of its -wal and -shm beside "
            "it, and of its folder, or point WKMP_DATABASE at a place that can be written."
        )
        self.database = database


class CommitRefusedError(PermanentError):
    """The rows of one file break a rule of the schema; nothing of it was written."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: the library refused its rows ({detail}); nothing was written, please report this")
        self.path = path


class WorkersError(TransientError):
    """No worker process can be started."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"the worker processes end before they take any work ({detail}). Free some memory, or raise "
            "WKMP_WORKER_MEMORY_MB if it is set low, then import again."
        )


class LibraryLockedError(TransientError):
    """Another process held SQLite's write lock longer than the budget."""

    def __init__(self, database: Path, waited_ms: float, attempts: int) -> None:
        super().__init__(
            f"{database} stayed locked by another program for {waited_ms:.0f} ms ({attempts} attempts); nothing was "
            "written. Close what holds it, or raise ai_database_max_lock_wait_ms in the settings table, and run again."
        )
        self.waited_ms = waited_ms
        self.attempts = attempts


class LibraryChangedError(TransientError):
    """What was read before the transaction is no longer what the library holds."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path}: {what} changed in the library between reading and writing; nothing was written")
        self.path = path


class LibraryDiskError(TransientError):
    """The disk is full or failing."""

    def __init__(self, database: Path, detail: str) -> None:
        super().__init__(
            f"writing to {database} failed ({detail}); nothing of the current file was written. Make room on the "
            "disk (or check it), then run the import again: it goes on where it stopped."
        )
        self.database = database


class StateDiskError(TransientError):
    """What is not the library (phase values, decoded PCM, Dagster's records) cannot be written."""

    def __init__(self, folder: Path, detail: str) -> None:
        super().__init__(
            f"writing to {folder} failed ({detail}); the library holds whole files only. Make room on the disk (or "
            "check it and the permissions of the folder), then run the import again: it goes on where it stopped."
        )
        self.folder = folder


class ServiceUnavailableError(TransientError):
    """A web service gives no usable answer. What was to be asked is deferred."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(
            f"{service}: {reason}; nothing is lost: `wkmp import --retry-deferred` asks again once it is back"
        )
        self.service = service
        self.reason = reason


class RefusedKeyError(ServiceUnavailableError):
    """The service does not know the application key."""

    def __init__(self, service: str) -> None:
        super().__init__(service, "it refused the application key; check WKMP_ACOUSTID_API_KEY")


class ServiceGoneError(ServiceUnavailableError):
    """The service has not answered for so long that it is taken to be gone for good."""
