"""Run the tests, measure their coverage of the package, and compare it with the baseline in the repository.

`make test` runs this, `make coverage-baseline` records a new baseline. The total counts lines and branches, in the
processes of the tests. What tests start (commands, worker processes) is not measured.

SlipCover measures, because it costs a tenth of the tests' time. On Python 3.11, coverage.py costs two thirds: it traces
every call, and the tests spend their time in Dagster.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from wkmp_assets_tests.support.paths import ROOT

BASELINE = ROOT / ".ci" / "coverage-baseline.json"
LAST = ROOT / ".coverage-measured.json"
"""The last measurement, not in the repository; it names the source that it is of."""
DATA = ROOT / ".coverage.json"
"""What each test process reached, by file and line."""

TOLERANCE = 0.1
"""Percentage points."""
IN_PARALLEL = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder")
"""One process more than processors, as many tests wait for others. More cost more than they gain, because each collects
all tests. Tests of one file share what is dear to set up, so they stay in one process."""
OF_OTHER_SUITES = (
    "wkmp_assets/orchestration/instance/postgres_storage.py",  # needs a PostgreSQL server
    "wkmp_assets/runtime/sftp_store.py",  # needs an SSH server
    "wkmp_assets/runtime/cluster/dask_worker.py",  # runs in worker processes of a cluster
)
"""Modules that only `make test-cluster` can reach. They do not count."""
IS_BEING_MEASURED = "WKMP_TESTS_ARE_MEASURED"
"""Environment of the tests while they are measured: `compare` or `record`."""


@dataclass(frozen=True)
class Coverage:
    """How much of the package a run of all tests reached."""

    total: float
    """Per cent of lines and branches."""
    reached: int
    of: int
    python: str
    measured: str
    """UTC date."""
    source: str
    """SHA-256 over the package, its tests and their settings."""
    how: str = "make coverage-baseline: all tests under SlipCover, lines and branches, in the processes of the tests"


class FailedTestsError(Exception):
    """There is nothing to compare."""


def source_hash(root: Path = ROOT) -> str:
    """Return a hash that changes whenever the total may change."""
    folders = (root / "wkmp_assets", root / "wkmp_assets_tests")
    files = [path for folder in folders for suffix in ("*.py", "*.sql") for path in folder.rglob(suffix)]
    digest = hashlib.sha256()
    for path in sorted([*files, root / "pyproject.toml"]):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read(path: Path) -> Coverage | None:
    """Read a measurement; None when there is none."""
    return Coverage(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def write(path: Path, coverage: Coverage) -> None:
    """Keep a measurement."""
    path.write_text(json.dumps(asdict(coverage), indent=2) + "\n", encoding="utf-8")


def measure(arguments: list[str], purpose: str = "compare") -> Coverage:
    """Run all tests under coverage.

    Parameters
    ----------
    arguments : list of str
        For pytest.
    purpose : {"compare", "record"}
        Purpose of the total, which the tests can read.

    Raises
    ------
    FailedTestsError
        At least one test failed.
    """
    source = source_hash()
    with tempfile.TemporaryDirectory(prefix="wkmp-coverage-") as folder:
        measured = Path(folder, DATA.name)
        tests = [*_slipcover(measured), "-m", "pytest", *arguments]
        # A test that measures tests runs itself in a process that is measured.
        outer = {
            name: value for name, value in os.environ.items() if not name.startswith(("SLIPCOVER_", "PYTEST_XDIST_"))
        }
        if subprocess.run(tests, cwd=ROOT, env=outer | {IS_BEING_MEASURED: purpose}, check=False).returncode:
            raise FailedTestsError
        shutil.copy(measured, DATA)
        files = json.loads(measured.read_text(encoding="utf-8"))["files"].values()
    reached = sum(file["summary"]["covered_lines"] + file["summary"]["covered_branches"] for file in files)
    missed = sum(file["summary"]["missing_lines"] + file["summary"]["missing_branches"] for file in files)
    coverage = Coverage(
        total=round(100 * reached / (reached + missed), 3),
        reached=reached,
        of=reached + missed,
        python=".".join(platform.python_version_tuple()[:2]),
        measured=datetime.now(tz=UTC).date().isoformat(),
        source=source,
    )
    if source_hash() == source:  # otherwise it was edited meanwhile, and the measurement is void
        write(LAST, coverage)
    return coverage


def _slipcover(data: Path) -> list[str]:
    # It cannot measure the tests themselves with this pytest, warns of that, and need not.
    quiet = ("-W", "ignore::RuntimeWarning:slipcover.importer")
    return [
        sys.executable,
        *quiet,
        "-m",
        "slipcover",
        "--branch",
        "--source",
        "wkmp_assets",
        "--omit",
        ",".join(OF_OTHER_SUITES),
        "--json",
        "--out",
        str(data),
    ]


def fall(measured: Coverage, baseline: Coverage) -> str | None:
    """Say by how much the total fell, and what to do; None when it did not fall by more than is tolerated."""
    fallen = baseline.total - measured.total
    if fallen <= TOLERANCE + 1e-9:
        return None
    other = "" if measured.python == baseline.python else f" (Python {measured.python} and {baseline.python})"
    return (
        f"coverage fell by {fallen:.2f} points, from {baseline.total:.2f} to {measured.total:.2f} %{other}: test what "
        f"is new. `python -m slipcover --merge {DATA.name} --out {DATA.name} --skip-covered` lists what no test "
        "reaches; `make coverage-baseline` accepts it."
    )


def compare(measured: Coverage) -> int:
    """Print how a measurement compares with the baseline; return the exit status."""
    baseline = read(BASELINE)
    if baseline is None:
        click.echo(f"coverage {measured.total:.2f} %, and no baseline: record one with `make coverage-baseline`")
        return 1
    problem = fall(measured, baseline)
    click.echo(problem or f"coverage {measured.total:.2f} % of lines and branches, baseline {baseline.total:.2f} %")
    if measured.total > baseline.total + TOLERANCE:
        click.echo("It rose: keep it so with `make coverage-baseline`.")
    return 1 if problem else 0


def main(arguments: list[str] | None = None) -> int:
    """Measure, then compare or record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="keep the total as the new baseline")
    options, for_pytest = parser.parse_known_args(arguments)
    try:
        measured = measure([*IN_PARALLEL, *for_pytest], "record" if options.record else "compare")
    except FailedTestsError:
        return 1
    if options.record:
        write(BASELINE, measured)
        click.echo(f"recorded {measured.total:.2f} % in {BASELINE.relative_to(ROOT)}")
        return 0
    return compare(measured)


if __name__ == "__main__":
    sys.exit(main())
