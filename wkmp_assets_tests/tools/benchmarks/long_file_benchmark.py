"""Measure the import of a file of three hours: `make bench-long`. Writes docs/benchmarks/long_file.md.

Real music of the 100-file library, the packets of its MP3 files one after the other in one file, imported by the real
job; the memory of every process is what the kernel says it was at most.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
from rich.console import Console

from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.model.phases import FLAVORS, SEGMENTS
from wkmp_assets_tests.tools.benchmarks.budgets import budgets, judged
from wkmp_assets_tests.tools.benchmarks.import_run import Measured, Task, run_import
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS, HUNDRED_FILES, NoMusicError, find_music

OUT = Console(highlight=False)
LENGTHS_S = (600, 3 * 3600)
RATE_HZ = 44_100


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no music to make a long file of."""
    parser = argparse.ArgumentParser(description="Measure the import of a file of three hours.")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="the 100-file library")
    parser.add_argument("--out", type=Path, default=DOCS / "long_file.md", help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    with tempfile.TemporaryDirectory(prefix="wkmp-long-") as scratch:
        try:
            sources = [file.path for file in find_music(options.music, subset=False) if file.format == "MP3"]
            measured = [_import_one(sources, length_s, Path(scratch) / str(length_s)) for length_s in LENGTHS_S]
        except NoMusicError as error:
            OUT.print(f"[bold red]Error:[/] {error}")
            return 1
    loads.append(("at the end", load_now()))
    tables = [_table(measured), _budgets(measured[-1]), describe_machine(loads, Path(tempfile.gettempdir()))]
    for table in tables:
        OUT.print(table.to_rich())
        OUT.print()
    what = (
        "`make bench-long` writes this page. It joins the packets of the 100-file library's MP3 files to one file. The "
        "real job imports that file, with one worker process beside the importing one."
    )
    write_page(options.out, "What a file of three hours takes", [what], tables)
    OUT.print(f"Written: {options.out}")
    return 0


def _import_one(sources: Sequence[Path], length_s: float, folder: Path) -> Measured:
    music = folder / "music"
    music.mkdir(parents=True)
    join_packets(sources, music / "long.mp3", length_s)
    return run_import(Task(music, folder / "library", workers=1))


def join_packets(sources: Sequence[Path], target: Path, length_s: float) -> None:
    """Copy packets of MP3 files into one, without encoding, until it has the given length in seconds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(target), "w", format="mp3") as joined:
        stream = joined.add_stream("mp3", rate=RATE_HZ, layout="stereo")
        written = 0
        for path in [*sources] * (1 + int(length_s / 600)):
            with av.open(str(path)) as source:
                template = source.streams.audio[0]
                if (template.rate, template.channels) != (RATE_HZ, 2):
                    continue
                for packet in source.demux(template):
                    if not packet.size:
                        continue
                    packet.stream, packet.pts = stream, written
                    joined.mux(packet)
                    written += 1152
            if written > length_s * RATE_HZ:
                return


def _table(measured: Sequence[Measured]) -> Table:
    rows = []
    for length_s, one in zip(LENGTHS_S, measured, strict=True):
        steps = one.first.breakdown.computing
        rows.append(
            (
                f"{length_s / 60:.0f} min",
                str(one.first.passages),
                f"{max(one.worker_peaks_mb):.0f}",
                f"{one.main_peak_mb:.0f}",
                *(f"{steps[name].wall_s:.1f}" for name in (SEGMENTS, FLAVORS)),
                f"{sum(steps[name].wall_s for name in PHASE_VALUES if name in steps):.1f}",
            )
        )
    columns = (
        "file of",
        "passages",
        "worker, MB at most",
        "main process, MB at most",
        "decode, s",
        "flavors, s",
        "all, s",
    )
    grown = max(measured[-1].worker_peaks_mb) - max(measured[0].worker_peaks_mb)
    return Table("Memory and time", columns, rows, f"The worker takes {grown:.0f} MB more for the longer file.")


def _budgets(longest: Measured) -> Table:
    peak = max(longest.worker_peaks_mb)
    return budgets([judged("peak memory of a worker, three hours, MB", peak, 500, 300, "{:.0f}")])


if __name__ == "__main__":
    sys.exit(main())
