"""The note about the page of `wkmp browse` counts while its process lives, and no longer."""

import json
import os
from pathlib import Path

import pytest

from wkmp_assets.runtime.served_page import announce_page, find_page

HERE = "http://127.0.0.1:3001"


def test_the_page_is_found_while_it_is_served(tmp_path: Path) -> None:
    note = tmp_path / "state" / "browse.json"
    assert find_page(note) is None
    with announce_page(note, HERE):
        assert find_page(note) == HERE
        assert json.loads(note.read_text())["pid"] == os.getpid()
        with announce_page(note, "http://127.0.0.1:3002"):
            assert find_page(note) == HERE
        assert find_page(note) == HERE, "the second page leaves the note of the first"
    assert find_page(note) is None
    assert not note.exists()


@pytest.mark.parametrize("content", [{"address": HERE, "pid": os.getpid()}, {"address": HERE, "pid": 1}])
def test_the_note_of_a_killed_process_does_not_count(tmp_path: Path, content: dict[str, object]) -> None:
    (tmp_path / "browse.json").write_text(json.dumps(content))
    assert find_page(tmp_path / "browse.json") is None


@pytest.mark.parametrize("content", ["[]", "{", '{"address": 1}', '{"address": "javascript:alert(1)"}'])
def test_a_damaged_note_is_no_page(tmp_path: Path, content: str) -> None:
    note = tmp_path / "browse.json"
    with announce_page(note, HERE):
        note.write_text(content)
        assert find_page(note) is None
