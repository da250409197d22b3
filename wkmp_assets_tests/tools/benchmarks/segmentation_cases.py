"""The material of the segmentation report: cases, each made into one file of its own from whole tracks.

Where gaps lie and how long they are is drawn by chance. Nobody looks at the sound, least of all the code on trial.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets_tests.tools.datasets.debian_music import fetch_package, music_files

UNSEEN_PACKAGES = (
    "btanks-data",
    "drascula-music",
    "extremetuxracer-data",
    "fillets-ng-data",
    "freedroidrpg-data",
    "frozen-bubble-data",
    "lordsawar-data",
    "lugaru-data",
    "megaglest-data",
    "naev-data",
    "openclonk-data",
    "unknown-horizons",
    "wesnoth-1.16-music",
    "xmoto-data",
)
"""About 1.4 GB. No default and no rule was chosen on them; those of `datasets.catalogue` serve for that."""
SPEECH_PACKAGE = "asterisk-core-sounds-en-wav"
"""Prompts of a telephone exchange, read by a person."""
MIN_BYTES = 600_000
"""Smaller files are jingles and sounds of a game."""
TRACKS_PER_MIX = 12
MIXES = 3
FLOORS_DB = (-70, -65, -60, -55, -50, -45, -40)
FLOORS_OF_SPEECH_DB = (None, -50)
VOICES = ("espeak-ng -v de", "espeak-ng -v fr", "flite -voice awb", "prompts")
"""Commands that speak, and a person. The rule was chosen with en-us and en-gb of espeak-ng and slt and rms of flite."""
SMALL_CASES = 25


@dataclass(frozen=True)
class Case:
    """One file to make and to judge.

    Parameters
    ----------
    kind : str
        Names the recipe in `segmentation_files` and the row of the report.
    tracks : tuple of Path
        Whole tracks; for speech the prompts, or none.
    seed : int
        For everything that is drawn.
    floor_db : float or None
        Level of the noise, dB below full scale as a negative number.
    voice : str
        Of speech.
    """

    kind: str
    tracks: tuple[Path, ...]
    seed: int
    floor_db: float | None = None
    voice: str = ""


def find_tracks(packages: Sequence[str]) -> list[Path]:
    """List the tracks of packages, which are downloaded first."""
    return [
        path
        for package in packages
        for name in music_files(package)
        if (path := fetch_package(package) / name).stat().st_size >= MIN_BYTES
    ]


def plan_cases(tracks: Sequence[Path], prompts: Sequence[Path]) -> Iterator[Case]:
    """Yield all cases, the same for the same tracks; those that share their tracks follow each other."""
    for seed, track in enumerate(tracks):
        yield Case("untagged single", (track,), seed)
        yield Case("tagged single", (track,), seed)
    draw = random.Random(18)
    for seed in range(MIXES):
        mix = tuple(draw.sample(tracks, TRACKS_PER_MIX))
        for floor_db in (None, *FLOORS_DB):
            yield Case("gaps in a long file", mix, seed, floor_db)
        for floor_db in (-60, -50):
            yield Case("gaps of a record with clicks", mix, seed, floor_db)
        for kind in ("applause between tracks", "cross-fades", "CUE image", "chapters"):
            yield Case(kind, mix, seed)
    for seed in range(SMALL_CASES):
        pair = tuple(draw.sample(tracks, 2))
        for kind in ("hidden track", "tagged hidden track", "stray sound after a track", "tagged pause"):
            yield Case(kind, pair, seed)
    for voice in VOICES:
        for floor_db in FLOORS_OF_SPEECH_DB:
            yield Case("spoken word", tuple(prompts) if voice == "prompts" else (), len(voice), floor_db, voice)
