"""The music of a library in an object store: WKMP_MUSIC_URL. Its folder then holds stand-ins. Without Dagster."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.ignore import IgnoreRules
from wkmp_assets.files.scan import scan_folder
from wkmp_assets.files.stand_ins import place_stand_ins, read_marker
from wkmp_assets.files.walk import WalkReport
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.runtime.object_folder import ObjectFolder
from wkmp_assets.settings import Settings

_LOG = logging.getLogger(__name__)
_MAX_NAMED = 3


def make_object_folder(url: str, cache: Path) -> ObjectFolder:
    """Return the music at an address.

    Parameters
    ----------
    url : str
        Like `s3://bucket/prefix`.
    cache : Path
        Folder of this machine for what is fetched.

    Raises
    ------
    SettingsError
        This machine cannot open such an address.
    """
    from wkmp_assets.audio.names_beside import find_names_beside  # loads what reads pictures

    made = ObjectFolder(url, cache, find_names_beside)
    made.check()
    return made


def find_objects(settings: Settings) -> ObjectFolder | None:
    """Return where the music of a library is; None for a library whose folder holds its music.

    Raises
    ------
    SettingsError
        As for `make_object_folder`.
    LibraryRootError
        The folder holds stand-ins, and WKMP_MUSIC_URL is not set.
    """
    if settings.music_url is not None:
        return make_object_folder(settings.music_url, settings.objects_path)
    marked = read_marker(settings.library) if settings.library_root else None
    if marked is not None:
        raise LibraryRootError(
            f"{settings.library} holds only stand-ins for the music at {marked}; set WKMP_MUSIC_URL to its address"
        )
    return None


def scan_library(
    settings: Settings, folder: str, known: Sequence[KnownFile], rules: IgnoreRules
) -> tuple[LibraryChanges, WalkReport]:
    """List the objects of a library whose music is in a store, then scan its folder; see `scan_folder`.

    Raises
    ------
    LibraryRootError
        As for `scan_folder`, or the objects cannot be listed, or there are none.
    """
    objects = find_objects(settings)
    if objects is not None:
        listed = objects.list_objects()
        if not listed:
            raise LibraryRootError(f"there is no object at {objects}; check the address. Nothing was changed.")
        refused = place_stand_ins(settings.library, str(objects), listed)
        if refused:
            _LOG.warning(
                "%d objects are not imported, because no folder can hold their names: %s",
                len(refused),
                ", ".join(refused[:_MAX_NAMED]),
            )
    return scan_folder(settings.library, folder, known, rules)


@contextmanager
def at_hand(settings: Settings, path: str) -> Iterator[Path]:
    """Have a music file of the library on this machine for the block: itself, or the object for which it stands.

    Raises
    ------
    UnreadableFileError
        The object is gone or cannot be fetched.
    """
    objects = find_objects(settings)
    if objects is None:
        yield settings.library / path
    else:
        with objects.at_hand(path) as file:
            yield file
