"""Decide which hundred files the big library has: a seeded choice from the committed catalogue.

No audio is touched here, so the plan is the same everywhere and costs nothing.
"""

import hashlib
import random
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from wkmp_assets_tests.tools.datasets.catalogue import Track
from wkmp_assets_tests.tools.datasets.encode import FORMATS
from wkmp_assets_tests.tools.datasets.library_paths import PathMaker
from wkmp_assets_tests.tools.datasets.tagging import Tags

SEED = 20_240_229
# Raised whenever files are made in another way, so that older ones are made again.
RECIPE = 2
Kind = Literal["single", "multi", "duplicate"]

# Beside the subset's: 30 FLAC, 30 MP3, 20 AAC, 8 Vorbis, 7 Opus, 5 WAV in all.
SUBSET_SINGLES = ("FLAC", "MP3", "AAC", "OGG Vorbis", "Opus", "WAV", "MP3", "AAC")
SUBSET_DUPLICATED = 6  # position above
SUBSET_PACKAGES = frozenset({"hyperrogue-music", "singularity-music"})
SINGLES = {"WAV": 3, "FLAC": 26, "OGG Vorbis": 5, "Opus": 5, "MP3": 25, "AAC": 15}
MULTIS = ("FLAC", "FLAC", "MP3", "AAC", "AAC", "OGG Vorbis", "OGG Vorbis", "Opus", "WAV")
DUPLICATED = ("FLAC", "AAC")
# Lossless files are long in bytes, so they get the short tracks; the rest keeps the library within 600 MB.
MAX_DURATION_S = {"WAV": 75.0, "FLAC": 135.0, "OGG Vorbis": 400.0, "Opus": 400.0, "MP3": 270.0, "AAC": 270.0}
MAX_COPIED_DURATION_S = 480.0
COPIED_AS_THEY_ARE = {"OGG Vorbis": ".ogg", "Opus": ".opus", "MP3": ".mp3"}
COPIES = {"OGG Vorbis": 5, "Opus": 3, "MP3": 3}
GAP_S = (2.0, 6.0)
PIECE_S = (30.0, 60.0)
# Leans to one side throughout (see `pcm.lean_at`), so no cut of it leaves silence behind in Opus. Fine whole.
NO_PIECES = "Deprecation.ogg"


@dataclass(frozen=True)
class Job:
    """One file to make.

    Parameters
    ----------
    number : >= 1
        Position in the plan.
    sources : tuple of Track
        One track, or the tracks whose pieces make up the file.
    piece_s : tuple of float
        Length of each piece; empty for whole tracks.
    gap_s : tuple of float
        Digital silence after each piece but the last.
    copied : bool
        The source file itself, byte for byte, with whatever tags it has.
    original : int, optional
        For duplicates: the number of the file to copy.
    """

    number: int
    kind: Kind
    form: str
    path: str
    tags: Tags
    sources: tuple[Track, ...]
    piece_s: tuple[float, ...] = ()
    gap_s: tuple[float, ...] = ()
    copied: bool = False
    original: int | None = None
    in_subset: bool = False

    def digest(self, encoders: dict[str, str]) -> str:
        """Fingerprint all that decides the bytes, so that a resumed build knows what is still valid."""
        return hashlib.sha256(repr((RECIPE, self, sorted(encoders.items()))).encode()).hexdigest()


