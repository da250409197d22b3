"""The flavors that the state folder keeps: whole, or made again."""

from pathlib import Path

import numpy as np
import pytest

from wkmp_assets.model.flavor import Flavor
from wkmp_assets.model.flavor_table import FlavorTable
from wkmp_assets.runtime.flavor_cache import read_flavor_cache, write_flavor_cache

FLAVOR: Flavor = {"mood": {"a": 0.25, "b": 0.75}, "é": {"x": 0.1, "y": 0.2, "z": 0.7}}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Return a cache of three flavors, one of them empty."""
    path = tmp_path / "flavors.npz"
    added = [(b"1" * 16, FLAVOR), (b"\0" * 16, FLAVOR), (b"2" * 16, {})]
    write_flavor_cache(path, FlavorTable().updated([], added))
    return path


def test_what_is_kept_is_read_again(kept: Path) -> None:
    table = read_flavor_cache(kept, 16)
    assert all(digest in table for digest in (b"1" * 16, b"\0" * 16, b"2" * 16))
    assert {group.shape for group in table.groups} == {(), (("mood", ("a", "b")), ("é", ("x", "y", "z")))}
    assert [group.numbers.tolist() for group in table.groups if group.shape] == [
        np.array([[0.25, 0.75, 0.1, 0.2, 0.7]] * 2, np.float32).tolist()
    ]


def test_a_cache_that_is_not_whole_is_none(kept: Path) -> None:
    """A flipped bit too: the parts of the file have checksums."""
    content = kept.read_bytes()
    for damaged in (b"", content[:-10], content[: len(content) // 2], b"PK" + content[:50], b"\x93NUMPY"):
        kept.write_bytes(damaged)
        assert read_flavor_cache(kept, 16).groups == ()
    at = content.index(np.float32(0.1).tobytes())
    kept.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert read_flavor_cache(kept, 16).groups == ()
    assert read_flavor_cache(kept.with_name("absent"), 16).groups == ()


def test_arrays_of_another_width_are_no_cache(kept: Path) -> None:
    assert read_flavor_cache(kept, 8).groups == ()


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    write_flavor_cache(tmp_path / "file" / "flavors.npz", FlavorTable())
    assert (tmp_path / "file").read_text() == ""
