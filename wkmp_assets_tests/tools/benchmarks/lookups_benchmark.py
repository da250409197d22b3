"""Look passages up from several imports at once: `python -m wkmp_assets_tests.tools.benchmarks.lookups_benchmark`.

Starts `wkmp import` several times on one copy of a library, against AcoustID, MusicBrainz and AcousticBrainz spoken by
a server on this machine, with the services' real intervals; then once more with everything already asked. Writes
docs/benchmarks/lookups.md.
"""

import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from wkmp_assets_tests.support.music_services import KEY, MusicServices, know_everything, music_services
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS, HUNDRED_FILES, ROOT, NoMusicError, find_music

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.lookups_benchmark"
LIMITS_PER_S = {"AcoustID": 3, "MusicBrainz": 1, "AcousticBrainz": 1}
"""What the services allow: https://acoustid.org/webservice and https://musicbrainz.org/doc/MusicBrainz_API/Rate_Limiting;
AcousticBrainz, which is not maintained, is asked as rarely as MusicBrainz."""
SLACK_S = 0.25
"""Requests that are sent an interval apart may arrive closer, because the machine may delay one of them."""
TIMEOUT_S = 1800


@dataclass(frozen=True)
class Together:
    """Figures of several imports at once."""

    seconds: float
    exits: tuple[int, ...]
    arrivals: dict[str, list[float]]
    """Monotonic seconds, by service."""
    passages: int
    with_song: int
    files: dict[str, int]
    """Number by status."""


@dataclass(frozen=True)
class Again:
    """Figures of one forced import after them."""

    exit: int
    requests: int
    locks: str
    """Its output about write locks."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no music or an expectation is missed, else 0."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Look passages up from several imports.")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="a library; a copy is imported")
    parser.add_argument("--imports", type=int, default=8, help="how many at once")
    parser.add_argument("--out", type=Path, default=DOCS / "lookups.md", help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    try:
        find_music(options.music.absolute(), subset=False)
    except NoMusicError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    with tempfile.TemporaryDirectory(prefix="wkmp-lookups-") as folder, music_services() as services:
        know_everything(services)
        music = Path(folder) / "music"
        shutil.copytree(options.music, music, ignore=shutil.ignore_patterns("wkmp.db*", ".wkmp"))
        environment = _environment(Path(folder), music, services)
        together = _import_together(options.imports, music, environment, services)
        again = _import_again(music, environment, services)
    loads.append(("at the end", load_now()))
    expectations = expect(together, again)
    shown = [
        rates_table(together.arrivals),
        Table("Expectations", ("Expected", "Measured", ""), expectations, is_text=True),
        describe_machine(loads, Path(tempfile.gettempdir())),
    ]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(options.out, "Looking passages up", _introduction(options, together), shown)
    OUT.print(f"Written: {options.out}")
    return 0 if all(verdict == "ok" for *_, verdict in expectations) else 1


def _environment(folder: Path, music: Path, services: MusicServices) -> dict[str, str]:
    home = folder / "home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "DAGSTER_HOME": str(home),
        "WKMP_LIBRARY_ROOT": str(music),
        # Small runs: each import gets many of them, so that all work side by side until the end.
        "WKMP_FILES_PER_RUN": "4",
        "WKMP_ACOUSTID_API_KEY": KEY,
        "WKMP_ACOUSTID_URL": services.acoustid_url,
        "WKMP_MUSICBRAINZ_URL": services.musicbrainz_url,
        "WKMP_ACOUSTICBRAINZ_URL": services.acousticbrainz_url,
    }


def _command(music: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "wkmp_assets.cli.main", "import", str(music), "--workers", "1", *options]


def _import_together(number: int, music: Path, environment: dict[str, str], services: MusicServices) -> Together:
    began = time.monotonic()
    # The command and its options are this module's own.
    processes = [
        subprocess.Popen(_command(music), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(number)
    ]
    try:
        exits = tuple(process.wait(TIMEOUT_S) for process in processes)
    finally:
        for process in processes:
            process.kill()
    seconds = time.monotonic() - began
    with closing(sqlite3.connect(music / "wkmp.db")) as database:
        passages, with_song = database.execute("SELECT count(*), count(song_id) FROM passages").fetchone()
        files = dict(database.execute("SELECT status, count(*) FROM files GROUP BY status ORDER BY status"))
    arrivals = {service: services.times(service) for service in LIMITS_PER_S}
    return Together(seconds, exits, arrivals, passages, with_song, files)


def _import_again(music: Path, environment: dict[str, str], services: MusicServices) -> Again:
    before = len(services.asked)
    done = subprocess.run(
        _command(music, "--force"), env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )
    locks = re.search(r"[\d.]+ per file written, at most \d+", done.stdout)
    return Again(done.returncode, len(services.asked) - before, locks.group() if locks else "says nothing")


def expect(together: Together, again: Again) -> list[tuple[str, str, str]]:
    """Compare the measurements with the expectations: expected, measured, `ok` or `MISSED`."""
    rows = [
        ("every import ends well", f"exit codes {sorted(set(together.exits))}", set(together.exits) == {0}),
        (
            "every passage that is long enough has a song",
            f"{together.with_song} of {together.passages}",
            together.with_song == together.passages > 0,
        ),
    ]
    for service, limit in LIMITS_PER_S.items():
        most = busiest(together.arrivals[service], 10)
        rows.append((f"{service}: at most {limit} a second", f"{most} in the busiest 10 s", most <= allowed(limit, 10)))
    rows += [
        ("an import after them asks nothing", f"{again.requests} requests", again.requests == 0),
        ("and writes with one lock a file", again.locks, again.locks == "1.00 per file written, at most 1"),
        ("and ends well", f"exit code {again.exit}", again.exit == 0),
    ]
    return [(expected, measured, "ok" if is_met else "MISSED") for expected, measured, is_met in rows]


def busiest(arrivals: Sequence[float], window_s: float) -> int:
    """Count the most arrivals within any half-open window."""
    times = sorted(arrivals)
    return max((bisect_left(times, time + window_s) - number for number, time in enumerate(times)), default=0)


def allowed(limit_per_s: float, window_s: float) -> int:
    """Return how many requests sent at the limit may arrive within a window, the machine's delays included."""
    return int(limit_per_s * (window_s + SLACK_S)) + 1


