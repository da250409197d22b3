"""Workers that read the files of one album at the same time make its cover once."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from wkmp_assets.audio.covers import made
from wkmp_assets.audio.covers.made import KeptCover, make_cover
from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.runtime.file_locks import hold_lock
from wkmp_assets_tests.support.pictures import jpeg, png

LARGE = png("blue", (1100, 1100))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CoverStore]:
    made._seen.clear()
    yield CoverStore(tmp_path / "covers", tmp_path / "notes")
    made._seen.clear()


def make(data: bytes, store: CoverStore) -> KeptCover | str:
    """Make a cover as a worker does that has not seen the picture."""
    made._seen.clear()
    return make_cover(lambda: data, store)


def note_of(store: CoverStore) -> Path:
    (note,) = store.notes.glob("*.json")
    return note


def test_a_cover_that_another_worker_made_is_not_made_again(store: CoverStore) -> None:
    first = make(LARGE, store)
    assert isinstance(first, KeptCover)
    assert (first.width, first.height) == (1024, 1024)
    elsewhere = make(jpeg(), store)
    assert isinstance(elsewhere, KeptCover)
    for note in store.notes.glob("*.json"):  # a note is believed: this one says that the pictures are the same
        note.write_text(f'["{elsewhere.path}", 40, 30]')
    assert make(LARGE, store) == elsewhere


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b'["ab/gone.jpg", 1, 1]', b"\xff"])
def test_a_note_that_says_nothing_is_written_again(store: CoverStore, content: bytes) -> None:
    first = make(LARGE, store)
    note_of(store).write_bytes(content)
    assert make(LARGE, store) == first
    assert note_of(store).read_bytes() != content


def test_a_broken_picture_leaves_no_note(store: CoverStore) -> None:
    assert str(make(b"broken", store)).startswith("it is no JPEG")
    assert list(store.notes.glob("*.json")) == []


@pytest.mark.slow
def test_a_worker_waits_for_the_one_that_makes_the_same_cover(store: CoverStore) -> None:
    make(LARGE, store)
    note, other = note_of(store), make(jpeg(), store)
    assert isinstance(other, KeptCover)
    note.unlink()
    with ThreadPoolExecutor() as pool:
        with hold_lock(note.with_name(f"{note.name[:2]}.lock")):
            waiting = pool.submit(make, LARGE, store)
            wait([waiting], timeout=0.3)  # without the lock, it would be done by now
            note.write_text(f'["{other.path}", 40, 30]')  # what the other one made
        assert waiting.result() == other


def test_old_notes_are_swept(store: CoverStore) -> None:
    make(LARGE, store)
    store.sweep(())
    os.utime(note_of(store), (0, 0))
    store.sweep(())
    assert list(store.notes.glob("*.json")) == []
