"""The checks judge the files of their run, or the whole library when they are run alone."""

import pytest
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from wkmp_assets.orchestration.checks.library_rows import CHECKS as STORE_PROMISES
from wkmp_assets.orchestration.checks.receipts import CHECKS as RECEIPT_PROMISES
from wkmp_assets.orchestration.checks.scope import PORTION_SIZE, Scope
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets_tests.support.builders import run_sql
from wkmp_assets_tests.support.checked_library import TAKE, CheckedLibrary, Evaluations, number

pytestmark = pytest.mark.slow

EVERY = {
    "classes_complete",
    "files_imported",
    "lookups_complete",
    "passages_identified",
    *(check.name for check in RECEIPT_PROMISES + STORE_PROMISES),
}
ORPHAN = ["PRAGMA foreign_keys = OFF", "INSERT INTO passage_albums (passage_id, album_id) VALUES ('nobody', 'nothing')"]


OF_THE_WHOLE_LIBRARY = {"lead_points_plausible", "passages_have_songs"}
"""Checks that judge no single files."""
OF_THE_REPORT = {"scanned_files_imported"}
"""Checks of another asset, which an import does not run."""


def files(evaluations: Evaluations) -> dict[str, int]:
    assert evaluations.keys() >= OF_THE_WHOLE_LIBRARY
    return {
        name: number(one, "files")
        for name, one in evaluations.items()
        if name not in OF_THE_WHOLE_LIBRARY | OF_THE_REPORT
    }


def test_a_range_run_judges_its_files(imported: tuple[CheckedLibrary, Evaluations]) -> None:
    library, evaluations = imported
    assert files(evaluations) == dict.fromkeys(EVERY, len(library.keys))


def test_a_part_of_the_library_is_judged_alone(library: CheckedLibrary) -> None:
    run_sql(library.database, "DELETE FROM passages WHERE file_id = (SELECT guid FROM files WHERE path = 'song.flac')")
    tags = {ASSET_PARTITION_RANGE_START_TAG: "mix.flac", ASSET_PARTITION_RANGE_END_TAG: "silent.flac"}
    evaluations = library.check(tags=tags)
    assert files(evaluations) == dict.fromkeys(EVERY, 2)
    tags[ASSET_PARTITION_RANGE_END_TAG] = "song.flac"
    assert not library.check("file_is_all_or_nothing", tags=tags)["file_is_all_or_nothing"].passed


def test_a_run_of_one_file_judges_that_file(empty_library: CheckedLibrary) -> None:
    library = empty_library
    library.add("a.wav", TAKE)
    library.add("b.wav", TAKE)
    library.scan()
    evaluations = library.import_one("a.wav")
    assert files(evaluations) == dict.fromkeys(EVERY, 1)
    assert all(evaluation.passed for evaluation in evaluations.values())


def test_checks_that_run_without_their_asset_judge_the_file_they_are_given(library: CheckedLibrary) -> None:
    assert files(library.check(tags={PARTITION_NAME_TAG: "mix.flac"})) == dict.fromkeys(EVERY, 1)


def test_checks_that_run_alone_judge_the_whole_library(library: CheckedLibrary) -> None:
    evaluations = library.check()
    assert files(evaluations) == dict.fromkeys(EVERY, len(library.keys))
    assert {name for name, one in evaluations.items() if not one.passed} == {"files_imported"}


def test_only_the_check_that_was_asked_for_runs(library: CheckedLibrary) -> None:
    for name in EVERY:
        assert set(library.check(name)) == {name}


def test_before_the_first_import_there_is_nothing_to_judge(empty_library: CheckedLibrary) -> None:
    empty_library.add("a.wav", TAKE)
    empty_library.scan()
    evaluations = empty_library.check()
    assert {name for name, one in evaluations.items() if not one.passed} == {"scanned_files_imported"}
    assert "nothing to judge" in str(evaluations["file_is_all_or_nothing"].description)
    assert "nothing to judge" in str(evaluations["one_transaction_per_file"].description)


def test_a_library_without_files_passes(empty_library: CheckedLibrary) -> None:
    assert all(evaluation.passed for evaluation in empty_library.check().values())


def test_keys_that_are_no_paths_have_no_file(library: CheckedLibrary) -> None:
    """Anyone who reaches the web UI can register such a partition."""
    name = partitions_name(library.settings)
    library.instance.add_dynamic_partitions(name, ["../outside.flac"])
    try:
        evaluations = library.check()
    finally:
        library.instance.delete_dynamic_partition(name, "../outside.flac")
    assert evaluations["file_is_all_or_nothing"].passed
    assert number(evaluations["file_is_all_or_nothing"], "judged_how") == {"by receipt": 4, "recorded as failed": 1}


def test_foreign_keys_of_the_whole_library_are_checked_only_when_it_is_judged(library: CheckedLibrary) -> None:
    run_sql(library.database, *ORPHAN)
    name = "file_is_all_or_nothing"
    assert library.check(name, tags={PARTITION_NAME_TAG: "mix.flac"})[name].passed
    assert not library.check(name)[name].passed


def test_many_files_are_looked_at_in_portions() -> None:
    keys = [f"{number}.flac" for number in range(PORTION_SIZE * 2 + 1)]
    portions = list(Scope(keys, is_whole_library=True).portions())
    assert [len(portion) for portion in portions] == [PORTION_SIZE, PORTION_SIZE, 1]
    assert [key for portion in portions for key in portion] == keys
