"""Every exception that the package raises on purpose.

::

    WkmpError
    ├── PermanentError                 fails again with the same input: something must change first
    │   ├── SettingsError
    │   ├── LibraryRootError
    │   ├── MissingChromaprintError
    │   ├── NotImportedError
    │   ├── PartitionKeyError
    │   ├── AudioFileError             about one file: becomes a `Failed` value, and the import goes on
    │   │   ├── UnencodableNameError
    │   │   ├── LinkedFileError
    │   │   ├── UnreadableFileError
    │   │   ├── UndecodableAudioError
    │   │   ├── ProtectedAudioError
    │   │   ├── TooLongError
    │   │   ├── TooLargeError
    │   │   ├── HollowFileError
    │   │   ├── TooManyTagsError
    │   │   ├── FileChangedError
    │   │   ├── FileReplacedError
    │   │   ├── CostlyTransactionError
    │   │   ├── CommitRefusedError
    │   │   ├── OddValueError
    │   │   └── OriginalNotImportedError
    │   ├── CorruptLibraryError
    │   ├── GoneLibraryError
    │   ├── UnwritableLibraryError
    │   ├── UntrustedLibraryError
    │   └── EditRefusedError
    └── TransientError                 may succeed later with the same input
        ├── AlertError
        ├── WorkersError
        ├── ClusterError
        ├── WorkerLostError            of a cluster: its file is tried again
        ├── FileNotSeenError           by one worker of a cluster: another is tried
        ├── HashingStoppedError
        ├── LibraryLockedError
        ├── LibraryChangedError
        ├── LibraryDiskError
        ├── UnsavedLibraryError
        ├── StateDiskError
        └── ServiceUnavailableError    never stops an import: lookups are deferred
            ├── RefusedKeyError
            └── ServiceGoneError

Each class takes the facts and builds its own message: what happened, to which file, and what to do next. Exceptions of
`sqlite3` and of the decoders are translated in `db` and `audio` and do not leave them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path


IMPORT_WITH_FORCE = (
    "import it again with force: `wkmp import FOLDER --force` with its folder, or materialize all assets of its "
    "partition with `force: true` for file_identity"
)
"""What to do, as a clause, where an import without force may find the file unchanged and leave things as they are."""


class WkmpError(Exception):
    """Base class of all errors of this package."""

    def __reduce__(self) -> tuple[object, ...]:
        # Errors travel from worker processes. `__init__` cannot be called again, because it takes the facts and not the
        # finished message.
        return _restore, (type(self), self.args, vars(self))


def in_one_line(error: BaseException) -> str:
    """Return what an error of another library says, in one line; its kind when it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def _restore(kind: type[WkmpError], arguments: tuple[object, ...], facts: dict[str, object]) -> WkmpError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    vars(error).update(facts)
    return error


class PermanentError(WkmpError):
    """The same input fails again."""


class TransientError(WkmpError):
    """The same input may succeed later."""


class SettingsError(PermanentError):
    """A setting is missing, unreadable or out of bounds."""


class LibraryRootError(PermanentError):
    """The music folder cannot be read, or is empty although the library has files."""


class MissingChromaprintError(PermanentError):
    """The library that makes fingerprints is not installed. No Python package carries it."""

    def __init__(self) -> None:
        super().__init__(
            "libchromaprint is missing, which makes the fingerprints. Install it: `sudo apt install libchromaprint1` "
            "on Debian and Ubuntu, `sudo dnf install libchromaprint` on Fedora, `sudo pacman -S chromaprint` on Arch, "
            "`brew install chromaprint` on macOS."
        )


class NotImportedError(PermanentError):
    """A prune is refused, because files wait for their import and one of them may be a missing file under a new path.

    Parameters
    ----------
    files : list of str
        Their paths, relative to the library root.
    """

    def __init__(self, files: list[str]) -> None:
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        super().__init__(
            f"{', '.join(files[:3])}{more} not imported yet; one of them may be a missing file that was moved. Nothing "
            "was removed. Import first, then prune."
        )


class PartitionKeyError(PermanentError):
    """A partition key does not decode to a path inside the library."""


