"""The picture of a file after a real import, from the command and from Dagster."""

import base64
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG
from matplotlib.image import imread

from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.phases import PICTURE
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.checked_library import QUIET
from wkmp_assets_tests.support.workplace import Imported

LEVEL_ONLY = {**QUIET, "ops": {PICTURE: {"config": {"sound": False}}}}
MIX = "Various Artists/Mixes/Three Songs in One File.flac"


def test_the_command_draws_a_file(imported_sample: Imported, tmp_path: Path) -> None:
    place, output = imported_sample.place, tmp_path / "mix.png"
    result = place.wkmp("picture", place.music / MIX, "--output", output, "--level-only")
    assert (result.returncode, result.stdout.strip()) == (0, str(output)), result.stderr
    assert imread(output).shape == (420, 1040, 4)


@pytest.mark.long  # librosa compiles its beat tracker
def test_the_command_draws_the_sound(imported_sample: Imported, tmp_path: Path) -> None:
    place, output = imported_sample.place, tmp_path / "mix.png"
    before = place.database.read_bytes()
    result = place.wkmp("picture", place.music / MIX, "--output", output)
    assert result.returncode == 0, result.stderr
    assert imread(output).shape[:2] == (780, 1040)
    assert output.stat().st_size < 150_000, "it is kept in Dagster's database"
    assert place.database.read_bytes() == before


def test_the_command_says_what_to_do_about_a_file_that_was_never_imported(
    imported_sample: Imported, tmp_path: Path
) -> None:
    place = imported_sample.place
    other = tmp_path / "other.flac"
    other.write_bytes((place.music / MIX).read_bytes())
    result = place.wkmp("picture", other)
    assert result.returncode == 1
    assert "import it again with force" in result.stderr


def materialize(imported: Imported, path: str, **overrides: object) -> dg.ExecuteInProcessResult:
    place = imported.place
    with place.instance() as instance:
        settings = load_settings(library_root=place.music, **overrides)
        job = build_definitions(settings).resolve_implicit_global_asset_job_def()
        return job.get_subset(asset_selection={dg.AssetKey(PICTURE)}).execute_in_process(
            instance=instance, run_config=LEVEL_ONLY, tags={PARTITION_NAME_TAG: encode_key(path)}, raise_on_error=False
        )


def test_the_asset_shows_the_picture_in_its_metadata(imported_sample: Imported) -> None:
    before = imported_sample.place.database.read_bytes()
    result = materialize(imported_sample, MIX)
    assert result.success
    (event,) = result.get_asset_materialization_events()
    metadata = {name: value.value for name, value in event.materialization.metadata.items()}
    stored = Path(str(metadata["path"])).read_bytes()
    inline = str(metadata["picture"])
    assert base64.b64decode(inline.removeprefix("![file_picture](data:image/png;base64,").removesuffix(")")) == stored
    assert stored.startswith(b"\x89PNG")
    assert len(stored) < 150_000, "it is kept in Dagster's database"
    assert imported_sample.place.database.read_bytes() == before


def test_a_file_without_phase_values_fails_with_the_next_step(imported_sample: Imported, tmp_path: Path) -> None:
    result = materialize(imported_sample, MIX, state_dir=tmp_path)
    assert not result.success
    (failure,) = [event for event in result.all_node_events if event.is_step_failure]
    assert "passage_segments is missing; import it again with force" in str(
        failure.step_failure_data.user_failure_data.description
    )
