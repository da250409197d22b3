"""How numbers, times and names read to people: in reports, in the web UI and on the terminal."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from wkmp_assets.model.file_warnings import order_kinds
from wkmp_assets.model.statuses import FileStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wkmp_assets.db.read.incomplete import IncompleteFile
    from wkmp_assets.model.library_changes import LibraryChanges, PassedOver
    from wkmp_assets.model.values import Cover

_STATUS_NAMES: dict[str, str] = {
    FileStatus.INGEST_COMPLETE: "imported",
    FileStatus.DUPLICATE_HASH: "duplicate",
    FileStatus.NO_AUDIO: "no audio",
}
MAX_NAMED = 3
"""How many files a line names."""
JOINERS = "\u200c\u200d"
"""They shape Persian words and emoji, and draw nothing themselves."""


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of at least one value."""
    ranked = sorted(values)
    return ranked[max(math.ceil(percent / 100 * len(ranked)) - 1, 0)]


def clock(seconds: float, decimals: int = 1) -> str:
    """Return a time as on a clock: `3:25.4`, `1:02:03.0`; tenths are enough to find a place by ear.

    Parameters
    ----------
    seconds : float
        Not negative.
    decimals : int
        Of the seconds. The time is rounded first, so 59.96 s are `1:00.0` and never `0:60.0`.
    """
    scale = 10**decimals
    minutes, rest = divmod(round(seconds * scale), 60 * scale)
    hours, minutes = divmod(minutes, 60)
    width = 3 + decimals if decimals else 2
    tail = f"{rest / scale:0{width}.{decimals}f}"
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"


def printable(text: str) -> str:
    """Return one line that terminals, fonts and UTF-8 can show.

    Undecodable bytes, control characters and marks that turn the direction of writing are escaped, so a file name
    cannot send a command to a terminal. Spaces of any width become plain ones. Joiners stay.
    """
    whole = text.encode("utf-8", "backslashreplace").decode()
    return "".join(one if one.isprintable() or one in JOINERS else _shown(one) for one in whole)


def _shown(character: str) -> str:
    # Python calls every space but the ASCII one unprintable, also the wide one of Japanese titles.
    if unicodedata.category(character) == "Zs":
        return " "
    return repr(character)[1:-1]


def describe_covers(covers: Sequence[Cover]) -> str:
    """Return what the covers of a file show, how large they are, and where they were found."""
    return ", ".join(f"{one.kind} {one.width} x {one.height} px ({one.source})" for one in covers)


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 file`, `2 files`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def describe_passed_over(scan: LibraryChanges) -> str:
    """Say what a scan passed over by its name: `3 folders '@eaDir', 12 files '._*', 4 by Demos/.wkmpignore, 2 .mod`.

    Empty when it passed over nothing.
    """
    parts = [_describe_builtin(one) for one in scan.patterns if not one.source]
    own: Counter[str] = Counter()
    for one in scan.patterns:
        if one.source:
            own[one.source] += one.folder_count + one.file_count
    parts += [f"{count} by {printable(source)}" for source, count in own.items()]
    parts += [f"{count} {printable(ending)}" for ending, count in sorted(scan.unread_formats.items())]
    return ", ".join(parts)


def _describe_builtin(one: PassedOver) -> str:
    counts = ((one.folder_count, "folder"), (one.file_count, "file"))
    return " and ".join(counted(count, noun) for count, noun in counts if count) + f" {one.pattern!r}"


def explain_ignored(scan: LibraryChanges) -> str:
    """Say how many files of the library are passed over by now, and what to do; empty when none is."""
    if not scan.ignored:
        return ""
    is_one = len(scan.ignored) == 1
    what = (
        "file of the library matches a pattern by now, and counts as missing"
        if is_one
        else "files of the library match patterns by now, and count as missing"
    )
    remedy = f"To have {'it' if is_one else 'them'} back, write a pattern with ! into .wkmpignore"
    return f"{len(scan.ignored)} {what}: {_name_first(scan.ignored)}. {remedy}"


def explain_unreadable(scan: LibraryChanges) -> str:
    """Say which folders a scan could not read, what follows from that, and what to do; empty when it read all."""
    if not scan.unreadable:
        return ""
    it = "it" if len(scan.unreadable) == 1 else "them"
    return (
        f"{counted(len(scan.unreadable), 'folder')} cannot be read, so nothing new in {it} is in the library: "
        f"{_name_first(scan.unreadable)}. Make {it} readable, then import again"
    )


def _name_first(paths: Sequence[str]) -> str:
    more = ", ..." if len(paths) > MAX_NAMED else ""
    return ", ".join(printable(path) for path in paths[:MAX_NAMED]) + more


def explain_no_song(without: int, passages: int) -> str:
    """Say how many passages have no song, what follows from that, and what to do."""
    return (
        f"{without} of {passages} passages have no song, so WKMP never selects them by itself. Set an "
        "AcoustID key (WKMP_ACOUSTID_API_KEY) or tag the files with MusicBrainz ids (Picard), then import again with "
        "--force. Passages that wait for a service: wkmp import FOLDER --retry-deferred"
    )


def describe_warnings(files: int, by_kind: Mapping[str, int]) -> str:
    """Say how many files have warnings, and of which kinds: `3 files: 1 cut short, 2 clipped`."""
    kinds = ", ".join(f"{by_kind[kind]} {kind}" for kind in sorted(by_kind, key=order_kinds))
    return f"{counted(files, 'file')}: {kinds}"


def explain_incomplete(files: Sequence[IncompleteFile], folder: str = "FOLDER") -> str:
    """Say which files WKMP left half-made, what they lack and what to do.

    Parameters
    ----------
    files : sequence of IncompleteFile
        At least one.
    folder : str
        For the command, quoted for a shell.
    """
    possible = [file for file in files if not file.cannot_because]
    impossible = [file for file in files if file.cannot_because]
    parts = []
    if possible:
        lacking = Counter(name for file in possible for name in file.lacks)
        what = ", ".join(f"no {name} in {count}" for name, count in lacking.items())
        parts.append(
            f"{counted(len(possible), 'file')} that WKMP left half-made ({what}): wkmp import {folder} --complete"
        )
    if impossible:
        named = "; ".join(f"{printable(file.path)}: {file.cannot_because}" for file in impossible[:MAX_NAMED])
        more = f"; and {len(impossible) - MAX_NAMED} more" if len(impossible) > MAX_NAMED else ""
        parts.append(f"{counted(len(impossible), 'half-made file')} cannot be completed ({named}{more})")
    return ". ".join(parts)


def name_status(status: str) -> str:
    """Return the status of a file in the words of the summary; the status of another program in small letters."""
    return _STATUS_NAMES.get(status, status.lower())
