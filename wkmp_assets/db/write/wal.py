"""Measure how much of SQLite's write-ahead log is not yet copied into the database.

It reads the log itself, whose format is fixed (https://sqlite.org/fileformat2.html#the_write_ahead_log). The file's
size does not tell, because SQLite overwrites the file from its beginning instead of shrinking it.
"""

from bisect import bisect_left
from pathlib import Path

_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_SALTS = slice(16, 24)
_SALTS_OF_FRAME = slice(8, 16)
"""Two numbers that change whenever SQLite starts the log anew. Frames of an earlier round carry older ones."""


def count_wal_steps(log: Path, step_bytes: int, max_steps: int) -> int:
    """Return the length of the current round of a log, in whole steps.

    Parameters
    ----------
    log : Path
        The `-wal` file. A missing or empty one has no step.
    step_bytes : int, > 0
        Length of a step, counted from the file's beginning.
    max_steps : int
        Counting stops here.
    """
    try:
        # Not from the -shm file, which has it as well: closing that file would drop SQLite's own locks on it.
        with log.open("rb", buffering=0) as file:
            header = file.read(_HEADER_BYTES)
            frame_bytes = _FRAME_HEADER_BYTES + int.from_bytes(header[8:12], "big")
            if len(header) < _HEADER_BYTES:
                return 0

            def is_beyond(steps: int) -> bool:
                frames = (step_bytes * steps - _HEADER_BYTES) // frame_bytes
                file.seek(_HEADER_BYTES + max(0, frames) * frame_bytes)
                return file.read(_FRAME_HEADER_BYTES)[_SALTS_OF_FRAME] != header[_SALTS]

            return bisect_left(range(1, max_steps + 1), True, key=is_beyond)
    except FileNotFoundError:
        return 0
