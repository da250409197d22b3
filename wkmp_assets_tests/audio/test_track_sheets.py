"""Sheets beside music files and inside them, in files as programs write them."""

import os
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen
import pytest
from mutagen.flac import CueSheet
from mutagen.id3 import CHAP, ID3, TIT2, TXXX

from wkmp_assets.audio.track_sheets import read_sheets
from wkmp_assets.files.cue_files import MAX_CUE_BYTES, MAX_CUE_FILES
from wkmp_assets.model.boundary_evidence import BoundarySource, TrackSheet
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets_tests.audio.sounds import encode, tone, write_sound

RATE_HZ = 8_000


def cue(*titles: str, file: str = "Live.flac", step_s: int = 1) -> str:
    tracks = "".join(
        f'  TRACK {number:02} AUDIO\n    TITLE "{title}"\n    INDEX 01 00:{(number - 1) * step_s:02}:00\n'
        for number, title in enumerate(titles, 1)
    )
    return f'PERFORMER "Band"\nTITLE "Live"\nFILE "{file}" WAVE\n{tracks}'


@pytest.fixture
def live(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "Live.flac", tone(3, RATE_HZ), RATE_HZ)


def sheets_of(path: Path) -> tuple[TrackSheet, ...]:
    sheets, warnings = read_sheets(path)
    assert warnings == ()
    return sheets


def titles(sheet: TrackSheet) -> list[tuple[float, str | None]]:
    return [(track.start_ticks / TICKS_PER_SECOND, track.title) for track in sheet.tracks]


def warning_of(path: Path) -> str:
    """The only warning about a file, which has no sheet."""
    sheets, (warning,) = read_sheets(path)
    assert (sheets, warning.kind) == ((), WarningKind.UNUSED_SHEET)
    return warning.text


BESIDE = {
    "the name of the file": ("Live.cue", "Live.flac"),
    "the ending of the rip": ("Live.cue", "Live.wav"),
    "other cases": ("LIVE.CUE", "live.FLAC"),
    "the full name": ("Live.flac.cue", "Live.flac"),
    "another name": ("Album.cue", "Live.flac"),
    "the name of a program": ("Live.cue", "CDImage.wav"),
    "both": ("Album.cue", "Range1.wav"),
}


@pytest.mark.parametrize(("name", "file"), BESIDE.values(), ids=BESIDE)
def test_a_sheet_beside_the_file_is_read(live: Path, name: str, file: str) -> None:
    (live.parent / name).write_text(cue("One", "Two", file=file))
    (sheet,) = sheets_of(live)
    assert (sheet.source, titles(sheet)) == (BoundarySource.CUE_FILE, [(0, "One"), (1, "Two")])


def test_a_file_without_a_sheet_has_none(live: Path) -> None:
    assert sheets_of(live) == ()


def test_the_sheet_of_a_folder_gives_each_file_its_track(live: Path) -> None:
    other = write_sound(live.parent / "02 - Two.flac", tone(1, RATE_HZ), RATE_HZ)
    (live.parent / "Album.cue").write_text(cue("One") + cue("Two", file="02 - Two.wav"))
    assert [titles(*sheets_of(path)) for path in (live, other)] == [[(0, "One")], [(0, "Two")]]


def test_the_sheet_of_another_file_is_not_read(live: Path) -> None:
    write_sound(live.parent / "Dead.flac", tone(1, RATE_HZ), RATE_HZ)
    (live.parent / "Dead.cue").write_text(cue("One", file="Dead.flac"))
    assert sheets_of(live) == ()


def test_a_sheet_with_the_name_of_the_file_that_describes_another_one_is_named(live: Path) -> None:
    (live.parent / "Live.cue").write_text(cue("One", file="Other.flac"))
    assert warning_of(live) == 'The CUE sheet "Live.cue" was not used: it describes "Other.flac".'


def test_a_sheet_that_cannot_be_read_is_named(live: Path) -> None:
    sheet = live.parent / "Live.cue"
    sheet.write_text("no sheet")
    assert warning_of(live) == 'The CUE sheet "Live.cue" was not used: it names no track.'
    sheet.write_bytes(b"x" * (MAX_CUE_BYTES + 1))
    assert "it is larger than 256 KB" in warning_of(live)
    sheet.unlink()
    os.mkfifo(sheet)
    assert "it is no regular file" in warning_of(live)


