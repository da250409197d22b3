"""The request rate to a service, kept by all processes together."""

from pathlib import Path

from pyrate_limiter import Limiter, Rate, SQLiteBucket

MAX_QUEUE_S = 120.0
"""How long a request waits for its turn among all processes before its lookup is deferred."""


def open_limiter(queue_path: Path, interval_ms: int) -> Limiter:
    """Return a limiter that lets one request through per interval, whichever process sends it.

    Parameters
    ----------
    queue_path : Path
        The SQLite file through which all processes take turns.
    interval_ms : int, >= 0
        Shortest time between two requests, in milliseconds.
    """
    rate = Rate(1, max(1, interval_ms))
    return Limiter(SQLiteBucket.init_from_file([rate], db_path=str(queue_path), use_file_lock=True))
