"""Damage files: at random, and where decoders and tag readers look for lengths. The same seed gives the same damage."""

import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from wkmp_assets_tests.integration.corpus.sound_bytes import CODECS, sound
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.tools.datasets.tagging import MusicBrainzIds, Tags, invented_id, write_tags

_FORMS = {"flac": "FLAC", "mp3": "MP3", "ogg": "OGG Vorbis", "opus": "Opus", "m4a": "AAC", "wav": "WAV"}
_MAX_REAL_FILE_BYTES = 120_000
_MARKS = re.compile(
    rb"RIFF|WAVE|fmt |data|LIST|id3 |ftyp|moov|trak|mdia|minf|stbl|stsd|stts|stsc|stsz|stco|esds|mp4a|udta|meta|ilst|"
    rb"covr|free|OggS|vorbis|OpusHead|OpusTags|fLaC|ID3|TIT2|TPE1|TXXX|UFID|APIC|Xing|Info|LAME|TAG|FORM|COMM|SSND|"
    rb"wvpk|\x1aE\xdf\xa3|\x30\x26\xb2\x75|\xff[\xf0-\xfb]"
)
"""Bytes next to a length, a count or a rate."""
_VALUES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_HEAD = 600

Mutator = Callable[[random.Random, bytearray, bytes], None]
"""Changes the first argument in place; the third is another file to take parts from."""


@cache
def whole_files() -> tuple[tuple[str, bytes], ...]:
    """Return files to damage, as suffix and content: generated music with tags, and beginnings of real files."""
    made = [(suffix, _tagged(suffix)) for suffix in CODECS]
    real = sorted(path for path in SAMPLE_LIBRARY.rglob("*") if path.suffix[1:] in CODECS)
    return (*made, *((path.suffix[1:], path.read_bytes()[:_MAX_REAL_FILE_BYTES]) for path in real))


def _tagged(suffix: str) -> bytes:
    if suffix not in _FORMS:
        return sound(suffix)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"sound.{suffix}"
        path.write_bytes(sound(suffix))
        if suffix != "mp3":  # the encoder has written a tag already
            ids = MusicBrainzIds(invented_id("recording", suffix), invented_id("album", suffix), ())
            write_tags(path, _FORMS[suffix], Tags("Title", "An Artist", "Album", 3, "2003-04-05", ids))
        return path.read_bytes()


def damaged_file(seed: int, number: int) -> tuple[str, bytes]:
    """Return the suffix and the content of one damaged file; every number gives another one."""
    draw = random.Random(f"{seed} {number}")
    suffix, content = draw.choice(whole_files())
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 3, 8))):
        if data:
            draw.choice(MUTATORS)(draw, data, draw.choice(whole_files())[1])
    if draw.random() < 0.05:
        suffix = draw.choice(tuple(CODECS))
    return suffix, bytes(data)


def _flip_anywhere(draw: random.Random, data: bytearray, _other: bytes) -> None:
    for _ in range(draw.choice((1, 10, 200))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _flip_head(draw: random.Random, data: bytearray, _other: bytes) -> None:
    for _ in range(draw.choice((1, 3, 20))):
        data[draw.randrange(min(_HEAD, len(data)))] ^= 1 << draw.randrange(8)


def _change_a_length(draw: random.Random, data: bytearray, _other: bytes) -> None:
    """Put a number beside a mark, of one to eight bytes, of either byte order."""
    marks = [match.span() for match in _MARKS.finditer(data)][:2_000]
    start, end = draw.choice(marks) if marks else (0, 0)
    width = draw.choice((1, 2, 4, 8))
    at = draw.choice((end, end, end + 4, end + 8, end + draw.randrange(40), max(0, start - width)))
    value = draw.choice(_VALUES) if draw.random() < 0.7 else draw.getrandbits(8 * width)
    written = (value % (1 << 8 * width)).to_bytes(width, draw.choice(("big", "little")))
    data[at : at + width] = written


def _cut_short(draw: random.Random, data: bytearray, _other: bytes) -> None:
    del data[draw.randrange(len(data)) :]


def _take_out(draw: random.Random, data: bytearray, _other: bytes) -> None:
    start, end = _stretch(draw, data)
    del data[start:end]


def _repeat(draw: random.Random, data: bytearray, _other: bytes) -> None:
    start, end = _stretch(draw, data)
    data[end:end] = data[start:end] * draw.choice((1, 1, 5))


def _splice(draw: random.Random, data: bytearray, other: bytes) -> None:
    start, end = _stretch(draw, other)
    at = draw.randrange(len(data))
    data[at : at + draw.choice((0, end - start))] = other[start:end]


def _overwrite(draw: random.Random, data: bytearray, _other: bytes) -> None:
    start, end = _stretch(draw, data)
    data[start:end] = draw.choice((bytes(end - start), b"\xff" * (end - start), draw.randbytes(end - start)))


def _stretch(draw: random.Random, data: Sequence[int]) -> tuple[int, int]:
    start = draw.randrange(len(data))
    return start, min(len(data), start + draw.choice((1, 4, 30, 500, 20_000)))


MUTATORS: tuple[Mutator, ...] = (
    _flip_anywhere, _flip_head, _flip_head, _change_a_length, _change_a_length, _change_a_length, _cut_short, _take_out,
    _repeat, _splice, _overwrite,
)  # fmt: skip
