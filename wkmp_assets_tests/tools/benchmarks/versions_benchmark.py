"""Import the same files with this code and with the code of an earlier commit, in turns: `make bench-versions`.

Times of different machines cannot be compared, and the limits of an import were set on another machine. So each limit
is taken as a share of what the earlier code took there. Writes docs/benchmarks/versions.md.
"""

import argparse
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from wkmp_assets_tests.tools.archives import unpack_tar
from wkmp_assets_tests.tools.benchmarks.budgets import MISSED
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import (
    DOCS,
    HUNDRED_FILES,
    ROOT,
    NoMusicError,
    find_music,
    link_library,
)
from wkmp_assets_tests.tools.benchmarks.scale_benchmark import make_tiny_files
from wkmp_assets_tests.tools.benchmarks.watched_import import Place, size_mb, watch_import

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.versions_benchmark"
EARLIER = "8119e86"
"""The code that the limits below were set against."""


class NoEarlierCodeError(Exception):
    """Git does not have the commit."""


@dataclass(frozen=True)
class Costs:
    """What one code took."""

    music_s: float
    """Wall time of the first import of the 100-file library."""
    file_ms: float
    """CPU of the main process for one tiny file more."""
    history_kb: float
    """What Dagster's history grows by with one tiny file more."""


@dataclass(frozen=True)
class Limit:
    """What the earlier code took on the machine on which a limit was set, and the limit."""

    name: str
    then: float
    limit: float

    @property
    def share(self) -> float:
        """The limit as a share of what the earlier code takes on any machine."""
        return self.limit / self.then


LIMITS = {
    "music_s": Limit("first import of the 100-file library, wall s", 18.3, 13.0),
    "file_ms": Limit("one file more, CPU ms of the main process", 55, 12),
    "history_kb": Limit("Dagster's history of one file more, KB", 122, 30),
}
"""From the page of import costs at the earlier commit, and its history; 13.0 s is 1.6 times the bare decode there."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 without music or without the earlier code, else 0."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Compare with an earlier commit.")
    parser.add_argument("--earlier", default=EARLIER, help="the commit to compare with")
    parser.add_argument("--rounds", type=int, default=3, help="how often each code is measured; medians count")
    parser.add_argument("--files", type=int, default=300, help="tiny files of the larger import; the other has a third")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="the 100-file library")
    parser.add_argument("--out", type=Path, default=DOCS / "versions.md", help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    found: dict[str, list[Costs]] = {"earlier": [], "now": []}
    with tempfile.TemporaryDirectory(prefix="wkmp-versions-") as scratch:
        folder = Path(scratch)
        try:
            music = link_library(find_music(options.music.absolute(), subset=False), folder / "music")
            codes = {"earlier": unpack(options.earlier, folder / "code"), "now": ROOT}
        except (NoMusicError, NoEarlierCodeError) as error:
            OUT.print(f"[bold red]Error:[/] {error}")
            return 1
        tiny = (folder / "fewer", folder / "more")
        make_tiny_files(tiny[0], options.files // 3)
        make_tiny_files(tiny[1], options.files)
        for number in range(options.rounds):
            for name, code in codes.items():
                OUT.print(f"round {number + 1}, {name} ...")
                found[name].append(measure(code, music, tiny, folder / "library"))
    loads.append(("at the end", load_now()))
    tables = [table_of(found), describe_machine(loads, Path(tempfile.gettempdir()))]
    for table in tables:
        OUT.print(table.to_rich())
        OUT.print()
    what = (
        f"`python -m {MODULE}` (`make bench-versions`) writes this page. Do not edit the page: run the command again. "
        f"It imports the same files with this code and with the code of commit {options.earlier}, in turns, "
        f"{options.rounds} times each, with the same Python and packages. Medians count."
    )
    how = (
        "The limits of an import were set against that commit on a machine that is not this one. So a limit counts as "
        "a share: *limit / then* is the limit beside what the earlier code took on that machine, and *now / earlier* "
        "is measured here. *One file more* is the difference between imports of "
        f"{options.files // 3} and {options.files} WAV files of 2 to 4 seconds, without what any import takes."
    )
    write_page(options.out, "Beside the code before", [what, how], tables)
    OUT.print(f"Written: {options.out}")
    return 0


def unpack(commit: str, folder: Path) -> Path:
    """Write the files of a commit into a folder and return it.

    Raises
    ------
    NoEarlierCodeError
        This is no checkout with its history, or it has no such commit.
    """
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        said = packed.stderr.decode(errors="replace").strip()
        raise NoEarlierCodeError(f"commit {commit} is not here ({said}): run it in a clone with its whole history")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        unpack_tar(archive, folder)
    return folder


def measure(code: Path, music: Path, tiny: tuple[Path, Path], folder: Path) -> Costs:
    """Import everything once with one code.

    Parameters
    ----------
    code : Path
        A checkout.
    music, tiny : Path
        The music, and two folders of tiny files, the smaller one first.
    folder : Path
        For the libraries, which are removed.
    """
    place = Place(music, folder, code=code)
    place.renew()
    whole = watch_import(place)
    files, cpu_s, history_mb = [], [], []
    for root in tiny:
        place = Place(root, folder, code=code)
        place.renew()
        seen = watch_import(place)
        files.append(seen.files)
        cpu_s.append(seen.cpu_s)
        history_mb.append(size_mb(place.home, lambda path: ".wkmp" not in path.parts))
    shutil.rmtree(folder)

    def slope(values: Sequence[float]) -> float:
        return 1000 * (values[1] - values[0]) / (files[1] - files[0])

    return Costs(whole.wall_s, slope(cpu_s), slope(history_mb))


def table_of(found: dict[str, list[Costs]]) -> Table:
    """Compare the two codes, and the ratio with that of each limit."""
    rows = []
    for field, limit in LIMITS.items():
        earlier, now = (median(getattr(costs, field) for costs in found[name]) for name in ("earlier", "now"))
        ratio = now / earlier
        verdict = "kept" if ratio <= limit.share else MISSED
        figures = (f"{limit.then:g}", f"{limit.limit:g}", f"{limit.share:.2f}", f"{earlier:.4g}", f"{now:.4g}")
        rows.append((limit.name, *figures, f"{ratio:.2f}", verdict))
    missed = [row[0] for row in rows if row[-1] == MISSED]
    columns = ("what", "then", "limit", "limit / then", "earlier, here", "now, here", "now / earlier", "verdict")
    return Table("Earlier and now", columns, rows, f"Limits missed: {'; '.join(missed) or 'none'}.")


if __name__ == "__main__":
    raise SystemExit(main())
