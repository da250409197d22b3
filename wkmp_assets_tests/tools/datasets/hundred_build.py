"""Make one file of the big library; runs in a worker process."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wkmp_assets_tests.tools.datasets.catalogue import PIECE_FROM_S, Track
from wkmp_assets_tests.tools.datasets.debian_music import CACHE, PackageUnavailableError, fetch_package
from wkmp_assets_tests.tools.datasets.encode import FORMATS, encode
from wkmp_assets_tests.tools.datasets.hundred_plan import Job
from wkmp_assets_tests.tools.datasets.pcm import (
    NoLoudSpanError,
    Pcm,
    cut,
    find_loud_span,
    lean_at,
    read_pcm,
    settled_end,
)
from wkmp_assets_tests.tools.datasets.tagging import write_tags

# Of full scale: what swings back into the silence is then below -60 dBFS within 0.05 s.
MAX_LEAN = 0.0025
LATER_S = 10


@dataclass(frozen=True)
class Timeline:
    """Samples of a file before encoding, and where silence was put into them."""

    pcm: Pcm
    gaps: tuple[tuple[int, int], ...] = ()


def make_file(job: Job, out: Path, scratch: Path) -> dict[str, Any]:
    """Make the file of one job and return its entry for the manifest.

    The file appears under its name only when it is complete.

    Parameters
    ----------
    job : Job
        Not a duplicate.
    out : Path
        Root of the library.
    scratch : Path
        Folder on the same file system for unfinished files.
    """
    timeline = _join_pieces(job) if job.piece_s else Timeline(read_pcm(source_file(job.sources[0])))
    unfinished = scratch / f"{job.number:03d}{FORMATS[job.form].suffix}"
    if job.copied:
        shutil.copyfile(source_file(job.sources[0]), unfinished)
    else:
        encode(timeline.pcm, unfinished, FORMATS[job.form])
        write_tags(unfinished, job.form, job.tags)
    target = out / job.path
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished.replace(target)
    return manifest_entry(job, target.stat().st_size, timeline)


def manifest_entry(job: Job, size: int, timeline: Timeline) -> dict[str, Any]:
    """Return what the manifest says about a file."""
    return {
        "path": job.path,
        "format": job.form,
        "kind": job.kind,
        "duplicate_of": None,
        "in_subset": job.in_subset,
        "sample_rate": timeline.pcm.rate,
        "channels": timeline.pcm.channels,
        "duration_samples": timeline.pcm.frames,
        "bytes": size,
        "planted_gaps": [list(gap) for gap in timeline.gaps],
        "copied_as_is": job.copied,
        "tags": {key: text for key, text in asdict(job.tags).items() if key != "musicbrainz"},
        "sources": [{"package": track.package, "file": track.path, "licence": track.licence} for track in job.sources],
    }


def source_file(track: Track) -> Path:
    """Return the path of a track in the cache.

    Raises
    ------
    PackageUnavailableError
        The package does not hold the file: another version than the catalogue was made from.
    """
    path = fetch_package(track.package) / track.path
    if not path.is_file():
        reason = f"it has no {track.path}; the catalogue was made from version {track.version}"
        remedy = (
            f"Put that version's .deb into {CACHE / 'debs'} and remove {CACHE / 'packages' / track.package}, "
            "or rebuild the catalogue: python -m wkmp_assets_tests.tools.datasets.catalogue"
        )
        raise PackageUnavailableError(track.package, reason, remedy)
    return path


def _join_pieces(job: Job) -> Timeline:
    parts = []
    gaps = []
    position = 0
    rate = job.sources[0].rate
    for track, length_s, gap_s in zip(job.sources, job.piece_s, (*job.gap_s, 0.0), strict=True):
        pcm = read_pcm(source_file(track))
        piece = cut(pcm, *_piece_of(pcm, length_s)).samples
        gap = np.zeros((round(gap_s * rate), piece.shape[1]), dtype=np.float32)
        parts += [piece, gap]
        position += len(piece)
        if len(gap):
            gaps.append((position, position + len(gap)))
        position += len(gap)
    return Timeline(Pcm(np.concatenate(parts), rate), tuple(gaps))


def _piece_of(pcm: Pcm, length_s: float) -> tuple[int, int]:
    # Some tracks lean to one side for long stretches; then a later stretch is better.
    found: list[tuple[int, int]] = []
    for from_s in range(PIECE_FROM_S, round(pcm.frames / pcm.rate), LATER_S):
        try:
            start, end = find_loud_span(pcm, from_s=from_s, length_s=length_s)
        except NoLoudSpanError:
            break
        found.append((start, settled_end(pcm, end)))
        if lean_at(pcm, found[-1][1]) <= MAX_LEAN:
            return found[-1]
    if not found:
        raise NoLoudSpanError(f"no {length_s} s of uninterrupted music")
    return min(found, key=lambda span: lean_at(pcm, span[1]))
