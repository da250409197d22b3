"""Tags with so many entries that reading them would take minutes are refused; all others are read."""

import struct
from pathlib import Path
from typing import Any

import pytest
from mutagen._vorbis import VCommentDict
from mutagen.asf import ASFTags
from mutagen.asf._attrs import ASFUnicodeAttribute

from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.audio.tag_readers.entry_count import MAX_ENTRIES, check_entry_count
from wkmp_assets.audio.tag_readers.with_mutagen import read_mutagen_tags
from wkmp_assets.audio.worker_tasks import tag_file
from wkmp_assets.errors import TooManyTagsError
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.files.walk import read_stat
from wkmp_assets_tests.audio.tag_bytes import id3v2, raw_id3, text_frames

TOO_MANY = MAX_ENTRIES + 1


def comments(count: int) -> bytes:
    """Return Vorbis comments of one letter each."""
    return announced(count) + b"\1\0\0\0a" * count


def announced(count: int) -> bytes:
    """Return the start of Vorbis comments: the name of the encoder, and how many there are."""
    return struct.pack("<I", 4) + b"Xiph" + struct.pack("<I", count)


def flac(count: int) -> bytes:
    stream_info, body = bytes(34), comments(count)
    return b"fLaC\0\0\0\x22" + stream_info + b"\x84" + len(body).to_bytes(3, "big") + body


def ogg(marker: bytes, count: int) -> bytes:
    return b"OggS" + bytes(54) + b"OggS" + bytes(30) + marker + comments(count)


def frames(version: int, count: int) -> bytes:
    return raw_id3(version, *[(b"TT2" if version == 2 else b"TIT2", b"\0a")] * count)


KINDS = {
    "ID3v2.2": lambda count: frames(2, count),
    "ID3v2.3": lambda count: frames(3, count),
    "ID3v2.3 and FLAC": lambda count: frames(3, 1) + flac(count),
    "FLAC": flac,
    "Ogg Vorbis": lambda count: ogg(b"\x03vorbis", count),
    "Opus": lambda count: ogg(b"OpusTags", count),
}


@pytest.mark.parametrize("kind", KINDS)
def test_more_entries_than_any_music_has_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(KINDS[kind](MAX_ENTRIES) + bytes(100))
    check_entry_count(path, "a.mp3")
    path.write_bytes(KINDS[kind](TOO_MANY) + bytes(100))
    with pytest.raises(TooManyTagsError, match=r"a\.mp3.* more than 50,000 entries; remove its tags with a tagger"):
        check_entry_count(path, "a.mp3")


def test_frames_of_the_newest_version_are_counted_by_their_own_sizes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    header = b"ID3\4\0\0" + bytes((TOO_MANY * 212) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(header + (b"TXXX\0\0\1\x4a\0\0" + bytes(202)) * TOO_MANY)
    with pytest.raises(TooManyTagsError):
        check_entry_count(path, "a.mp3")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ID3",
        b"ID3\4\0\0\0\0\0\0",
        id3v2(*text_frames(TIT2="a")),
        b"fLaC",
        b"fLaC\x81\0\0\0",
        b"fLaC" + b"\1\0\0\0" * 2_000,
        b"OggS" + bytes(60),
        ogg(b"OpusTags", 3)[:-20],
        b"OggS" + bytes(60) + b"OpusTags" + announced(3_000_000_000),
        b"fLaC\x84\0\0\x0c" + announced(3_000_000_000),
    ],
    ids=repr,
)
def test_what_is_cut_off_or_has_no_tags_is_left_to_those_that_read_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    check_entry_count(path, "a.mp3")
    check_entry_count(tmp_path / "gone.mp3", "gone.mp3")


def test_the_phase_of_tags_refuses_them_before_anybody_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(frames(3, TOO_MANY))
    expected = ExpectedContent(hash_file(path, "a.mp3"), read_stat(path))
    with pytest.raises(TooManyTagsError):
        tag_file(path, "a.mp3", expected, CoverStore(tmp_path / "covers", tmp_path / "notes"))


def test_lists_of_entries_are_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object) -> None:
        raise AssertionError("mutagen goes through the whole list for each key")

    new_comments: Any = VCommentDict
    vorbis, asf = new_comments(), ASFTags()
    list.extend(vorbis, [("TITLE", "Song"), ("title", "Again"), ("Artist", "Ann")])
    list.extend(asf, [("Title", ASFUnicodeAttribute("Song")), ("Author", ASFUnicodeAttribute("Ann"))])
    for kind in (VCommentDict, ASFTags):
        monkeypatch.setattr(kind, "__getitem__", look_up)
    assert read_mutagen_tags(vorbis).fields().title == ("Song", "Again")
    assert read_mutagen_tags(vorbis).fields().artist == ("Ann",)
    assert read_mutagen_tags(asf).fields().title == ("Song",)
    assert read_mutagen_tags(asf).fields().artist == ("Ann",)
