"""Fetch music out of Debian packages: download, unpack, unpack archives inside. Nothing is installed.

Everything lands in the git-ignored cache beside the data sets, so a second build needs no network.
"""

import shutil
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import unquote

from wkmp_assets_tests.support.paths import TEST_DATA

CACHE = TEST_DATA / ".cache"
MUSIC_SUFFIXES = frozenset({".ogg", ".opus", ".mp3"})


class PackageUnavailableError(Exception):
    """A package could not be downloaded or unpacked.

    Parameters
    ----------
    package : str
        Name of the Debian package.
    reason : str
        What went wrong, in the words of the tool that failed.
    remedy : str
        What to do next.
    """

    def __init__(self, package: str, reason: str, remedy: str) -> None:
        self.package = package
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"cannot get the Debian package {package}: {reason}\n{remedy}")

    def __reduce__(self) -> tuple[type["PackageUnavailableError"], tuple[str, str, str]]:
        # Exceptions are rebuilt from their message otherwise, which fails between worker processes.
        return type(self), (self.package, self.reason, self.remedy)


def fetch_package(package: str, cache: Path = CACHE) -> Path:
    """Make the files of a package available and return the folder that holds them.

    Parameters
    ----------
    package : str
        Name of the Debian package; the version is whatever the local package lists offer.
    cache : Path
        Where downloads and unpacked files are kept. A `.deb` put into its `debs` folder by hand is used.

    Raises
    ------
    PackageUnavailableError
        Not in the cache, and not to be had.
    """
    folder = cache / "packages" / package
    if folder.is_dir():
        return folder
    archive = _find_deb(package, cache) or _download(package, cache)
    unpacking = folder.with_name(f"{package}.partial")
    shutil.rmtree(unpacking, ignore_errors=True)
    unpacking.mkdir(parents=True)
    _run(package, ["dpkg-deb", "--extract", str(archive), str(unpacking)], cwd=cache)
    _unpack_game_archives(unpacking)
    return unpacking.rename(folder)


def package_version(package: str, cache: Path = CACHE) -> str:
    """Return the version of the package in the cache, `unknown` when only its files are there."""
    archive = _find_deb(package, cache)
    return unquote(archive.name.split("_")[1]) if archive else "unknown"


def music_files(package: str, cache: Path = CACHE) -> list[Path]:
    """List the music of a package, relative to its folder, in a fixed order."""
    folder = fetch_package(package, cache)
    return sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in MUSIC_SUFFIXES and path.is_file() and not path.is_symlink()
    )


def _find_deb(package: str, cache: Path) -> Path | None:
    return next(iter(sorted((cache / "debs").glob(f"{package}_*.deb"))), None)


def _download(package: str, cache: Path) -> Path:
    debs = cache / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    _run(package, ["apt-get", "download", package], cwd=debs)
    archive = _find_deb(package, cache)
    if archive is None:
        raise PackageUnavailableError(package, "apt-get reported success but left no file", _by_hand(package))
    return archive


def _run(package: str, command: list[str], cwd: Path) -> None:
    tool = shutil.which(command[0])
    if tool is None:
        remedy = f"This machine is not Debian or Ubuntu. {_by_hand(package)}"
        raise PackageUnavailableError(package, f"{command[0]} is not installed", remedy)
    # A fixed tool with a package name from our own catalogue; no shell.
    done = subprocess.run([tool, *command[1:]], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PackageUnavailableError(package, _last_words(done.stderr), _remedy(package, done.stderr))


def _last_words(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.startswith("E:")] or stderr.splitlines()[-1:]
    return " ".join(lines) or "no message"


def _remedy(package: str, stderr: str) -> str:
    unlisted = (
        "Unable to locate package",
        "No packages found",
        "Can't find a source",
        "no installation candidate",
    )
    if any(words in stderr for words in unlisted):
        first = "The local package lists do not know it: run `apt-get update` as root, then start again."
    elif "404" in stderr:
        first = "The local package lists are out of date: run `apt-get update` as root, then start again."
    else:
        first = "Check the network, then start again: finished work is kept."
    return f"{first} {_by_hand(package)}"


def _by_hand(package: str) -> str:
    return f"Or put {package}_VERSION_all.deb into {CACHE / 'debs'} by hand."


def _unpack_game_archives(folder: Path) -> None:
    # Quake-style games keep their music in a .pk3, which is a zip archive.
    for archive in sorted(folder.rglob("*.pk3")):
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                if Path(name).suffix.lower() in MUSIC_SUFFIXES:
                    packed.extract(name, archive.with_name(f"{archive.name}.d"))
