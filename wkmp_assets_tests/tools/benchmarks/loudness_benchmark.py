"""Compare loudness with FFmpeg's meter: `make bench-loudness`. Writes docs/benchmarks/loudness.md.

The meter is FFmpeg's filter `ebur128`, over a decode of its own. Costs are CPU beside a bare decode of the same file.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from statistics import median

import av
from av.filter import Graph
from rich.console import Console
from threadpoolctl import threadpool_limits

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.loudness import measure_loudness
from wkmp_assets.model.values import Span
from wkmp_assets.report.text import percentile
from wkmp_assets_tests.tools.benchmarks.bare_decode import add_source, decode_bare, frames_of
from wkmp_assets_tests.tools.benchmarks.budgets import budgets, judged
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import (
    DOCS,
    HUNDRED_FILES,
    MusicFile,
    NoMusicError,
    find_music,
)
from wkmp_assets_tests.tools.benchmarks.without_loudness import without_loudness

OUT = Console(highlight=False)
FILES = 60
CLOSE_LU, WORST_LU, CLOSE_SHARE = 0.1, 0.3, 0.95
MAX_COST, AIM_COST = 0.50, 0.25
COST_FILES, REPEATS = 2, 3
"""So many files of each format, and each one so often: the least of the times counts."""


@dataclass(frozen=True)
class Comparison:
    """One file, measured by both."""

    format: str
    integrated_lu: float
    """Ours minus the meter's."""
    range_lu: float


@dataclass(frozen=True)
class Cost:
    """CPU seconds of one file."""

    format: str
    bare_s: float
    ours_s: float
    """What the loudness adds to the decode of an import."""
    meter_s: float
    """What FFmpeg's filter adds to a decode."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no music, else 0, requirements kept or not."""
    parser = argparse.ArgumentParser(description="Compare loudness with FFmpeg's meter.")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="root of the library")
    parser.add_argument("--files", type=int, default=FILES, help="so many are compared")
    parser.add_argument("--out", type=Path, default=DOCS / "loudness.md", help="the page")
    options = parser.parse_args(arguments)
    try:
        files = choose_files(find_music(options.music.absolute(), subset=False), options.files)
    except NoMusicError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    loads = [("at the start", load_now())]
    with threadpool_limits(1):  # as in a worker
        found = [compare(file) for file in files]
        costs = [measure_cost(file) for file in _of_each_format(files, COST_FILES)]
    loads.append(("at the end", load_now()))
    tables = [
        budget_table(found, costs),
        accuracy_table(found),
        cost_table(costs),
        describe_machine(loads, Path(tempfile.gettempdir())),
    ]
    for table in tables:
        OUT.print(table.to_rich())
    albums = len({file.path.parent for file in files})
    what = (
        f"`make bench-loudness` writes this page. It measures {len(files)} files of {albums} albums in the 100-file "
        "library, of each album as many as of the others, as far as it has them. Nothing in the measurement was chosen "
        "by music: its constants are those of ITU-R BS.1770-5. The other meter is FFmpeg's filter `ebur128`, over a "
        "decode of its own."
    )
    write_page(options.out, "Loudness beside another meter", [what], tables)
    OUT.print(f"Written: {options.out}")
    return 0


def choose_files(files: Sequence[MusicFile], count: int) -> list[MusicFile]:
    """Return the first file of each album, then the second ones and so on; copies of a file are left out."""
    albums: dict[Path, list[MusicFile]] = {}
    for file in files:
        if file.kind != "duplicate":
            albums.setdefault(file.path.parent, []).append(file)
    in_turns = chain.from_iterable(zip_longest(*albums.values()))
    return [file for file in in_turns if file is not None][:count]


def compare(file: MusicFile) -> Comparison:
    """Measure a file with both."""
    audio, envelope = measure_file(file.path, pcm_path=None, display_path=file.relative)
    if envelope.loudness is None:
        raise AssertionError("a decode leaves a loudness curve")
    ours = measure_loudness(envelope.loudness, Span(0, audio.total_samples))
    said = read_meter(file.path)
    if ours is None or ours.range_lu is None:
        raise AssertionError("a track lasts for seconds")
    integrated_lu = ours.integrated_lufs - float(said["lavfi.r128.I"])
    return Comparison(file.format, integrated_lu, ours.range_lu - float(said["lavfi.r128.LRA"]))


