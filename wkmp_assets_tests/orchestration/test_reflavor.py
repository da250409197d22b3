"""Flavors in a real import, and made again without it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from wkmp_assets.model.flavor import MEASURED_NAMES, TAGGER, parse_flavor
from wkmp_assets.orchestration.jobs import reflavor_job
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.builders import column, rows, run_sql
from wkmp_assets_tests.support.checked_library import MIX, SONG, CheckedLibrary, checked_library

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    with checked_library(tmp_path_factory.mktemp("flavored"), workers) as library:
        library.add("mix.flac", MIX)
        library.add("song.flac", SONG)
        library.import_all()
        yield library


def flavors(database: Path) -> list[str]:
    return column(database, "SELECT musical_flavor_vector FROM passages ORDER BY guid")


def test_every_passage_of_an_import_has_every_characteristic(library: CheckedLibrary) -> None:
    found = [parse_flavor(text) for text in flavors(library.database)]
    assert len(found) == 4
    assert all(set(one.flavor) == MEASURED_NAMES and one.warnings == () for one in found)


def test_the_song_of_an_import_has_the_flavor_of_its_passage(library: CheckedLibrary) -> None:
    (song,) = rows(library.database, "SELECT * FROM songs")
    (passage,) = rows(library.database, "SELECT * FROM passages WHERE song_id IS NOT NULL")
    assert song["flavor_vector"] == passage["musical_flavor_vector"]
    assert (song["status"], json.loads(song["flavor_source_blend"])) == ("FLAVOR READY", ["Measured", TAGGER])


def test_reflavoring_decodes_nothing_and_commits_once(library: CheckedLibrary) -> None:
    before = flavors(library.database)
    run_sql(
        library.database, "UPDATE passages SET musical_flavor_vector = NULL", "UPDATE songs SET flavor_vector = NULL"
    )
    file = library.music / "mix.flac"
    music, times = file.read_bytes(), file.stat()
    file.write_bytes(bytes(len(music)))  # nulls cannot be decoded
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    try:
        job = library._definitions.resolve_job_def(reflavor_job.name)
        tags = {ASSET_PARTITION_RANGE_START_TAG: library.keys[0], ASSET_PARTITION_RANGE_END_TAG: library.keys[-1]}
        result = library._run(job, tags)
    finally:
        file.write_bytes(music)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert result.success
    assert flavors(library.database) == before, "the same bytes, of a file that could not be decoded"
    assert {event.step_key for event in result.get_step_success_events()} >= {"flavors", "library_entry"}
    locks = [
        event.step_materialization_data.materialization.metadata["write_locks"].value
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None and event.asset_key.path[-1] == "library_entry"
    ]
    assert locks == [1, 1]
