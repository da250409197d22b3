"""MusicBrainz ids are read under every name of the table, in every container that can hold it."""

from pathlib import Path
from typing import Any

import mutagen.asf
import mutagen.flac
import mutagen.mp4
import pytest

from wkmp_assets.audio.tag_fields import TagFields, read_fields
from wkmp_assets.audio.tag_readers.ids import ID_NAMES, UFID, IdName
from wkmp_assets.audio.tag_readers.names import FREE
from wkmp_assets_tests.audio.sounds import encode, tone
from wkmp_assets_tests.audio.tag_bytes import ape, id3, id3v2, matroska_tag, raw_id3, with_tags
from wkmp_assets_tests.support.paths import ROOT

RATE_HZ = 8_000
MBID = "55555551-5555-4555-8555-555555555555"
OTHER = "66666661-6666-4666-8666-666666666666"
FREE_NAMES = [row for row in ID_NAMES if row.name != UFID]
each_row = pytest.mark.parametrize("row", FREE_NAMES, ids=lambda row: f"{row.field}-{row.name}")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a file without tags of each container."""
    folder = tmp_path_factory.mktemp("files")
    codecs = {"mp3": "libmp3lame", "flac": "flac", "m4a": "aac", "wma": "wmav2", "mka": "flac"}
    return {
        extension: encode(folder / f"a.{extension}", tone(0.3, RATE_HZ), RATE_HZ, codec)
        for extension, codec in codecs.items()
    }


def fields(path: Path) -> dict[str, tuple[str, ...]]:
    found = read_fields(path)
    assert found is not None
    return {name: texts for name, texts in found.fields._asdict().items() if texts}


def spellings(name: str) -> list[str]:
    return [name, name.lower(), name.replace("_", " ").upper()]


@each_row
def test_each_name_is_read_from_id3(files: dict[str, Path], tmp_path: Path, row: IdName) -> None:
    for name in spellings(row.name):
        path = tmp_path / "a.mp3"
        path.write_bytes(id3v2(id3.TXXX(encoding=3, desc=name, text=[MBID])) + files["mp3"].read_bytes())
        assert fields(path) == {row.field: (MBID,)}


@pytest.mark.slow
@each_row
def test_each_name_is_read_from_apev2(files: dict[str, Path], tmp_path: Path, row: IdName) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(files["mp3"].read_bytes() + ape(tmp_path, **{row.name: MBID}))
    assert fields(path) == {row.field: (MBID,)}


@each_row
def test_each_name_is_read_from_mp4_whatever_its_mean(files: dict[str, Path], tmp_path: Path, row: IdName) -> None:
    path = copied(files["m4a"], tmp_path)
    for mean in ("com.apple.iTunes", "org.musicbrainz"):
        save(mutagen.mp4.MP4, path, f"----:{mean}:{row.name}", [MBID.encode()])
        assert fields(path) == {row.field: (MBID,)}


@each_row
def test_each_name_is_read_from_other_containers(files: dict[str, Path], tmp_path: Path, row: IdName) -> None:
    vorbis, asf = copied(files["flac"], tmp_path), copied(files["wma"], tmp_path)
    save(mutagen.flac.FLAC, vorbis, row.name, [MBID])
    save(mutagen.asf.ASF, asf, row.name.replace("MusicBrainz ", "MusicBrainz/"), [MBID])
    matroska = tmp_path / "a.mka"
    matroska.write_bytes(with_tags(files["mka"].read_bytes(), matroska_tag(b"", **{row.name: MBID})))
    for path in (vorbis, asf, matroska):
        assert fields(path) == {row.field: (MBID,)}


@pytest.mark.parametrize(
    ("owner", "data"),
    [
        ("http://musicbrainz.org", MBID.encode()),
        ("https://musicbrainz.org", MBID.encode()),
        ("http://musicbrainz.org/", MBID.encode()),
        ("http://www.musicbrainz.org", MBID.encode()),
        ("HTTP://MusicBrainz.org", MBID.encode()),
        ("musicbrainz.org", MBID.encode()),
        ("http://musicbrainz.org", MBID.encode() + b"\0"),
        ("http://musicbrainz.org", MBID.encode("utf-16")),
        ("http://musicbrainz.org", MBID.encode("utf-16-le")),
        ("http://musicbrainz.org", f"https://musicbrainz.org/recording/{MBID}".encode()),
    ],
)
def test_unique_file_identifiers_of_musicbrainz_are_recordings(
    files: dict[str, Path], tmp_path: Path, owner: str, data: bytes
) -> None:
    frames = (b"UFID", b"http://www.cddb.com/id3/taginfo1.html\x003CD3N48Q"), (b"UFID", owner.encode() + b"\0" + data)
    path = tmp_path / "a.mp3"
    path.write_bytes(raw_id3(3, *frames) + files["mp3"].read_bytes())
    assert fields(path) == {"recording_ids": (MBID,)}


def test_a_name_whose_text_is_no_id_hides_no_other_name(files: dict[str, Path], tmp_path: Path) -> None:
    frames = [id3.TXXX(encoding=3, desc="MusicBrainz Track Id", text=[MBID])]
    path = tmp_path / "a.mp3"
    path.write_bytes(id3v2(id3.UFID(owner="http://musicbrainz.org", data=b"none"), *frames) + files["mp3"].read_bytes())
    assert fields(path) == {"recording_ids": (MBID,)}


def test_of_two_spellings_of_a_name_the_first_counts(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(
        files["mp3"].read_bytes() + ape(tmp_path, MUSICBRAINZ_TRACKID=MBID, **{"MusicBrainz Track Id": OTHER})
    )
    assert len(fields(path)["recording_ids"]) == 1


def test_the_track_of_a_release_is_no_recording(files: dict[str, Path], tmp_path: Path) -> None:
    frames = {"MusicBrainz Release Track Id": OTHER, "MusicBrainz Track Id": MBID}
    path = tmp_path / "a.mp3"
    tags = id3v2(*(id3.TXXX(encoding=3, desc=name, text=[text]) for name, text in frames.items()))
    path.write_bytes(tags + files["mp3"].read_bytes())
    assert fields(path) == {"recording_ids": (MBID,), "release_track_ids": (OTHER,)}


def test_every_row_names_a_field_and_its_programs() -> None:
    assert {row.field for row in ID_NAMES} == {name for name in TagFields._fields if name.endswith("_ids")}
    assert all(row.programs for row in ID_NAMES)
    assert len({(row.field, row.name) for row in ID_NAMES}) == len(ID_NAMES)


def test_the_reference_has_the_table() -> None:
    page = (ROOT / "docs/reference/tags.md").read_text(encoding="utf-8")
    ids = [f"| `{row.field}` | `{row.name}` | {row.programs} |" for row in ID_NAMES]
    chosen = [
        f"| `{field}` | {', '.join(f'`{name}`' for name in names)} |"
        for field, names in FREE._asdict().items()
        if names
    ]
    for marker, rows in (("<!-- ids:", ids), ("<!-- free names:", chosen)):
        assert page.split(marker)[1].split("\n\n")[0].splitlines()[3:] == rows


def copied(source: Path, folder: Path) -> Path:
    path = folder / source.name
    path.write_bytes(source.read_bytes())
    return path


def save(opener: Any, path: Path, name: str, texts: list[Any]) -> None:
    file = opener(path)
    if file.tags is None:
        file.add_tags()
    file.tags.clear()
    file[name] = texts
    file.save()
