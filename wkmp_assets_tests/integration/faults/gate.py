"""Tell whether the writer gate of a library is free at this moment."""

import fcntl
from pathlib import Path


def gate_is_free(database: Path) -> bool:
    """Try to take the gate without waiting; a holder of the gate is still alive."""
    with database.with_name(f"{database.name}.gate").open("a") as gate:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
