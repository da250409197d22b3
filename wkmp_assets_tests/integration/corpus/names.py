"""Unusual names, links, and entries that are not files."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from wkmp_assets_tests.integration.corpus.case import (
    IMPORTED,
    LINK,
    LOCKED,
    LOCKED_FOLDER,
    NO_FILE,
    NOT_UTF8,
    Case,
    Make,
    undecodable,
)
from wkmp_assets_tests.integration.corpus.sound_bytes import plain, sound

NAMES = (
    "x" * 251,
    "\u00e9" * 125,
    "case/Song", "case/SONG", "case/song",
    "form/Caf\u00e9", "form/Cafe\u0301",
    "line\nbreak", "tab\tand\x1b[31mred", "quote'quote\"quote`", "; rm -rf ~; $(id)", "-rf",
    "100%25 %2e%2e%2f", "...And So On...", "a...b", "a,b [c] {d} |e| *", "\\back\\slash",
    "<script>alert(1)", "[x](javascript:alert(1))", "[/bold] [link=x]", "'); DROP TABLE files; --",
    "\u202egnp", " leading and trailing ", "\U0001f3b5\ufffe", "CON",
    "/".join(["d" * 200] * 15) + "/deep",
)  # fmt: skip
SECRET = Path("..", "outside", "secret.mp3")
"""Relative to the music folder: music outside of it."""
_PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
_REFUSED = undecodable("not a kind of file that music comes in")


def names() -> Iterator[Case]:
    """Every kind of name that a file system accepts."""
    for name in NAMES:
        yield Case(f"names/{name}.mp3", plain("mp3"), IMPORTED)
    yield Case(os.fsdecode(b"names/caf\xe9 \xff.mp3"), plain("mp3"), NOT_UTF8)


def no_files() -> Iterator[Case]:
    """Links, pipes, unreadable files, and playlists."""
    yield Case("links/out.mp3", _link_to_secret, LINK)
    yield Case("links/folder out", lambda p, _: p.symlink_to(_secret(p).parent), LINK)
    targets = {"circle": ".", "nowhere.mp3": "nowhere", "itself.mp3": "itself.mp3", "zero.wav": "/dev/zero"}
    for name, target in targets.items():
        yield Case(f"links/{name}", lambda p, _, t=target: p.symlink_to(t), LINK)
    yield Case(os.fsdecode(b"links/caf\xe9.mp3"), lambda p, _: p.symlink_to("nowhere"), LINK)
    yield Case("devices/pipe.mp3", lambda p, _: os.mkfifo(p), NO_FILE)
    yield Case("devices/socket.flac", lambda p, _: os.mknod(p, stat.S_IFSOCK), NO_FILE)
    yield Case("devices/folder.mp3/song.mp3", plain("mp3"), IMPORTED)
    yield Case("locked/file.mp3", _locked, LOCKED)
    yield Case("locked/folder", lambda p, _: p.mkdir(0), LOCKED_FOLDER)
    yield Case("lists/near.mp3", _link_to_secret, LINK)
    yield Case("lists/concat near.wav", _text("ffconcat version 1.0\nfile near.mp3\n"), _REFUSED)
    yield Case("lists/concat.wav", _text("ffconcat version 1.0\nfile {}\n"), _REFUSED)
    yield Case("lists/hls.mp3", _text(_PLAYLIST), undecodable("no sound in it"))
    yield Case("lists/hls with an address.mp3", _text(_PLAYLIST.format("file://{}")), undecodable("no sound in it"))


def _secret(path: Path) -> Path:
    music = next(folder for folder in path.parents if folder.name == "music")
    return music.parent / SECRET.relative_to("..")


def _link_to_secret(path: Path, seed: int) -> None:
    secret = _secret(path)
    secret.parent.mkdir(exist_ok=True)
    secret.write_bytes(sound("mp3", seed))
    path.symlink_to(secret)


def _text(text: str) -> Make:
    return lambda path, _seed: path.write_text(text.format(_secret(path)))


def _locked(path: Path, seed: int) -> None:
    path.write_bytes(sound("mp3", seed))
    path.chmod(0)
