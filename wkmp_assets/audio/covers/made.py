"""Make each cover once, although the files of an album are read at the same time in several workers."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from wkmp_assets.audio.covers.fit import UnusablePictureError, fit_picture
from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.model.json_text import parse_json
from wkmp_assets.runtime.atomic_files import translate_disk_errors, write_atomically
from wkmp_assets.runtime.file_locks import hold_lock
from wkmp_assets.runtime.state_files import read_state_file

_MAX_REMEMBERED = 200


class KeptCover(NamedTuple):
    """A cover in the store."""

    path: str
    """Below the folder of covers."""
    width: int
    height: int


_seen: dict[tuple[CoverStore, str], KeptCover | str] = {}
"""What became of the last pictures that this worker saw, by the hash of their bytes. A text says why a picture cannot
be used."""


def make_cover(read: Callable[[], bytes], store: CoverStore) -> KeptCover | str:
    """Return the cover that a picture becomes, in the store, or why it cannot be one.

    Parameters
    ----------
    read : callable
        Returns the picture, or raises UnusablePictureError.
    store : CoverStore
        Gets the cover.

    Raises
    ------
    StateDiskError
        The state folder may not be written to.
    """
    try:
        data = read()
    except UnusablePictureError as error:
        return str(error)
    source = hashlib.sha256(data).hexdigest()
    known = _seen.get((store, source))
    if known is None or (isinstance(known, KeptCover) and not store.has(known.path)):
        known = _make_once(data, source, store)
        if len(_seen) >= _MAX_REMEMBERED:
            _seen.clear()
        _seen[store, source] = known
    return known


def _make_once(data: bytes, source: str, store: CoverStore) -> KeptCover | str:
    """Make a cover, or wait until another worker has made it of the same picture."""
    with translate_disk_errors(store.notes):
        store.notes.mkdir(parents=True, exist_ok=True)
        with hold_lock(store.notes / f"{source[:2]}.lock"):
            note = store.notes / f"{source}.json"
            with suppress(FileNotFoundError, ValueError, TypeError):
                known = KeptCover(*parse_json(read_state_file(note)))
                if store.has(known.path):
                    return known
            try:
                fitted = fit_picture(data)
            except UnusablePictureError as error:
                return str(error)  # without a note, because it may be for want of memory
            made = KeptCover(store.keep(fitted.data, fitted.suffix), fitted.width, fitted.height)
            write_atomically(note, json.dumps(made).encode())
            return made
