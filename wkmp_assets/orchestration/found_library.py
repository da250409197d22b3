"""What must hold of a library that is found before a run uses it, and which of its keys this machine accepts.

A `wkmp.db` may come with a folder of music, with an AcoustID key in its settings. With that key every song of this user
would be asked for in the name of whoever made the library. So it counts once a person accepts it on this machine.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from wkmp_assets.db.read.found_library import check_found_library
from wkmp_assets.db.read.library_settings import read_acoustid_key
from wkmp_assets.identify.open_lookups import KEY_IN_LIBRARY, parse_key
from wkmp_assets.model.json_text import parse_json
from wkmp_assets.runtime.atomic_files import translate_disk_errors, write_atomically
from wkmp_assets.runtime.state_files import prepare_state_folder, read_state_file
from wkmp_assets.settings import Settings


def use_library(settings: Settings) -> Path:
    """Check the library database, note at its first use that no key is accepted, and return its path.

    Raises
    ------
    UntrustedLibraryError
        It is another user's or another program's, or runs something by itself. The message says what to do.
    SettingsError
        Another user may write to the state folder.
    StateDiskError
        There cannot be a state folder.
    """
    check_found_library(settings.database_path, settings.trusted)
    with translate_disk_errors(settings.state_dir):
        prepare_state_folder(settings.state_dir)
    if not settings.accepted_keys_path.exists():
        _remember(settings, _keys_of_state(settings))
    return settings.database_path


def read_accepted_key(settings: Settings) -> str | None:
    """Return the AcoustID key in the library's settings, if it is accepted on this machine; else None.

    A library that this machine imported before keys were accepted has its key accepted.
    """
    key = read_stored_key(settings)
    if key is None:
        return None
    accepted = _read(settings.accepted_keys_path) if settings.accepted_keys_path.exists() else _keys_of_state(settings)
    return key if _digest(key) in accepted else None


def read_stored_key(settings: Settings) -> str | None:
    """Return the AcoustID key in the library's settings, accepted or not; None for a blank one."""
    key = (read_acoustid_key(settings.database_path) or "").strip()
    return key or None


def accept_key(settings: Settings, key: str) -> None:
    """Accept an AcoustID key of the library on this machine.

    Raises
    ------
    SettingsError
        The key has spaces inside, so that no service knows it.
    StateDiskError
        The state folder may not be written to.
    """
    parse_key(key, KEY_IN_LIBRARY)
    path = settings.accepted_keys_path
    _remember(settings, {*(_read(path) if path.exists() else ()), _digest(key)})


def _keys_of_state(settings: Settings) -> frozenset[str]:
    """Return what counts as accepted before anything was noted: the library's key, if there is state of the library."""
    key = read_stored_key(settings) if settings.accepted_keys_path.parent.exists() else None
    return frozenset() if key is None else frozenset({_digest(key)})


def _remember(settings: Settings, digests: set[str] | frozenset[str]) -> None:
    write_atomically(settings.accepted_keys_path, json.dumps(sorted(digests)).encode())


def _read(path: Path) -> frozenset[str]:
    with suppress(OSError, ValueError):  # what cannot be read accepts nothing
        found = parse_json(read_state_file(path))
        return frozenset(found) if isinstance(found, list) else frozenset()
    return frozenset()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
