"""Which files of its folder are read together with a music file."""

from pathlib import Path

from wkmp_assets.audio.covers.beside import find_beside
from wkmp_assets.audio.covers.read import MAX_TRIES
from wkmp_assets.files.cue_files import find_cue_files


def find_names_beside(path: Path) -> tuple[str, ...]:
    """Return the names of the CUE sheets and of the pictures that may be read for a music file; by names only."""
    return (*find_cue_files(path), *find_beside(path.parent)[:MAX_TRIES])
