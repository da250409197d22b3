"""Keep the state of an older version after an import: `python -m wkmp_assets_tests.tools.old_state CHECKOUT`.

CHECKOUT is a clone of that version with its environment in `.venv`. Kept are the library database, DAGSTER_HOME with
Dagster's history and that version's dagster.yaml, and our state without decoded PCM. The music is not kept, because
`write_music` writes the same bytes again.
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import wave
from array import array
from contextlib import closing
from pathlib import Path

from wkmp_assets_tests.support.music_services import know_everything, music_services
from wkmp_assets_tests.support.paths import TESTS
from wkmp_assets_tests.tools.archives import unpack_tar

ARCHIVE = TESTS / "integration" / "old_state" / "old_state.tar.xz"
LIBRARY_ROOT = Path("/proc/self/cwd/music")
"""Partitions and state belong to the path of a library: this one is the same in every working folder."""

ONE, TWO, COPY = "Tones/01 Ein Stück.wav", "Tones/02 Two & more.wav", "Tones/03 Copy.wav"
BROKEN = "Tones/broken.mp3"
LATER = "Tones/04 Later.wav"
"""Not part of the old state: a file for the new version to add."""
EDITED_TITLE = "A person's title"

_RATE_HZ = 8000
_WRITTEN_AT = 1_780_000_000
_SOUNDS = {ONE: (330, 440, 550), TWO: (220, 260, 0, 660, 610), COPY: (330, 440, 550), LATER: (880, 770, 990)}
"""Frequencies in Hz, for 5 s each; 0 is silence."""


class OldVersionError(Exception):
    """The import of the old version ended with an unexpected status."""


def write_music(folder: Path, *paths: str) -> None:
    """Write files of the old library or for it, always with the same bytes and times."""
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if path in _SOUNDS:
            _write_tones(file, _SOUNDS[path])
        else:
            file.write_text("no music\n", encoding="utf-8")
        os.utime(file, (_WRITTEN_AT, _WRITTEN_AT))


def _write_tones(file: Path, frequencies: tuple[int, ...]) -> None:
    """Write sawtooths: whole numbers come out the same everywhere."""
    samples = array("h")
    for frequency in frequencies:
        samples.extend((number * frequency * 16_384 // _RATE_HZ) % 16_384 - 8192 if frequency else 0
                       for number in range(5 * _RATE_HZ))  # fmt: skip
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE_HZ)
        out.writeframes(samples.tobytes())


def environment(place: Path) -> dict[str, str]:
    """Return the environment of every command that works on the old state in a folder, its working folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_"))}
    return kept | {"DAGSTER_HOME": str(place / "home"), "WKMP_LIBRARY_ROOT": str(LIBRARY_ROOT), "COLUMNS": "200"}


def keep(checkout: Path, archive: Path = ARCHIVE) -> None:
    """Import some files with the version of a checkout, and keep the state.

    Raises
    ------
    OldVersionError
        The import of that version did not end as it should.
    """
    with tempfile.TemporaryDirectory(prefix="wkmp-old-state-") as folder, music_services() as services:
        place = Path(folder)
        (place / "home").mkdir()
        shutil.copy(checkout / "dagster.yaml", place / "home")
        write_music(place / "music", ONE, TWO, COPY, BROKEN)
        know_everything(services)
        settings = services.environment | {"PYTHONPATH": str(checkout)}
        command = [checkout / ".venv" / "bin" / "wkmp", "import", str(LIBRARY_ROOT)]
        result = subprocess.run(command, cwd=place, env=environment(place) | settings, check=False)
        if result.returncode != 1:  # one of the files is broken
            raise OldVersionError(result.returncode)
        with closing(sqlite3.connect(place / "music" / "wkmp.db")) as library, library:
            library.execute(
                "UPDATE passages SET user_title = ? WHERE file_id = (SELECT guid FROM files WHERE path = ?)",
                [EDITED_TITLE, ONE],
            )
        _pack(place, archive)


def _pack(place: Path, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    kept = [*place.glob("music/wkmp.db*"), *(file for file in place.glob("home/**/*") if file.suffix != ".pcm")]
    with tarfile.open(archive, "w:xz", preset=9) as packed:
        for file in sorted(file for file in kept if file.is_file()):
            packed.add(file, file.relative_to(place))


def unpack(place: Path, archive: Path = ARCHIVE) -> None:
    """Put the old state into a folder, with its music."""
    with tarfile.open(archive) as packed:
        unpack_tar(packed, place)
    write_music(place / "music", ONE, TWO, COPY, BROKEN)


def main() -> None:
    """Keep the state of the version that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="clone of the old version, with its environment in .venv")
    keep(parser.parse_args().checkout.absolute())


if __name__ == "__main__":
    main()
