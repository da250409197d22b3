"""Compare an import with other programs on the same files: `make bench-peers`. Writes docs/benchmarks/peers.md.

The peers run in an environment of their own. Each gets the same files, in a process of its own, one after another.
A shorter run: `--files 5`.
"""

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from wkmp_assets_tests.tools.benchmarks.bare_decode import RATE_HZ
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import (
    DOCS,
    HUNDRED_FILES,
    ROOT,
    MusicFile,
    NoMusicError,
    find_music,
    link_library,
)
from wkmp_assets_tests.tools.benchmarks.watched_import import Place, watch_import

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.peers_benchmark"
PROCESSES = 2
"""Of each program that one can give a number of processes."""
NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")

BARE, WKMP, FPCALC, BEETS, ESSENTIA, LIBROSA = (
    "bare decode",
    "wkmp import",
    "fpcalc",
    "beet import, beet fingerprint",
    "essentia MusicExtractor",
    "librosa",
)
ABILITIES = {
    "reads tags into a library": (WKMP, BEETS),
    "fingerprints two minutes": (WKMP, FPCALC, BEETS),
    "cuts an album image into its tracks": (WKMP,),
    "lead-in and lead-out for crossfades": (WKMP,),
    "loudness (ITU-R BS.1770)": (WKMP, ESSENTIA),
    "tempo and key": (WKMP, ESSENTIA),
    "tempo": (WKMP, ESSENTIA, LIBROSA),
    "timbre and spectrum": (WKMP, ESSENTIA, LIBROSA),
    "tags such as happy or instrumental, offline": (WKMP,),
    "finds moved files and duplicates by content": (WKMP,),
    "goes on where a kill stopped it": (WKMP, BEETS),
    "a file is in the library wholly or not at all": (WKMP,),
    "asks services for the recording, where there is a network": (WKMP, BEETS),
    "chooses releases and writes tags, where there is a network": (BEETS,),
}
"""What each does. The last two were not part of the run."""


