"""A note in the state folder about the page that shows a library: where it is, and whether it still runs."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wkmp_assets.model.json_text import parse_json
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.file_locks import try_lock
from wkmp_assets.runtime.state_files import open_for_writing, read_state_file


@contextmanager
def announce_page(note: Path, address: str) -> Iterator[None]:
    """Keep a note for the block that a page is served; a second page of the library leaves the first one's note.

    Raises
    ------
    StateDiskError
        The note cannot be written.
    """
    note.parent.mkdir(parents=True, exist_ok=True)
    with open(_lock_of(note), "a", opener=open_for_writing) as lock:
        if not try_lock(lock):
            yield
            return
        write_atomically(note, json.dumps({"address": address, "pid": os.getpid()}).encode())
        try:
            yield
        finally:
            note.unlink(missing_ok=True)


def find_page(note: Path) -> str | None:
    """Return the address of the page of a library; None when none is served.

    The note of a killed process does not count: the kernel has released its lock, whatever process has its number now.
    """
    try:
        found = parse_json(read_state_file(note))
        with open(_lock_of(note), "a", opener=open_for_writing) as lock:
            is_alive = not try_lock(lock)
    except (OSError, ValueError):
        return None
    address = found.get("address") if isinstance(found, dict) else None
    return address if is_alive and isinstance(address, str) and address.startswith("http://") else None


def _lock_of(note: Path) -> Path:
    return note.with_suffix(".lock")
