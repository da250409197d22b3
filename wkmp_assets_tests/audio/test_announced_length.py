"""A file whose sound is shorter than its own header says is cut short; whole files and streams are not."""

import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.audio.announced_length import read_announced_seconds
from wkmp_assets.audio.decode import measure_file
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets_tests.audio.sounds import encode, melody, write_sound
from wkmp_assets_tests.support.paths import ROOT

pytestmark = pytest.mark.slow  # they decode much

SECONDS = 6
RATE_HZ = 48_000
Edit = Callable[[bytes], bytes]


def same(content: bytes) -> bytes:
    return content


def with_vbri(content: bytes) -> bytes:
    """Replace LAME's header by that of Fraunhofer's encoder, which stands elsewhere in the frame."""
    start = content.index(b"Info")
    count = struct.unpack_from(">I", content, start + 8)[0]
    frame = content.rindex(b"\xff\xfb", 0, start)
    vbri = b"VBRI" + struct.pack(">HHHII", 1, 0, 75, len(content), count)
    edited = bytearray(content)
    edited[start : start + 120] = bytes(120)
    edited[frame + 36 : frame + 36 + len(vbri)] = vbri
    return bytes(edited)


def behind_id3(content: bytes) -> bytes:
    """Put a second ID3 tag with a false frame in it before the file."""
    false_frame = b"\xff\xfb\x90\x00" + bytes(32) + b"Info" + struct.pack(">II", 1, 10**6)
    tag = false_frame + bytes(2_000)
    return b"ID3\x04\x00\x00" + bytes((0, 0, len(tag) >> 7, len(tag) & 0x7F)) + tag + content


FORMATS: dict[str, tuple[str, str, Edit]] = {
    "MP3, Info": ("a.mp3", "libmp3lame", same),
    "MP3, Xing": ("a.mp3", "libmp3lame", lambda content: content.replace(b"Info", b"Xing", 1)),
    "MP3, VBRI": ("a.mp3", "libmp3lame", with_vbri),
    "MP3, two ID3 tags": ("a.mp3", "libmp3lame", behind_id3),
    "WAV, 16 bits": ("a.wav", "pcm_s16le", same),
    "WAV, float": ("a.wav", "pcm_f32le", same),
    "WAV, ADPCM": ("a.wav", "adpcm_ms", same),
    "W64": ("a.w64", "pcm_s24le", same),
    "AIFF": ("a.aiff", "pcm_s16be", same),
    "AU": ("a.au", "pcm_s16be", same),
    "CAF": ("a.caf", "pcm_s16be", same),
    "TTA": ("a.tta", "tta", same),
    "WMA": ("a.wma", "wmav2", same),
    "Matroska": ("a.mka", "flac", same),
    "WebM": ("a.webm", "libopus", same),
    "FLAC": ("a.flac", "flac", same),
    "WavPack": ("a.wv", "wavpack", same),
    "Ogg Opus, ID3v1": ("a.opus", "libopus", lambda content: content + b"TAG" + bytes(125)),
    "Ogg FLAC": ("a.oga", "flac", same),
}


def is_cut_short(path: Path) -> bool:
    audio, _ = measure_file(path, pcm_path=None, display_path=path.name)
    found = [warning.text for warning in audio.warnings if warning.kind is WarningKind.CUT_SHORT]
    assert all(text.startswith("The file is cut short: ") for text in found)
    return bool(found)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], bytes]:
    """Encode six seconds in a format, once."""
    contents: dict[tuple[str, str], bytes] = {}

    def make(name: str, codec: str) -> bytes:
        if (name, codec) not in contents:
            path = tmp_path_factory.mktemp("sound") / name
            contents[name, codec] = encode(path, melody(SECONDS, RATE_HZ), RATE_HZ, codec).read_bytes()
        return contents[name, codec]

    return make


