"""Real imports of real music: `wkmp` and `dagster` as a person runs them, in a folder of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from traceback import format_exception
from typing import Any
from unittest.mock import patch
from warnings import catch_warnings, simplefilter

from click.testing import CliRunner
from dagster import DagsterInstance
from dagster._cli import create_dagster_cli

from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.dagster_homes import make_opened_home
from wkmp_assets_tests.support.kept_workers import kept_workers
from wkmp_assets_tests.support.paths import ROOT, TEST_DATA

_DEFINITIONS = "wkmp_assets.definitions"
_MATERIALIZE = ("asset", "materialize", "-m", _DEFINITIONS)


def read_manifest(name: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads((TEST_DATA / f"{name}.manifest.json").read_text(encoding="utf-8"))
    return records


@dataclass
class Workplace:
    """A new DAGSTER_HOME and a new music folder."""

    home: Path
    music: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.music / "wkmp.db"

    @contextmanager
    def instance(self) -> Iterator[DagsterInstance]:
        """Open this workplace's Dagster instance; its settings refer to DAGSTER_HOME."""
        with patch.dict(os.environ, {"DAGSTER_HOME": str(self.home)}), DagsterInstance.get() as instance:
            yield instance

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_"))}
        own = {
            "DAGSTER_HOME": str(self.home),
            "WKMP_LIBRARY_ROOT": str(self.music),
            "WKMP_WORKERS": "1",  # the start of a second one takes as long as the import of a file
            "COLUMNS": "200",
        }
        return {**kept, **own, **self.extra}

    def wkmp(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the real command in this process, three seconds faster: Dagster is imported, and workers are kept."""
        with patch.dict(os.environ, self.environment(), clear=True), kept_workers():
            result = CliRunner().invoke(main, [*map(str, arguments)], prog_name="wkmp", catch_exceptions=False)
        return subprocess.CompletedProcess(["wkmp", *arguments], result.exit_code, result.stdout, result.stderr)

    def wkmp_process(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command as a person does, in a process of its own."""
        return self.run([sys.executable, "-m", "wkmp_assets.cli.main", *map(str, arguments)])

    def materialize(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `dagster asset materialize` in this process, on definitions that are loaded anew."""
        sys.modules.pop(_DEFINITIONS, None)
        with patch.dict(os.environ, self.environment(), clear=True), catch_warnings(), kept_workers():
            simplefilter("ignore")  # for pytest, a warning of Dagster's own command is an error
            result = CliRunner().invoke(create_dagster_cli(), [*_MATERIALIZE, *arguments])
        said = result.stderr
        if result.exc_info is not None and not isinstance(result.exception, SystemExit | None):
            said += "".join(format_exception(*result.exc_info))
        return subprocess.CompletedProcess(
            ["dagster", *_MATERIALIZE, *arguments], result.exit_code, result.stdout, said
        )

    def materialize_process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `dagster asset materialize` as CI does, in a process of its own."""
        return self.run([sys.executable, "-m", "dagster", *_MATERIALIZE, *arguments])

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environment(), cwd=ROOT, capture_output=True, text=True, check=False)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start `wkmp` as the leader of a process group, as a shell does, so that a signal reaches its workers too."""
        return subprocess.Popen(
            [sys.executable, "-m", "wkmp_assets.cli.main", *map(str, arguments)],
            env=self.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def make_workplace(folder: Path, music: Path) -> Workplace:
    """Copy music into a new place, with Dagster's empty databases."""
    home = folder / "home"
    make_opened_home(home)
    library = folder / "music"
    shutil.copytree(music, library, ignore=shutil.ignore_patterns("wkmp.db*"))
    return Workplace(home, library)


@dataclass(frozen=True)
class Imported:
    """A library after its first import, and the output of the command. Tests must not change it."""

    place: Workplace
    result: subprocess.CompletedProcess[str]


def interrupt(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C: the signal goes to the whole group."""
    os.killpg(process.pid, signal.SIGINT)
