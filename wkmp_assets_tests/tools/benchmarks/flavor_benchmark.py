"""Measure what flavor means and costs: `make bench-flavor`. Writes docs/benchmarks/flavor.md.

On the 100-file library: CPU beside all other phases, distance of one recording in two encodings, neighbours from the
same album, the same for essentia's features, and memory for three hours. Neighbours on other music, too.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from wkmp_assets.audio.flavor.measure import measure_passages
from wkmp_assets.audio.lead_points import find_lead_points
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ, PcmStore
from wkmp_assets.audio.tags import read_tags
from wkmp_assets.audio.worker_tasks import fingerprint_file, measure_flavors, segment_file
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.identity import look_at
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.flavor import MEASURED_NAMES, Flavor, distance
from wkmp_assets.model.values import FileIdentity, FileState, Flavors, Span
from wkmp_assets.runtime.worker_queue import ONE_THREAD
from wkmp_assets_tests.tools.benchmarks.essentia_baseline import essentia_distances
from wkmp_assets_tests.tools.benchmarks.flavor_scores import NeighbourScore, score_neighbours
from wkmp_assets_tests.tools.benchmarks.flavor_tracks import UNSEEN_PACKAGE, Track, held_out_tracks, library_tracks
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS, HUNDRED_FILES
from wkmp_assets_tests.tools.datasets.debian_music import PackageUnavailableError
from wkmp_assets_tests.tools.datasets.encode import FORMATS, encode
from wkmp_assets_tests.tools.datasets.pcm import read_pcm, resample

OUT = Console(highlight=False)
ENCODED_FILES = 12
ENCODINGS = ("MP3", "OGG Vorbis", "AAC", "Opus")
OPUS_RATE_HZ = 48_000
THREE_HOURS_S = 3 * 3600
CAUTION = (
    "The reference values and the middles of the scales come from this library, and its labels served to compare "
    "variants of the formulas. So neighbours are judged on held-out music as well, which served for nothing else."
)


@dataclass(frozen=True)
class Measured:
    """Costs and flavors of one file."""

    flavors: Flavors
    flavor_s: float
    """CPU seconds."""
    others_s: float
    """CPU seconds of all other phases that read the file or its PCM."""

    @property
    def longest(self) -> Flavor:
        """The flavor of its longest passage."""
        return max(self.flavors.passages, key=lambda one: one.span.length_samples).measured


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no library to measure."""
    parser = argparse.ArgumentParser(description="Judge what flavors mean and cost.")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="the 100-file library")
    parser.add_argument("--essentia", type=Path, help="a Python that has essentia")
    parser.add_argument("--out", type=Path, default=DOCS / "flavor.md", help="the page")
    options = parser.parse_args(arguments)
    if not (options.music / "manifest.json").is_file():
        OUT.print(f"[bold red]Error:[/] {options.music} has no manifest.json; build the library: make dataset")
        return 1
    loads = [("at the start", load_now())]
    tracks = library_tracks(options.music.absolute())
    try:
        held_out = held_out_tracks()
    except PackageUnavailableError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        counted, tables = _measure_all(tracks, held_out, options.essentia, Path(folder))
    loads.append(("at the end", load_now()))
    tables.append(describe_machine(loads, Path(tempfile.gettempdir())))
    for table in tables:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(options.out, "What flavors mean and cost", [counted, CAUTION], tables)
    OUT.print(f"Written: {options.out}")
    return 0


def _measure_all(
    tracks: Sequence[Track], held_out: Sequence[Track], essentia: Path | None, scratch: Path
) -> tuple[str, list[Table]]:
    """Return what was measured in one sentence, and the tables."""
    measured = measure_tracks([track.path for track in tracks], scratch)
    passages = sum(len(one.flavors.passages) for one in measured)
    whole = sum(set(p.measured) == MEASURED_NAMES for one in measured for p in one.flavors.passages)
    counted = (
        f"`make bench-flavor` writes this page, from {len(tracks)} recordings of the 100-file library, each once. "
        f"{whole} of {passages} passages have every characteristic. [Flavor](../reference/flavor.md) says what is "
        "measured."
    )
    return counted, [
        cost_table(tracks, measured),
        encoding_table(tracks, measured, scratch),
        neighbour_table("Neighbours", "artist and album", tracks, measured, essentia, scratch),
        held_out_table(held_out, essentia, scratch),
        memory_table(scratch),
    ]


