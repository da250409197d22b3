"""Does flavor mean anything, and what does it cost? `make bench-flavor`; writes docs/flavor_benchmark.md.

On the 100-file library: CPU beside all other phases, distance of one recording in two encodings, neighbours from the
same album, the same for essentia's features, and memory for three hours.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from wkmp_assets.audio.lead_points import find_lead_points
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.tags import read_tags
from wkmp_assets.db.library_settings import read_library_settings
from wkmp_assets.flavor.keeping import MEASURED_NAMES
from wkmp_assets.flavor.measure import measure_passages
from wkmp_assets.flavor.sound import RATE_HZ
from wkmp_assets.flavor.vector import Flavor, distance
from wkmp_assets.library.hashing import hash_file
from wkmp_assets.library.identity import look_at
from wkmp_assets.listen import fingerprint_file, flavor_file, segment_file
from wkmp_assets.model.values import FileIdentity, FileState, Flavors, Span
from wkmp_assets_tests.benchmarks.flavor_scores import NeighbourScore, score_neighbours, standardised_distances
from wkmp_assets_tests.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.benchmarks.music_library import DOCS, HUNDRED_FILES
from wkmp_assets_tests.datasets.encode import FORMATS, encode
from wkmp_assets_tests.datasets.pcm import read_pcm, resample

OUT = Console(highlight=False)
ENCODED_FILES = 12
ENCODINGS = ("MP3", "OGG Vorbis", "AAC", "Opus")
OPUS_RATE_HZ = 48_000
THREE_HOURS_S = 3 * 3600
CAUTION = (
    "The usual values and the middles of the scales were chosen on this library; the labels were used to compare "
    "variants of the formulas. On other music the neighbours may be somewhat worse."
)


@dataclass(frozen=True)
class Track:
    """One file of the library that holds one recording."""

    path: Path
    package: str
    """The game whose soundtrack it is from."""
    folder: str
    """Artist and album, as far as they are known."""


@dataclass(frozen=True)
class Measured:
    """What one file took and gave."""

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
    parser.add_argument("--out", type=Path, default=DOCS / "flavor_benchmark.md", help="the page")
    options = parser.parse_args(arguments)
    if not (options.music / "manifest.json").is_file():
        OUT.print(f"[bold red]Error:[/] {options.music} has no manifest.json; build the library: make dataset")
        return 1
    loads = [("at the start", load_now())]
    tracks = find_tracks(options.music.absolute())
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        measure_track(tracks[0].path, scratch)  # tables and libraries are ready afterwards
        measured = [measure_track(track.path, scratch) for track in tracks]
        tables = [
            cost_table(tracks, measured),
            encoding_table(tracks, measured, scratch),
            neighbour_table(tracks, measured, options.essentia),
            memory_table(scratch),
        ]
    loads.append(("at the end", load_now()))
    tables.append(describe_machine(loads, Path(tempfile.gettempdir())))
    for table in tables:
        OUT.print(table.to_rich())
        OUT.print()
    passages = sum(len(one.flavors.passages) for one in measured)
    whole = sum(set(p.measured) == MEASURED_NAMES for one in measured for p in one.flavors.passages)
    counted = (
        f"{len(tracks)} recordings of the 100-file library, each once, as `make bench-flavor` measures them. "
        f"{whole} of {passages} passages have every characteristic. What is measured: [flavor.md](flavor.md)."
    )
    write_page(options.out, "What flavors mean and cost", [counted, CAUTION], tables)
    OUT.print(f"Written: {options.out}")
    return 0


def find_tracks(root: Path) -> list[Track]:
    """List single-track files, of each recording the first."""
    records = json.loads((root / "manifest.json").read_text(encoding="utf-8"))["files"]
    found: dict[tuple[str, str], Track] = {}
    for record in records:
        if record["kind"] == "single":
            (source,) = record["sources"]
            track = Track(root / record["path"], source["package"], str(Path(record["path"]).parent))
            found.setdefault((source["package"], source["file"]), track)
    return list(found.values())


def measure_track(path: Path, scratch: Path) -> Measured:
    """Run the phases on one file."""
    others: list[float] = []
    pcm = PcmStore(scratch, 2**40)
    settings = read_library_settings(scratch / "none.db")
    identity = _timed(others, lambda: _identify(path))
    _timed(others, lambda: read_tags(path))
    segments = _timed(others, lambda: segment_file(path, path.name, identity, pcm, settings.segmentation))
    _timed(others, lambda: fingerprint_file(path, path.name, identity.content_hash, pcm, segments))
    spans = segments.passages
    _timed(others, lambda: [find_lead_points(segments.envelope, span, settings.lead_points) for span in spans])
    own: list[float] = []
    flavors = _timed(own, lambda: flavor_file(path, path.name, identity.content_hash, pcm, segments, spans))
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
        "fingerprint, lead points). The columns are sorted each for itself. "
        f"The worst ratio is that of {tracks[int(np.argmax(ratios))].path.name}; at most 1 is allowed."
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
        found = [distance(one.longest, _encoded(track.path, name, scratch)) for track, one in lossless]
        rows.append((f"lossless to {name}", str(len(found)), *_spread(found)))
    different = [distance(one.longest, other.longest) for n, one in enumerate(measured) for other in measured[:n]]
    nearest = [min(distance(one.longest, other.longest) for other in measured if other is not one) for one in measured]
    rows.append(("nearest other recording", str(len(nearest)), *_spread(nearest)))
    rows.append(("any other recording", str(len(different)), *_spread(different)))
    columns = ("distance", "pairs", "least", "median", "90 %", "most")
    return Table("The same recording in two encodings", columns, rows, "0 is equal, 1 as different as can be.")


def _encoded(path: Path, name: str, scratch: Path) -> Flavor:
    target = scratch / f"encoded{FORMATS[name].suffix}"
    pcm = read_pcm(path)
    encode(resample(pcm, OPUS_RATE_HZ) if name == "Opus" else pcm, target, FORMATS[name])
    return measure_track(target, scratch).longest


def _spread(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"{float(np.percentile(values, share)):.5f}" for share in (0, 50, 90, 100))


def neighbour_table(tracks: Sequence[Track], measured: Sequence[Measured], essentia: Path | None) -> Table:
    """Tabulate where nearest neighbours come from."""
    flavors = [one.longest for one in measured]
    ours = np.array([[distance(one, other) for other in flavors] for one in flavors])
    by = {"soundtrack": [track.package for track in tracks], "artist and album": [track.folder for track in tracks]}
    rows = [_scored("flavor", label, score_neighbours(ours, labels)) for label, labels in by.items()]
    theirs, readable, why = essentia_distances(tracks, essentia)
    for label, labels in by.items() if readable else ():
        common = [labels[index] for index in readable]
        same_files = ours[np.ix_(readable, readable)]
        rows.append(_scored("flavor, files essentia reads", label, score_neighbours(same_files, common)))
        rows.append(_scored("essentia MusicExtractor", label, score_neighbours(theirs, common)))
    columns = ("distance by", "same", "files", "nearest", "five nearest", "chance", "p")
    reading = (
        "Share of neighbours with the same label, over the files whose label others have as well; p is the share of "
        f"2,000 shuffles of the labels that do as well by the nearest neighbour. {why}"
    )
    return Table("Neighbours", columns, rows, reading)


def _scored(name: str, label: str, found: NeighbourScore) -> tuple[str, ...]:
    shares = (f"{share * 100:.0f} %" for share in (found.nearest, found.near, found.chance))
    return (name, label, str(found.files), *shares, f"{found.p_value:.4f}")


def essentia_distances(tracks: Sequence[Track], python: Path | None) -> tuple[Any, list[int], str]:
    """Return distances by all of essentia's numbers, standardised, the tracks it can read, and what to say of it."""
    if python is None or not python.exists():
        return None, [], "essentia could not be installed, so its lines are missing."
    features = _essentia_features([str(track.path) for track in tracks], python)
    readable = [index for index, track in enumerate(tracks) if features.get(str(track.path))]
    if len(readable) < len(tracks) / 2:
        return None, [], "essentia could read less than half of the files, so its lines are missing."
    found = [features[str(tracks[index].path)] for index in readable]
    shapes = [{name: len(numbers) for name, numbers in one.items()} for one in found]
    common = [name for name in sorted(found[0]) if all(shape.get(name) == shapes[0][name] for shape in shapes)]
    numbers = np.array([np.concatenate([one[name] for name in common]) for one in found])
    said = f"essentia: {numbers.shape[1]} numbers per file, standardised, Euclidean; it read {len(found)} of the files."
    return standardised_distances(numbers), readable, said


