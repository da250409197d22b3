"""One small file in every format of the table that something here can write."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from wkmp_assets_tests.audio.sounds import Samples, encode, tone, write_sound

SECONDS = 0.5
_DSD_RATE_HZ = 2_822_400
NOT_WRITTEN = {".ape", ".awb", ".dts", ".mp+", ".mp1", ".mpc", ".mpp", ".shn", ".spx", ".tak"}
"""Endings of formats that neither PyAV nor libsndfile writes. Samples of other projects were decoded once by hand."""

_CODECS = {
    ".mp3": "libmp3lame", ".mp2": "mp2", ".mpa": "mp2", ".m2a": "mp2", ".mpga": "libmp3lame", ".flac": "flac",
    ".oga": "flac", ".opus": "libopus", ".m4a": "aac", ".m4b": "aac", ".m4r": "alac", ".mp4": "aac", ".3gp": "aac",
    ".3g2": "aac", ".f4a": "aac", ".aac": "aac", ".adts": "aac", ".loas": "aac", ".latm": "aac", ".wma": "wmav2",
    ".asf": "wmav2", ".mka": "libopus", ".webm": "libopus", ".weba": "libopus", ".wav": "pcm_s16le",
    ".wave": "pcm_s16le", ".bwf": "pcm_s24le", ".w64": "pcm_s16le", ".aif": "pcm_s16be", ".aiff": "pcm_s16be",
    ".aifc": "pcm_s16be", ".caf": "pcm_s16be", ".au": "pcm_s16be", ".snd": "pcm_s16be", ".wv": "wavpack", ".tta": "tta",
    ".ac3": "ac3", ".eac3": "eac3", ".ec3": "eac3", ".voc": "pcm_s16le",
}  # fmt: skip
"""Ending -> FFmpeg's encoder."""
_MUXERS = {
    ".mpa": "mp2", ".m2a": "mp2", ".mpga": "mp3", ".m4b": "ipod", ".m4r": "ipod", ".f4a": "mp4", ".aac": "adts",
    ".adts": "adts", ".loas": "latm", ".latm": "latm", ".weba": "webm", ".wave": "wav", ".bwf": "wav", ".aif": "aiff",
    ".aifc": "aiff", ".snd": "au", ".ec3": "eac3",
}  # fmt: skip
"""Ending -> FFmpeg's container, where it does not know the ending."""
_SUBTYPES = {".rf64": ("RF64", "PCM_16"), ".svx": ("SVX", "PCM_S8"), ".8svx": ("SVX", "PCM_S8")}
_LIBSNDFILE = {
    ".avr": "AVR", ".ircam": "IRCAM", ".sf": "IRCAM", ".nist": "NIST", ".sph": "NIST", ".paf": "PAF", ".fap": "PAF",
    ".pvf": "PVF",
}  # fmt: skip


def make_file(path: Path) -> Path:
    """Write a tone in the format of the path's ending."""
    ending = path.suffix
    if ending in _BY_HAND:
        path.write_bytes(_BY_HAND[ending](_modulate()))
    elif ending == ".ogg":
        encode(path, tone(SECONDS), 44_100, "vorbis")
    elif ending == ".amr":
        encode(path, tone(SECONDS, 8_000), 8_000, "libopencore_amrnb", bit_rate=12_200)
    elif ending == ".xwma":
        written = encode(path, tone(SECONDS), 44_100, "wmav2", container="wav").read_bytes()
        path.write_bytes(written.replace(b"WAVE", b"XWMA", 1))
    elif ending in _SUBTYPES:
        container, subtype = _SUBTYPES[ending]
        write_sound(path, tone(SECONDS), format=container, subtype=subtype)
    elif ending in _LIBSNDFILE:
        write_sound(path, tone(SECONDS), format=_LIBSNDFILE[ending], subtype="PCM_16")
    else:
        encode(path, tone(SECONDS, 48_000), 48_000, _CODECS[ending], container=_MUXERS.get(ending))
    return path


def _modulate() -> bytes:
    """Return the tone as one bit per sample, eight to a byte, first bit on top."""
    wave: Samples = tone(SECONDS, _DSD_RATE_HZ, amplitude=0.4)[0]
    ones = np.diff(np.floor(np.cumsum((wave.astype(np.float64) + 1) / 2)), prepend=0)
    return np.packbits(ones.astype(np.uint8)).tobytes()


def _dsf(bits: bytes) -> bytes:
    """Return a DSF file: blocks of 4,096 bytes with the first bit at the bottom (Sony, DSF File Format, 1.01)."""
    turned = np.packbits(np.unpackbits(np.frombuffer(bits, np.uint8)), bitorder="little").tobytes()
    blocks = turned + bytes(-len(turned) % 4096)
    form = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 1, 1, _DSD_RATE_HZ, 1, 8 * len(bits), 4096, 0)
    data = struct.pack("<4sQ", b"data", 12 + len(blocks)) + blocks
    return struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(form) + len(data), 0) + form + data


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">Q", len(content)) + content + bytes(len(content) % 2)


def _dff(bits: bytes) -> bytes:
    """Return a DSDIFF file (Philips, DSDIFF 1.5)."""
    properties = (
        b"SND "
        + _chunk(b"FS  ", struct.pack(">I", _DSD_RATE_HZ))
        + _chunk(b"CHNL", struct.pack(">H4s", 1, b"C000"))
        + _chunk(b"CMPR", b"DSD \x0enot compressed\x00")
    )
    content = b"DSD " + _chunk(b"FVER", bytes([1, 5, 0, 0])) + _chunk(b"PROP", properties) + _chunk(b"DSD ", bits)
    return _chunk(b"FRM8", content)


_BY_HAND: dict[str, Callable[[bytes], bytes]] = {".dsf": _dsf, ".dff": _dff}
