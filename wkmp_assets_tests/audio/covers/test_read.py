"""The covers of a file: of every container, of the right kind, or a warning."""

import base64
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import av
import mutagen.aiff
import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.mp3
import mutagen.mp4
import mutagen.oggopus
import mutagen.oggvorbis
import mutagen.wave
import numpy as np
import pytest

from wkmp_assets.audio.covers.beside import find_beside
from wkmp_assets.audio.covers.read import read_covers
from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.files.cue_files import find_cue_files
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.values import Cover, CoverKind, CoverSource
from wkmp_assets_tests.audio.sounds import encode, melody, write_sound
from wkmp_assets_tests.support.pictures import jpeg, png

FRONT, BACK, ARTIST, LEAFLET, OTHER = jpeg("red"), jpeg("green"), jpeg("blue"), jpeg("white"), png("pink")
RATE_HZ = 8_000
Pictures = list[tuple[int, bytes]]
"""ID3's type and the picture."""
TYPICAL: Pictures = [(8, ARTIST), (4, BACK), (5, LEAFLET), (3, FRONT)]

id3: Any = mutagen.id3
Write = Callable[[Path, Pictures], None]


@pytest.fixture
def store(tmp_path: Path) -> CoverStore:
    return CoverStore(tmp_path / "covers", tmp_path / "notes")


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short sound of every container, without tags."""
    folder = tmp_path_factory.mktemp("sounds")
    for name in ("a.flac", "a.wav", "a.aiff"):
        write_sound(folder / name, melody(0.3, RATE_HZ), RATE_HZ)
    for name, codec in (
        ("a.mp3", "libmp3lame"), ("a.ogg", "vorbis"), ("a.m4a", "aac"), ("a.wma", "wmav2"), ("a.wv", "wavpack"),
        ("a.tta", "tta"), ("a.aac", "aac"),
    ):  # fmt: skip
        encode(folder / name, melody(0.3, 44_100), 44_100, codec)
    encode(folder / "a.opus", melody(0.3, 48_000), 48_000, "libopus")
    return folder


def frames(pictures: Pictures) -> list[Any]:
    return [id3.APIC(3, "image/jpeg", kind, str(number), data) for number, (kind, data) in enumerate(pictures)]


def block(kind: int, data: bytes) -> mutagen.flac.Picture:
    made: Any = mutagen.flac.Picture()
    made.type, made.data, made.mime = kind, data, "image/png"  # which is wrong, and does not matter
    return made


def write_id3(opener: Callable[..., Any]) -> Write:
    def write(path: Path, pictures: Pictures) -> None:
        file = opener(path)
        if file.tags is None:
            file.add_tags()
        for frame in frames(pictures):
            file.tags.add(frame)
        file.save()

    return write


def write_old_id3(path: Path, pictures: Pictures) -> None:
    """Write ID3v2.2, where the frame is called PIC."""
    body = b""
    for kind, data in pictures:
        content = b"\0JPG" + bytes([kind, 0]) + data
        body += b"PIC" + len(content).to_bytes(3, "big") + content
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x02\x00\x00" + size + body + path.read_bytes())


def write_flac(path: Path, pictures: Pictures) -> None:
    file = mutagen.flac.FLAC(path)
    for kind, data in pictures:
        file.add_picture(block(kind, data))
    file.save()


def write_id3_before(path: Path, pictures: Pictures) -> None:
    tags = id3.ID3()
    for frame in frames(pictures):
        tags.add(frame)
    tags.save(path)


def write_comments(opener: Callable[..., Any]) -> Write:
    def write(path: Path, pictures: Pictures) -> None:
        file = opener(path)
        texts = [base64.b64encode(block(kind, data).write()).decode() for kind, data in pictures]
        file["metadata_block_picture"] = texts
        file.save()

    return write


def write_id3_behind_an_empty_one(path: Path, pictures: Pictures) -> None:
    sound = path.read_bytes()
    path.write_bytes(b"")
    write_id3_before(path, pictures)
    path.write_bytes(b"ID3\4\0\0\0\0\0\0" + path.read_bytes() + sound)


def append_id3(path: Path, pictures: Pictures) -> None:
    """Write an ID3v2.4 tag at the end, with its footer, and an ID3v1 tag behind it."""
    sound = path.read_bytes()
    path.write_bytes(b"")
    write_id3_before(path, pictures)
    size = path.stat().st_size - 10
    sizes = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    tag = b"ID3\4\0\x10" + sizes + path.read_bytes()[10:] + b"3DI\4\0\x10" + sizes
    path.write_bytes(sound + tag + b"TAG" + bytes(125))


def write_asf(path: Path, pictures: Pictures) -> None:
    file: Any = mutagen.asf.ASF(path)
    asf: Any = mutagen.asf
    texts = "image/jpeg\0".encode("utf-16-le") + "of ā\0".encode("utf-16-le")  # with a zero byte across two letters
    file["WM/Picture"] = [
        asf.ASFByteArrayAttribute(struct.pack("<BI", kind, len(data)) + texts + data) for kind, data in pictures
    ]
    file.save()


def write_ape(path: Path, pictures: Pictures) -> None:
    names = {3: "Cover Art (Front)", 4: "COVER ART (BACK)", 5: "Cover Art (Leaflet)", 8: "Cover Art (Artist)"}
    tags: Any = mutagen.apev2.APEv2()
    ape: Any = mutagen.apev2
    for kind, data in pictures:
        tags[names[kind]] = ape.APEValue(b"front.jpg\0" + data, ape.BINARY)
    tags.save(path)


def make_matroska(path: Path, pictures: Pictures) -> None:
    names = {3: "cover.jpg", 4: "Back.jpg", 5: "booklet.jpg", 8: "artist.jpg"}
    with av.open(path, "w", format="matroska") as container:
        stream: Any = container.add_stream("flac", rate=RATE_HZ)
        stream.layout = "mono"
        container.add_attachment("font.ttf", "font/ttf", b"font")
        for kind, data in pictures:
            container.add_attachment(names[kind], "image/jpeg", data)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


ALL = {CoverKind.FRONT: FRONT, CoverKind.BACK: BACK, CoverKind.LINER: LEAFLET}
CONTAINERS: dict[str, tuple[str, Write, dict[CoverKind, bytes]]] = {
    "ID3 in MP3": ("a.mp3", write_id3(mutagen.mp3.MP3), ALL),
    "ID3v2.2": ("a.mp3", write_old_id3, ALL),
    "ID3 in WAV": ("a.wav", write_id3(mutagen.wave.WAVE), ALL),
    "ID3 in AIFF": ("a.aiff", write_id3(mutagen.aiff.AIFF), ALL),
    "ID3 before AAC": ("a.aac", write_id3_before, ALL),
    "ID3 in TTA": ("a.tta", write_id3_before, ALL),
    "ID3 behind an empty tag": ("a.mp3", write_id3_behind_an_empty_one, ALL),
    "ID3 after the sound": ("a.mp3", append_id3, ALL),
    "FLAC": ("a.flac", write_flac, ALL),
    "comments of FLAC": ("a.flac", write_comments(mutagen.flac.FLAC), ALL),
    "ID3 before FLAC": ("a.flac", write_id3_before, ALL),
    "Vorbis": ("a.ogg", write_comments(mutagen.oggvorbis.OggVorbis), ALL),
    "Opus": ("a.opus", write_comments(mutagen.oggopus.OggOpus), ALL),
    "WMA": ("a.wma", write_asf, ALL),
    "APEv2 in WavPack": ("a.wv", write_ape, ALL),
    "APEv2 in MP3": ("a.mp3", write_ape, ALL),
    "APEv2 in TTA": ("a.tta", write_ape, ALL),
    "Matroska": ("a.mka", make_matroska, {CoverKind.FRONT: FRONT, CoverKind.BACK: BACK}),
}


def content_of(store: CoverStore, covers: tuple[Cover, ...]) -> dict[CoverKind, bytes]:
    return {cover.kind: (store.root / cover.path).read_bytes() for cover in covers}


def read(path: Path, store: CoverStore) -> tuple[dict[CoverKind, bytes], list[str]]:
    """Return kind -> picture, and the warnings; all covers must be embedded ones."""
    covers, warnings = read_covers(path, path.name, store)
    assert {cover.source for cover in covers} <= {CoverSource.EMBEDDED}
    assert {warning.kind for warning in warnings} <= {WarningKind.UNUSED_PICTURE}
    return content_of(store, covers), [warning.text for warning in warnings]


@pytest.mark.parametrize(("name", "write", "expected"), CONTAINERS.values(), ids=CONTAINERS)
def test_the_pictures_of_every_container_are_read(
    sounds: Path, tmp_path: Path, store: CoverStore, name: str, write: Write, expected: dict[CoverKind, bytes]
) -> None:
    path = tmp_path / name
    if (sounds / name).exists():
        shutil.copy(sounds / name, path)
    write(path, TYPICAL)
    assert read(path, store) == (expected, [])


def test_m4a_has_front_covers_only(sounds: Path, tmp_path: Path, store: CoverStore) -> None:
    path = Path(shutil.copy(sounds / "a.m4a", tmp_path))
    file = mutagen.mp4.MP4(path)
    mp4: Any = mutagen.mp4
    file["covr"] = [mp4.MP4Cover(b"no picture"), mp4.MP4Cover(FRONT), mp4.MP4Cover(BACK)]
    file.save()
    found, (warning,) = read(path, store)
    assert found == {CoverKind.FRONT: FRONT}
    assert warning.startswith("The embedded picture 1 cannot be used as a cover: it is no JPEG")


def test_the_older_tag_of_ogg_is_read(sounds: Path, tmp_path: Path, store: CoverStore) -> None:
    path = Path(shutil.copy(sounds / "a.ogg", tmp_path))
    file = mutagen.oggvorbis.OggVorbis(path)
    file["coverart"] = base64.b64encode(FRONT).decode()
    file["coverartmime"] = "image/jpeg"
    file.save()
    assert read(path, store) == ({CoverKind.FRONT: FRONT}, [])


BLOCKS = {"no base64": "!!!", "half a base64": "A", "a cut block": base64.b64encode(b"\0\0\0\3\0\0").decode()}


@pytest.mark.parametrize("key", ["metadata_block_picture", "coverart"])
@pytest.mark.parametrize("text", BLOCKS.values(), ids=BLOCKS)
def test_a_damaged_block_of_ogg_is_a_warning(
    sounds: Path, tmp_path: Path, store: CoverStore, key: str, text: str
) -> None:
    path = Path(shutil.copy(sounds / "a.ogg", tmp_path))
    file = mutagen.oggvorbis.OggVorbis(path)
    file[key] = text
    file.save()
    found, (warning,) = read(path, store)
    assert found == {}
    assert warning.startswith("The embedded picture 1 cannot be used as a cover: it")


def test_a_damaged_picture_of_wma_is_a_warning(sounds: Path, tmp_path: Path, store: CoverStore) -> None:
    path = Path(shutil.copy(sounds / "a.wma", tmp_path))
    file: Any = mutagen.asf.ASF(path)
    asf: Any = mutagen.asf
    file["WM/Picture"] = [asf.ASFByteArrayAttribute(struct.pack("<BI", 3, 9) + b"i\0m\0a\0")]
    file.save()
    assert read(path, store)[1] == ["The embedded picture 1 cannot be used as a cover: its header is damaged."]


def test_an_address_is_no_picture(sounds: Path, tmp_path: Path, store: CoverStore) -> None:
    path = Path(shutil.copy(sounds / "a.mp3", tmp_path))
    file: Any = mutagen.mp3.MP3(path)
    file.tags.add(id3.APIC(3, "-->", 3, "", b"http://example.org/front.jpg"))
    file.save()
    assert read(path, store)[1] == [
        "The embedded picture 1 cannot be used as a cover: it is the address of a picture elsewhere."
    ]


@pytest.fixture
def mp3(sounds: Path, tmp_path: Path) -> Callable[[Pictures], Path]:
    """Return a function that makes an MP3 with pictures, in a music folder."""

    def make(pictures: Pictures) -> Path:
        folder = tmp_path / "music/Album"
        folder.mkdir(parents=True)
        path = Path(shutil.copy(sounds / "a.mp3", folder))
        write_id3(mutagen.mp3.MP3)(path, pictures)
        return path

    return make


def front_of(path: Path, store: CoverStore) -> tuple[bytes | None, list[str]]:
    covers, warnings = read_covers(path, f"Album/{path.name}", store)
    return content_of(store, covers).get(CoverKind.FRONT), [warning.text for warning in warnings]


ORDER = {
    "front before others": ([(8, ARTIST), (0, OTHER), (3, FRONT)], FRONT),
    "without a type before the file beside": ([(8, ARTIST), (0, OTHER)], OTHER),
    "the file beside before the artist": ([(8, ARTIST)], BACK),
    "the file beside a back cover": ([(4, LEAFLET)], BACK),
    "the file beside a broken front cover": ([(3, b"broken"), (8, ARTIST)], BACK),
}


@pytest.mark.parametrize(("pictures", "expected"), ORDER.values(), ids=ORDER)
def test_the_likeliest_front_cover_counts(
    mp3: Callable[[Pictures], Path], store: CoverStore, pictures: Pictures, expected: bytes
) -> None:
    path = mp3(pictures)
    (path.parent / "cover.jpg").write_bytes(BACK)
    assert front_of(path, store)[0] == expected


def test_the_artist_is_better_than_nothing(mp3: Callable[[Pictures], Path], store: CoverStore) -> None:
    assert front_of(mp3([(8, ARTIST)]), store) == (ARTIST, [])


def test_names_beside_the_file_are_found_in_order_and_without_case(
    mp3: Callable[[Pictures], Path], store: CoverStore
) -> None:
    path = mp3([])
    assert front_of(path, store) == (None, [])
    for number, name in enumerate(
        ("AlbumArt_{0}_Large.JPG", "front.bmp", "Folder.jpg", "COVER.PNG", "cover.jpeg", "cover.jpg")
    ):
        data = jpeg((number, 0, 0))
        (path.parent / name).write_bytes(data)
        os.utime(path.parent, ns=(number, number))  # the folder is listed again when it has changed
        assert front_of(path, store)[0] == data, name
    for name in ("cover.txt", "cover.jpg.bak", "back cover.jpg", "albumart.png", "discover.jpg"):
        (path.parent / name).write_bytes(b"nothing")
    for name in ("cover.jpg", "cover.jpeg", "COVER.PNG", "Folder.jpg", "front.bmp", "AlbumArt_{0}_Large.JPG"):
        (path.parent / name).unlink()
    assert front_of(path, store) == (None, [])


def unusable_beside(folder: Path) -> Iterator[tuple[str, Callable[[Path], object], str]]:
    secret = folder / "secret.jpg"
    secret.write_bytes(FRONT)
    yield "a link out of the music folder", lambda path: path.symlink_to(secret), "a link out of the music folder"
    yield "a pipe", os.mkfifo, "a pipe, a folder or a device"
    yield "a folder", Path.mkdir, "a pipe, a folder or a device"
    yield "a link to nothing", lambda path: path.symlink_to(path.parent / "gone.jpg"), "cannot be read (No such file"
    yield "a link to itself", lambda path: path.symlink_to(path), "cannot be read (Too many levels"
    yield (
        "a huge file",
        lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 30_000_001),
        "larger than 30 MB",
    )
    yield "nothing inside", Path.touch, "empty"


def test_a_file_beside_that_cannot_be_used_is_named(
    mp3: Callable[[Pictures], Path], store: CoverStore, tmp_path: Path
) -> None:
    path = mp3([])
    cover = path.parent / "cover.jpg"
    (path.parent / "folder.jpg").write_bytes(BACK)
    for what, make, reason in unusable_beside(tmp_path):
        make(cover)
        found, (warning,) = front_of(path, store)
        assert found == BACK, what
        assert warning.startswith("The file cover.jpg cannot be used as a cover: it ")
        assert reason in warning, what
        cover.rmdir() if cover.is_dir() and not cover.is_symlink() else cover.unlink()


def test_a_link_inside_the_music_folder_is_followed(mp3: Callable[[Pictures], Path], store: CoverStore) -> None:
    path = mp3([])
    (path.parent.parent / "same.jpg").write_bytes(FRONT)
    (path.parent / "cover.jpg").symlink_to("../same.jpg")
    assert front_of(path, store) == (FRONT, [])


def test_equal_pictures_are_one_file_and_one_that_vanished_is_made_again(
    mp3: Callable[[Pictures], Path], store: CoverStore
) -> None:
    path = mp3([(3, FRONT), (4, FRONT)])
    covers, _ = read_covers(path, f"Album/{path.name}", store)
    assert covers[0].path == covers[1].path
    assert (covers[0].width, covers[0].height) == (40, 30)
    (kept,) = store.root.rglob("*.jpg")
    kept.unlink()
    assert front_of(path, store) == (FRONT, [])


def test_many_broken_pictures_are_not_all_tried(mp3: Callable[[Pictures], Path], store: CoverStore) -> None:
    found, warnings = front_of(mp3([(3, bytes([number])) for number in range(60)]), store)
    assert found is None
    assert len(warnings) == 5


@pytest.mark.parametrize("name", ["list.mka", "http:list.mka"])
def test_a_playlist_under_the_name_of_music_opens_no_other_file(tmp_path: Path, store: CoverStore, name: str) -> None:
    """The other file is a pipe, whose writer waits until somebody opens it."""
    other = tmp_path / "other.mka"
    os.mkfifo(other)
    path = tmp_path / name
    path.write_text("ffconcat version 1.0\nfile other.mka\n")
    is_opened = Event()

    def write() -> None:
        with other.open("wb"):
            is_opened.set()

    writer = Thread(target=write, daemon=True)
    writer.start()
    assert read(path, store) == ({}, [])
    was_opened = is_opened.is_set()
    descriptor = os.open(other, os.O_RDONLY | os.O_NONBLOCK)  # lets the writer go
    writer.join()
    os.close(descriptor)
    assert not was_opened


def test_a_file_that_cannot_be_read_has_no_pictures(tmp_path: Path, store: CoverStore) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC" + b"\xff" * 100)
    assert read(path, store) == ({}, [])
    assert read(tmp_path / "gone.mp3", store) == ({}, [])


def test_a_folder_that_is_gone_has_no_pictures_and_no_sheets(tmp_path: Path) -> None:
    assert find_beside(tmp_path / "gone") == ()
    assert find_cue_files(tmp_path / "gone/song.flac") == ()