@dataclass(frozen=True)
class Cost:
    """What one program took for all files."""

    files: int
    """Files that it read."""
    wall_s: float
    cpu_s: float
    """Of all its processes, their start included."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no music, else 0."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Compare an import with other programs.")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="the 100-file library")
    parser.add_argument("--files", type=int, help="only so many files, evenly chosen")
    parser.add_argument("--peers", type=Path, help="a Python that has beets, essentia and librosa")
    parser.add_argument("--fpcalc", default=shutil.which("fpcalc"), help="the program of Chromaprint")
    parser.add_argument("--out", type=Path, default=DOCS / "peers.md", help="the page")
    options = parser.parse_args(arguments)
    try:
        files = _choose(find_music(options.music.absolute(), subset=False), options.files)
    except NoMusicError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    loads = [("at the start", load_now())]
    with tempfile.TemporaryDirectory(prefix="wkmp-peers-") as folder:
        costs, seconds = measure(files, Path(folder), options.peers, options.fpcalc)
    loads.append(("at the end", load_now()))
    shown = [
        cost_table(costs, len(files), seconds),
        ability_table(costs),
        describe_machine(loads, Path(tempfile.gettempdir())),
    ]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(options.out, "Beside other programs", _introduction(len(files)), shown)
    OUT.print(f"Written: {options.out}")
    return 0


def measure(
    files: Sequence[MusicFile], folder: Path, peers: Path | None, fpcalc: str | None
) -> tuple[dict[str, Cost], float]:
    """Give all files to one program after another; leave out those that are not installed.

    Returns
    -------
    tuple of dict and float
        Costs by program, and the length of all files in seconds.
    """
    music = link_library(list(files), folder / "music")
    paths = [music / file.relative for file in files]
    lengths: list[float] = []
    tasks: dict[str, Callable[[], int]] = {
        BARE: partial(_decode, paths, lengths),
        WKMP: partial(_import, music, folder / "wkmp"),
    }
    if fpcalc:
        tasks[FPCALC] = partial(_fingerprint, fpcalc, paths)
    if peers is not None and peers.exists():
        tasks[BEETS] = partial(_beets, peers, music, folder / "beets")
        tasks[ESSENTIA] = partial(_essentia, peers, paths)
        tasks[LIBROSA] = partial(_librosa, peers, folder / "compiled", paths)
        OUT.print("librosa compiles itself ...")  # a minute, once
        _librosa(peers, folder / "compiled", paths[:1])
    costs: dict[str, Cost] = {}
    for name, run in tasks.items():
        OUT.print(f"{name} ...")
        costs[name] = _cost(run)
    return costs, sum(lengths)


def _choose(files: list[MusicFile], number: int | None) -> list[MusicFile]:
    """Return the files of their own content, or so many of them from all formats."""
    own = [file for file in files if file.kind != "duplicate"]
    return own if number is None else own[:: max(1, len(own) // number)][:number]


def _cost(run: Callable[[], int]) -> Cost:
    started, before = time.perf_counter(), _children_s()
    files = run()
    return Cost(files, time.perf_counter() - started, _children_s() - before)


def _children_s() -> float:
    """Return the CPU of all processes that this one has started and that have ended, with those that they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(command: Sequence[str | Path], **environment: str) -> str:
    """Run a program without a network; return what it printed, also when it failed for some file."""
    done = subprocess.run(
        list(map(str, command)),
        env={**os.environ, **NO_NETWORK, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    return done.stdout


def _decode(paths: Sequence[Path], lengths: list[float]) -> int:
    code = (
        "import sys; from concurrent.futures import ProcessPoolExecutor; from pathlib import Path; "
        "from wkmp_assets_tests.tools.benchmarks.bare_decode import decode_bare; "
        f"print(list(ProcessPoolExecutor({PROCESSES}).map(decode_bare, map(Path, sys.argv[1:]))))"
    )
    samples = json.loads(_run([sys.executable, "-c", code, *paths]))
    lengths += [number / RATE_HZ for number in samples]
    return sum(number > 0 for number in samples)


def _import(music: Path, folder: Path) -> int:
    place = Place(music, folder, workers=PROCESSES)
    place.renew()
    return watch_import(place).files


def _fingerprint(fpcalc: str, paths: Sequence[Path]) -> int:
    with ThreadPoolExecutor(PROCESSES) as pool:
        return sum("FINGERPRINT=" in said for said in pool.map(lambda path: _run([fpcalc, path]), paths))


def _beets(python: Path, music: Path, folder: Path) -> int:
    """Import without asking for releases, which needs a network, then fingerprint as the plugin does."""
    folder.mkdir()
    config = {
        "directory": str(music),
        "library": str(folder / "library.db"),
        "plugins": ["chroma"],
        "import": {"copy": False, "write": False, "autotag": False, "quiet": True, "duplicate_action": "keep"},
        "threaded": True,
    }
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    for command in (["import", "--quiet", music], ["fingerprint"]):
        _run([python, "-m", "beets", *command], BEETSDIR=str(folder))
    with closing(sqlite3.connect(folder / "library.db")) as library:
        return int(library.execute("SELECT count(*) FROM items WHERE acoustid_fingerprint <> ''").fetchone()[0])


def _essentia(python: Path, paths: Sequence[Path]) -> int:
    script = Path(__file__).with_name("essentia_features.py")
    return sum(one is not None for one in json.loads(_run([python, script, *paths]) or "[]"))


def _librosa(python: Path, compiled: Path, paths: Sequence[Path]) -> int:
    script = Path(__file__).with_name("peer_features.py")
    return int(_run([python, script, *paths], NUMBA_CACHE_DIR=str(compiled)) or 0)


def cost_table(costs: dict[str, Cost], files: int, seconds: float) -> Table:
    """Show what each program took, beside a bare decode."""
    bare = costs[BARE]
    rows = [
        [
            name,
            f"{cost.files} of {files}",
            f"{cost.wall_s:.1f} s",
            f"{cost.cpu_s:.1f} s",
            f"{cost.wall_s / bare.wall_s:.2f}",
            f"{cost.cpu_s / bare.cpu_s:.2f}",
        ]
        for name, cost in costs.items()
    ]
    reading = (
        f"{seconds / 60:.0f} minutes of sound. Start and end of each program count. fpcalc is started once for each "
        "file and stops after two minutes of it. A file that a program cannot read costs it little."
    )
    columns = ("program", "files read", "wall", "CPU", "wall / bare decode", "CPU / bare decode")
    return Table("The same files in one run", columns, rows, reading)


def ability_table(costs: dict[str, Cost]) -> Table:
    """Show what each program does and does not do."""
    programs = [name for name in costs if name != BARE]
    rows = [
        [what, *("yes" if name in who else "-" for name in programs)]
        for what, who in ABILITIES.items()
        if any(name in who for name in programs)
    ]
    reading = "The last two were not part of this run. Plugins and models that have to be added are left out."
    return Table("What each does", ("", *programs), rows, reading, is_text=True)


def _introduction(files: int) -> list[str]:
    how = (
        f"`make bench-peers` writes this page from one run over {files} files of the 100-file library, without its "
        f"duplicates. Programs that take a number of processes have {PROCESSES}. None has a network."
    )
    who = (
        "*wkmp import* does all its phases. *beet import* reads tags with `--noautotag`, and `beet fingerprint` of its "
        "plugin chroma follows: choosing a release needs a network. *essentia* is its MusicExtractor with all "
        "descriptors. *librosa* measures beats, chromagram, MFCC, and centroid, roll-off, contrast, zero crossings and "
        "level of the spectrum; that it compiles itself at its first start is not counted."
    )
    return [how, who]


if __name__ == "__main__":
    raise SystemExit(main())
