"""Time the start of the commands that read: `make bench-startup`. Writes docs/benchmarks/startup.md.

Each command is a process of its own on the imported sample library. All commands and a bare Python run in turns, so
that a busy moment of the machine meets all of them.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.workplace import make_workplace
from wkmp_assets_tests.tools.benchmarks.budgets import MISSED, budgets, judged
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS
from wkmp_assets_tests.tools.benchmarks.reading_benchmark import LIKED

OUT = Console(highlight=False)
ROUNDS = 9
START_S = 0.4
"""Budget in seconds of CPU, from the start of the process to its end."""
AIM_S = 0.3
BARE = "python -c pass"


@dataclass(frozen=True)
class Start:
    """One run of a command."""

    wall_s: float
    cpu_s: float
    """User and system."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when a budget is missed, else 0."""
    parser = argparse.ArgumentParser(description="Time the start of the commands that read.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each command runs")
    parser.add_argument("--out", type=Path, default=DOCS / "startup.md", help="the page")
    options = parser.parse_args(arguments)
    loads = [("at the start", load_now())]
    with tempfile.TemporaryDirectory(prefix="wkmp-startup-") as scratch:
        place = make_workplace(Path(scratch), SAMPLE_LIBRARY)
        place.wkmp_process("import", place.music).check_returncode()
        starts = run_in_turns(commands_of(place.music), place.environment(), options.rounds)
    loads.append(("at the end", load_now()))
    judgement = budgets([*judge(starts)])
    shown = [tabulate(starts), judgement, describe_machine(loads, Path(tempfile.gettempdir()))]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(options.out, "The start of commands that read", [_introduction(options.rounds)], shown)
    OUT.print(f"Written: {options.out}")
    return 1 if any(row[-1] == MISSED for row in judgement.rows) else 0


def commands_of(music: Path) -> dict[str, list[str]]:
    """Return what to run by its name: a bare Python, and each command that reads."""
    wkmp, liked = [sys.executable, "-m", "wkmp_assets.cli.main"], str(music / LIKED)
    of_folder = ("status", "failures", "missing", "duplicates", "warnings", "list")
    return {
        BARE: [sys.executable, "-c", "pass"],
        **{f"wkmp {name}": [*wkmp, name, str(music)] for name in of_folder},
        "wkmp search": [*wkmp, "search", "untitled", str(music)],
        "wkmp show": [*wkmp, "show", liked],
        "wkmp similar": [*wkmp, "similar", liked],
    }


def run_in_turns(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], rounds: int
) -> dict[str, list[Start]]:
    """Run all commands once, so that their code is compiled, and then so many times.

    Raises
    ------
    RuntimeError
        A command has failed. Status 1 says that there is something to list, or nothing.
    """
    starts: dict[str, list[Start]] = {name: [] for name in commands}
    for round_ in range(rounds + 1):
        for name, command in commands.items():
            start = _run(command, environment)
            if round_:
                starts[name].append(start)
    return starts


def _run(command: Sequence[str], environment: Mapping[str, str]) -> Start:
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.stderr is not None
    with process.stderr as error_output:
        said = error_output.read().decode()
    if process.returncode not in {0, 1} or "Traceback" in said:
        raise RuntimeError(f"{' '.join(command)} failed: {said}")
    return Start(wall_s, usage.ru_utime + usage.ru_stime)


def tabulate(starts: Mapping[str, Sequence[Start]]) -> Table:
    """Return the medians of CPU and wall time, and how much CPU is more than a bare Python takes."""
    bare_s = _median_cpu_s(starts[BARE])
    rows = [
        (
            name,
            f"{_median_cpu_s(runs):.3f}",
            f"{statistics.median(one.wall_s for one in runs):.3f}",
            f"{_median_cpu_s(runs) - bare_s:.3f}",
        )
        for name, runs in starts.items()
    ]
    return Table("Starts", ("", "CPU, s", "Wall, s", "CPU more than a bare Python, s"), rows)


def judge(starts: Mapping[str, Sequence[Start]]) -> Iterator[tuple[str, ...]]:
    """Yield a verdict for each command."""
    for name, runs in starts.items():
        if name != BARE:
            yield judged(f"{name}, CPU s", _median_cpu_s(runs), START_S, AIM_S, "{:.3f}")


def _median_cpu_s(runs: Sequence[Start]) -> float:
    return statistics.median(one.cpu_s for one in runs)


def _introduction(rounds: int) -> str:
    return (
        "`make bench-startup` writes this page. The sample library is imported. Each command is a process of its own, "
        f"and is timed from its start to its end. All run in turns; the figures are medians of {rounds} runs. CPU "
        "counts, because the machine may be busy: a command has one thread, so it takes as long as its CPU where "
        "nothing else runs. A command loads only what it needs, and a test names all packages."
    )


if __name__ == "__main__":
    raise SystemExit(main())
