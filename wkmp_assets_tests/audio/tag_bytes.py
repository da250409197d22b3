"""Tags as bytes, as programs write them beside the rules of mutagen."""

import io
import struct
from pathlib import Path
from typing import Any

import mutagen.id3
from mutagen.apev2 import APEv2

id3: Any = mutagen.id3
ID3_FOOTER = 0x10


def text_frames(**texts: str) -> list[Any]:
    """Return ID3 frames, by their names."""
    return [getattr(id3, name)(encoding=3, text=[text]) for name, text in texts.items()]


def id3v2(*frames: Any, version: int = 4) -> bytes:
    """Return an ID3v2 tag that ends where its frames end."""
    tags = id3.ID3()
    for frame in frames:
        tags.add(frame)
    if version == 3:
        tags.update_to_v23()
    content = io.BytesIO()
    tags.save(content, v2_version=version, padding=lambda _info: 0)
    return content.getvalue() or b"ID3\4\0\0\0\0\0\0"


def with_footer(tag: bytes) -> bytes:
    """Return an ID3v2.4 tag as it stands at the end of a file."""
    header = tag[:5] + bytes([tag[5] | ID3_FOOTER]) + tag[6:10]
    return header + tag[10:] + b"3DI" + header[3:]


def raw_id3(version: int, *frames: tuple[bytes, bytes]) -> bytes:
    """Return an ID3v2.2 or 2.3 tag of frames whose content is given as it is."""
    body = b"".join(
        name + (struct.pack(">I", len(content))[1:] if version == 2 else struct.pack(">IH", len(content), 0)) + content
        for name, content in frames
    )
    return b"ID3" + bytes([version, 0, 0]) + bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def id3v1(title: str, artist: str, album: str, year: str, track: int = 7, genre: int = 17) -> bytes:
    """Return an ID3v1.1 tag; genre 17 is Rock."""
    texts = [(title, 30), (artist, 30), (album, 30), (year, 4), ("", 28)]
    return b"TAG" + b"".join(text.encode("latin-1")[:n].ljust(n, b"\0") for text, n in texts) + bytes([0, track, genre])


def ape(folder: Path, **texts: str) -> bytes:
    """Return an APEv2 tag; the names of its keys have blanks where Python has underscores."""
    open_ape: Any = APEv2
    tags = open_ape()
    for key, text in texts.items():
        tags[key.replace("_", " ")] = text
    path = folder / "ape"
    path.touch()
    tags.save(path)
    content = path.read_bytes()
    path.unlink()
    return content


def lyrics3(**texts: str) -> bytes:
    """Return a Lyrics3v2 tag."""
    fields = b"".join(f"{name}{len(text):05d}{text}".encode("latin-1") for name, text in texts.items())
    body = b"LYRICSBEGIN" + fields
    return body + f"{len(body):06d}LYRICS200".encode()


def chunk(name: bytes, content: bytes, *, order: str = "<", is_padded: bool = True) -> bytes:
    """Return a chunk of RIFF (`<`) or IFF (`>`)."""
    padding = b"\0" * (len(content) % 2 if is_padded else 0)
    return name + struct.pack(f"{order}I", len(content)) + content + padding


def info(encoding: str = "utf-8", *, is_padded: bool = True, **texts: str) -> bytes:
    """Return a list of RIFF texts."""
    items = (chunk(name.encode(), text.encode(encoding) + b"\0", is_padded=is_padded) for name, text in texts.items())
    return chunk(b"LIST", b"INFO" + b"".join(items))


def with_chunks(sound: bytes, *chunks: bytes, are_first: bool = False) -> bytes:
    """Return a WAV or AIFF file with more chunks, at its end or before its sound."""
    order = "<" if sound.startswith(b"RIFF") else ">"
    body = sound[12:]
    at = body.index(b"data") if are_first else len(body)
    body = body[:at] + b"".join(chunks) + body[at:]
    return sound[:4] + struct.pack(f"{order}I", len(body) + 4) + sound[8:12] + body


def element(name: str, content: bytes) -> bytes:
    """Return an element of Matroska."""
    return bytes.fromhex(name) + (0x10000000 | len(content)).to_bytes(4, "big") + content


def simple_tag(name: str, text: str) -> bytes:
    return element("67C8", element("45A3", name.encode()) + element("4487", text.encode()))


def matroska_tag(targets: bytes, **texts: str) -> bytes:
    """Return a tag of Matroska about its targets."""
    simple = (simple_tag(name, text) for name, text in texts.items())
    return element("7373", element("63C0", targets) + b"".join(simple))


def level(number: int) -> bytes:
    return element("68CA", bytes([number]))


def with_tags(sound: bytes, *tags: bytes) -> bytes:
    """Return a Matroska file with more tags at its end."""
    at = sound.index(bytes.fromhex("18538067")) + 4
    size_bytes = 9 - sound[at].bit_length()
    body = sound[at + size_bytes :] + element("1254C367", b"".join(tags))
    return sound[:at] + (len(body) | 1 << 7 * size_bytes).to_bytes(size_bytes, "big") + body


def box(name: bytes, content: bytes) -> bytes:
    """Return a box of MP4."""
    return struct.pack(">I", len(content) + 8) + name + content
