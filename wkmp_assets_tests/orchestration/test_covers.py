"""Covers on their way from the music into the library, in real runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen.flac
import pytest

from wkmp_assets.db.read.file_warnings import read_warnings
from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.audio.sounds import melody, write_sound
from wkmp_assets_tests.support.builders import mbid, rows
from wkmp_assets_tests.support.checked_library import CheckedLibrary, checked_library
from wkmp_assets_tests.support.pictures import jpeg, opened, png

pytestmark = pytest.mark.slow

RATE_HZ = 8_000
LARGE = png("blue", (1500, 1500))
SMALL = jpeg("red")
IMAGES = """
    SELECT f.path, i.image_type, i.file_path, i.width, i.height FROM import_images AS l
    JOIN images AS i ON i.guid = l.image_id JOIN files AS f ON f.guid = l.file_id ORDER BY f.path"""


def add(music: Path, path: str, seed: int, *, front: bytes | None = None, album: bool = False) -> None:
    """Write a FLAC of a recording, which may be on an album."""
    file = music / path
    file.parent.mkdir(exist_ok=True)
    write_sound(file, melody(0.5, RATE_HZ, channels=1, seed=seed), RATE_HZ)
    tagged: Any = mutagen.flac.FLAC(file)
    tagged.update({"title": path, "artist": "Ann", "album": "Album", "musicbrainz_trackid": mbid(path)})
    if album:
        tagged["musicbrainz_albumid"] = mbid("the album")
    if front is not None:
        picture: Any = mutagen.flac.Picture()
        picture.type, picture.data = 3, front
        tagged.add_picture(picture)
    tagged.save()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    """An album, of which one file has a large picture, one a broken one and one none; and a file without an album."""
    with checked_library(tmp_path_factory.mktemp("covers"), workers) as library:
        add(library.music, "Album/1.flac", 1, front=LARGE, album=True)
        add(library.music, "Album/2.flac", 2, album=True)
        add(library.music, "Album/3.flac", 3, front=b"<svg/>", album=True)
        (library.music / "Album/Cover.JPG").write_bytes(SMALL)
        add(library.music, "Singles/4.flac", 4, front=SMALL)
        library.import_all()
        yield library


def images(library: CheckedLibrary) -> dict[str, tuple[str, Path]]:
    """Return path of a file -> type and path of its image."""
    return {row["path"]: (row["image_type"], Path(row["file_path"])) for row in rows(library.database, IMAGES)}


def kept(library: CheckedLibrary) -> set[Path]:
    return {path for path in library.settings.state_dir.rglob("covers/**/*") if path.is_file()}


def test_each_file_has_its_cover_and_equal_covers_are_one(library: CheckedLibrary) -> None:
    found = images(library)
    assert {path: kind for path, (kind, _) in found.items()} == {
        "Album/1.flac": "album_front",
        "Album/2.flac": "album_front",
        "Album/3.flac": "album_front",
        "Singles/4.flac": "passage",
    }
    assert found["Album/2.flac"] == found["Album/3.flac"]
    assert found["Singles/4.flac"][1] == found["Album/2.flac"][1], "one file for equal content"
    assert found["Album/2.flac"][1].read_bytes() == SMALL
    assert opened(found["Album/1.flac"][1].read_bytes()).size == (1024, 1024)
    assert kept(library) == {path for _, path in found.values()}
    assert {(row["path"], row["width"]) for row in rows(library.database, IMAGES)} >= {("Album/1.flac", 1024)}
    assert len(rows(library.database, "SELECT * FROM images")) == 3


def test_a_broken_picture_is_a_warning_that_names_it(library: CheckedLibrary) -> None:
    (warning,) = [one for one in read_warnings(library.database) if one.kind == "unused picture"]
    assert (warning.path, warning.message) == (
        "Album/3.flac",
        "The embedded picture 1 cannot be used as a cover: it is no JPEG, PNG, WebP, GIF or BMP that can be read.",
    )


def test_nothing_is_written_beside_the_music(library: CheckedLibrary) -> None:
    names = {path.name for path in library.music.rglob("*") if path.is_file() and not path.name.startswith("wkmp.db")}
    assert names == {"1.flac", "2.flac", "3.flac", "4.flac", "Cover.JPG"}


def test_covers_that_are_gone_are_named_and_come_back_as_advised(library: CheckedLibrary) -> None:
    before = images(library)
    shutil.rmtree(library.settings.covers_path)
    assert library.run_assets(ENTRY, first=library.keys[0], last=library.keys[-1]).success
    assert images(library) == {}, "no row names a file that does not exist"
    gone = [one for one in read_warnings(library.database) if "gone" in one.message]
    assert len(gone) == 4
    assert all(IMPORT_WITH_FORCE in one.message for one in gone)
    library.import_all(force=True)
    assert images(library) == before
    assert kept(library) == {path for _, path in before.values()}
    assert [one for one in read_warnings(library.database) if "gone" in one.message] == []
