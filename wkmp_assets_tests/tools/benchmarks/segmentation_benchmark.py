"""Judge how files are cut into passages, and write docs/benchmarks/segmentation.md.

`make bench-segmentation` runs it. The report is on music that nothing was chosen on, and on speech, through the
functions of the import's own phases.

With `--grid`, it writes docs/benchmarks/silence_settings.md instead: thresholds and shortest silences, tried on the
envelopes of the 100-file library, which served to choose.
"""

import argparse
import shutil
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
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS, HUNDRED_FILES, MusicFile, NoMusicError, find_music
from wkmp_assets_tests.tools.benchmarks.segmentation_cases import (
    SPEECH_PACKAGE,
    UNSEEN_PACKAGES,
    VOICES,
    find_tracks,
    plan_cases,
)
from wkmp_assets_tests.tools.benchmarks.segmentation_report import introduce_report, judge_all, report_tables
from wkmp_assets_tests.tools.benchmarks.segmentation_scores import Heard, Score, score
from wkmp_assets_tests.tools.datasets.debian_music import PackageUnavailableError, fetch_package

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.segmentation_benchmark"
THRESHOLDS_DB = (35.0, 45.0, 50.0, 55.0, 60.0, 63.0, 64.0, 65.0, 70.0, 75.0)
SILENCES_S = (0.3, 0.5, 1.0, 1.5, 1.8, 2.0, 2.5)
DEFAULT = (SILENCE_THRESHOLD.default, SILENCE_MIN.default / ticks.TICKS_PER_SECOND)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no music to judge, else 0."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Judge how files are cut into passages.")
    parser.add_argument("--grid", action="store_true", help="try silence settings on music with known gaps instead")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="for --grid, a library with a manifest.json")
    parser.add_argument("--out", type=Path, help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    try:
        if options.grid:
            heading = "How the silence settings were chosen"
            introduction, shown = _try_settings(options.music.absolute())
        else:
            heading = "How files are cut into passages"
            introduction, shown = _judge_unseen_music()
    except (NoMusicError, PackageUnavailableError) as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    loads.append(("at the end", load_now()))
    shown = [*shown, describe_machine(loads, Path(tempfile.gettempdir()))]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    out = options.out or DOCS / ("silence_settings.md" if options.grid else "segmentation.md")
    write_page(out, heading, introduction, shown)
    OUT.print(f"Written: {out}")
    return 0


def _judge_unseen_music() -> tuple[list[str], list[Table]]:
    tracks = find_tracks(UNSEEN_PACKAGES)
    outcomes = judge_all(list(plan_cases(tracks, _find_prompts())), load_settings().workers)
    return introduce_report(len(tracks)), report_tables(outcomes)


def _try_settings(music: Path) -> tuple[list[str], list[Table]]:
    heard = _hear(_music_with_gaps(music))
    scores = _grid(heard)
    return tables.introduction(heard, scores, DEFAULT, f"{MODULE} --grid"), tables.result_tables(scores, DEFAULT)


def _find_prompts() -> list[Path]:
    """List the prompts of one speaker; the programs that speak must be there as well."""
    for voice in VOICES:
        program = voice.split()[0]
        if program != "prompts" and shutil.which(program) is None:
            raise PackageUnavailableError(program, "it is not installed", f"Install it: apt-get install {program}")
    return sorted(fetch_package(SPEECH_PACKAGE).rglob("en_US_f_Allison/*.wav"))


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
