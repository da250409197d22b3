"""Files with CUE sheets and chapters: good ones, wrong ones, and ones that nobody should read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen

from wkmp_assets_tests.integration.corpus.case import Case, Make, warned
from wkmp_assets_tests.integration.corpus.sound_bytes import sound

GOOD = "sheets/Good.flac"
_SECOND = {"Good": "00:01:00", "Beyond": "90:00:00", "Misplaced": "00:99:00"}


def sheets() -> Iterator[Case]:
    """Sheets beside files and in their tags."""
    yield Case(GOOD, _good, warned("The CUE sheet in the tags was not used: it names no track"))
    for name, text, says in (
        ("Beyond", _cue("Beyond.flac", _SECOND["Beyond"]), "does not fit the sound: its last track begins at 90:00"),
        ("Misplaced", _cue("Misplaced.flac", _SECOND["Misplaced"]), '"INDEX 01 00:99:00" is no place in a file'),
        ("Another", _cue("Other.flac", _SECOND["Good"]), 'it describes "Other.flac"'),
        ("Noise", "\x00\x01\ufffd" * 5_000, "it names no track"),
        ("Huge", _cue("Huge.flac", _SECOND["Good"]) * 5_000, "it is larger than 256 KB"),
    ):
        yield Case(f"sheets/{name}.flac", _beside(text), warned(f'The CUE sheet "{name}.cue" {_verb(says)}'))
    yield Case("sheets/tag.flac", _in_the_tags, warned("The CUE sheet in the tags was not used: it has more than"))
    yield Case(
        "sheets/link.flac", _behind_a_link, warned('The CUE sheet "link.cue" was not used: it is a symbolic link')
    )


def _verb(says: str) -> str:
    return says if says.startswith("does") else f"was not used: {says}"


def _cue(file: str, second: str) -> str:
    return (
        f'PERFORMER "Band"\nTITLE "Live"\nFILE "{file}" WAVE\n'
        '  TRACK 01 AUDIO\n    TITLE "One"\n    INDEX 01 00:00:00\n'
        f'  TRACK 02 AUDIO\n    TITLE "Two"\n    INDEX 01 {second}\n'
    )


def _beside(text: str) -> Make:
    def make(path: Path, seed: int) -> None:
        path.write_bytes(sound("flac", seed))
        path.with_suffix(".cue").write_text(text, encoding="utf-8")

    return make


def _good(path: Path, seed: int) -> None:
    """Write a good sheet beside a file with a bad one in its tags."""
    _beside(_cue("Good.wav", _SECOND["Good"]))(path, seed)
    flac: Any = mutagen.File(path)
    flac["CUESHEET"] = "no sheet"
    flac.save()


def _in_the_tags(path: Path, seed: int) -> None:
    path.write_bytes(sound("flac", seed))
    flac: Any = mutagen.File(path)
    flac["CUESHEET"] = 'FILE "a" WAVE\n' + "TRACK 01 AUDIO\nINDEX 01 00:00:00\n" * 100_000
    flac.save()


def _behind_a_link(path: Path, seed: int) -> None:
    path.write_bytes(sound("flac", seed))
    path.with_suffix(".cue").symlink_to("/etc/passwd")
