"""One file of the corpus: its name, its content, and the expected result."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from wkmp_assets.errors import LinkedFileError, UndecodableAudioError, UnencodableNameError, UnreadableFileError
from wkmp_assets.model.phases import IDENTITY, SEGMENTS

Make = Callable[[Path, int], object]
"""Writes a file into an existing folder. Each seed gives other sound, because equal files are duplicates."""


class End(StrEnum):
    """Result of an import for one file."""

    IMPORTED = "imported"
    SILENT = "no audio"
    FAILED = "failed"
    NAMED = "one of these"
    """Imported, silent or failed, as the decoder decides."""
    PASSED_OVER = "passed over"
    """The scan registers no partition for the file, and says so."""


@dataclass(frozen=True)
class Becomes:
    """Expected result for one file."""

    end: End
    phase: str = ""
    code: str = ""
    says: str = ""
    """Part of the failure's message, of a phase's warning, or of the scan's message."""


IMPORTED = Becomes(End.IMPORTED)
SILENT = Becomes(End.SILENT)
UNDECODABLE = Becomes(End.FAILED, SEGMENTS, UndecodableAudioError.code)
DAMAGED = Becomes(End.NAMED, SEGMENTS, UndecodableAudioError.code)
LINK = Becomes(End.PASSED_OVER, says="symbolic link")
NO_FILE = Becomes(End.PASSED_OVER, says="a pipe, a socket or a device, and not a file")
LOCKED_FOLDER = Becomes(End.PASSED_OVER, says="cannot be read")
LOCKED = Becomes(End.FAILED, IDENTITY, UnreadableFileError.code, "Permission denied")
NOT_UTF8 = Becomes(End.FAILED, IDENTITY, UnencodableNameError.code, "convmv")
BEHIND_A_LINK = Becomes(End.FAILED, IDENTITY, LinkedFileError.code)


def warned(says: str) -> Becomes:
    """The file is imported, with a warning."""
    return Becomes(End.IMPORTED, says=says)


def undecodable(says: str, code: str = UndecodableAudioError.code) -> Becomes:
    """No sound can be decoded, for this reason."""
    return Becomes(End.FAILED, SEGMENTS, code, says)


@dataclass(frozen=True)
class Case:
    """One file."""

    path: str
    """Relative to the music folder."""
    make: Make
    becomes: Becomes
