"""Which files leave the disk, and how: ranges for players, and nothing from outside the library."""

import os
from pathlib import Path

import pytest

from wkmp_assets.report.browse.served_files import find_inside, find_music
from wkmp_assets_tests.report.browse.conftest import MUSIC, Pages
from wkmp_assets_tests.support.builders import commit, entry, opened


def test_a_file_is_sent_whole(shown: Pages) -> None:
    answer = shown.ask(f"/audio/{shown.guid('Ann/air.mp3')}")
    assert (answer.status_code, answer.content) == (200, MUSIC)
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = shown.ask(f"/audio/{shown.guid('Ann/air.mp3')}", method="HEAD")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(MUSIC)))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=100-299", 100, 299), ("bytes=4000-", 4000, 4095), ("bytes=-96", 4000, 4095),
     ("bytes=4000-999999", 4000, 4095)],
)  # fmt: skip
def test_a_player_gets_the_range_that_it_asks_for(shown: Pages, asked: str, first: int, last: int) -> None:
    for method in ("GET", "HEAD"):
        answer = shown.ask(f"/audio/{shown.guid('Ann/air.mp3')}", method, Range=asked)
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(MUSIC)}"
        assert answer.headers["content-length"] == str(last - first + 1)
        assert answer.content == (MUSIC[first : last + 1] if method == "GET" else b"")


def test_a_range_behind_the_end_is_refused(shown: Pages) -> None:
    answer = shown.ask(f"/audio/{shown.guid('Ann/air.mp3')}", Range="bytes=4096-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(MUSIC)}"


def test_a_range_of_a_file_that_has_changed_is_sent_whole(shown: Pages) -> None:
    path = f"/audio/{shown.guid('Ann/air.mp3')}"
    tag = shown.ask(path).headers["etag"]
    assert shown.ask(path, Range="bytes=0-9", If_Range=tag).status_code == 206
    assert shown.ask(path, Range="bytes=0-9", If_Range='"another"').status_code == 200


def test_formats_that_browsers_do_not_play_are_not_sent(shown: Pages) -> None:
    assert shown.ask(f"/audio/{shown.guid('Ann/old.ape')}").status_code == 404
    assert shown.ask(f"/audio/{shown.guid('Ann/gone.mp3')}").status_code == 404


@pytest.mark.parametrize("path", ["../outside.mp3", "/OUTSIDE/outside.mp3", "Ann/../../outside.mp3", "link.mp3",
                                  "folder/outside.mp3", "pipe.mp3", "Ann", "wkmp.db", "Ann/x\0.mp3"])  # fmt: skip
def test_no_path_of_a_library_leads_out_of_its_folder(changing: Pages, tmp_path: Path, path: str) -> None:
    root = changing.library.root
    (tmp_path / "outside.mp3").write_bytes(b"private")
    (root / "link.mp3").symlink_to(tmp_path / "outside.mp3")
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.mp3")
    stored = path.replace("\0", "").replace("/OUTSIDE", str(tmp_path))
    with opened(changing.library.database) as library:
        library.execute("UPDATE files SET path = ?, guid = 'evil' WHERE path = 'Ann/gone.mp3'", [stored])
    answer = changing.ask("/audio/evil")
    assert answer.status_code == 404
    assert b"private" not in answer.content
    if "\0" in path:
        assert find_inside(root, path) is None
    assert find_music(root, path.replace("/OUTSIDE", str(tmp_path))) in {None, root / "wkmp.db"}


def test_links_within_the_folder_are_followed(changing: Pages) -> None:
    root = changing.library.root
    (root / "Ann" / "gone.mp3").symlink_to("air.mp3")
    assert changing.ask(f"/audio/{changing.guid('Ann/gone.mp3')}").content == MUSIC


def test_a_name_that_is_not_utf8_is_found_by_its_key(changing: Pages) -> None:
    (changing.library.root / os.fsdecode(b"caf\xe9.mp3")).write_bytes(b"x")
    commit(changing.library.database, entry("caf%E9.mp3", "cafe"))
    assert changing.ask(f"/audio/{changing.guid('caf%E9.mp3')}").content == b"x"


def test_no_address_is_a_path(shown: Pages) -> None:
    for address in ("/audio/../wkmp.db", "/audio/..%2f..%2fwkmp.db", "/audio/Ann/air.mp3", "/audio/Ann%2Fair.mp3",
                    "/browse-static/../plugin.py", "/browse-static/..%2fplugin.py"):  # fmt: skip
        assert shown.ask(address).status_code in {403, 404}, address


def test_pictures_and_covers_come_from_their_folders_only(changing: Pages, tmp_path: Path) -> None:
    library, guid = changing.library, changing.guid("Ann/air.mp3")
    (library.pictures / "air.mp3.png").write_bytes(b"picture")
    cover, private = library.covers / "a.jpg", tmp_path / "private.jpg"
    cover.write_bytes(b"cover")
    private.write_bytes(b"private")
    for number, path in enumerate((cover, private, "cover.txt")):
        with opened(library.database) as rows:
            rows.execute(
                "INSERT INTO images (guid, file_path, image_type, entity_id, priority) VALUES (?, ?, 'song', 'a', ?)",
                [str(number), str(path), number],
            )
            rows.execute("INSERT INTO import_images VALUES (?, ?)", [guid, str(number)])
    page = changing.shows(f"/file/{guid}")
    assert f'src="/picture/{guid}"' in page
    assert f'src="/cover/{guid}/0"' in page
    picture = changing.ask(f"/picture/{guid}")
    assert (picture.content, picture.headers["content-type"]) == (b"picture", "image/png")
    assert changing.ask(f"/cover/{guid}/0").content == b"cover"
    assert [changing.ask(f"/cover/{guid}/{number}").status_code for number in (1, 2, 3)] == [404] * 3


@pytest.mark.parametrize("host", ["evil.example", "evil.example:3001", "127.0.0.1.evil.example"])
def test_a_foreign_name_is_refused(shown: Pages, host: str) -> None:
    for path in ("/", f"/audio/{shown.guid('Ann/air.mp3')}", "/library.json"):
        assert shown.ask(path, host=host).status_code == 403


def test_other_pages_cannot_embed_or_read_what_is_served(shown: Pages) -> None:
    path = f"/audio/{shown.guid('Ann/air.mp3')}"
    assert shown.ask(path, Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="audio").status_code == 403
    assert shown.ask(path, Origin="http://evil.example").status_code == 403
    assert shown.ask(path, Sec_Fetch_Site="same-origin").status_code == 200
    assert shown.ask("/", host="localhost:3001").status_code == 200


def test_the_stand_ins_of_music_in_a_store_are_not_sent() -> None:
    assert find_music(None, "album/a.mp3") is None
