"""Damaged and unusual sound, false headers, and files without sound."""

import io
import random
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soundfile

from wkmp_assets.errors import ProtectedAudioError
from wkmp_assets_tests.audio.sounds import melody, silence, write_sound
from wkmp_assets_tests.integration.corpus.case import (
    DAMAGED,
    IMPORTED,
    SILENT,
    UNDECODABLE,
    Case,
    Make,
    undecodable,
    warned,
)
from wkmp_assets_tests.integration.corpus.sound_bytes import (
    PNG,
    RATE_HZ,
    claims,
    cut,
    flipped,
    pcm16,
    plain,
    sound,
    wave,
    with_bad_samples,
)

FORMATS = ("flac", "mp3", "ogg", "opus", "m4a", "wav")


def damaged() -> Iterator[Case]:
    """Truncated files, flipped bits, empty files, noise."""
    for suffix in FORMATS:
        name = f"damaged/{{}}.{suffix}".format
        yield Case(name("whole"), plain(suffix), IMPORTED)
        # An MP4 file has its table of contents at the end; two seconds of Vorbis are one page.
        yield Case(name("cut"), cut(suffix, 0.6), UNDECODABLE if suffix in {"m4a", "ogg"} else IMPORTED)
        yield Case(name("first bytes"), cut(suffix, 0.003), DAMAGED)
        yield Case(name("last bytes"), lambda p, n, s=suffix: p.write_bytes(sound(s, n)[-2_000:]), DAMAGED)
        yield Case(name("few bits"), lambda p, n, s=suffix: p.write_bytes(flipped(sound(s, n), n, 2e-4)), DAMAGED)
        yield Case(name("many bits"), lambda p, n, s=suffix: p.write_bytes(flipped(sound(s, n), n, 0.02)), DAMAGED)
        yield Case(name("head"), lambda p, n, s=suffix: p.write_bytes(flipped(sound(s, n), n, 0.05, 200)), DAMAGED)
    yield Case("damaged/empty.mp3", lambda p, _: p.touch(), undecodable("it is empty (0 bytes)"))
    yield Case("damaged/one byte.flac", lambda p, _: p.write_bytes(b"f"), UNDECODABLE)
    yield Case("damaged/zeros.mp3", lambda p, n: p.write_bytes(bytes(100_000 + n)), UNDECODABLE)
    yield Case("damaged/noise.m4a", lambda p, n: p.write_bytes(random.Random(n).randbytes(50_000)), DAMAGED)
    yield Case("damaged/noise.mp3", lambda p, n: p.write_bytes(random.Random(n).randbytes(50_000)), DAMAGED)


def unusual() -> Iterator[Case]:
    """Rare sample rates, channel counts and sample formats."""
    for name, seconds, rate_hz, channels, subtype in (
        ("8 channels.flac", 1, RATE_HZ, 8, "PCM_16"),
        ("8 channels.wav", 1, RATE_HZ, 8, "PCM_16"),
        ("32 channels.wav", 0.5, RATE_HZ, 32, "PCM_16"),
        ("8 kHz.wav", 2, 8_000, 1, "PCM_16"),
        ("384 kHz.wav", 1, 384_000, 2, "PCM_32"),
        ("384 kHz.flac", 1, 384_000, 2, "PCM_24"),
        ("8 bits.wav", 1, 44_100, 2, "PCM_U8"),
    ):
        yield Case(f"unusual/{name}", _music(seconds, rate_hz, channels, subtype), IMPORTED)
    yield Case("unusual/33 channels.wav", _music(0.5, RATE_HZ, 33, "PCM_16"), undecodable("it has 33 channels"))
    many = {"channels": 255, "bits": 16}
    yield Case("unusual/255 channels.wav", claims(**many), UNDECODABLE)
    yield Case("unusual/60,000 channels.wav", claims(8_000, channels=60_000, bits=8), UNDECODABLE)
    yield Case("unusual/no channels.wav", claims(channels=0), UNDECODABLE)
    yield Case("unusual/no bits.wav", claims(bits=0), UNDECODABLE)
    yield Case("unusual/no rate.wav", claims(0), UNDECODABLE)
    yield Case("unusual/1 Hz.wav", claims(1), undecodable("a sample rate of 1 Hz"))
    yield Case("unusual/4 GHz.wav", claims(4_000_000_000), UNDECODABLE)
    for subtype in ("FLOAT", "DOUBLE"):
        yield Case(f"unusual/{subtype}.wav", _floats(subtype, 20.0), warned("replaced by silence: 240"))
    yield Case("unusual/loud.wav", _floats("FLOAT", 3e38), warned("far beyond full scale"))
    yield Case("unusual/nothing but NaN.wav", _no_numbers, SILENT)
    yield Case("unusual/one sample.wav", lambda p, _: p.write_bytes(wave(44_100, b"\0\x40")), SILENT)
    yield Case("unusual/twenty minutes of silence.flac", hours_of_silence(1 / 3), SILENT)


def lies() -> Iterator[Case]:
    """Headers that claim more than the file holds."""
    yield Case("lies/4 GB.wav", claims(claimed=0xFFFFFFF0), IMPORTED)
    yield Case("lies/4 GB of nothing.wav", lambda p, n: p.write_bytes(wave(n, b"", claimed=0xFFFFFFF0)), UNDECODABLE)
    yield Case("lies/68 billion samples.flac", _samples(2**36 - 1), warned("cut short"))
    yield Case("lies/no samples.flac", _samples(0), IMPORTED)
    yield Case("lies/duration.m4a", _durations, IMPORTED)
    yield Case("lies/position.ogg", lambda p, n: p.write_bytes(_last_page(sound("ogg", n))), IMPORTED)
    yield Case("lies/frames.mp3", lambda p, n: p.write_bytes(_frames(sound("mp3", n))), warned("cut short"))


