"""librosa, with the machine code that numba compiles for it kept in the state folder.

librosa compiles for most of a minute when it is first used. A process of its own does that into a new folder, which
gets its name when it is complete. So a process that is killed while it compiles leaves nothing that a later one loads.
A folder whose files have changed since is compiled again, because numba would run them unchecked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_COMPILE = (
    "import sys, numba; numba.config.CACHE_DIR = sys.argv[1]\n"
    "from wkmp_assets.report.sound_images import warm_up; warm_up()"
)
_LIST = "complete.json"
"""The digest of each file of a complete folder."""
_PARTIAL = ".partial-"
_MAX_COMPILE_S = 3600
_MAX_PARTIAL_AGE_S = 2 * _MAX_COMPILE_S
"""Older unfinished folders are of processes that were killed."""


def prepare_librosa(root: Path) -> None:
    """Make the compiled code ready that `import librosa` then uses.

    Parameters
    ----------
    root : Path
        Holds one folder for each combination of versions; it is created. Where `NUMBA_CACHE_DIR` is set, numba keeps
        its code there, and nothing is done.

    Raises
    ------
    OSError
        The folder cannot be written.
    subprocess.SubprocessError
        librosa could not be compiled.
    """
    from numba import config

    # numba gives its module these names when it is imported.
    if not config.CACHE_DIR:  # type: ignore[attr-defined]  # see above
        config.CACHE_DIR = str(warm_cache(root))  # type: ignore[attr-defined]  # see above


def warm_cache(root: Path, code: str = _COMPILE) -> Path:
    """Return the folder for the installed versions. A process fills it when it is missing or damaged.

    Parameters
    ----------
    root : Path
        As for `prepare_librosa`.
    code : str
        Python that fills the folder that it gets as its argument.
    """
    names = [f"{name}-{version(name)}" for name in ("librosa", "numba", "llvmlite", "numpy")]
    folder = root / "_".join((*names, f"python-{sys.version_info.major}.{sys.version_info.minor}"))
    if _is_complete(folder):
        return folder
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(root)
    partial = _new_folder(folder)
    try:
        # Our own code, in the same Python, with a path of our own.
        command = [sys.executable, "-c", code, str(partial)]
        subprocess.run(command, check=True, timeout=_MAX_COMPILE_S, capture_output=True)  # noqa: S603
        (partial / _LIST).write_text(json.dumps(_digests(partial)), encoding="utf-8")
        _replace(folder, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _is_complete(folder: Path) -> bool:
    try:
        listed = json.loads((folder / _LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(listed == _digests(folder))


def _digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder, by relative path."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path != folder / _LIST]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _replace(folder: Path, partial: Path) -> None:
    """Give a filled folder its name. One that is complete meanwhile stays, because its process may be loading it."""
    if _is_complete(folder):
        return
    if folder.exists():
        aside = _new_folder(folder)
        folder.rename(aside / "damaged")
        shutil.rmtree(aside, ignore_errors=True)
    try:
        partial.rename(folder)
    except OSError:
        if not _is_complete(folder):
            raise


def _new_folder(folder: Path) -> Path:
    return type(folder)(tempfile.mkdtemp(prefix=f"{folder.name}{_PARTIAL}", dir=folder.parent))


def _sweep(root: Path) -> None:
    for partial in root.glob(f"*{_PARTIAL}*"):
        if partial.stat().st_mtime < time.time() - _MAX_PARTIAL_AGE_S:
            shutil.rmtree(partial, ignore_errors=True)
