"""Rebuild the committed sample library and the broken files.

Run as `python -m wkmp_assets_tests.tools.datasets.sample_library`; the result is the same bytes each time.
"""

import logging
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY, TEST_DATA
from wkmp_assets_tests.tools.datasets.attribution import attribution_text
from wkmp_assets_tests.tools.datasets.broken_files import build_broken_files
from wkmp_assets_tests.tools.datasets.debian_music import PackageUnavailableError, fetch_package
from wkmp_assets_tests.tools.datasets.encode import FORMATS, encode
from wkmp_assets_tests.tools.datasets.pcm import Pcm, cut, find_loud_span, read_pcm, resample, to_mono
from wkmp_assets_tests.tools.datasets.records import Measured, Passage, Record, write_manifest
from wkmp_assets_tests.tools.datasets.sample_specs import (
    DUPLICATE_OF,
    DUPLICATE_PATH,
    EXCERPTS,
    SEVERAL_GAPS_S,
    SEVERAL_TAGS,
    SEVERAL_TRACKS,
    SEVERAL_TRACKS_PATH,
    SILENT_PATH,
    SILENT_S,
    Excerpt,
    Source,
)
from wkmp_assets_tests.tools.datasets.tagging import Tags, write_tags

log = logging.getLogger(__name__)


def build_sample_library(root: Path) -> list[Record]:
    """Write the library below `root`, which is emptied first, and return the truth about it."""
    shutil.rmtree(root, ignore_errors=True)
    records = [build_excerpt(root, excerpt) for excerpt in EXCERPTS]
    records.append(_build_several_tracks(root))
    records.append(_build_silent(root))
    original = next(record for record in records if record.path == DUPLICATE_OF)
    records.append(_copy_duplicate(root, original))
    (root / "ATTRIBUTION.md").write_text(attribution_text(), encoding="utf-8")
    return records


def build_excerpt(root: Path, excerpt: Excerpt) -> Record:
    """Write one excerpt with its tags and return the truth about it."""
    piece = take_piece(excerpt.source, excerpt.from_s, excerpt.length_s)
    if excerpt.mono:
        piece = to_mono(piece)
    piece = resample(piece, excerpt.rate or piece.rate)
    path = _target(root, excerpt.path)
    encode(piece, path, FORMATS[excerpt.form], bits=excerpt.bits)
    write_tags(path, excerpt.form, excerpt.tags, id3_minor=excerpt.id3_minor)
    log.info("%s", excerpt.path)
    return Record(
        path=excerpt.path,
        status="INGEST COMPLETE",
        form=excerpt.form,
        measured=_without_padding(path, piece) if excerpt.form == "AAC" else measure(path),
        passages=(Passage(0.0, round(piece.frames / piece.rate, 6)),),
        tags=excerpt.tags,
        notes=excerpt.notes,
    )


def take_piece(source: Source, from_s: float, length_s: float) -> Pcm:
    """Cut uninterrupted music out of a work; see `find_loud_span`."""
    track = read_pcm(fetch_package(source.package) / source.path)
    start, end = find_loud_span(track, from_s=from_s, length_s=length_s)
    return cut(track, start, end)


def _without_padding(path: Path, piece: Pcm) -> Measured:
    """Return what was encoded: FFmpeg leaves an MP4's end padding in, an exact importer does not."""
    return replace(measure(path), frames=piece.frames)


def measure(path: Path) -> Measured:
    """Decode a finished file and return its rate, channels and length."""
    pcm = read_pcm(path)
    return Measured(pcm.rate, pcm.channels, pcm.frames)


def _build_several_tracks(root: Path) -> Record:
    pieces = [take_piece(*track) for track in SEVERAL_TRACKS]
    rate = pieces[0].rate
    parts: list[Pcm] = []
    passages: list[Passage] = []
    position = 0
    for piece, gap_s in zip(pieces, (*SEVERAL_GAPS_S, 0.0), strict=True):
        passages.append(Passage(round(position / rate, 6), round((position + piece.frames) / rate, 6)))
        gap = _silence(round(gap_s * rate), rate)
        parts += [piece, gap]
        position += piece.frames + gap.frames
    path = _target(root, SEVERAL_TRACKS_PATH)
    encode(Pcm(np.concatenate([part.samples for part in parts]), rate), path, FORMATS["FLAC"])
    write_tags(path, "FLAC", SEVERAL_TAGS)
    return Record(
        path=SEVERAL_TRACKS_PATH,
        status="INGEST COMPLETE",
        form="FLAC",
        measured=measure(path),
        passages=tuple(passages),
        tags=SEVERAL_TAGS,
        notes="three pieces of different songs, 2.5 s and 3 s of digital silence between them",
    )


def _build_silent(root: Path) -> Record:
    path = _target(root, SILENT_PATH)
    encode(_silence(SILENT_S * 44_100, 44_100), path, FORMATS["FLAC"])
    return Record(
        path=SILENT_PATH,
        status="NO AUDIO",
        form="FLAC",
        measured=measure(path),
        passages=(),
        tags=Tags(),
        notes="digital silence throughout",
    )


def _copy_duplicate(root: Path, original: Record) -> Record:
    shutil.copyfile(root / original.path, _target(root, DUPLICATE_PATH))
    return Record(
        path=DUPLICATE_PATH,
        status="DUPLICATE HASH",
        form=original.form,
        measured=original.measured,
        passages=(),
        tags=original.tags,
        notes="byte-for-byte copy under another name, which sorts after the original's",
        duplicate_of=original.path,
    )


def _silence(frames: int, rate: int) -> Pcm:
    return Pcm(np.zeros((frames, 2), dtype=np.float32), rate)


def _target(root: Path, relative: str) -> Path:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def main() -> int:
    """Rebuild both committed data sets with their manifests; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        library = build_sample_library(SAMPLE_LIBRARY)
    except PackageUnavailableError:
        log.exception("The sample library could not be built.")
        return 1
    write_manifest(TEST_DATA / "sample_library.manifest.json", library)
    broken = build_broken_files(TEST_DATA / "broken_files")
    write_manifest(TEST_DATA / "broken_files.manifest.json", broken)
    log.info("%d sample files and %d broken ones in %s", len(library), len(broken), TEST_DATA)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