class AudioFileError(PermanentError):
    """One audio file cannot be imported; the others can.

    Parameters
    ----------
    path : str
        Relative to the library root, as a person would type it.
    cause : str
        What went wrong, as a clause.

    Attributes
    ----------
    code : str
        A stable name of the failure, for the library and for filters.
    next_step : str
        What to do, as a clause.
    """

    code: ClassVar[str] = "FILE_ERROR"
    next_step: ClassVar[str] = "look at the file"

    def __init__(self, path: str, cause: str) -> None:
        super().__init__(f"{path}: {cause}; {self.next_step}")
        self.path = path
        self.cause = cause


class UnencodableNameError(AudioFileError):
    """The file's name is not UTF-8, and the library can only hold UTF-8."""

    code = "NAME_NOT_UTF8"
    next_step = "rename it (for example with convmv), then import again"


class LinkedFileError(AudioFileError):
    """The path goes through a symbolic link, which may lead out of the library."""

    code = "SYMBOLIC_LINK"
    next_step = "import the file where it is, or move it into the library"


class UnreadableFileError(AudioFileError):
    """The file cannot be opened or read."""

    code = "READ_ERROR"
    next_step = "check that it exists and may be read, then import again"


class UndecodableAudioError(AudioFileError):
    """No decoder gets any sound from the file."""

    code = "DECODE_ERROR"
    next_step = "play it in another program; if it is damaged, replace it, then import again"


class ProtectedAudioError(AudioFileError):
    """The sound is encrypted, and only the player of the shop has the key."""

    code = "PROTECTED"
    next_step = "get a copy without protection, then import again"


class TooLongError(AudioFileError):
    """The file lasts so long that its PCM would fill the disk."""

    code = "TOO_LONG"
    next_step = "split it, then import again"


class TooLargeError(AudioFileError):
    """The file has more bytes than a file of music may have."""

    code = "TOO_LARGE"
    next_step = "look whether it is music; if so raise WKMP_MAX_FILE_MB, then import again"


class HollowFileError(AudioFileError):
    """Most of the file is a hole, for which the disk has no data, as in a download that has not ended."""

    code = "HOLLOW"
    next_step = "let its download end, or replace it, then import again"


class TooManyTagsError(AudioFileError):
    """The tags have so many entries that reading them would take minutes."""

    code = "TOO_MANY_TAGS"
    next_step = "remove its tags with a tagger and write them anew, then import again"


class FileChangedError(AudioFileError):
    """The file was written to during its import."""

    code = "FILE_CHANGED"
    next_step = "import it again when no program writes to it"


class FileReplacedError(AudioFileError):
    """The file has other content than at its import."""

    code = "FILE_REPLACED"
    next_step = IMPORT_WITH_FORCE


class CostlyTransactionError(AudioFileError):
    """The transaction of the file computed for so long that it was ended, because it kept other programs waiting."""

    code = "TRANSACTION_TOO_LONG"
    next_step = (
        "look for large tables that refer to passages without an index, add it or raise WKMP_HOLD_BUDGET_MS, then "
        "import again"
    )


class CommitRefusedError(AudioFileError):
    """The rows of one file break a rule of the schema; none was written."""

    code = "ROWS_REFUSED"
    next_step = (
        "nothing was written; look in the library for a value that breaks this rule, correct it with the program that "
        "wrote it, then import again; if there is none, please report this"
    )


class OddValueError(AudioFileError):
    """The rows that a file depends on hold a value that no import can keep or replace, or contradict each other."""

    code = "ODD_VALUE"
    next_step = (
        "nothing was written; restore a backup of the library, or correct the row with the program that wrote it, then "
        "import again"
    )


class OriginalNotImportedError(AudioFileError):
    """The file is a copy of a file that cannot be imported."""

    code = "ORIGINAL_FAILED"
    next_step = "repair or replace the other file, then import both again"


class CorruptLibraryError(PermanentError):
    """The database file is damaged, or is no SQLite database."""

    def __init__(self, database: Path, detail: str) -> None:
        super().__init__(
            f"{database} is not a usable SQLite database ({detail}); it was left untouched. "
            "Restore a backup, or move the file away to start a new library."
        )
        self.database = database


class GoneLibraryError(PermanentError):
    """There is no library where it was."""

    def __init__(self, database: Path) -> None:
        super().__init__(
            f"there is no library {database}. It may be on a disk that is not plugged in. To make one: "
            "wkmp import FOLDER"
        )
        self.database = database


