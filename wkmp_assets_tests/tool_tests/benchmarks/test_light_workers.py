"""Light workers read the hash and tags of every file, and take the measures of their first one."""

from pathlib import Path

import pytest

from wkmp_assets.audio import file_visit
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.model.phases import FLAVORS, TAGS
from wkmp_assets_tests.audio.sounds import melody, write_sound
from wkmp_assets_tests.audio.test_file_visit import visit_of
from wkmp_assets_tests.tools.benchmarks import light_workers


@pytest.mark.slow
def test_another_file_has_its_own_hash_and_tags_and_the_measures_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in light_workers.MEASURES:  # so that they are put back
        monkeypatch.setattr(file_visit, name, getattr(file_visit, name))
    light_workers._hear_once.cache_clear()
    paths = [
        write_sound(tmp_path / f"{name}.wav", melody(seconds, 8_000), 8_000) for name, seconds in (("a", 2), ("b", 3))
    ]
    first, second = (light_workers.light_visit(path, visit_of(path)) for path in paths)
    assert second.content_hash == hash_file(paths[1], "b.wav") != first.content_hash
    assert second.values[FLAVORS] == first.values[FLAVORS]
    assert second.values[TAGS] != first.values[TAGS]
    assert second.token is not None
