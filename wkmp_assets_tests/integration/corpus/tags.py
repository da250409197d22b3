"""Tags and pictures that attack the programs that read or show them."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from mutagen import flac, id3, mp3, mp4

from wkmp_assets_tests.integration.corpus.case import IMPORTED, UNDECODABLE, Case, Make, warned
from wkmp_assets_tests.integration.corpus.sound_bytes import PNG, sound

MEGABYTE = 1_000_000
HOSTILE = {
    "controls": "a\0b\x07c\x1b[31md\x9b2Je\r\nf\u2028g",
    "direction": "\u202eevil\u202c\u200f\u2066x\u2069",
    "path": "../../../../etc/passwd",
    "quotes": "'; \"; `id`; $(id); %s %n {0} {{7*7}}",
    "sql": "'); DROP TABLE files; --",
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "markdown": "[x](javascript:alert(3)) ![y](http://127.0.0.1:9/z) | a | b |\n# h",
    "markup": "[/bold] [link=file:///etc/passwd]x[/link] [red",
    "numbers": "9" * 999,
    "astral": "\U0001f3b5" * 50 + "\ufffe\uffff\ud7ff",
}
"""Kind of attack -> text."""


def tags() -> Iterator[Case]:
    """No tag and no picture prevents the import of the sound."""
    for name, text in HOSTILE.items():
        yield Case(f"tags/{name}.mp3", _hostile_mp3(text), IMPORTED)
        yield Case(f"tags/{name}.flac", _hostile_flac(text), IMPORTED)
    yield Case("tags/20 MB.mp3", _id3(b"PRIV", b"x\0" + bytes(20 * MEGABYTE)), IMPORTED)
    yield Case("tags/title of 3 MB.mp3", _id3(b"TIT2", b"\x03" + b"la " * MEGABYTE), warned("characters as title"))
    yield Case("tags/30,000 artists.flac", _many_artists, warned("more than 200 texts as artist"))
    ids = b"\x03MusicBrainz Artist Id\0" + b"x;" * MEGABYTE
    yield Case("tags/a million ids.mp3", _id3(b"TXXX", ids), warned("characters as artist ids"))
    yield Case("tags/400 MB in 400 kB.mp3", _bomb, warned("take more memory than a worker may have"))
    yield Case("tags/20,000 atoms in each other.m4a", _nested, UNDECODABLE)
    yield Case("tags/claims 256 MB.mp3", _after(b"ID3\4\0\0\x7f\x7f\x7f\x7f"), UNDECODABLE)
    yield Case("tags/3 billion comments.flac", _flac_comments, IMPORTED)
    yield Case("tags/3 billion comments.ogg", _ogg_comments, UNDECODABLE)
    yield Case("tags/picture of 4 gigapixels.flac", _flac_pictures(1), IMPORTED)
    yield Case("tags/picture that is longer than the file.flac", _claimed_picture, IMPORTED)
    yield Case("tags/1,000 pictures.flac", _flac_pictures(1_000), IMPORTED)
    yield Case("tags/1,000 pictures.mp3", _mp3_pictures, IMPORTED)
    yield Case("tags/picture of 30 MB.m4a", _m4a_picture, warned("it is larger than 30 MB"))
    yield Case("tags/picture that is a page.mp3", _mp3_picture(b"<svg onload='alert(4)'/>"), warned("it is no JPEG"))
    yield Case("tags/picture of nothing.mp3", _mp3_picture(b""), warned("it is empty"))


def _after(head: bytes) -> Make:
    return lambda path, seed: path.write_bytes(head + sound("mp3", seed))


def _id3(frame: bytes, data: bytes, flags: bytes = b"\0\0") -> Make:
    body = frame + syncsafe(len(data)) + flags + data
    return _after(b"ID3\4\0\0" + syncsafe(len(body)) + body)


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _bomb(path: Path, seed: int) -> None:
    """A compressed frame, which mutagen unpacks to 400 MB, more than the memory limit of the test's worker."""
    packer = zlib.compressobj(9)
    first, second = (packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    end = packer.flush()[:-4] + struct.pack(">HH", 400 * MEGABYTE % 65_521, 1)  # the check sum of nothing but zeros
    _id3(b"MCDI", syncsafe(2**28 - 1) + first + second * 399 + end, b"\0\x09")(path, seed)


def _nested(path: Path, seed: int) -> None:
    atom = b""
    for _ in range(20_000):
        atom = struct.pack(">I4s", len(atom) + 8, b"udta") + atom
    whole = sound("m4a", seed)
    free = struct.pack(">I4s", 8, b"free")
    path.write_bytes(whole + free + atom)


def _hostile_mp3(text: str) -> Make:
    def make(path: Path, seed: int) -> None:
        file = _mp3(path, seed)
        for frame in (id3.TIT2, id3.TPE1, id3.TALB, id3.TRCK, id3.TDRC):
            file.tags.add(frame(encoding=3, text=[text]))
        file.tags.add(id3.UFID(owner="http://musicbrainz.org", data=text.encode()[:60]))
        file.tags.add(id3.TXXX(encoding=3, desc="MusicBrainz Artist Id", text=[text]))
        file.save()

    return make


def _hostile_flac(text: str) -> Make:
    def make(path: Path, seed: int) -> None:
        path.write_bytes(sound("flac", seed))
        file = flac.FLAC(path)
        for name in ("title", "artist", "album", "tracknumber", "date", "musicbrainz_trackid", "work"):
            file[name] = [text]
        file.save()

    return make


def _many_artists(path: Path, seed: int) -> None:
    path.write_bytes(sound("flac", seed))
    file = flac.FLAC(path)
    file["artist"] = ["x"] * 30_000
    file.save()


def _flac_comments(path: Path, seed: int) -> None:
    """A block that announces more comments than there are bytes."""
    whole = sound("flac", seed)
    block = struct.pack("<I4sII", 4, b"wkmp", 3_000_000_000, 7) + b"TITLE=x"
    head = bytes([4]) + len(block).to_bytes(3, "big")
    path.write_bytes(whole[:4] + bytes([whole[4] & 0x7F]) + whole[5:42] + head + block + whole[42:])


def _ogg_comments(path: Path, seed: int) -> None:
    whole = sound("ogg", seed)
    at = whole.index(b"\x03vorbis") + 7
    count = at + 4 + struct.unpack_from("<I", whole, at)[0]
    path.write_bytes(whole[:count] + struct.pack("<I", 3_000_000_000) + whole[count + 4 :])


def _flac_pictures(count: int) -> Make:
    def make(path: Path, seed: int) -> None:
        path.write_bytes(sound("flac", seed))
        file = flac.FLAC(path)
        one = flac.Picture()
        one.data, one.mime = PNG, "image/png"
        one.width = one.height = one.depth = one.colors = 2**32 - 1
        for _ in range(count):
            file.add_picture(one)
        file.save()

    return make


def _claimed_picture(path: Path, seed: int) -> None:
    _flac_pictures(1)(path, seed)
    data = path.read_bytes()
    at = data.index(PNG) - 4
    path.write_bytes(data[:at] + b"\x00\xff\xff\xff" + data[at + 4 :])


def _mp3_pictures(path: Path, seed: int) -> None:
    file = _mp3(path, seed)
    for number in range(1_000):
        file.tags.add(id3.APIC(encoding=3, mime="image/png", type=3, desc=str(number), data=PNG))
    file.save()


def _mp3_picture(data: bytes) -> Make:
    def make(path: Path, seed: int) -> None:
        file = _mp3(path, seed)
        file.tags.add(id3.APIC(encoding=3, mime="image/png", type=3, desc="", data=data))
        file.save()

    return make


def _m4a_picture(path: Path, seed: int) -> None:
    """Make a small picture larger, with the boxes around it: mutagen writes a large one slowly."""
    path.write_bytes(sound("m4a", seed))
    file = mp4.MP4(path)
    file["covr"] = [mp4.MP4Cover(PNG, mp4.MP4Cover.FORMAT_PNG)]
    file.save()
    data = bytearray(path.read_bytes())
    at = data.index(PNG)
    for box in (b"moov", b"udta", b"meta", b"ilst", b"covr", b"data"):
        size_at = data.rindex(box, 0, at) - 4
        struct.pack_into(">I", data, size_at, struct.unpack_from(">I", data, size_at)[0] + 30 * MEGABYTE)
    data[at + len(PNG) : at + len(PNG)] = bytes(30 * MEGABYTE)
    path.write_bytes(data)


def _mp3(path: Path, seed: int) -> mp3.MP3:
    path.write_bytes(sound("mp3", seed))
    file = mp3.MP3(path)
    if file.tags is None:
        file.add_tags()
    return file
