"""Which files the workers visit in an import, and what they decode."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.audio.sent_tasks import visit_file
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.file_key import decode_key, encode_key
from wkmp_assets.model.findings import Findings
from wkmp_assets.model.outcomes import Failed, Skipped
from wkmp_assets.model.phases import SEGMENTS
from wkmp_assets.orchestration import file_visits
from wkmp_assets.orchestration.file_visits import begin_visits, plan_visits
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.audio.sounds import melody, write_sound
from wkmp_assets_tests.support.builders import column
from wkmp_assets_tests.support.checked_library import CheckedLibrary, checked_library

pytestmark = pytest.mark.slow

RATE_HZ = 8_000


class WatchedPool(WorkerPool):
    """Worker processes, with a list of what they are asked for."""

    def __init__(self) -> None:
        super().__init__(1, RunControl())
        self.asked: list[tuple[str, str]] = []
        self.decoded: list[str] = []
        self.begun: list[str] = []

    def begin(self, phase: str, function: Callable[..., Any], tasks: Mapping[str, tuple[Any, ...]]) -> None:
        self.begun += tasks
        super().begin(phase, function, tasks)

    def map_files(
        self, phase: str, function: Callable[..., Any], tasks: Mapping[str, tuple[Any, ...]]
    ) -> Iterator[tuple[str, Any | Failed | Skipped]]:
        for key, outcome in super().map_files(phase, function, tasks):
            self.asked.append((function.__name__, key))
            if isinstance(outcome, Findings) and SEGMENTS in outcome.outcomes:
                self.decoded.append(key)
            yield key, outcome

    def import_of(self, library: CheckedLibrary, **how: bool) -> tuple[list[tuple[str, str]], list[str]]:
        """Import; return what the workers were asked for, and the files that they decoded."""
        self.asked, self.decoded = [], []
        library.import_all(**how)
        return sorted(self.asked), sorted(self.decoded)


@pytest.fixture(scope="module")
def pool() -> Iterator[WatchedPool]:
    pool = WatchedPool()
    yield pool
    pool.shut_down()


@pytest.fixture
def library(tmp_path: Path, pool: WatchedPool) -> Iterator[CheckedLibrary]:
    with checked_library(tmp_path, pool) as library:
        yield library


def sound(library: CheckedLibrary, name: str, seconds: float, seed: int = 1) -> Path:
    return write_sound(library.music / name, melody(seconds, RATE_HZ, seed=seed), RATE_HZ)


def visits(*keys: str) -> list[tuple[str, str]]:
    return [("visit_file", key) for key in sorted(keys)]


def test_only_content_that_is_new_is_decoded_and_each_once(library: CheckedLibrary, pool: WatchedPool) -> None:
    one = sound(library, "one.wav", 1)
    sound(library, "two.wav", 2)
    shutil.copy(one, library.music / "one (1).wav")
    asked, decoded = pool.import_of(library)
    assert asked == visits("one.wav", "one.wav", "one (1).wav", "two.wav"), "equal sizes are compared first"
    assert decoded == ["one.wav", "two.wav"]
    assert pool.import_of(library) == ([], [])
    os.utime(one, (1_000_000_000, 1_000_000_000))
    (library.music / "two.wav").rename(library.music / "2.wav")
    assert pool.import_of(library) == (visits("one.wav", "2.wav"), []), "touched and moved files are only hashed"
    assert pool.import_of(library, force=True)[1] == ["2.wav", "one.wav"]
    assert column(library.database, "SELECT path FROM files WHERE status = 'INGEST COMPLETE' ORDER BY path") == [
        "2.wav",
        "one.wav",
    ]


def test_files_of_the_same_size_are_visited_once_when_they_differ(library: CheckedLibrary, pool: WatchedPool) -> None:
    """Also when a better place than theirs has that size, in a run to come."""
    others = ["a/1.wav", "a/2 (1).wav", "b/4.wav"]
    for seed, name in enumerate([*others, "b/3.wav"]):
        (library.music / name).parent.mkdir(exist_ok=True)
        sound(library, name, 1, seed=seed)
    shutil.copy(library.music / "b/3.wav", library.music / "a/3 (1).wav")
    library.scan()
    paths = {key: decode_key(key) for key in library.keys}
    first = {key: read_stat(library.music / path) for key, path in paths.items() if path.startswith("a/")}
    planned = plan_visits(Library(library.settings), paths, first, is_whole=True)
    assert [visit.display_path for visit in planned.values() if visit.is_hash_only] == ["a/3 (1).wav"], "as b/3.wav"
    asked, decoded = pool.import_of(library)
    assert [call for call in asked if decode_key(call[1]) in others] == visits(*map(encode_key, others))
    assert len(decoded) == 4


def test_what_the_workers_have_begun_is_taken_over(library: CheckedLibrary, pool: WatchedPool) -> None:
    for number in (1, 2, 3):
        sound(library, f"{number}.wav", number)
    library.scan()
    begin_visits(Library(library.settings), pool, library.keys)
    sound(library, "3.wav", 4)
    begun = {key: pool._begun[key] for key in library.keys}
    asked, decoded = pool.import_of(library)
    assert (asked, decoded) == (visits("1.wav", "2.wav", "3.wav"), ["1.wav", "2.wav", "3.wav"])
    assert all(begun[key].is_done for key in ("1.wav", "2.wav"))
    assert list(pool._begun) == ["3.wav"], "of a file that changed meanwhile, nothing is used"
    seconds = column(library.database, "SELECT duration_ticks / 28224000 FROM files ORDER BY path")
    assert seconds == [1, 2, 4]


def visit_and_crash(path: Path, visit: Any) -> Findings:
    """Crash, unless the visit ends after the hash."""
    if not visit.is_hash_only:
        os._exit(3)
    return visit_file(path, visit)


@pytest.mark.long
def test_a_file_whose_visit_crashes_is_tried_phase_by_phase(
    library: CheckedLibrary, pool: WatchedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(library, "one.wav", 1)
    monkeypatch.setattr(file_visits, "visit_file", visit_and_crash)
    asked, _ = pool.import_of(library)
    assert [name for name, _ in asked] == [
        "fingerprint_file", "measure_flavors", "segment_file", "tag_file", "visit_and_crash", "visit_and_crash"
    ]  # fmt: skip
    assert not read_failures(library.database)
    assert column(library.database, "SELECT count(*) FROM passages") == [1]


def test_what_its_run_would_not_hash_is_not_visited_in_advance(library: CheckedLibrary, pool: WatchedPool) -> None:
    """It is larger than the settings allow, gone, or passed over."""
    for name in ("one.wav", "gone.wav", "passed over.wav"):
        sound(library, name, 1)
    with sound(library, "large.wav", 1).open("ab") as file:
        file.truncate(1_100_000)
    library.scan()
    (library.music / "gone.wav").unlink()
    (library.music / ".wkmpignore").write_text("passed*\n")
    settings = replace(library.settings, max_file_mb=1)
    begin_visits(Library(settings), pool, library.keys)
    assert set(pool._begun) & set(library.keys) == {"one.wav"}
    pool.forget(library.keys)


def test_what_no_run_can_import_is_not_begun_in_advance(library: CheckedLibrary, pool: WatchedPool) -> None:
    shelf = Library(library.settings)
    sound(library, "there.wav", 1)
    pool.begun = []
    begin_visits(shelf, pool, ["../outside.wav"], force=False)
    library.music.rename(library.music.with_name("unmounted"))
    begin_visits(shelf, pool, ["there.wav"], force=False)
    assert pool.begun == []