class UnwritableLibraryError(PermanentError):
    """The database or its folder is read-only, or cannot be opened."""

    def __init__(self, database: Path, detail: str) -> None:
        super().__init__(
            f"cannot write to {database} ({detail}); check the permissions of the file, of its -wal and -shm files and "
            "of its folder, or set WKMP_DATABASE to a file in another folder."
        )
        self.database = database


class UntrustedLibraryError(PermanentError):
    """The database that was found is not this user's WKMP library, or runs something by itself.

    Parameters
    ----------
    database : Path
        The database.
    found : str
        What it is, as a predicate.
    remedy : str
        What to do, as a sentence without its full stop.
    """

    def __init__(self, database: Path, found: str, remedy: str) -> None:
        super().__init__(f"{database} {found}; it was left untouched. {remedy}.")
        self.database = database


class EditRefusedError(PermanentError):
    """What a person wants to put right by hand cannot be done; nothing was written."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class AlertError(TransientError):
    """Somebody could not be told of a failure. It harms nothing else."""


class WorkersError(TransientError):
    """No worker process can be started."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"the worker processes end before they start any work ({detail}). Free some memory, or raise "
            "WKMP_WORKER_MEMORY_MB if it is set low, then import again."
        )


class ClusterError(TransientError):
    """The cluster cannot be used, or is lost.

    Parameters
    ----------
    cause, next_step : str
        What went wrong and what to do, each as a clause.
    """

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause}. Files that were committed are in the library; {next_step}.")


class WorkerLostError(TransientError):
    """A worker of a cluster ended while it had a task."""


class FileNotSeenError(TransientError):
    """A worker of a cluster does not see a file."""


class HashingStoppedError(TransientError):
    """The import was stopped while it compared contents; nothing was decided about its files."""

    def __init__(self) -> None:
        super().__init__("the import was stopped; import again to go on")


class LibraryLockedError(TransientError):
    """Another process held SQLite's write lock for longer than we wait."""

    def __init__(self, database: Path, waited_ms: float, attempts: int) -> None:
        super().__init__(
            f"{database} stayed locked by another program for {waited_ms:.0f} ms ({attempts} attempts); nothing was "
            "written. Close that program, or raise ai_database_max_lock_wait_ms in the settings table, then try again."
        )
        self.waited_ms = waited_ms
        self.attempts = attempts


class LibraryChangedError(TransientError):
    """The library changed between the reads for a file and its transaction."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path}: {what} changed in the library meanwhile; nothing was written, try again")
        self.path = path
        self.what = what


class LibraryDiskError(TransientError):
    """The disk with the library is full or failing."""

    def __init__(self, database: Path, detail: str) -> None:
        super().__init__(
            f"writing to {database} failed ({detail}); no part of the current file was written. Make room on the disk, "
            "or check it, then import again: it continues where it stopped."
        )
        self.database = database


class UnsavedLibraryError(TransientError):
    """The disk refused what the write-ahead log holds, so committed rows may be lost when the computer stops."""

    def __init__(self, database: Path, detail: str) -> None:
        super().__init__(
            f"the disk refused to save {database} ({detail}), so rows of the last imports may be lost. Check the disk "
            "and its quota, then import again: files whose rows are lost are imported anew."
        )
        self.database = database


class StateDiskError(TransientError):
    """The state folder (phase values, decoded PCM, Dagster's records) cannot be written."""

    def __init__(self, folder: Path, detail: str) -> None:
        super().__init__(
            f"writing to {folder} failed ({detail}); the library has no half-imported file. Make room on the disk, or "
            "check the disk and the permissions of the folder, then import again: it continues where it stopped."
        )
        self.folder = folder


class ServiceUnavailableError(TransientError):
    """A web service gives no usable answer, so that its lookups are deferred.

    Parameters
    ----------
    service : str
        Its name.
    reason : str
        What went wrong, as a clause without anything that was sent.
    """

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(
            f"{service}: {reason}; its lookups are deferred, `wkmp import FOLDER --retry-deferred` asks again"
        )
        self.service = service
        self.reason = reason


class RefusedKeyError(ServiceUnavailableError):
    """The service does not know the application key."""

    def __init__(self, service: str) -> None:
        places = "acoustid_api_key in the library's settings, WKMP_ACOUSTID_API_KEY, wkmp.toml and wkmp-ai.toml"
        super().__init__(service, f"it refused the application key; correct the first of {places} that is set")


class ServiceGoneError(ServiceUnavailableError):
    """The service has not answered for a week."""
