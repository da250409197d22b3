"""Take each safety measure away in a copy of the code, and see the tests fail that are named for it.

`python -m wkmp_assets_tests.tools.safety.prove [name ...]`, or `make test-safety`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.safety.measures import MEASURES, Measure

_CODE = ("wkmp_assets", "wkmp_assets_tests", "pyproject.toml", "dagster.yaml", "Makefile", "README.md")
_MUSIC = "test_data/sample_library"
_MOST_S = 600
_BROKEN = ("NameError", "AttributeError", "TypeError", "UnboundLocalError", "ImportError", "ModuleNotFoundError")
"""Signs that the changed code does not run at all: a test that fails of that proves nothing."""


class ProofError(Exception):
    """Something else than a failing test came out."""


@dataclass(frozen=True)
class Finding:
    """What happened without one measure."""

    measure: Measure
    failed: dict[str, list[str]]
    """Test -> what each of its failed cases said."""

    @property
    def is_proven(self) -> bool:
        """Tell whether every test that was named did fail."""
        return all(self.failed[test] for test in self.measure.tests)


@contextmanager
def copied() -> Iterator[Path]:
    """Copy the code and its tests for the block; music is linked, nothing writes there."""
    with tempfile.TemporaryDirectory(prefix="wkmp-safety-") as name:
        folder = Path(name)
        for one in _CODE:
            source = ROOT / one
            if source.is_dir():
                shutil.copytree(source, folder / one, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / one)
        (folder / _MUSIC).parent.mkdir()
        (folder / _MUSIC).symlink_to(ROOT / _MUSIC)
        yield folder


def failures(folder: Path, tests: Sequence[str]) -> dict[str, list[str]]:
    """Run tests in a copy; return test -> what each of its failed cases said.

    Raises
    ------
    ProofError
        A test could not be run, was left out, or broke instead of failing.
    """
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    nodes = [f"wkmp_assets_tests/{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *nodes]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    environment = kept | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_MOST_S, check=False
    )
    if result.returncode not in {0, 1}:
        raise ProofError(result.stdout + result.stderr)
    return _read_report(report, tests)


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


def take_away(folder: Path, measure: Measure) -> Callable[[], object]:
    """Take a measure away in a copy; return what brings it back.

    Raises
    ------
    ProofError
        Its text does not occur exactly once.
    """
    module = folder / "wkmp_assets" / measure.module
    source = module.read_text(encoding="utf-8")
    if source.count(measure.find) != 1:
        raise ProofError(f"{measure.name}: its text occurs {source.count(measure.find)} times in {measure.module}")
    changed = source.replace(measure.find, measure.without)
    compile(changed, measure.module, "exec")
    module.write_text(changed, encoding="utf-8")
    return lambda: module.write_text(source, encoding="utf-8")


def prove(measures: Iterable[Measure]) -> Iterator[Finding]:
    """Take measures away, one at a time, and yield what happened.

    Raises
    ------
    ProofError
        A test fails with all measures in place, or cannot be run.
    """
    chosen = list(measures)
    with copied() as folder:
        tests = list(dict.fromkeys(test for measure in chosen for test in measure.tests))
        broken = [test for test, said in failures(folder, tests).items() if said]
        if broken:
            raise ProofError(f"fails with all measures in place: {', '.join(broken)}")
        for measure in chosen:
            bring_back = take_away(folder, measure)
            yield Finding(measure, failures(folder, measure.tests))
            bring_back()


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
