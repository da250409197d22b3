"""How much of SQLite's write-ahead log waits to be copied into the database.

Read from the log itself, whose format is fixed (https://sqlite.org/fileformat2.html#the_write_ahead_log). Its size says
nothing: the file is written from its beginning again and again, which is cheaper than letting it shrink and grow.
"""

from bisect import bisect_left
from pathlib import Path

_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_SALTS = slice(16, 24)
_SALTS_OF_FRAME = slice(8, 16)
"""Two numbers that are others whenever the log begins anew; what an older round has left carries older ones."""


def count_wal_steps(log: Path, step_bytes: int, most: int) -> int:
    """Tell how long the present round of a log is, in steps of so many bytes.

    Parameters
    ----------
    log : Path
        The `-wal` file. One that is missing, or empty, is no step long.
    step_bytes : int, > 0
        Counted from the file's beginning.
    most : int
        No more than that are counted.
    """
    try:
        # Not the -shm file, which would tell it too: closing that one would drop SQLite's own locks on it.
        with log.open("rb", buffering=0) as file:
            header = file.read(_HEADER_BYTES)
            frame_bytes = _FRAME_HEADER_BYTES + int.from_bytes(header[8:12], "big")
            if len(header) < _HEADER_BYTES:
                return 0

            def is_beyond(steps: int) -> bool:
                frames = (step_bytes * steps - _HEADER_BYTES) // frame_bytes
                file.seek(_HEADER_BYTES + max(0, frames) * frame_bytes)
                return file.read(_FRAME_HEADER_BYTES)[_SALTS_OF_FRAME] != header[_SALTS]

            return bisect_left(range(1, most + 1), True, key=is_beyond)
    except FileNotFoundError:
        return 0
