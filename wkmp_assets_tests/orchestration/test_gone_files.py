"""Runs over the partitions of files that were moved or deleted, with a real library and a real Dagster instance."""

from contextlib import closing

import dagster as dg
import pytest

from wkmp_assets.cli.importer import LibraryImporter
from wkmp_assets.errors import LibraryRootError
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Failed, Skipped, SkipReason
from wkmp_assets.model.phases import (
    ENTRY,
    FINGERPRINTS,
    FLAVORS,
    IDENTITY,
    LEAD_POINTS,
    LOOKUPS,
    MATCHES,
    PICTURE,
    SEGMENTS,
)
from wkmp_assets.orchestration.gone_files import find_gone, skip_gone
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets_tests.support.builders import column, dump
from wkmp_assets_tests.support.checked_library import CheckedLibrary
from wkmp_assets_tests.support.tones import tone

pytestmark = pytest.mark.slow


@pytest.fixture
def moved_and_deleted(library: CheckedLibrary) -> CheckedLibrary:
    """Of four files, one was moved, one was deleted and one was replaced since their import; all keep partitions."""
    for number, name in enumerate(("deleted", "moved", "there")):
        tone(library.music / f"{name}.wav", 300 + 50 * number)
    library.import_all()
    (library.music / "moved.wav").rename(library.music / "new name.wav")
    library.instance.add_dynamic_partitions(partitions_name(library.settings), ["new name.wav"])
    library.import_one("new name.wav")
    (library.music / "deleted.wav").unlink()
    return library


SUBSETS = [
    ("moved.wav", [ENTRY]),
    ("deleted.wav", [ENTRY]),
    ("deleted.wav", [LOOKUPS, MATCHES, LEAD_POINTS, FLAVORS, ENTRY]),
    ("moved.wav", [FLAVORS, ENTRY]),
    ("moved.wav", [SEGMENTS]),
    ("deleted.wav", [FINGERPRINTS]),
    ("deleted.wav", [PICTURE]),
]


def test_whatever_runs_over_a_file_that_is_gone_skips_it_and_fails_alone(moved_and_deleted: CheckedLibrary) -> None:
    library = moved_and_deleted
    before = dump(library.database)
    for key, assets in SUBSETS:
        with pytest.raises(dg.Failure, match=rf"{key}: no longer on disk; scan the library again"):
            library.run_assets(*assets, first=key, last=key)
    assert dump(library.database) == before
    assert library.keys == ["deleted.wav", "moved.wav", "there.wav", "new name.wav"]
    result = library.run_assets(ENTRY, first="deleted.wav", last="there.wav")
    assert [event.partition for event in result.get_asset_materialization_events()] == ["there.wav"]
    (library.music / "there.wav").unlink()
    (library.music / "new name.wav").unlink()
    with pytest.raises(LibraryRootError, match="check that its disk is mounted"):
        library.run_assets(ENTRY, first="deleted.wav", last="there.wav")


def test_a_file_that_is_deleted_during_its_import_is_not_written(library: CheckedLibrary) -> None:
    for number, name in enumerate((IDENTITY, SEGMENTS, FLAVORS, "there")):
        tone(library.music / f"{name}.wav", 300 + 50 * number)
    control = RunControl()

    def delete(phase: str, key: str) -> None:
        if key == f"{phase}.wav":
            (library.music / key).unlink(missing_ok=True)

    control.on_file = delete
    with closing(LibraryImporter(library.settings, library.instance, control)) as importer:
        list(importer.run(importer.plan(importer.scan().to_import)))
    assert column(library.database, "SELECT path FROM files") == ["there.wav"]
    assert column(library.database, "SELECT path FROM import_failures") == []


def test_a_key_that_is_no_path_is_left_to_its_own_failure(library: CheckedLibrary) -> None:
    shelf = Library(library.settings)
    outcomes = {"../outside.wav": Failed(IDENTITY, "C", "m")}
    assert skip_gone(shelf, outcomes) == outcomes
    scan = LibraryChanges(new=("there.wav",), changed=(), unchanged=(), missing=())
    assert find_gone(shelf, ["../outside.wav", "deleted.wav"], scan) == ["deleted.wav"]


def test_a_scan_of_a_folder_drops_partitions_of_that_folder_only(library: CheckedLibrary) -> None:
    scan = LibraryChanges(new=("A, B/there.wav",), changed=(), unchanged=(), missing=(), folder="A, B")
    registered = ["A%2C B/gone.wav", "A%2C B/there.wav", "A%2C B/[1].wav", "A%2C B2/gone.wav", "C/gone.wav", "A%2C B"]
    assert find_gone(Library(library.settings), registered, scan) == ["A%2C B/gone.wav", "A%2C B/[1].wav"]


@pytest.mark.long
def test_a_partition_that_another_scan_drops_after_the_plan_is_gone_and_the_others_are_imported(
    library: CheckedLibrary,
) -> None:
    for number, name in enumerate(("first", "dropped", "last")):
        tone(library.music / f"{name}.wav", 300 + 50 * number)
    control = RunControl()
    told: dict[str, object] = {}
    control.on_commit = lambda commit: told.update({commit.key: commit.outcome})
    with closing(LibraryImporter(library.settings, library.instance, control)) as importer:
        ranges = importer.plan(importer.scan().to_import)
        library.instance.delete_dynamic_partition(partitions_name(library.settings), "dropped.wav")
        list(importer.run(ranges))
    assert told["dropped.wav"] == Skipped(SkipReason.GONE)
    assert column(library.database, "SELECT path FROM files ORDER BY path") == ["first.wav", "last.wav"]