def measure_tracks(paths: Sequence[Path], scratch: Path) -> list[Measured]:
    """Run the phases on files, one after the other, in a process like those that import files."""
    os.environ.update(ONE_THREAD)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        # After the first one tables and libraries are ready.
        _, *measured = pool.map(measure_track, [paths[0], *paths], repeat(scratch))
        return measured


def measure_track(path: Path, scratch: Path) -> Measured:
    """Run the phases on one file."""
    others: list[float] = []
    pcm = PcmStore(scratch, 2**40)
    settings = read_library_settings(scratch / "none.db")
    identity = _timed(others, lambda: _identify(path))
    _timed(others, lambda: read_tags(path))
    expected = ExpectedContent.of(identity, is_just_hashed=True)
    segments = _timed(others, lambda: segment_file(path, path.name, expected, pcm, settings.segmentation))
    _timed(others, lambda: fingerprint_file(path, path.name, expected, pcm, segments))
    spans = segments.passages
    _timed(others, lambda: [find_lead_points(segments.envelope, span, settings.lead_points) for span in spans])
    own: list[float] = []
    flavors = _timed(own, lambda: measure_flavors(path, path.name, expected, pcm, segments, spans))
    pcm.path_for(identity.content_hash).unlink()
    return Measured(flavors, own[0], sum(others))


def _identify(path: Path) -> FileIdentity:
    stat = look_at(path.parent, path.name)
    return FileIdentity(FileState.NEW, hash_file(path, path.name), stat.size_bytes, stat.modified_at)


def _timed(cpu_s: list[float], function: Callable[[], Any]) -> Any:
    started = time.process_time()
    value = function()
    cpu_s.append(time.process_time() - started)
    return value


def cost_table(tracks: Sequence[Track], measured: Sequence[Measured]) -> Table:
    """Tabulate CPU per track, and the ratio, measured side by side."""
    rows = []
    ratios = [one.flavor_s / one.others_s for one in measured]
    for name, share in (("median", 50), ("90th percentile", 90), ("worst", 100)):
        figures = ([one.flavor_s for one in measured], [one.others_s for one in measured], ratios)
        flavor, others, ratio = (float(np.percentile(values, share)) for values in figures)
        rows.append((name, f"{flavor * 1000:.0f}", f"{others * 1000:.0f}", f"{ratio:.2f}"))
    total = sum(one.flavor_s for one in measured) / sum(one.others_s for one in measured)
    columns = ("per track", "flavors, CPU ms", "all other phases, CPU ms", "ratio")
    reading = (
        f"All tracks together: {total:.2f} times the CPU of everything else (hash, tags, decode, passages, "
        "fingerprint, lead points). Each column is sorted by itself. "
        f"{tracks[int(np.argmax(ratios))].path.name} has the worst ratio; at most 1 is allowed."
    )
    return Table("Cost", columns, rows, reading)


def encoding_table(tracks: Sequence[Track], measured: Sequence[Measured], scratch: Path) -> Table:
    """Tabulate how far the same recording in another encoding is from the original, beside other recordings."""
    lossless = [
        (track, one)
        for track, one in zip(tracks, measured, strict=True)
        if track.path.suffix in {".flac", ".wav"} and len(one.flavors.passages) == 1
    ][:ENCODED_FILES]
    rows = []
    for name in ENCODINGS:
        copies = [_encoded(track.path, name, scratch) for track, _ in lossless]
        again = measure_tracks(copies, scratch)
        found = [distance(one.longest, other.longest) for (_, one), other in zip(lossless, again, strict=True)]
        rows.append((f"lossless to {name}", str(len(found)), *_spread(found)))
    different = [distance(one.longest, other.longest) for n, one in enumerate(measured) for other in measured[:n]]
    nearest = [min(distance(one.longest, other.longest) for other in measured if other is not one) for one in measured]
    rows.append(("nearest other recording", str(len(nearest)), *_spread(nearest)))
    rows.append(("any other recording", str(len(different)), *_spread(different)))
    columns = ("distance", "pairs", "least", "median", "90 %", "most")
    return Table("The same recording in two encodings", columns, rows, "0 means equal, 1 as different as can be.")


