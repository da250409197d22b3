"""Phases that run alone, after the settings or the files have changed; real runs."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.outcomes import Failed, Outcome, Result
from wkmp_assets.model.phases import (
    ENTRY,
    FINGERPRINTS,
    FLAVORS,
    IDENTITY,
    LEAD_POINTS,
    LOOKUPS,
    MATCHES,
    SEGMENTS,
    TAGS,
)
from wkmp_assets.model.values import FileState
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.audio.sounds import joined, melody, silence, write_sound
from wkmp_assets_tests.support.builders import file_row, rows, run_sql
from wkmp_assets_tests.support.bundle_files import forget_phase
from wkmp_assets_tests.support.checked_library import CheckedLibrary, checked_library

pytestmark = pytest.mark.slow

AFTER_SEGMENTS = (FINGERPRINTS, LOOKUPS, MATCHES, LEAD_POINTS, FLAVORS, ENTRY)
RATE_HZ = 8_000
MIX = joined(melody(3, RATE_HZ), silence(2, RATE_HZ, channels=2), melody(3, RATE_HZ, seed=8))
SONG, OTHER = melody(3, RATE_HZ, seed=9), melody(3, RATE_HZ, seed=10)
ONE_PASSAGE = "INSERT INTO settings (key, value) VALUES ('silence_min_duration_ticks', '282240000')"
PASSAGES = "SELECT start_time_ticks, end_time_ticks FROM passages ORDER BY guid"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    """Two files: a mix of two passages and a song of one."""
    with checked_library(tmp_path_factory.mktemp("alone"), workers) as library:
        write_sound(library.music / "mix.wav", MIX, RATE_HZ)
        write_sound(library.music / "song.wav", SONG, RATE_HZ)
        library.import_all()
        yield library


def run(library: CheckedLibrary, *assets: str) -> dict[str, str]:
    """Materialize assets of all files; return the message of each file that then has failed in the last of them."""
    assert library.run_assets(*assets, first=library.keys[0], last=library.keys[-1]).success
    if assets[-1] == ENTRY:
        return {failure.path: failure.message for failure in read_failures(library.database)}
    found = {key: stored(library, assets[-1], key) for key in library.keys}
    return {key: outcome.message for key, outcome in found.items() if isinstance(outcome, Failed)}


def stored(library: CheckedLibrary, phase: str, key: str) -> Outcome[Any]:
    return Library(library.settings).phases.read_stored(phase, key)


def passages(library: CheckedLibrary) -> list[dict[str, Any]]:
    return rows(library.database, PASSAGES)


def test_after_a_settings_change_nothing_new_is_combined_with_anything_old(library: CheckedLibrary) -> None:
    """The mix becomes one passage. The song stays what it is, so all of its phases still belong together."""
    before = passages(library)
    assert len(before) == 3
    run_sql(library.database, ONE_PASSAGE)
    assert run(library, SEGMENTS) == {}
    for phase, old in ((ENTRY, FINGERPRINTS), (MATCHES, LOOKUPS)):
        cause = f"{old} was computed from other passages than passage_segments has now"
        remedy = "materialize its partition again, from fingerprints on"
        assert run(library, phase) == {"mix.wav": f"mix.wav: {cause}; {remedy}"}
    assert passages(library) == before
    assert run(library, *AFTER_SEGMENTS) == {}
    assert len(passages(library)) == 2


@pytest.mark.parametrize("phase", [TAGS, SEGMENTS, FINGERPRINTS, FLAVORS])
def test_what_opens_a_replaced_file_fails_and_stores_nothing_of_it(library: CheckedLibrary, phase: str) -> None:
    """Another sound of the same size and time took its place, and its PCM is no longer stored."""
    identity = stored(library, IDENTITY, "song.wav")
    assert isinstance(identity, Result)
    pcm = Library(library.settings).pcm
    pcm.forget(identity.content_hash)
    song, original = library.music / "song.wav", library.music.parent / "original.wav"
    shutil.copy2(song, original)
    write_sound(song, OTHER, RATE_HZ)
    shutil.copystat(original, song)
    assert song.stat().st_size == original.stat().st_size
    try:
        failed = run(library, phase)
    finally:
        shutil.copy2(original, song)
    assert list(failed) == ["song.wav"]
    assert failed["song.wav"].startswith(
        "song.wav: it has other content than at its import; import it again with force"
    )
    assert pcm.get(identity.content_hash) is None
    assert run(library, phase) == {}, "the file is back"


def test_a_phase_alone_reads_a_file_that_the_last_import_only_touched(library: CheckedLibrary) -> None:
    """It said "unchanged" and kept the old value, whatever the settings were."""
    os.utime(library.music / "song.wav", (1_000_000_000, 1_000_000_000))
    library.import_all()
    identity = stored(library, IDENTITY, "song.wav")
    assert isinstance(identity, Result)
    assert identity.value.state is FileState.TOUCHED
    for phase in (TAGS, SEGMENTS):
        forget_phase(Library(library.settings).phases, phase, "song.wav")
    assert run(library, TAGS, SEGMENTS) == {}
    assert isinstance(stored(library, SEGMENTS, "song.wav"), Result)
    assert run(library, ENTRY) == {}


def test_an_identity_alone_is_stored_again_where_its_value_is_lost(library: CheckedLibrary) -> None:
    """It said "unchanged", and the next phase asked for it again."""
    bundles = [Library(library.settings).phases.bundles.path_of(key) for key in library.keys]
    forget_phase(Library(library.settings).phases, IDENTITY, library.keys[1])
    kept, lost = (bundle.stat().st_mtime_ns for bundle in bundles)
    assert run(library, IDENTITY) == {}
    now = [bundle.stat().st_mtime_ns for bundle in bundles]
    assert now[0] == kept
    assert now[1] > lost
    assert run(library, TAGS) == {}


def test_an_entry_alone_does_not_undo_what_another_import_wrote(library: CheckedLibrary) -> None:
    """An import with another state folder has replaced the song, so the values here are of a content that is gone."""
    write_sound(library.music / "song.wav", OTHER, RATE_HZ)
    library.with_settings(state_dir=library.music.parent / "elsewhere").import_all()
    written = file_row(library.database, "song.wav")
    cause = "the library has other content of the file than its phases"
    assert run(library, ENTRY) == {"song.wav": f"song.wav: {cause}; {IMPORT_WITH_FORCE}"}
    assert file_row(library.database, "song.wav") == written
    library.import_all(force=True)
    assert run(library, ENTRY) == {}