def rates_table(arrivals: dict[str, list[float]]) -> Table:
    """Show how densely requests arrived at each service."""
    rows = []
    for service, limit in LIMITS_PER_S.items():
        times = arrivals[service]
        lasted = times[-1] - times[0] if len(times) > 1 else 0.0
        mean = f"{(len(times) - 1) / lasted:.2f}" if lasted else "-"
        rows.append((service, str(limit), str(len(times)), mean, str(busiest(times, 1)), str(busiest(times, 10))))
    columns = ("Service", "Limit, 1/s", "Requests", "Mean, 1/s", "Busiest second", "Busiest 10 s")
    return Table("Requests, as the server saw them", columns, rows)


def _introduction(options: argparse.Namespace, together: Together) -> list[str]:
    files = ", ".join(f"{count} {status}" for status, count in together.files.items())
    started = (
        f"`make bench-lookups` writes this page. {options.imports} `wkmp import` of `{options.music.name}` start at "
        "once on one library. They ask one server on this machine. As AcoustID and MusicBrainz it knows every "
        "fingerprint, as AcousticBrainz it knows nothing. The intervals between requests are the defaults, which all "
        "processes share."
    )
    ended = (
        f"They took {together.seconds:.0f} s together. Files: {files}. "
        f"{together.with_song} of {together.passages} passages have a song. "
        "Ten seconds may hold one request more than ten times the limit, and requests that arrive "
        f"{SLACK_S:g} s late."
    )
    return [started, ended]


if __name__ == "__main__":
    raise SystemExit(main())