def codecs() -> Iterator[Case]:
    """Protected files, and unknown codecs."""
    for tag in (b"drms", b"enca"):
        refused = undecodable(f"copy-protected ({tag.decode()})", ProtectedAudioError.code)
        yield Case(f"codecs/{tag.decode()}.m4a", _with("m4a", b"mp4a", tag), refused)
    refused = undecodable("copy-protected (Windows Media)", ProtectedAudioError.code)
    yield Case("codecs/protected.wma", _protected_wma, refused)
    yield Case("codecs/plain.wma", plain("wma"), IMPORTED)
    yield Case("codecs/AAC, whose number is no letter.wav", claims(44_100, tag=0xFF), DAMAGED)
    yield Case("codecs/unknown.wav", claims(tag=0xEEEE), undecodable("unknown codec"))
    yield Case("codecs/unknown.mka", _with("mka", b"A_OPUS", b"A_NONE"), undecodable("unknown codec"))


def misnamed() -> Iterator[Case]:
    """Files whose suffix does not fit their content."""
    for suffix, name in (("mp3", "flac"), ("flac", "mp3"), ("ogg", "m4a"), ("m4a", "wav"), ("wav", "OGG")):
        yield Case(f"misnamed/{suffix}.{name}", plain(suffix), IMPORTED)
    yield Case("misnamed/text.mp3", lambda p, _: p.write_text("bread, butter, batteries\n" * 200), UNDECODABLE)
    yield Case("misnamed/page.wav", lambda p, _: p.write_text("<html><script>alert(1)</script>" * 99), UNDECODABLE)
    yield Case("misnamed/picture.ogg", lambda p, _: p.write_bytes(PNG), undecodable("not a kind of file"))
    yield Case("misnamed/archive.m4a", _archive, UNDECODABLE)
    yield Case(
        "misnamed/program.ape", lambda p, _: p.write_bytes(Path(sys.executable).read_bytes()[:9_999]), UNDECODABLE
    )
    yield Case("misnamed/film.mp4", _film, undecodable("no audio stream"))


def hours_of_silence(hours: float, rate_hz: int = 8_000, channels: int = 1) -> Make:
    """Write a small file with a long duration."""

    def make(path: Path, _seed: int) -> None:
        minute = silence(60, rate_hz, channels=channels).T
        with soundfile.SoundFile(path, "w", rate_hz, channels, "PCM_16", format="FLAC") as file:
            for _ in range(round(60 * hours)):
                file.write(minute)

    return make


def _music(seconds: float, rate_hz: int, channels: int, subtype: str) -> Make:
    def make(path: Path, seed: int) -> None:
        # The last of many channels would be louder than full scale.
        samples = melody(seconds, rate_hz, channels=channels, seed=seed) / max(1, channels / 8)
        write_sound(path, samples, rate_hz, subtype=subtype)

    return make


def _floats(subtype: str, largest: float) -> Make:
    def make(path: Path, seed: int) -> None:
        samples = with_bad_samples(melody(1, RATE_HZ, seed=seed), largest)
        write_sound(path, samples, RATE_HZ, subtype=subtype)

    return make


def _no_numbers(path: Path, _seed: int) -> None:
    write_sound(path, np.full((1, RATE_HZ), np.nan, np.float32), RATE_HZ, subtype="FLOAT")


def _samples(count: int) -> Make:
    """Write a FLAC file whose first header gives another number of samples."""

    def make(path: Path, seed: int) -> None:
        flac, at = sound("flac", seed), 21
        number = bytes([flac[at] & 0xF0 | count >> 32]) + struct.pack(">I", count & 0xFFFFFFFF)
        path.write_bytes(flac[:at] + number + flac[at + 5 :])

    return make


def _durations(path: Path, seed: int) -> None:
    """Give every duration in an MP4 file the largest value there is."""
    m4a = sound("m4a", seed)
    for name, offset in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)):
        at = m4a.index(name) + offset
        m4a = m4a[:at] + b"\xff\xff\xff\xfe" + m4a[at + 4 :]
    path.write_bytes(m4a)


def _last_page(ogg: bytes) -> bytes:
    at = ogg.rindex(b"OggS") + 6
    return ogg[:at] + struct.pack("<q", 2**62) + ogg[at + 8 :]


def _frames(mp3: bytes) -> bytes:
    at = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    return mp3[: at + 8] + b"\x7f\xff\xff\xff" * 2 + mp3[at + 16 :]


def _with(suffix: str, old: bytes, new: bytes) -> Make:
    return lambda path, seed: path.write_bytes(sound(suffix, seed).replace(old, new, 1))


def _protected_wma(path: Path, seed: int) -> None:
    """Put an encryption object first into the header of a WMA file, and count it."""
    wma = sound("wma", seed)
    size, count = struct.unpack_from("<QI", wma, 16)
    encryption = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + struct.pack("<QIIII", 40, 0, 0, 0, 0)
    head = wma[:16] + struct.pack("<QI", size + len(encryption), count + 1) + wma[28:30]
    path.write_bytes(head + encryption + wma[30:])


def _archive(path: Path, seed: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sound.wav", pcm16(seed))
    path.write_bytes(buffer.getvalue())


def _film(path: Path, _seed: int) -> None:
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
