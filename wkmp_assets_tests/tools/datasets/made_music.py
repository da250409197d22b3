"""Music whose key and tempo are known by construction: chords and melodies in Debian's accompaniment styles.

Musical MIDI Accompaniment (package `mma`) plays a chord progression in one of its styles, with a melody of the scale.
FluidSynth renders it with a free soundfont. Nothing is installed but `fluidsynth`; all files are kept in the cache.
The calibration half has other styles and other progressions than the report half.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from wkmp_assets_tests.tools.datasets.debian_music import CACHE, PackageUnavailableError, fetch_package

PITCHES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_NOTES = ("cn", "c#", "dn", "e&", "en", "fn", "f#", "gn", "a&", "an", "b&", "bn")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
TEMPOS = (60, 240)
"""unit=beats per minute: slower and faster styles are left to other metres."""
BARS = 16
RATE_HZ = 22_050
Chords = tuple[tuple[int, str], ...]
"""Semitones above the tonic, and what follows the letter of the chord."""
CALIBRATION: dict[str, tuple[Chords, ...]] = {
    "major": (
        ((0, ""), (7, ""), (9, "m"), (5, "")), ((0, ""), (5, ""), (7, "7"), (0, "")),
        ((2, "m7"), (7, "7"), (0, "M7"), (0, "M7")),
    ),
    "minor": (
        ((0, "m"), (5, "m"), (7, "7"), (0, "m")), ((0, "m"), (8, ""), (3, ""), (10, "")),
        ((0, "m"), (10, ""), (8, ""), (7, "7")),
    ),
}  # fmt: skip
REPORT: dict[str, tuple[Chords, ...]] = {
    "major": (
        ((0, ""), (9, "m"), (5, ""), (7, "")), ((0, ""), (4, "m"), (5, ""), (7, "7")),
        ((0, "7"), (5, "7"), (0, "7"), (7, "7")), ((0, ""), (2, "7"), (7, "7"), (0, "")),
    ),
    "minor": (
        ((0, "m"), (2, "m7b5"), (7, "7"), (0, "m")), ((0, "m"), (5, "m"), (10, ""), (3, "")),
        ((0, "m"), (8, ""), (5, "m"), (7, "7")), ((0, "m"), (7, "m"), (8, ""), (5, "m")),
    ),
}  # fmt: skip
_RUN_MMA = """
import platform, sys
MMAdir = sys.argv.pop(1)
sys.path.insert(0, MMAdir)
import MMA.main
"""


@dataclass(frozen=True)
class MadePiece:
    """A rendered piece, and what it was made of."""

    path: Path
    key: str
    """One of PITCHES: the tonic."""
    scale: str
    bpm: float
    style: str
    """The groove, such as `BossaNova`."""
    is_calibration: bool


def made_pieces(count: int, cache: Path = CACHE) -> list[MadePiece]:
    """Make pieces in all 24 keys, half of them for calibration; the same count always gives the same pieces.

    Parameters
    ----------
    count : int
        Of both halves together.
    cache : Path
        Where packages and pieces are kept.

    Raises
    ------
    PackageUnavailableError
        A package, or the program `fluidsynth`, is not available.
    """
    mma = fetch_package("mma", cache) / "usr/share/mma"
    soundfont = fetch_package("timgm6mb-soundfont", cache) / "usr/share/sounds/sf2/TimGM6mb.sf2"
    folder = cache / "made_music"
    folder.mkdir(parents=True, exist_ok=True)
    _index_styles(mma, folder)
    styles = sorted(path.stem for path in (mma / "lib/stdlib").glob("*.mma"))
    halves = (_plan(styles[half::2], progressions, half) for half, progressions in enumerate((CALIBRATION, REPORT)))
    found: list[MadePiece] = []
    for is_calibration, plan in zip((True, False), halves, strict=True):
        made = (_make(one, is_calibration, folder, mma, soundfont) for one in plan)
        found += islice((piece for piece in made if piece), count // 2)
    return found


@dataclass(frozen=True)
class _Plan:
    """One piece to make."""

    number: int
    style: str
    tonic: int
    scale: str
    chords: Chords
    bpm: int


def _plan(styles: list[str], progressions: dict[str, tuple[Chords, ...]], seed: int) -> Iterator[_Plan]:
    chance = random.Random(seed)
    for number in range(10 * len(styles)):
        scale = ("major", "minor")[number % 2]
        yield _Plan(
            number, styles[number % len(styles)], number // 2 * 7 % 12, scale,
            progressions[scale][number // 2 % len(progressions[scale])], chance.randrange(66, 180),
        )  # fmt: skip


def _make(plan: _Plan, is_calibration: bool, folder: Path, mma: Path, soundfont: Path) -> MadePiece | None:
    """Return the piece; None where the style does not exist as a groove in common time."""
    half = "calibration" if is_calibration else "report"
    path = folder / f"{half}_{plan.number:04}_{plan.style}.wav"
    refused = path.with_suffix(".refused")
    if refused.exists():
        return None
    if not path.exists():
        score, midi = path.with_suffix(".mma"), path.with_suffix(".mid")
        score.write_text(_score(plan), encoding="ascii")
        _run([sys.executable, "-c", _RUN_MMA, str(mma), str(score), "-f", str(midi)], folder)
        if not midi.exists():
            refused.touch()
            return None
        partial = path.with_suffix(".partial")
        options = ["-ni", "-q", "-r", str(RATE_HZ), "-T", "wav", "-F", str(partial)]
        _run([_fluidsynth(), *options, str(soundfont), str(midi)], folder)
        partial.rename(path)
    return MadePiece(path, PITCHES[plan.tonic], plan.scale, plan.bpm, plan.style, is_calibration)


def _score(plan: _Plan) -> str:
    """Return the piece in MMA's language; its melody walks on the scale."""
    chance = random.Random(plan.number)
    scale, step = SCALES[plan.scale], chance.randrange(7)
    lines = [f"Tempo {plan.bpm}", f"Groove {plan.style}", "Solo Voice Piano1", "Solo Octave 5"]
    for bar in range(BARS):
        interval, kind = plan.chords[bar % len(plan.chords)]
        notes = []
        for _ in range(4):
            step = (step + chance.choice((-2, -1, -1, 0, 1, 1, 2))) % 7
            notes.append(_NOTES[(plan.tonic + scale[step]) % 12])
        chord = PITCHES[(plan.tonic + interval) % 12] + kind
        lines.append(f"{bar + 1} {chord} {{4{';'.join(notes)};}}")
    return "\n".join(lines) + "\n"


def _index_styles(mma: Path, folder: Path) -> None:
    """Let MMA list its styles, once; the package's list names another folder."""
    mark = folder / "styles.listed"
    if not mark.exists():
        for old in mma.glob("lib/**/.mmaDB"):
            old.unlink()
        _run([sys.executable, "-c", _RUN_MMA, str(mma), "-g"], folder)
        mark.touch()


def _fluidsynth() -> str:
    tool = shutil.which("fluidsynth")
    if tool is None:
        raise PackageUnavailableError("fluidsynth", "it is not installed", "Run `apt-get install fluidsynth` as root.")
    return tool


def _run(command: list[str], folder: Path) -> None:
    # Fixed tools; a style that MMA refuses is no error.
    subprocess.run(
        command, cwd=folder, capture_output=True, check=False, timeout=120, env={**os.environ, "PYTHONPATH": ""}
    )
