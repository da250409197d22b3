"""One file of the corpus: its name, how it is made, and what must become of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from wkmp_assets.errors import LinkedFileError, UndecodableAudioError, UnencodableNameError, UnreadableFileError
from wkmp_assets.model.phases import IDENTITY, SEGMENTS

Make = Callable[[Path, int], object]
"""Writes a file, whose folder exists, with sound of the seed's own: equal files are duplicates."""


class End(StrEnum):
    """What an import makes of a file."""

    IMPORTED = "imported"
    SILENT = "no audio"
    FAILED = "failed"
    NAMED = "one of these"
    """Which of them is up to the decoder."""
    PASSED_OVER = "passed over"
    """The scan makes no partition of it, and says so."""


@dataclass(frozen=True)
class Becomes:
    """What must become of a file."""

    end: End
    phase: str = ""
    code: str = ""
    says: str = ""
    """Occurs in the message of a failure, in a warning of a phase, or in what the scan says."""


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
    """Imported, with a warning."""
    return Becomes(End.IMPORTED, says=says)


def undecodable(says: str, code: str = UndecodableAudioError.code) -> Becomes:
    """No sound to be had from it, for this reason."""
    return Becomes(End.FAILED, SEGMENTS, code, says)


@dataclass(frozen=True)
class Case:
    """One file."""

    path: str
    """Relative to the music folder."""
    make: Make
    becomes: Becomes
