"""Take each safety measure away, and see the tests fail that are named for it.

`python -m wkmp_assets_tests.tools.safety.prove [name ...]`, or `make test-safety`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.patience import LESS_PATIENCE
from wkmp_assets_tests.tools.safety.measures import MEASURES, Measure
from wkmp_assets_tests.tools.safety.without import search_path_without

_PATIENCE_S = 120
"""How long tests wait for an event that does not happen without a measure."""
_BROKEN = ("NameError", "AttributeError", "TypeError", "UnboundLocalError", "ImportError", "ModuleNotFoundError")
"""Signs that the changed code does not run at all. A test that fails for that reason proves nothing."""


class ProofError(Exception):
    """The result was something else than a failing test."""


@dataclass(frozen=True)
class Finding:
    """Results of the tests without one measure."""

    measure: Measure
    failed: dict[str, list[str]]
    """Test -> message of each of its failed cases."""

    @property
    def is_proven(self) -> bool:
        """Tell whether every test that was named did fail."""
        return all(self.failed[test] for test in self.measure.tests)


def failures(tests: Sequence[str], measure: Measure | None = None) -> dict[str, list[str]]:
    """Run tests in another process; return test -> message of each of its failed cases.

    Parameters
    ----------
    tests : sequence of str
        Below `wkmp_assets_tests`.
    measure : Measure, optional
        The measure to take away.

    Raises
    ------
    ProofError
        A test could not be run, was left out, or broke instead of failing.
    """
    nodes = [f"wkmp_assets_tests/{test}" for test in tests]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    with tempfile.TemporaryDirectory(prefix="wkmp-safety-") as folder, _environment(measure) as ours:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *nodes]
        result = subprocess.run(command, cwd=ROOT, env=kept | ours, capture_output=True, text=True, check=False)
        if result.returncode not in {0, 1}:
            raise ProofError(result.stdout + result.stderr)
        return _read_report(report, tests)


@contextmanager
def _environment(measure: Measure | None) -> Iterator[dict[str, str]]:
    if measure is None:
        yield {"PYTHONPATH": str(ROOT)}
        return
    with search_path_without(measure) as search_path:
        yield {"PYTHONPATH": search_path, LESS_PATIENCE: str(_PATIENCE_S)}


def _read_report(report: Path, tests: Sequence[str]) -> dict[str, list[str]]:
    cases: dict[str, list[ElementTree.Element]] = {test: [] for test in tests}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        folders = case.attrib["classname"].removeprefix("wkmp_assets_tests.").replace(".", "/")
        cases[f"{folders}.py::{case.attrib['name'].split('[')[0]}"].append(case)
    said: dict[str, list[str]] = {}
    for test, found in cases.items():
        if not found or any(case.find("error") is not None or case.find("skipped") is not None for case in found):
            raise ProofError(f"{test} could not be run, or was skipped")
        said[test] = [failure.attrib["message"] for case in found for failure in case.iter("failure")]
        broken = [message for message in said[test] if message.startswith(_BROKEN)]
        if broken:
            raise ProofError(f"{test}: {broken[0]}")
    return said


def prove(measures: Iterable[Measure]) -> Iterator[Finding]:
    """Take measures away, one at a time, and yield the results.

    Raises
    ------
    ProofError
        A test fails with all measures in place, or cannot be run.
    """
    chosen = list(measures)
    tests = list(dict.fromkeys(test for measure in chosen for test in measure.tests))
    broken = [test for test, said in failures(tests).items() if said]
    if broken:
        raise ProofError(f"fails with all measures in place: {', '.join(broken)}")
    for measure in chosen:
        yield Finding(measure, failures(measure.tests, measure))


def main(names: Sequence[str]) -> int:
    """Prove measures, all or those named, and print how each test fails."""
    out = Console(soft_wrap=True, highlight=False, markup=False)
    unknown = set(names) - {measure.name for measure in MEASURES}
    if unknown:
        out.print(f"no such measure: {', '.join(sorted(unknown))}; docs/safety.md has their names")
        return 2
    chosen = [measure for measure in MEASURES if not names or measure.name in names]
    missed = 0
    for number, finding in enumerate(prove(chosen), start=1):
        missed += not finding.is_proven
        out.print(
            f"{number:2d}/{len(chosen)} {'red ' if finding.is_proven else 'NOT SEEN'} without: {finding.measure.name}"
        )
        for test, said in finding.failed.items():
            how = f"{said[0].splitlines()[0][:100]}" if said else "passes all the same"
            out.print(f"      {test}\n        {len(said)} failed: {how}")
    out.print(f"{len(chosen) - missed} of {len(chosen)} measures: without them, the tests named for them fail.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