def cut(content: bytes) -> bytes:
    return content[: len(content) * 6 // 10]


@pytest.mark.parametrize(("name", "codec", "edit"), FORMATS.values(), ids=FORMATS)
def test_a_cut_file_is_shorter_than_it_says_and_a_whole_one_is_not(
    tmp_path: Path, made: Callable[[str, str], bytes], name: str, codec: str, edit: Edit
) -> None:
    content = edit(made(name, codec))
    path = tmp_path / name
    path.write_bytes(content)
    assert not is_cut_short(path)
    path.write_bytes(cut(content))
    assert is_cut_short(path)


def replaced(old: bytes, new: bytes) -> Edit:
    """Overwrite what follows some bytes."""

    def edit(content: bytes) -> bytes:
        at = content.index(old) + len(old)
        return content[:at] + new + content[at + len(new) :]

    return edit


def without_first_frame(content: bytes) -> bytes:
    """Take the frame with the header away: LAME writes a stream like this."""
    start = content.index(b"Info")
    return content[content.index(content[content.rindex(b"\xff\xfb", 0, start) :][:2], start) :]


def broadcast(content: bytes) -> bytes:
    """Set the flag of a broadcast in the file properties of a WMA file."""
    at = content.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")) + 24 + 64
    return content[:at] + struct.pack("<I", 1) + content[at + 4 :]


def cut_at_page(content: bytes) -> bytes:
    """Leave out the pages of the second half, and make up for `cut` by bytes that are no page."""
    whole = content[: content.rindex(b"OggS", 0, len(content) // 2)]
    return whole + bytes(len(whole))


ALL_BITS = b"\xff" * 4
STREAMS: dict[str, tuple[str, str, Edit]] = {
    "WAV through a pipe": ("a.wav", "pcm_s16le", replaced(b"data", ALL_BITS)),
    "WAV of unknown size": ("a.wav", "pcm_s16le", replaced(b"data", bytes(4))),
    "WAV of 2 GB": ("a.wav", "pcm_s16le", replaced(b"data", struct.pack("<I", 0x7FFFF000))),
    "AU of unknown size": ("a.au", "pcm_s16be", replaced(b".snd" + struct.pack(">I", 32), ALL_BITS)),
    "MP3 without a header": ("a.mp3", "libmp3lame", without_first_frame),
    "MP3 whose header counts nothing": ("a.mp3", "libmp3lame", replaced(b"Info", bytes(4))),
    "Ogg without an end": ("a.opus", "libopus", cut_at_page),
    "WMA broadcast": ("a.wma", "wmav2", broadcast),
}


@pytest.mark.parametrize(("name", "codec", "edit"), STREAMS.values(), ids=STREAMS)
def test_a_stream_announces_nothing(
    tmp_path: Path, made: Callable[[str, str], bytes], name: str, codec: str, edit: Edit
) -> None:
    path = tmp_path / name
    path.write_bytes(cut(edit(made(name, codec))))
    assert not is_cut_short(path)


def test_a_live_matroska_without_a_duration_announces_nothing(tmp_path: Path) -> None:
    source = encode(tmp_path / "a.flac", melody(SECONDS, RATE_HZ), RATE_HZ, "flac")
    live = tmp_path / "live.mka"
    with av.open(source) as music, av.open(live, "w", options={"live": "1"}) as container:
        stream = container.add_stream_from_template(music.streams.audio[0])
        for packet in music.demux(music.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    assert not is_cut_short(live)
    live.write_bytes(cut(live.read_bytes()))
    assert not is_cut_short(live)


def test_the_length_of_a_matroska_with_two_tracks_may_be_that_of_the_other(tmp_path: Path) -> None:
    sources = [encode(tmp_path / f"{s}.flac", melody(s, RATE_HZ), RATE_HZ, "flac") for s in (2, SECONDS)]
    path = tmp_path / "a.mka"
    with av.open(sources[0]) as short, av.open(sources[1]) as long, av.open(path, "w") as container:
        inputs = [short.streams.audio[0], long.streams.audio[0]]
        outputs = [container.add_stream_from_template(one) for one in inputs]
        for one, stream in zip(inputs, outputs, strict=True):
            for packet in one.container.demux(one):
                if packet.dts is not None:
                    packet.stream = stream
                    container.mux(packet)
    assert not is_cut_short(path)


def test_a_cut_wave_file_of_more_than_32_bits_is_noticed(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", melody(SECONDS), format="RF64")
    content = path.read_bytes()
    assert content[12:16] == b"ds64"
    assert not is_cut_short(path)
    path.write_bytes(cut(content))
    assert is_cut_short(path)


@pytest.mark.parametrize("container", ["mp3", "wav", "w64", "asf", "mov"])
@pytest.mark.parametrize("content", [b"", b"RIFF", b"ID3" + b"\x7f" * 9, bytes(5_000), b"\xff\xfb\x90\x44" * 900])
def test_any_bytes_have_a_length_or_none(tmp_path: Path, container: str, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert read_announced_seconds(path, container) is None
    assert read_announced_seconds(tmp_path / "gone", container) is None


MAGIC = (
    b"",
    b"ID3\x04\x00\x00",
    b"\xff\xfb\x90\x00" + bytes(32) + b"Info",
    b"RIFF    WAVEfmt ",
    b"riff" + bytes(36) + b"data",
)


@given(st.sampled_from(MAGIC), st.binary(max_size=300), st.sampled_from(["mp3", "wav", "w64", "asf"]))
def test_no_header_breaks_the_reading_of_it(magic: bytes, rest: bytes, container: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a")
        path.write_bytes(magic + rest)
        seconds = read_announced_seconds(path, container)
    assert seconds is None or seconds > 0


@pytest.mark.parametrize("name", ["truncated.mp3", "truncated.flac"])
def test_the_cut_samples_are_named(name: str) -> None:
    assert is_cut_short(ROOT / "test_data/broken_files" / name)


def test_no_file_of_the_sample_library_is_cut_short() -> None:
    # Without the library that `make import` leaves beside them.
    found = sorted((ROOT / "test_data/sample_library").rglob("*.*"))
    music = [one for one in found if one.suffix != ".md" and not one.name.startswith("wkmp.db")]
    assert [str(one) for one in music if is_cut_short(one)] == []
    assert len(music) > 15


FMT = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
WITHOUT_SOUND = {
    "WAV that ends before its sound": ("wav", b"RIFF\x18\0\0\0WAVE" + FMT),
    "WAV of empty chunks alone": ("wav", b"RIFF\0\0\0\0WAVE" + (b"junk" + bytes(4)) * 1_001),
    "W64 of empty chunks alone": ("w64", bytes(40) + (b"junk".ljust(16, b"\0") + struct.pack("<Q", 24)) * 1_001),
    "WMA of empty objects alone": ("asf", bytes(30) + (b"junk".ljust(16, b"\0") + struct.pack("<Q", 24)) * 1_001),
}


@pytest.mark.parametrize(("container", "content"), WITHOUT_SOUND.values(), ids=WITHOUT_SOUND)
def test_a_header_that_never_comes_to_the_sound_announces_nothing(
    tmp_path: Path, container: str, content: bytes
) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert read_announced_seconds(path, container) is None