def test_a_link_out_of_the_library_is_not_followed(live: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.cue"
    outside.write_text(cue("Secret"))
    (live.parent / "Live.cue").symlink_to(outside)
    assert warning_of(live) == 'The CUE sheet "Live.cue" was not used: it is a symbolic link.'


def test_many_sheets_in_a_folder_are_not_all_read(live: Path) -> None:
    for number in range(MAX_CUE_FILES + 5):
        (live.parent / f"{number:02}.cue").write_text("no sheet")
    (live.parent / "Live.cue").write_text(cue("One"))
    sheets, warnings = read_sheets(live)
    assert (len(sheets), warnings) == (1, ())
    (live.parent / "Live.cue").unlink()
    assert len(read_sheets(live)[1]) == MAX_CUE_FILES


def test_a_sheet_in_the_tags_comes_after_the_one_beside_the_file(live: Path) -> None:
    flac: Any = mutagen.File(live)
    flac["CUESHEET"] = cue("Uno", "Dos", file="whatever.wav")
    flac.save()
    (live.parent / "Live.cue").write_text(cue("One", "Two"))
    beside, embedded = sheets_of(live)
    assert (beside.source, embedded.source) == (BoundarySource.CUE_FILE, BoundarySource.CUE_TAG)
    assert titles(embedded) == [(0, "Uno"), (1, "Dos")]


def test_a_sheet_in_the_tags_that_cannot_be_read_is_named(live: Path) -> None:
    flac: Any = mutagen.File(live)
    flac["CUESHEET"] = "no sheet"
    flac.save()
    assert warning_of(live) == "The CUE sheet in the tags was not used: it names no track."
    flac["CUESHEET"] = cue("One", file="1.wav") + cue("Two", file="2.wav")
    flac.save()
    assert warning_of(live) == "The CUE sheet in the tags was not used: it describes other files."


def test_a_sheet_in_the_id3_tags_of_an_mp3_file_is_read(tmp_path: Path) -> None:
    path = encode(tmp_path / "Live.mp3", tone(3, RATE_HZ), RATE_HZ, "mp3")
    tags = ID3()
    tags.add(TXXX(desc="CUESHEET", text=cue("Café", "Two").replace("\n", "\r\n")))
    tags.save(path)
    (sheet,) = sheets_of(path)
    assert titles(sheet) == [(0, "Café"), (1, "Two")]


def block(starts: tuple[int, ...], total: int) -> bytes:
    """FLAC's CUESHEET block of a CD, places in samples."""
    data = struct.pack(">128sQB258xB", b"", 88_200, 0x80, len(starts) + 1)
    for number, start in enumerate(starts, 1):
        data += struct.pack(">QB12sB13xB", start, number, b"USABC1234567", 0, 2)
        data += struct.pack(">QB3x", 0, 0) + struct.pack(">QB3x", 588, 1)
    return data + struct.pack(">QB12sB13xB", total, 170, b"", 0, 0)


def test_flacs_own_sheet_has_places_and_isrcs_and_no_titles(live: Path) -> None:
    flac: Any = mutagen.File(live)
    flac.cuesheet = CueSheet(block((0, 8_000), 24_000))
    flac.metadata_blocks.append(flac.cuesheet)
    flac.save()
    (sheet,) = sheets_of(live)
    assert (sheet.source, sheet.length_ticks) == (BoundarySource.CUE_BLOCK, 3 * TICKS_PER_SECOND)
    assert titles(sheet) == [(588 / RATE_HZ, None), (1 + 588 / RATE_HZ, None)]
    assert [(track.number, track.isrc) for track in sheet.tracks] == [(1, "USABC1234567"), (2, "USABC1234567")]


CHAPTERS = ((0, "One"), (2_500, "Zwö"), (7_000, "Three"))


def write_chapters(path: Path, codec: str, container: str) -> Path:
    encode(path, tone(10, 16_000), 16_000, codec, container=container)
    other = path.with_name(f"chapters{path.suffix}")
    with av.open(path) as source, av.open(other, "w", format=container) as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        target.set_chapters(
            [
                {
                    "id": number,
                    "start": start,
                    "end": start + 2_000,
                    "time_base": Fraction(1, 1_000),
                    "metadata": {"title": title},
                }
                for number, (start, title) in enumerate(CHAPTERS)
            ]
        )
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return other


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec", "container"), [("a.m4b", "aac", "ipod"), ("a.mka", "aac", "matroska")], ids=["MP4", "Matroska"]
)
def test_chapters_of_a_container_are_read(tmp_path: Path, name: str, codec: str, container: str) -> None:
    (sheet,) = sheets_of(write_chapters(tmp_path / name, codec, container))
    assert sheet.source is BoundarySource.CHAPTERS
    assert titles(sheet) == [(start / 1_000, title) for start, title in CHAPTERS]


