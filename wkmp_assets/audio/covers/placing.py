"""The covers of an entry, where a player finds them."""

from dataclasses import replace
from pathlib import PurePosixPath

from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.file_entry import EntryCover, FileEntry
from wkmp_assets.model.file_key import storable
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, merge_warnings


def place_covers(entry: FileEntry, store: CoverStore) -> FileEntry:
    """Return an entry with the covers that its tags name.

    A cover may be gone from the store since the tags were read, because the state folder was cleaned. Then the entry
    has a warning instead, so that no row names a file that does not exist.
    """
    found, gone = [], []
    for cover in entry.tags.covers if entry.tags else ():
        if store.has(cover.path):
            name = storable(str(store.root / cover.path))
            found.append(EntryCover(cover.kind, PurePosixPath(cover.path).stem, name, cover.width, cover.height))
        else:
            text = f"The {cover.kind} cover is gone from {store.root}: {IMPORT_WITH_FORCE}."
            gone.append(FileWarning(WarningKind.UNUSED_PICTURE, text))
    return replace(entry, covers=tuple(found), warnings=merge_warnings(entry.warnings, gone))
