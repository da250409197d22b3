"""What the IO managers refuse, and their messages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance

from wkmp_assets.model.outcomes import Outcomes, Result, Skipped, SkipReason
from wkmp_assets.orchestration.io_managers import PhaseStoreIOManager, PictureIOManager, SqliteBatchIOManager
from wkmp_assets.orchestration.partitions import audio_files, partitions_name
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings
from wkmp_assets_tests.support.builders import commit, entry

MANAGERS: dict[str, Callable[[Library], dg.IOManager]] = {
    "phase store": PhaseStoreIOManager,
    "pictures": PictureIOManager,
    "library": lambda library: SqliteBatchIOManager(library, RunControl()),
}


@pytest.mark.parametrize("make", MANAGERS.values(), ids=MANAGERS)
@pytest.mark.parametrize("returned", [{}, {"a.mp3": Result(b"", ""), "b.mp3": Result(b"", "")}])
def test_an_asset_returns_an_outcome_for_each_partition_of_its_run_and_no_other(
    settings: Settings, instance: DagsterInstance, make: Callable[[Library], dg.IOManager], returned: dict[str, Any]
) -> None:
    @dg.asset(partitions_def=audio_files(settings), io_manager_key="io")
    def forgetful() -> Outcomes[bytes]:
        return returned

    instance.add_dynamic_partitions(partitions_name(settings), ["a.mp3", "b.mp3"])
    with pytest.raises(
        dg.DagsterInvariantViolationError, match=r"forgetful must return one outcome .* first: [ab]\.mp3"
    ):
        dg.materialize([forgetful], partition_key="a.mp3", instance=instance, resources={"io": make(Library(settings))})
    assert not settings.database_path.exists()
    assert written_in(settings.state_dir) == []


def written_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_missing_picture_is_named_with_the_next_step(settings: Settings, instance: DagsterInstance) -> None:
    pictures = PictureIOManager(Library(settings))
    partitions = audio_files(settings)

    @dg.asset(partitions_def=partitions)
    def viewer(file_picture: Any) -> None:
        """Requests the picture."""

    instance.add_dynamic_partitions(partitions_name(settings), ["a.mp3"])
    source = dg.AssetSpec("file_picture", partitions_def=partitions).with_io_manager_key("pictures")
    with pytest.raises(dg.Failure, match=r"there is no picture of a\.mp3; materialize file_picture for it first"):
        dg.materialize([viewer, source], partition_key="a.mp3", instance=instance, resources={"pictures": pictures})


def test_whoever_depends_on_the_library_gets_the_rows_of_its_partitions(
    settings: Settings, instance: DagsterInstance
) -> None:
    commit(settings.database_path, entry("a.mp3"))
    partitions, found = audio_files(settings), {}

    @dg.asset(partitions_def=partitions)
    def reader(library_entry: Any) -> None:
        found.update(library_entry)

    instance.add_dynamic_partitions(partitions_name(settings), ["a.mp3", "b.mp3"])
    source = dg.AssetSpec("library_entry", partitions_def=partitions).with_io_manager_key("rows")
    rows = SqliteBatchIOManager(Library(settings), RunControl())
    for key in ("a.mp3", "b.mp3"):
        dg.materialize([reader, source], partition_key=key, instance=instance, resources={"rows": rows})
    assert [row["path"] for row in found["a.mp3"]["files"]] == ["a.mp3"]
    assert found["b.mp3"] is None


def test_a_file_that_a_pattern_passes_over_fails_alone(settings: Settings, instance: DagsterInstance) -> None:
    @dg.asset(partitions_def=audio_files(settings), io_manager_key="io")
    def pictured() -> Outcomes[bytes]:
        return {"a.mp3": Skipped(SkipReason.IGNORED)}

    instance.add_dynamic_partitions(partitions_name(settings), ["a.mp3"])
    io = PictureIOManager(Library(settings))
    with pytest.raises(dg.Failure, match=r"a\.mp3: passed over by a pattern; .*or take the pattern back"):
        dg.materialize([pictured], partition_key="a.mp3", instance=instance, resources={"io": io})
