"""Damage real files in the ways that happen to them: cut short, bits flipped, empty, not audio at all."""

import shutil
from pathlib import Path

import numpy as np

from wkmp_assets_tests.tools.datasets.debian_music import fetch_package
from wkmp_assets_tests.tools.datasets.encode import FORMATS, encode
from wkmp_assets_tests.tools.datasets.pcm import NoAudioDecodedError, cut, find_loud_span, read_pcm, to_mono
from wkmp_assets_tests.tools.datasets.records import Measured, Passage, Record
from wkmp_assets_tests.tools.datasets.sample_specs import DAVID02, INDUSTRIAL, Source
from wkmp_assets_tests.tools.datasets.tagging import Tags, write_tags

KEPT_OF_TRUNCATED = 0.6
# STREAMINFO ends at byte 42; the tag block and the first 2 kB of the first frame follow.
KEPT_OF_HEADER_ONLY_AUDIO = 2_000
FLIP_SEED = 20_240_501
FLIPPED_BITS = 400


def build_broken_files(root: Path) -> list[Record]:
    """Write the broken files into `root`, which is emptied first, and return the truth about them."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    flac = _sound_file(root, "FLAC", INDUSTRIAL, 6.0, Tags("Industrial", "Marine Baklund", "Broken", 1, "2010"))
    mp3 = _sound_file(root, "MP3", DAVID02, 10.0, Tags("David02", "Destructavator", "Broken", 2, "2009"))
    records = [
        _truncated(root, flac, "FLAC"),
        _truncated(root, mp3, "MP3"),
        _bit_flips(root, mp3),
        _header_only(root, flac),
        _text_as_mp3(root),
        _empty(root),
    ]
    for whole, _ in (flac, mp3):
        whole.unlink()
    (root / "ATTRIBUTION.md").write_text(_ATTRIBUTION, encoding="utf-8")
    return records


def _sound_file(root: Path, form: str, source: Source, length_s: float, tags: Tags) -> tuple[Path, Tags]:
    track = read_pcm(fetch_package(source.package) / source.path)
    piece = to_mono(cut(track, *find_loud_span(track, from_s=60.0, length_s=length_s)))
    path = root / f"whole{FORMATS[form].suffix}"
    encode(piece, path, FORMATS[form])
    write_tags(path, form, tags)
    return path, tags


def _truncated(root: Path, whole: tuple[Path, Tags], form: str) -> Record:
    data = whole[0].read_bytes()
    path = root / f"truncated{FORMATS[form].suffix}"
    path.write_bytes(data[: int(len(data) * KEPT_OF_TRUNCATED)])
    notes = f"cut at {KEPT_OF_TRUNCATED:.0%}: the beginning decodes, the header promises more"
    return _partly_decodable(path, form, whole[1], notes)


def _bit_flips(root: Path, whole: tuple[Path, Tags]) -> Record:
    data = np.frombuffer(whole[0].read_bytes(), dtype=np.uint8).copy()
    start, end = int(len(data) * 0.4), int(len(data) * 0.6)
    draw = np.random.default_rng(FLIP_SEED)
    # Bit by bit: an array operation would flip only once where a position is drawn twice.
    for position, bit in zip(draw.integers(start, end, FLIPPED_BITS), draw.integers(0, 8, FLIPPED_BITS), strict=True):
        data[position] ^= np.uint8(1 << int(bit))
    path = root / "bit_flips.mp3"
    path.write_bytes(data.tobytes())
    notes = f"{FLIPPED_BITS} bits flipped between 40 % and 60 %: decodes with errors, some packets are lost"
    return _partly_decodable(path, "MP3", whole[1], notes)


def _partly_decodable(path: Path, form: str, tags: Tags, notes: str) -> Record:
    pcm = read_pcm(path)
    return Record(
        path=path.name,
        status="INGEST COMPLETE",
        form=form,
        measured=Measured(pcm.rate, pcm.channels, pcm.frames),
        passages=(Passage(0.0, round(pcm.frames / pcm.rate, 6)),),
        tags=tags,
        notes=notes,
    )


def _header_only(root: Path, whole: tuple[Path, Tags]) -> Record:
    data = whole[0].read_bytes()
    path = root / "header_only.flac"
    path.write_bytes(data[: _audio_start(data) + KEPT_OF_HEADER_ONLY_AUDIO])
    notes = "cut inside the first frame: STREAMINFO and tags are intact, nothing decodes"
    return _undecodable(path, "FLAC", whole[1], notes)


def _audio_start(flac: bytes) -> int:
    # Metadata blocks: one byte of flag and type, three of length; the flag's top bit marks the last one.
    position = 4
    while True:
        last = flac[position] & 0x80
        position += 4 + int.from_bytes(flac[position + 1 : position + 4], "big")
        if last:
            return position


def _text_as_mp3(root: Path) -> Record:
    path = root / "text.mp3"
    path.write_text("This is a shopping list, not music: bread, butter, batteries.\n" * 40, encoding="ascii")
    return _undecodable(path, "MP3", Tags(), "plain text under an audio name")


def _empty(root: Path) -> Record:
    path = root / "empty.flac"
    path.write_bytes(b"")
    return _undecodable(path, "FLAC", Tags(), "zero bytes")


def _undecodable(path: Path, form: str, tags: Tags, notes: str) -> Record:
    try:
        frames = read_pcm(path).frames
    except NoAudioDecodedError:
        return Record(path.name, "FAILED", form, Measured(), (), tags, notes)
    raise ValueError(f"{path.name} was meant to be undecodable, but {frames} frames decode")


_ATTRIBUTION = f"""# Attribution of the broken files

Excerpts, re-encoded to mono and then damaged on purpose.

- `truncated.flac`, `header_only.flac`: "{INDUSTRIAL.title}" by {INDUSTRIAL.author}, {INDUSTRIAL.licence}
  (https://creativecommons.org/licenses/by-sa/3.0/), from the Debian package `{INDUSTRIAL.package}`.
- `truncated.mp3`, `bit_flips.mp3`: "{DAVID02.title}" by {DAVID02.author}, {DAVID02.licence}
  (https://creativecommons.org/licenses/by/3.0/), from the Debian package `{DAVID02.package}`.
- `text.mp3`, `empty.flac`: no music.
"""