def _encoded(path: Path, name: str, scratch: Path) -> Path:
    target = scratch / f"{path.stem}{FORMATS[name].suffix}"
    pcm = read_pcm(path)
    encode(resample(pcm, OPUS_RATE_HZ) if name == "Opus" else pcm, target, FORMATS[name])
    return target


def _spread(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"{float(np.percentile(values, share)):.5f}" for share in (0, 50, 90, 100))


def held_out_table(tracks: Sequence[Track], essentia: Path | None, scratch: Path) -> Table:
    """Tabulate the same for music that influenced no choice of parameters."""
    measured = measure_tracks([track.path for track in tracks], scratch)
    found = neighbour_table("Neighbours in held-out music", "composer", tracks, measured, essentia, scratch)
    unseen = sum(track.package == UNSEEN_PACKAGE for track in tracks)
    return replace(
        found,
        reading=f"{len(tracks)} recordings of at most ten minutes, none of which is in the library: "
        f"{len(tracks) - unseen} other tracks of its packages, and {unseen} of {UNSEEN_PACKAGE}, a package that it "
        f"does not use. {found.reading}",
    )


def neighbour_table(
    title: str,
    group: str,
    tracks: Sequence[Track],
    measured: Sequence[Measured],
    essentia: Path | None,
    scratch: Path,
) -> Table:
    """Tabulate where nearest neighbours come from."""
    flavors = [one.longest for one in measured]
    ours = np.array([[distance(one, other) for other in flavors] for one in flavors])
    by = {"soundtrack": [track.package for track in tracks], group: [track.group for track in tracks]}
    rows = [_scored("flavor", label, score_neighbours(ours, labels)) for label, labels in by.items()]
    theirs, readable, why = essentia_distances([track.path for track in tracks], essentia, scratch)
    for label, labels in by.items():
        if theirs is None:
            break
        common = [labels[index] for index in readable]
        same_files = ours[np.ix_(readable, readable)]
        rows.append(_scored("flavor, files essentia reads", label, score_neighbours(same_files, common)))
        rows.append(_scored("essentia MusicExtractor", label, score_neighbours(theirs, common)))
    columns = ("distance by", "same", "files", "nearest", "five nearest", "chance", "p")
    reading = (
        "The shares are those of neighbours with the same label, over the files that share their label with others. "
        "p is the share of 2,000 shuffles of the labels in which the nearest neighbour does as well. "
        f"{why}"
    )
    return Table(title, columns, rows, reading)


def _scored(name: str, label: str, found: NeighbourScore) -> tuple[str, ...]:
    shares = (f"{share * 100:.0f} %" for share in (found.nearest, found.near, found.chance))
    return (name, label, str(found.files), *shares, f"{found.p_value:.4f}")


def memory_table(scratch: Path) -> Table:
    """Tabulate the memory that a passage of three hours takes, beside one of 90 seconds."""
    rows = []
    for name, length_s in (("90 s", 90), ("3 h", THREE_HOURS_S)):
        path = scratch / "long.pcm"
        block = (np.random.default_rng(1).standard_normal(PCM_RATE_HZ * 60) * 3000).astype("<i2").tobytes()
        with path.open("wb") as pcm:
            for _ in range(max(1, length_s // 60)):
                pcm.write(block)
        context = get_context("spawn")
        with context.Pool(1) as pool:
            before, after, seconds = pool.apply(_memory_of, (path,))
        rows.append((name, f"{before:.0f}", f"{after:.0f}", f"{seconds * 1000:.0f}"))
    columns = ("one passage of", "MB before", "MB at most", "CPU ms")
    return Table("Memory", columns, rows, "Resident memory of a new process, with its libraries.")


def _memory_of(path: Path) -> tuple[float, float, float]:
    before, started = _most_mb(), time.process_time()
    samples = path.stat().st_size // 2
    measure_passages(path, [Span(0, samples)], sample_rate_hz=PCM_RATE_HZ, channels=1)
    return before, _most_mb(), time.process_time() - started


def _most_mb() -> float:
    # Not ru_maxrss, which begins with what the parent process had.
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    sys.exit(main())
