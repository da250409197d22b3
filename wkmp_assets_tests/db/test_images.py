"""The covers of files are rows of `images`, and stay exactly as long as a file has them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.db.commit import remove_file
from wkmp_assets.db.read.images import read_cover_paths, read_image_paths
from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.read.removal import read_removable
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.file_entry import EntryCover, FileEntry
from wkmp_assets.model.values import CoverKind, FileState
from wkmp_assets_tests.db.test_schema import create_older
from wkmp_assets_tests.support.builders import (
    LATER,
    Bounds,
    bare,
    column,
    commit,
    entry,
    in_a_row,
    meanwhile_sql,
    problems,
    rows,
    run_sql,
    seconds,
    sha,
)

pytestmark = pytest.mark.slow

MINE = "INSERT INTO images (guid, file_path, image_type, entity_id, priority) SELECT 'mine', 'p', 'album_front', guid, 1 FROM albums"  # noqa: E501


def cover(name: str = "red", kind: CoverKind = CoverKind.FRONT, folder: str = "/state") -> EntryCover:
    return EntryCover(kind, sha(name), f"{folder}/{name}.jpg", 600, 500)


FRONT, OTHER, BACK = cover(), cover("blue"), cover("green", CoverKind.BACK)
LINER = cover("white", CoverKind.LINER)


def covered(
    path: str, *covers: EntryCover, album: bool = True, bounds: Bounds | None = None, **known: Any
) -> FileEntry:
    """Return the entry of a file with covers, of the album that all files of these tests are on, or of none."""
    songs: Sequence[None] | None = None if album else [None] * len(in_a_row(1) if bounds is None else bounds)
    return replace(entry(path, known.pop("content", path), bounds, songs=songs, **known), covers=covers)


def again(path: str, *covers: EntryCover, **known: Any) -> FileEntry:
    return covered(path, *covers, state=FileState.CHANGED, **known)


def images(database: Path) -> list[tuple[str, str, str]]:
    """Return type, path and the kind of the entity of each image."""
    query = """
        SELECT image_type, file_path, CASE WHEN entity_id IN (SELECT guid FROM albums) THEN 'album'
          WHEN entity_id IN (SELECT guid FROM passages) THEN 'passage' END AS entity
        FROM images ORDER BY image_type, file_path"""
    return [tuple(row.values()) for row in rows(database, query)]


def paths(database: Path) -> list[str]:
    assert problems(database) == []
    return sorted(path for _, path, _ in images(database))


def statements(made: dict[str, FileCommit], path: str) -> int:
    receipt = made[path].receipt
    assert receipt is not None
    assert (receipt.write_locks, receipt.selects_in_transaction) == (1, 0)
    return receipt.statements


def test_a_cover_belongs_to_the_album_of_its_file(database: Path) -> None:
    made = commit(database, covered("a", FRONT, BACK, LINER), covered("b"))
    assert images(database) == [
        ("album_back", "/state/green.jpg", "album"),
        ("album_front", "/state/red.jpg", "album"),
        ("album_liner", "/state/white.jpg", "album"),
    ]
    (front,) = rows(database, "SELECT * FROM images WHERE image_type = 'album_front'")
    assert (front["width"], front["height"], front["priority"]) == (600, 500, 100)
    assert front["created_at"] == front["updated_at"] == "2026-03-01 12:00:00"
    assert statements(made, "a") == statements(made, "b") + 2, "the covers of a new file are two statements"
    assert problems(database) == []


def test_without_an_album_the_front_cover_belongs_to_every_passage(database: Path) -> None:
    commit(database, covered("a", FRONT, BACK, album=False, bounds=in_a_row(3)))
    assert images(database) == [("passage", "/state/red.jpg", "passage")] * 3
    assert column(database, "SELECT entity_id FROM images ORDER BY 1") == column(
        database, "SELECT guid FROM passages ORDER BY 1"
    )


def test_the_files_of_an_album_share_one_row(database: Path) -> None:
    commit(database, *(covered(str(number), FRONT) for number in range(12)))
    assert paths(database) == ["/state/red.jpg"]
    assert column(database, "SELECT count(*) FROM import_images") == [12]


def test_the_same_covers_again_write_nothing(database: Path) -> None:
    commit(database, covered("a", FRONT, BACK), covered("b"))
    before = rows(database, "SELECT * FROM images")
    made = commit(database, again("a", FRONT, BACK), again("b"), now=LATER)
    assert statements(made, "a") == statements(made, "b")
    assert rows(database, "SELECT * FROM images") == before


def test_another_cover_replaces_the_one_of_the_import_only(database: Path) -> None:
    commit(database, covered("a", FRONT))
    run_sql(database, MINE)
    commit(database, again("a", OTHER), now=LATER)
    assert paths(database) == ["/state/blue.jpg", "p"]
    commit(database, again("a"), now=LATER)
    assert paths(database) == ["p"], "a file without a cover leaves none"


@pytest.mark.parametrize("order", [*permutations("abc")], ids="".join)
def test_a_cover_goes_with_its_last_file_in_any_order(database: Path, order: tuple[str, ...]) -> None:
    commit(database, *(covered(path, FRONT) for path in "abc"))
    for number, path in enumerate(order):
        assert paths(database) == (["/state/blue.jpg"] if number else []) + ["/state/red.jpg"]
        commit(database, again(path, OTHER), now=LATER)
    assert paths(database) == ["/state/blue.jpg"]


def test_a_file_that_gets_an_album_gives_its_cover_to_it(database: Path) -> None:
    commit(database, covered("a", FRONT, album=False))
    commit(database, again("a", FRONT), now=LATER)
    assert images(database) == [("album_front", "/state/red.jpg", "album")]


def test_an_album_that_only_a_person_linked_does_not_get_it(database: Path) -> None:
    commit(database, covered("a", FRONT, album=False), covered("b"))
    link = "INSERT INTO passage_albums SELECT p.guid, a.guid, '2020-01-01 00:00:00' FROM passages p, albums a, files f"
    run_sql(database, f"{link} WHERE f.guid = p.file_id AND f.path = 'a'")
    commit(database, again("a", FRONT, album=False), now=LATER)
    assert images(database) == [("passage", "/state/red.jpg", "passage")]
    run_sql(database, "DELETE FROM passages WHERE file_id = (SELECT guid FROM files WHERE path = 'b')")
    commit(database, again("a", FRONT), now=LATER)
    assert images(database) == [("album_front", "/state/red.jpg", "album")], "now the import names it, too"


def test_a_passage_that_stays_keeps_the_cover_of_its_file(database: Path) -> None:
    commit(database, covered("a", FRONT, album=False))
    run_sql(database, "UPDATE passages SET user_title = 'mine'")
    commit(database, again("a", FRONT, album=False, bounds=seconds((100, 120))), now=LATER)
    assert images(database) == [("passage", "/state/red.jpg", "passage")] * 2


def test_the_cover_of_a_passage_goes_with_it(database: Path) -> None:
    commit(database, covered("a", FRONT, album=False))
    commit(database, again("a", FRONT, album=False, bounds=seconds((100, 120))), now=LATER)
    assert images(database) == [("passage", "/state/red.jpg", "passage")]


def test_a_file_that_moves_keeps_its_covers_and_a_copy_has_none(database: Path) -> None:
    commit(database, covered("a", FRONT, content="x"), bare("b", "x", duplicate_of="a"))
    assert column(database, "SELECT count(*) FROM import_images") == [1]
    moved = bare("c", "x", FileState.MOVED, moved_from="a")
    commit(database, moved, now=LATER)
    assert paths(database) == ["/state/red.jpg"]
    commit(database, covered("d", OTHER, content="y"), now=LATER)
    commit(database, bare("d", "x", duplicate_of="c"), now=LATER)
    assert paths(database) == ["/state/red.jpg"], "the album's other picture went with the file that had it"


def test_a_cover_in_another_folder_is_the_same_row(database: Path) -> None:
    """The state folder was moved."""
    commit(database, covered("a", FRONT))
    (guid,) = column(database, "SELECT guid FROM images")
    commit(database, again("a", cover(folder="/elsewhere")), now=LATER)
    assert rows(database, "SELECT guid, file_path FROM images") == [{"guid": guid, "file_path": "/elsewhere/red.jpg"}]


@pytest.mark.parametrize("keys", ["ON", "OFF"])
def test_an_image_that_somebody_deleted_is_made_again(database: Path, keys: str) -> None:
    commit(database, covered("a", FRONT))
    run_sql(database, f"PRAGMA foreign_keys = {keys}", "DELETE FROM images")
    commit(database, again("a", FRONT), now=LATER)
    assert paths(database) == ["/state/red.jpg"]


def test_what_another_import_does_meanwhile_is_respected(database: Path) -> None:
    commit(database, covered("a", FRONT), covered("b"))
    also_b = "INSERT INTO import_images SELECT f.guid, i.guid FROM files f, images i WHERE f.path = 'b'"
    with meanwhile_sql(database, also_b):
        commit(database, again("a"), now=LATER)
    assert paths(database) == ["/state/red.jpg"], "another file got the cover while this one lost it"


def test_the_covers_go_with_their_file(database: Path) -> None:
    commit(database, covered("a", FRONT), covered("b", FRONT), covered("c", OTHER, album=False))
    run_sql(database, MINE)
    for path, left in (
        ("a", ["/state/blue.jpg", "/state/red.jpg", "p"]),
        ("b", ["/state/blue.jpg", "p"]),
        ("c", ["p"]),
    ):
        (removable,) = read_removable(database, [path])
        assert removable.references == {}, "the import's own table keeps no file in the library"
        with LibraryWriter(database, LockSettings()) as writer:
            receipt = remove_file(writer, path, "2026-03-01 12:00:00", with_references=False)
        assert receipt.write_locks == 1
        assert paths(database) == left
    assert column(database, "SELECT count(*) FROM import_images") == [0]


def test_the_pictures_of_a_library_are_listed(database: Path) -> None:
    assert read_image_paths(database) is None
    assert read_cover_paths(database) == []
    commit(database, covered("a", FRONT), covered("b", FRONT, BACK))
    run_sql(database, MINE)
    assert read_image_paths(database) == {"/state/red.jpg", "/state/green.jpg", "p"}
    assert read_cover_paths(database) == ["/state/green.jpg", "/state/red.jpg"]


def test_an_older_library_gets_the_tables(database: Path) -> None:
    create_older(database)
    assert (read_image_paths(database), read_cover_paths(database)) == (set(), [])
    commit(database, covered("c", FRONT))
    assert paths(database) == ["/state/red.jpg"]


def test_images_of_another_program_get_the_columns_that_they_lack(database: Path) -> None:
    create_older(database)
    run_sql(
        database,
        "CREATE TABLE images (guid TEXT PRIMARY KEY, file_path TEXT, image_type TEXT, entity_id TEXT, artist TEXT)",
        "INSERT INTO images VALUES ('theirs', 'x', 'logo', 'e', 'Ann')",
    )
    commit(database, covered("c", FRONT))
    assert paths(database) == ["/state/red.jpg", "x"]
    assert column(database, "SELECT artist FROM images WHERE guid = 'theirs'") == ["Ann"]
    assert column(database, "SELECT width FROM images WHERE guid <> 'theirs'") == [600]


@pytest.mark.parametrize("missing", ["m005", "m004", "m003"])
def test_a_library_from_before_the_table_has_covers_when_it_is_written(database: Path, missing: str) -> None:
    commit(database, covered("a"))
    forget = f"DELETE FROM _sqlite_migrations WHERE name >= '{missing}'"  # noqa: S608 - of this test
    run_sql(database, "DROP TABLE import_images", forget)
    (removable,) = read_removable(database, ["a"])
    assert removable.images == ()
    commit(database, again("a", FRONT), now=LATER)
    assert paths(database) == ["/state/red.jpg"]