def read_meter(path: Path) -> dict[str, str]:
    """Return what `ebur128` says at the end of a file."""
    frames = frames_of(path)
    first = next(frames)
    graph = Graph()
    source = add_source(graph, first)
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    said: dict[str, str] = {}
    for frame in chain([first], frames, [None]):
        source.push(frame)
        try:
            while True:
                said = dict(sink.pull().metadata) or said
        except (av.error.BlockingIOError, av.error.EOFError):
            continue
    return said


def measure_cost(file: MusicFile) -> Cost:
    """Measure what both cost, each switched on and off in turns."""

    def decode() -> None:
        measure_file(file.path, pcm_path=None, display_path=file.relative)

    def decode_without() -> None:
        with without_loudness():
            decode()

    def drop_frames() -> None:
        for _ in frames_of(file.path):
            pass

    runs: list[Callable[[], object]] = [
        lambda: decode_bare(file.path),
        decode,
        decode_without,
        lambda: read_meter(file.path),
        drop_frames,
    ]
    rounds = [[_cpu_s(run) for run in runs] for _ in range(REPEATS)]
    bare_s, with_s, without_s, meter_s, frames_s = (min(times) for times in zip(*rounds, strict=True))
    return Cost(file.format, bare_s, with_s - without_s, meter_s - frames_s)


def _cpu_s(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def _of_each_format(files: Sequence[MusicFile], count: int) -> list[MusicFile]:
    formats = sorted({file.format for file in files})
    return [file for name in formats for file in [file for file in files if file.format == name][:count]]


def budget_table(found: Sequence[Comparison], costs: Sequence[Cost]) -> Table:
    """Compare with what is required."""
    off = [abs(one.integrated_lu) for one in found]
    far = sum(lu > CLOSE_LU for lu in off) / len(off)
    share = sum(cost.ours_s for cost in costs) / sum(cost.bare_s for cost in costs)
    rows = [
        judged("largest difference of integrated loudness, LU", max(off), WORST_LU, CLOSE_LU, "{:.3f}"),
        judged(f"share of files that differ by more than {CLOSE_LU} LU", far, 1 - CLOSE_SHARE, 0, "{:.2f}"),
        judged("CPU of loudness / one bare decode", share, MAX_COST, AIM_COST, "{:.2f}"),
    ]
    return budgets(rows)


def accuracy_table(found: Sequence[Comparison]) -> Table:
    """Show the differences, by format."""
    formats = sorted({one.format for one in found})
    rows = []
    for name, some in [*((name, [one for one in found if one.format == name]) for name in formats), ("all", found)]:
        off, ranges = ([abs(value) for value in values] for values in zip(*map(_differences, some), strict=True))
        close = f"{sum(lu <= CLOSE_LU for lu in off)} of {len(off)}"
        shown = (f"{value:.3f}" for value in (median(off), percentile(off, 95), max(off), median(ranges), max(ranges)))
        rows.append((name, str(len(off)), close, *shown))
    reading = "Differences without their signs. For the range, EBU Tech 3342 allows its test signals 1 LU."
    columns = (
        "format",
        "files",
        f"integrated: within {CLOSE_LU} LU",
        "median, LU",
        "95th percentile",
        "worst",
        "range: median, LU",
        "worst",
    )
    return Table("Difference from the meter", columns, rows, reading)


def _differences(one: Comparison) -> tuple[float, float]:
    return one.integrated_lu, one.range_lu


def cost_table(costs: Sequence[Cost]) -> Table:
    """Show what both meters cost, by format."""
    formats = sorted({cost.format for cost in costs})
    rows = []
    for name, some in [*((name, [cost for cost in costs if cost.format == name]) for name in formats), ("all", costs)]:
        bare_s = sum(cost.bare_s for cost in some)
        ours, meter = (
            sum(times) / bare_s for times in zip(*((cost.ours_s, cost.meter_s) for cost in some), strict=True)
        )
        rows.append((name, str(len(some)), f"{1000 * bare_s / len(some):.0f}", f"{ours:.2f}", f"{meter:.2f}"))
    reading = (
        "Each file's figures are the least of some rounds, in which the decodes take turns. What a meter costs is the "
        "difference to the same decode without it. Ratios are ratios of sums."
    )
    columns = ("format", "files", "bare decode, CPU ms", "loudness / bare decode", "`ebur128` / bare decode")
    return Table("Cost", columns, rows, reading)


if __name__ == "__main__":
    raise SystemExit(main())