def test_chapters_beside_an_unknown_codec_are_read_and_break_nothing(tmp_path: Path) -> None:
    """PyAV has no properties of such a stream."""
    path = write_chapters(tmp_path / "a.mka", "aac", "matroska")
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_XYZ"))
    assert len(sheets_of(path)) == 1


def test_chapters_in_vorbis_comments_are_read(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.ogg", tone(10, RATE_HZ), RATE_HZ)
    ogg: Any = mutagen.File(path)
    for number, (start, title) in enumerate(CHAPTERS):
        ogg[f"CHAPTER{number:03}"] = f"00:00:{start / 1_000:06.3f}"
        ogg[f"CHAPTER{number:03}NAME"] = title
    ogg.save()
    (sheet,) = sheets_of(path)
    assert titles(sheet) == [(start / 1_000, title) for start, title in CHAPTERS]


def with_id3_chapters(path: Path, *starts_ms: int) -> Path:
    encode(path, tone(1, RATE_HZ), RATE_HZ, "mp3")
    tags = ID3()
    for start in starts_ms:
        title = TIT2(text=f"from {start}")
        tags.add(CHAP(element_id=f"c{start}", start_time=start, end_time=start + 1, sub_frames=[title]))
    tags.save(path)
    return path


def test_chapters_in_id3_tags_are_read_in_their_order(tmp_path: Path) -> None:
    (sheet,) = sheets_of(with_id3_chapters(tmp_path / "a.mp3", 9_000, 0, 4_000))
    assert titles(sheet) == [(0, "from 0"), (4, "from 4000"), (9, "from 9000")]


def test_id3_chapters_without_a_title_have_none(tmp_path: Path) -> None:
    path = with_id3_chapters(tmp_path / "a.mp3", 0, 4_000)
    tags = ID3(path)
    tags.getall("CHAP")[1].sub_frames.clear()
    tags.save(path)
    (sheet,) = sheets_of(path)
    assert titles(sheet) == [(0, "from 0"), (4, None)]


def test_short_chapters_are_joined_to_their_neighbours(tmp_path: Path) -> None:
    (sheet,) = sheets_of(with_id3_chapters(tmp_path / "a.mp3", 0, 500, 1_000, 6_000, 12_000, 13_000))
    assert titles(sheet) == [(0, "from 1000"), (6, "from 6000"), (13, "from 13000")]


def test_one_chapter_separates_nothing(tmp_path: Path) -> None:
    assert sheets_of(with_id3_chapters(tmp_path / "a.mp3", 0)) == ()


def test_a_thousand_chapters_are_no_tracks(tmp_path: Path) -> None:
    path = with_id3_chapters(tmp_path / "a.mp3", *range(0, 4_000_000, 4_000))
    assert warning_of(path) == "The list of chapters was not used: it has more than 999."


@pytest.mark.parametrize("data", [b"", b"text", b"ID3\x04\x00\x00\xff\xff\xff\x7f", b"fLaC" + b"\xff" * 60])
def test_a_file_that_cannot_be_opened_has_no_sheet(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(data)
    assert sheets_of(path) == ()


def test_the_disc_id_tells_how_long_the_disc_is(live: Path) -> None:
    (live.parent / "Live.cue").write_text("REM DISCID 12000302\n" + cue("One", "Two"))
    (sheet,) = sheets_of(live)
    assert sheet.length_ticks == 3 * TICKS_PER_SECOND