def _essentia_features(paths: Sequence[str], python: Path) -> dict[str, Any]:
    """Ask essentia for what was not asked before; that takes minutes, so its answers are kept beside it."""
    kept = python.parent.parent / "features.json"
    features: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    missing = [path for path in paths if path not in features]
    if missing:
        script = Path(__file__).with_name("essentia_features.py")
        done = subprocess.run([str(python), str(script), *missing], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            features |= dict(zip(missing, json.loads(done.stdout), strict=True))
            kept.write_text(json.dumps(features), encoding="utf-8")
    return features


def memory_table(scratch: Path) -> Table:
    """Tabulate the memory that a passage of three hours takes, beside one of 90 seconds."""
    rows = []
    for name, length_s in (("90 s", 90), ("3 h", THREE_HOURS_S)):
        path = scratch / "long.pcm"
        block = (np.random.default_rng(1).standard_normal(RATE_HZ * 60) * 3000).astype("<i2").tobytes()
        with path.open("wb") as pcm:
            for _ in range(max(1, length_s // 60)):
                pcm.write(block)
        context = get_context("spawn")
        with context.Pool(1) as pool:
            before, after, seconds = pool.apply(_memory_of, (path,))
        rows.append((name, f"{before:.0f}", f"{after:.0f}", f"{seconds * 1000:.0f}"))
    columns = ("one passage of", "MB before", "MB at most", "CPU ms")
    return Table("Memory", columns, rows, "Resident memory of a new process, its libraries included.")


def _memory_of(path: Path) -> tuple[float, float, float]:
    before, started = _most_mb(), time.process_time()
    samples = path.stat().st_size // 2
    measure_passages(path, [Span(0, samples)], sample_rate_hz=RATE_HZ, channels=1)
    return before, _most_mb(), time.process_time() - started


def _most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
