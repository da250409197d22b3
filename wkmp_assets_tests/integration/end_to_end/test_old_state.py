"""The state of an older version stays usable: library, phase values, Dagster history and dagster.yaml."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner
from dagster import DagsterInstance

from wkmp_assets.cli.main import main
from wkmp_assets.model.file_entry import assemble_entry
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.outcomes import Failed, Result, Skipped, SkipReason, join
from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.model.phases import ENTRY, SCAN
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.runtime.bundles import place_of
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.builders import column, problems
from wkmp_assets_tests.support.library_rows import Rows, library_rows, library_rows_of
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.old_state import (
    BROKEN,
    COPY,
    EDITED_TITLE,
    LATER,
    LIBRARY_ROOT,
    ONE,
    TWO,
    environment,
    unpack,
    write_music,
)

OLD_FILES = (ONE, TWO, COPY, BROKEN)
OLD_KEYS = [encode_key(path) for path in sorted(OLD_FILES)]

pytestmark = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs Linux's /proc")


@dataclass(frozen=True)
class Place:
    """An unpacked old state, which is also the working folder of this process."""

    folder: Path
    settings: Settings
    instance: DagsterInstance

    def wkmp(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command in this process; a worker process finds the package by PYTHONPATH."""
        variables = {"PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT)), "WKMP_WORKERS": "1"}
        with patch.dict(os.environ, environment(self.folder) | variables, clear=True):
            result = CliRunner().invoke(main, arguments, prog_name="wkmp", catch_exceptions=False)
        return subprocess.CompletedProcess(["wkmp", *arguments], result.exit_code, result.stdout, result.stderr)

    @property
    def store(self) -> PhaseStore:
        return PhaseStore(self.settings.phase_dir)

    @property
    def partitions(self) -> list[str]:
        return sorted(self.instance.get_dynamic_partitions(partitions_name(self.settings)))


@contextmanager
def old_state(folder: Path) -> Iterator[Place]:
    """Unpack the old state, and make its folder the working folder of this process for the block."""
    unpack(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DAGSTER_HOME", str(folder / "home"))
        with DagsterInstance.get() as instance:
            yield Place(folder, load_settings(library_root=LIBRARY_ROOT), instance)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The unpacked old state, unchanged."""
    with old_state(tmp_path) as unpacked:
        yield unpacked


@dataclass(frozen=True)
class Continued:
    """An old state, before and after imports with the current code."""

    place: Place
    rows_before: Rows
    documents_before: dict[Path, bytes]
    again: str
    """Output of the first import, when nothing is new."""
    added: str
    """Output of the second import, after a file was added."""
    report: str
    """The report page."""


def _documents(place: Place) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in place.settings.phase_dir.rglob("*.json")}


@pytest.fixture(scope="module")
def continued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Continued]:
    """The old state after two imports and a report."""
    with old_state(tmp_path_factory.mktemp("old")) as place:
        before, documents = library_rows(place.settings.database_path), _documents(place)
        again = place.wkmp("import", str(LIBRARY_ROOT))
        write_music(place.folder / "music", LATER)
        added = place.wkmp("import", str(LIBRARY_ROOT))
        report = place.wkmp("report", str(LIBRARY_ROOT), "--output", str(place.folder / "report.html"))
        # The broken file fails again.
        assert (again.returncode, added.returncode, report.returncode) == (1, 1, 0), again.stderr + added.stderr
        page = (place.folder / "report.html").read_text(encoding="utf-8")
        yield Continued(place, before, documents, again.stdout, added.stdout, page)


def test_what_is_stored_is_read(place: Place) -> None:
    """Partitions, receipts and phase values, before anything is imported."""
    assert place.partitions == sorted(OLD_KEYS)
    commits = recorded_commits(place.instance, place.settings, OLD_KEYS)
    assert sorted(commits) == sorted(OLD_KEYS)
    receipts = [commits[encode_key(path)].receipt for path in OLD_FILES]
    assert [receipt.write_locks for receipt in receipts if receipt is not None] == [1, 1, 1, 1]
    assert commits[encode_key(TWO)].receipt.rows["passages"] == 2  # type: ignore[union-attr]  # else the line above fails
    for phase in set(PHASE_VALUES) - {SCAN, ENTRY}:
        for path in (ONE, TWO):
            outcome = place.store.read_stored(phase, encode_key(path))
            assert isinstance(outcome, Result), (phase, outcome)
            assert isinstance(outcome.value, PHASE_VALUES[phase])
        assert place.store.read_stored(phase, encode_key(COPY)) != place.store.read_stored(phase, encode_key(ONE))
    segments = place.store.read_stored("passage_segments", encode_key(COPY))
    assert isinstance(segments, Skipped)
    assert segments.reason is SkipReason.DUPLICATE
    broken = place.store.read_stored("passage_segments", encode_key(BROKEN))
    assert isinstance(broken, Failed)
    assert broken.code == "DECODE_ERROR"


def test_values_that_an_older_version_stored_together_belong_together(place: Place) -> None:
    """Not all of them say of which passages and recordings they are."""
    for path in (ONE, TWO):
        outcomes = [
            place.store.read_stored(phase, encode_key(path)) for phase in PHASE_VALUES if phase not in {SCAN, ENTRY}
        ]
        assert isinstance(join(ENTRY, encode_key(path), outcomes), Result)
        entry = assemble_entry(encode_key(path), path, outcomes[0], [outcomes[index] for index in (1, 2, 3, 5, 6, 7)])
        assert isinstance(entry, Result)
        assert len(entry.value.passages) == {ONE: 1, TWO: 2}[path]


def test_an_import_leaves_it_as_it_is_and_adds_what_is_new(continued: Continued) -> None:
    place, database = continued.place, continued.place.settings.database_path
    assert "1 to import, 3 unchanged" in continued.again
    assert "2 to import, 3 unchanged" in continued.added
    assert "1 imported" in continued.added
    assert library_rows_of(database, OLD_FILES)["passages"] == continued.rows_before["passages"]
    assert [row for row in library_rows(database)["files"] if LATER not in row] == continued.rows_before["files"]
    assert problems(database) == []
    assert column(database, "SELECT user_title FROM passages WHERE user_title NOT NULL") == [EDITED_TITLE]
    assert place.partitions == sorted([*OLD_KEYS, encode_key(LATER)])
    unchanged = {
        place_of(place.settings.phase_dir / phase, encode_key(path))
        for phase in PHASE_VALUES
        for path in (ONE, TWO, COPY)
    }
    after = _documents(place)
    assert {file: after[file] for file in unchanged if file in after} == {
        file: content for file, content in continued.documents_before.items() if file in unchanged
    }


def test_no_file_of_it_is_decoded_again(continued: Continued) -> None:
    decoded = {file.name.partition(".")[0] for file in continued.place.settings.pcm_dir.glob("*.pcm")}
    later = (continued.place.folder / "music" / LATER).read_bytes()
    assert decoded == {hashlib.sha256(later).hexdigest()}


def test_the_report_counts_old_and_new_receipts(continued: Continued) -> None:
    assert "5 receipts" in continued.report
    assert BROKEN in continued.report
