"""Measure how soon files are in the library, how an import stops, and 100,000 files: `make bench-scale`.

Writes docs/benchmarks/scale.md, or many_files.md with `--light`. Every import is a real `wkmp import` in a process of
its own, with a new library. A shorter run: `--files 2000`.
"""

import argparse
import shutil
import signal
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from wkmp_assets_tests.tools.benchmarks.budgets import budgets, judged
from wkmp_assets_tests.tools.benchmarks.long_file_benchmark import join_packets
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.many_files import paths_of
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import (
    DOCS,
    HUNDRED_FILES,
    NoMusicError,
    find_music,
    link_library,
)
from wkmp_assets_tests.tools.benchmarks.watched_import import (
    Place,
    Watched,
    find_lost,
    interrupted_after,
    size_mb,
    watch_import,
)

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.scale_benchmark"
LIGHT = "wkmp_assets_tests.tools.benchmarks.light_workers"
FILES = 100_000
IMAGE_S = 75 * 60
"""unit=s: length of the album image among the files."""
TINY_RATE_HZ = 8000
TINY_SIZES = 16_000
"""How many different sizes the tiny files have: 2 to 4 s of 8-bit sound."""


@dataclass(frozen=True)
class Scale:
    """What one run of the benchmark measured."""

    music: Watched
    music_files: int
    stopped: Watched
    lost: int
    """Files that were decoded when the import stopped, and are not in its library."""
    stopped_twice: Watched
    tiny: Watched
    tiny_files: int
    history_mb: float
    again: Watched


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no music, else 0, budgets kept or not."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Measure imports of many files.")
    parser.add_argument("--files", type=int, default=FILES, help="number of tiny files")
    parser.add_argument("--light", action="store_true", help="let each worker measure one tiny file for all of its own")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="the 100-file library")
    parser.add_argument("--scratch", type=Path, help="where to put 25 KB per tiny file; default: the temporary folder")
    parser.add_argument("--out", type=Path, help="the page; default: docs/benchmarks/scale.md or many_files.md")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    with tempfile.TemporaryDirectory(prefix="wkmp-scale-", dir=options.scratch) as scratch:
        try:
            scale = measure(options.music.absolute(), options.files, Path(scratch), light=options.light)
        except NoMusicError as error:
            OUT.print(f"[bold red]Error:[/] {error}")
            return 1
    loads.append(("at the end", load_now()))
    tables = [budget_table(scale), import_table(scale), describe_machine(loads, Path(tempfile.gettempdir()))]
    for table in tables:
        OUT.print(table.to_rich())
        OUT.print()
    command = f"python -m {MODULE}" + ("" if options.files == FILES else f" --files {options.files}")
    command += " --light" if options.light else ""
    what = (
        f"`{command}` (`make bench-scale`) writes this page. Do not edit the page: run the command again. Each import "
        "is a `wkmp import` in a process of its own. The benchmark looks into the library from outside, 20 times a "
        "second, so times are from the start of the command."
    )
    files = (
        f"*Music* is the 100-file library with an album image of {IMAGE_S // 60} minutes beside it. *Tiny files* are "
        f"generated WAV files of 2 to 4 seconds, each with its own sound, in folders of 20. They have "
        f"{TINY_SIZES:,} different sizes."
    )
    light = (
        "To hear all tiny files would take hours, and the main process does the same whatever is heard. So each worker "
        "measures one of them. Of every other one it reads the hash and the tags, and returns the measures of that one."
    )
    said = [what, files, *([light] if options.light else [])]
    page = options.out or DOCS / ("many_files.md" if options.light else "scale.md")
    write_page(page, "How soon, how many, and how it stops", said, tables)
    OUT.print(f"Written: {page}")
    return 0


