"""Judge silence settings and write docs/benchmarks/segmentation.md.

`python -m wkmp_assets_tests.tools.benchmarks.segmentation_benchmark` runs it.

Decodes every file of the 100-file library once and tries a grid of thresholds and shortest silences on its envelope.
"""

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.db.read.library_settings import MIN_PASSAGE, SILENCE_MIN, SILENCE_THRESHOLD
from wkmp_assets.model import ticks
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.tools.benchmarks import segmentation_tables as tables
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS, HUNDRED_FILES, MusicFile, NoMusicError, find_music
from wkmp_assets_tests.tools.benchmarks.segmentation_scores import Heard, Score, score

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.segmentation_benchmark"
THRESHOLDS_DB = (35.0, 45.0, 50.0, 55.0, 60.0, 63.0, 64.0, 65.0, 70.0, 75.0)
SILENCES_S = (0.3, 0.5, 1.0, 1.5, 1.8, 2.0, 2.5)
DEFAULT = (SILENCE_THRESHOLD.default, SILENCE_MIN.default / ticks.TICKS_PER_SECOND)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no music with a manifest, else 0."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {MODULE}", description="Judge silence settings on music with known gaps."
    )
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="a library with a manifest.json")
    parser.add_argument("--out", type=Path, default=DOCS / "segmentation.md", help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    try:
        files = _music_with_gaps(options.music.absolute())
    except NoMusicError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    heard = _hear(files)
    scores = _grid(heard)
    loads.append(("at the end", load_now()))
    shown = [*tables.result_tables(scores, DEFAULT), describe_machine(loads, Path(tempfile.gettempdir()))]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(
        options.out, "How files are cut into passages", tables.introduction(heard, scores, DEFAULT, MODULE), shown
    )
    OUT.print(f"Written: {options.out}")
    return 0


def _music_with_gaps(root: Path) -> list[MusicFile]:
    files = [file for file in find_music(root, subset=False) if file.kind != "duplicate"]
    if not any(file.gaps_s for file in files):
        raise NoMusicError(f"{root} has no manifest with planted gaps; build the 100-file library: make dataset")
    return files


def _hear(files: Sequence[MusicFile]) -> list[Heard]:
    """Decode every file once, in worker processes."""
    with ProcessPoolExecutor(load_settings().workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_hear_one, files))


def _hear_one(file: MusicFile) -> Heard:
    _, envelope = measure_file(file.path, pcm_path=None, display_path=file.relative)
    return Heard(file.relative, file.kind, file.gaps_s, envelope)


def _grid(heard: Sequence[Heard]) -> list[Score]:
    """Score every cell; the default is one of them, wherever it lies."""
    cells = sorted({(threshold, silence) for threshold in THRESHOLDS_DB for silence in SILENCES_S} | {DEFAULT})
    return [score(heard, threshold, silence, int(MIN_PASSAGE.default)) for threshold, silence in cells]


if __name__ == "__main__":
    raise SystemExit(main())
