"""Phase values that a power cut damaged, and leftovers of killed processes, are never imported."""

import random
from pathlib import Path

from wkmp_assets_tests.integration.faults.conftest import Reference
from wkmp_assets_tests.integration.faults.extent import EXTENT, full_form
from wkmp_assets_tests.integration.faults.imports import succeed
from wkmp_assets_tests.support.builders import column
from wkmp_assets_tests.support.library_rows import library_rows
from wkmp_assets_tests.support.workplace import Workplace


def damage(file: Path, kind: int) -> None:
    """Damage a file as a power cut may do: empty, truncated, or of the right length with empty blocks."""
    content = file.read_bytes()
    half = len(content) // 2
    file.write_bytes([b"", content[:half], bytes(len(content)), content[:half] + bytes(len(content) - half)][kind % 4])


def state_files(place: Workplace, pattern: str) -> list[Path]:
    return sorted((place.home / ".wkmp").rglob(pattern))


@full_form
def test_an_import_replaces_damaged_phase_values_and_pcm_and_removes_leftovers(
    short_place: Workplace, short_library: Reference, name_of_a_dead_writer: str
) -> None:
    succeed(short_place.wkmp("import", short_place.music))
    for file in short_place.music.glob("wkmp.db*"):
        file.unlink()
    documents, sounds = state_files(short_place, "*.json"), state_files(short_place, "*.pcm")
    assert len(documents) > 3
    kinds = random.Random(EXTENT.seed)
    for file in (*documents, *sounds):
        damage(file, kinds.randrange(4))
    for folder in {sounds[0].parent, *(folder for folder in state_files(short_place, "unfinished"))}:
        (folder / name_of_a_dead_writer).write_bytes(b"half a")
    succeed(short_place.wkmp("import", short_place.music))
    assert library_rows(short_place.database) == library_rows(short_library.databases[0])
    assert state_files(short_place, "*.tmp") == []


@full_form
def test_a_later_phase_alone_refuses_damaged_values_and_the_library_stays_as_it_is(short_place: Workplace) -> None:
    key = "azrael1322/azrael1.mp3"
    succeed(short_place.wkmp("import", short_place.music))
    before = library_rows(short_place.database)
    for kind, bundle in enumerate(state_files(short_place, "phases/bundles/*/*.json")):
        damage(bundle, kind)
    result = short_place.materialize("--select", "library_entry", "--partition", key)
    assert result.returncode != 0
    assert "is damaged; import it again with force" in result.stdout + result.stderr
    failures = column(short_place.database, "SELECT code FROM import_failures")
    assert failures == ["PHASE_VALUE_UNUSABLE"]
    assert library_rows(short_place.database) | {"import_failures": []} == before