class _Planner:
    """Deals out tracks, none of them twice."""

    def __init__(self, catalogue: list[Track]) -> None:
        # Our own generator with a fixed seed: the choice must be the same each time.
        self._random = random.Random(SEED)
        self._left = sorted(catalogue, key=lambda track: (track.package, track.path))
        self._random.shuffle(self._left)
        self._paths = PathMaker()
        self.jobs: list[Job] = []

    def subset(self) -> None:
        """Ten short files from two small packages: each format, several tracks in one, a duplicate."""
        for form in SUBSET_SINGLES:
            rate = 48_000 if form == "Opus" else 44_100
            fitting = [track for track in self._left if track.package in SUBSET_PACKAGES and track.rate == rate]
            self._single(form, min(fitting, key=lambda track: track.frames), in_subset=True)
        self._multi("MP3", 3, SUBSET_PACKAGES, in_subset=True)
        self._duplicate(self.jobs[SUBSET_DUPLICATED], in_subset=True)

    def rest(self) -> None:
        """The other ninety."""
        for form in MULTIS:
            self._multi(form, 3 if form == "WAV" else self._random.randint(3, 6))
        for form, count in SINGLES.items():
            for position in range(count):
                copied = position < COPIES.get(form, 0)
                self._single(form, self._next_for(form, copied=copied))
        for form in DUPLICATED:
            candidates = [job for job in self.jobs if job.form == form and job.kind == "single" and not job.in_subset]
            self._duplicate(self._random.choice(candidates))

    def _next_for(self, form: str, *, copied: bool) -> Track:
        def fits(track: Track) -> bool:
            if copied:
                return track.suffix == COPIED_AS_THEY_ARE[form] and track.seconds <= MAX_COPIED_DURATION_S
            if form == "Opus" and track.rate != 48_000:
                return False
            # Opus and MP3 sources are few: kept for the files that are copied.
            return track.seconds <= MAX_DURATION_S[form] and track.suffix == ".ogg"

        return next(track for track in self._left if fits(track))

    def _single(self, form: str, track: Track, *, in_subset: bool = False) -> None:
        self._left.remove(track)
        title = track.title or PurePosixPath(track.path).stem.replace("-", " ").replace("_", " ")
        tags = Tags(title, track.artist, track.album, track.track, track.date)
        self.jobs.append(
            Job(
                number=len(self.jobs) + 1,
                kind="single",
                form=form,
                path=self._paths.make(tags, track.package, FORMATS[form].suffix),
                tags=tags,
                sources=(track,),
                copied=track.suffix == COPIED_AS_THEY_ARE.get(form),
                in_subset=in_subset,
            )
        )

    def _multi(self, form: str, count: int, packages: frozenset[str] | None = None, *, in_subset: bool = False) -> None:
        rate = 48_000 if form == "Opus" else 44_100
        fitting = [
            track
            for track in self._left
            if track.makes_pieces
            and PurePosixPath(track.path).name != NO_PIECES
            and track.rate == rate
            and track.suffix == ".ogg"
            # Short tracks are scarce and wanted whole, except in the subset's own packages.
            and (track.package in packages if packages else track.seconds > 135.0)
        ]
        sources = tuple(fitting[:count])
        for track in sources:
            self._left.remove(track)
        longest = 40.0 if form == "WAV" or in_subset else PIECE_S[1]
        title = f"{count} tracks in one file ({len(self.jobs) + 1})"
        tags = Tags(title, "Various Artists", "Recorded in one go", len(self.jobs) + 1, "2020")
        self.jobs.append(
            Job(
                number=len(self.jobs) + 1,
                kind="multi",
                form=form,
                path=self._paths.make(tags, "mixes", FORMATS[form].suffix),
                tags=tags,
                sources=sources,
                piece_s=tuple(round(self._random.uniform(PIECE_S[0], longest), 2) for _ in sources),
                gap_s=tuple(round(self._random.uniform(*GAP_S), 3) for _ in sources[1:]),
                in_subset=in_subset,
            )
        )

    def _duplicate(self, job: Job, *, in_subset: bool = False) -> None:
        suffix = FORMATS[job.form].suffix
        tags = Tags(f"Copy of {job.tags.title}", "Zz Unsorted", "Downloads")
        self.jobs.append(
            Job(
                number=len(self.jobs) + 1,
                kind="duplicate",
                form=job.form,
                path=self._paths.make(tags, "Downloads", suffix),
                tags=job.tags,
                sources=job.sources,
                original=job.number,
                in_subset=in_subset,
            )
        )


def plan_library(catalogue: list[Track]) -> list[Job]:
    """Plan the hundred files.

    Parameters
    ----------
    catalogue : list of Track
        See `catalogue.load_catalogue`; the order does not matter.

    Returns
    -------
    list of Job
        Numbered from 1; originals come before their duplicates.
    """
    planner = _Planner(catalogue)
    planner.subset()
    planner.rest()
    return planner.jobs