def measure(music: Path, tiny_files: int, folder: Path, *, light: bool = False) -> Scale:
    """Do all imports, one after another; with `light` the workers hear few of the tiny files.

    Raises
    ------
    NoMusicError
        The music folder holds no music.
    """
    files = find_music(music, subset=False)
    library = link_library(files, folder / "music")
    sources = [file.path for file in files if file.format == "MP3"]
    join_packets(sources, library / "Album image" / "image.mp3", IMAGE_S)
    place = Place(library, folder / "library")
    OUT.print(f"{len(files) + 1} files of music ...")
    place.renew()
    whole = watch_import(place)
    OUT.print("the same, stopped ...")
    place.renew()
    stopped = watch_import(place, interrupted_after(2.0))
    lost = find_lost(place)
    place.renew()
    twice = watch_import(place, [*interrupted_after(2.0), (0.2, signal.SIGINT)])
    shutil.rmtree(place.folder)
    OUT.print(f"{tiny_files:,} tiny files ...")
    place = Place(folder / "tiny", folder / "library")
    if light:
        place.command = LIGHT
    make_tiny_files(place.music, tiny_files)
    place.renew()
    tiny = watch_import(place)
    history_mb = size_mb(place.home, lambda path: ".wkmp" not in path.parts)
    OUT.print("the same, unchanged ...")
    again = watch_import(place)
    return Scale(whole, len(files) + 1, stopped, lost, twice, tiny, tiny_files, history_mb, again)


def make_tiny_files(root: Path, number: int) -> None:
    """Write that many WAV files, each with its own sound."""
    random = np.random.default_rng(1)
    for index, path in enumerate(paths_of(number)):
        file = (root / path).with_suffix(".wav")
        file.parent.mkdir(parents=True, exist_ok=True)
        samples = 2 * TINY_RATE_HZ + index * 7 % TINY_SIZES
        with wave.open(str(file), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(1)
            sound.setframerate(TINY_RATE_HZ)
            sound.writeframes(random.integers(64, 192, samples, dtype=np.uint8).tobytes())


def budget_table(scale: Scale) -> Table:
    """Compare the figures with their budgets."""
    tiny = f"{scale.tiny_files:,} tiny files"
    share = scale.tiny_files / FILES

    def again_s(whole_s: float) -> float:
        """Return a budget for fewer files; the command takes a few seconds without any."""
        return round(whole_s * share + 5 * (1 - share), 1)

    return budgets(
        [
            judged("first file in the library, s", scale.music.first_s, 8, 4, "{:.1f}"),
            judged("longest time without a commit, s", scale.music.longest_gap_s, 8, 4, "{:.1f}"),
            judged("Ctrl-C: time to stop, s", scale.stopped.stopping_s, 3, 1, "{:.1f}"),
            judged("second Ctrl-C: time to the end, s", scale.stopped_twice.stopping_s, 1.5, 1, "{:.1f}"),
            judged(f"{tiny}: unchanged re-import, s", scale.again.wall_s, again_s(60), again_s(30), "{:.1f}"),
            judged(f"{tiny}: peak memory of the main process, MB", scale.tiny.peak_mb, 400, 250, "{:.0f}"),
            judged(f"{tiny}: Dagster's history, KB per file", _history_kb(scale), 30, 15, "{:.1f}"),
        ]
    )


def _history_kb(scale: Scale) -> float:
    return 1000 * scale.history_mb / scale.tiny_files


def import_table(scale: Scale) -> Table:
    """Tabulate every import."""
    named = {
        "music": (scale.music, scale.music_files),
        "music, Ctrl-C 2 s after the first commit": (scale.stopped, scale.music_files),
        "music, Ctrl-C twice": (scale.stopped_twice, scale.music_files),
        "tiny files": (scale.tiny, scale.tiny_files),
        "tiny files, unchanged": (scale.again, scale.tiny_files),
    }
    rows = [_row(name, seen, files) for name, (seen, files) in named.items()]
    columns = (
        "import", "files", "in the library", "wall s", "first file, s", "longest gap, s", "files/s", "main process, MB",
        "exit status",
    )  # fmt: skip
    safe = "" if scale.stopped.said_safe is None else f", and it said so of {scale.stopped.said_safe}"
    reading = (
        f"The stopped import had {scale.stopped.files} files in its library{safe}. {scale.lost} more were decoded: "
        "the workers had these in hand."
    )
    return Table("The imports", columns, rows, reading)


def _row(name: str, seen: Watched, files: int) -> Sequence[str]:
    is_first = bool(seen.commits)
    return (
        name,
        f"{files:,}",
        f"{seen.files:,}" if is_first else f"{files:,}",
        f"{seen.wall_s:.1f}",
        f"{seen.first_s:.1f}" if is_first else "-",
        f"{seen.longest_gap_s:.1f}" if is_first else "-",
        f"{(seen.files or files) / seen.wall_s:.1f}",
        f"{seen.peak_mb:.0f}",
        str(seen.status),
    )


if __name__ == "__main__":
    raise SystemExit(main())
