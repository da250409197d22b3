"""Tags are read wherever programs put them, and a field comes from the best place that has it."""

import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import mutagen.flac
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wkmp_assets.audio.tag_fields import LEAKED_BY_MUTAGEN, ReadTags, TagFields, read_fields
from wkmp_assets_tests.audio.sounds import encode, tone
from wkmp_assets_tests.audio.tag_bytes import (
    ape,
    box,
    chunk,
    element,
    id3,
    id3v1,
    id3v2,
    info,
    level,
    lyrics3,
    matroska_tag,
    raw_id3,
    text_frames,
    with_chunks,
    with_footer,
    with_tags,
)

RATE_HZ = 8_000
LONG = "A Title That Is Exactly Forty Characters"
RECORDING = "11111111-1111-4111-8111-111111111111"
FULL = text_frames(TIT2="Ode", TPE1="Anna", TALB="Odes", TRCK="3/12", TDRC="2003-04-01")
FULL_FIELDS = TagFields(title=("Ode",), artist=("Anna",), album=("Odes",), track=("3/12",), date=("2003-04-01",))
CODECS = {
    "mp3": "libmp3lame",
    "tta": "tta",
    "flac": "flac",
    "aac": "aac",
    "wav": "pcm_s16le",
    "wv": "wavpack",
    "aiff": "pcm_s16be",
    "mka": "flac",
    "3gp": "aac",
}
Sound = Callable[[str], bytes]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """Return the bytes of a file without tags, made once for each extension."""
    folder = tmp_path_factory.mktemp("sound")

    def make(extension: str) -> bytes:
        path = folder / f"a.{extension}"
        if not path.exists():
            encode(path, tone(0.3, RATE_HZ), RATE_HZ, CODECS[extension])
        content = path.read_bytes()
        return content[content.index(b"\xff") :] if extension == "mp3" else content

    return make


def read(folder: Path, name: str, content: bytes) -> ReadTags:
    path = folder / name
    path.write_bytes(content)
    found = read_fields(path)
    assert found is not None
    return found


@pytest.fixture
def ape_tag(tmp_path: Path) -> bytes:
    return ape(
        tmp_path, Title=LONG, Artist="Ape", Album="Apes", Track="7/12", Year="1999", MUSICBRAINZ_TRACKID=RECORDING
    )


APE_FIELDS = TagFields(
    title=(LONG,), artist=("Ape",), album=("Apes",), track=("7/12",), date=("1999",), recording_ids=(RECORDING,)
)


@pytest.mark.parametrize("extension", ["mp3", "tta", "aac", "flac"])
def test_apev2_at_the_end_is_read(tmp_path: Path, sound: Sound, ape_tag: bytes, extension: str) -> None:
    found = read(tmp_path, f"a.{extension}", sound(extension) + ape_tag)
    assert found.fields == APE_FIELDS
    assert set(found.sources.values()) == {"APEv2"}


def test_apev2_before_id3v1_and_lyrics3_has_the_whole_title(tmp_path: Path, sound: Sound, ape_tag: bytes) -> None:
    old = id3v1(LONG, "Ape", "Apes", "1999")
    for between in (b"", lyrics3(IND="00", ETT="Other"), b"LYRICSBEGIN[00:01]La la\r\nLYRICSEND"):
        found = read(tmp_path, "a.mp3", sound("mp3") + ape_tag + between + old)
        assert found.fields == APE_FIELDS._replace(genre=("Rock",))
        assert found.sources["genre"] == "ID3v1"


def test_apev2_at_the_start_is_read(tmp_path: Path, sound: Sound, ape_tag: bytes) -> None:
    assert read(tmp_path, "a.mp3", ape_tag + sound("mp3")).fields == APE_FIELDS


def test_lyrics3_has_the_whole_title_beside_id3v1(tmp_path: Path, sound: Sound) -> None:
    artist, album = "An Artist of More Than Thirty Characters", "An Album of More Than Thirty Characters"
    texts = lyrics3(IND="00", ETT=LONG, EAR=artist, EAL=album)
    found = read(tmp_path, "a.mp3", sound("mp3") + texts + id3v1(LONG, artist, album, "1988"))
    assert (found.fields.title, found.fields.artist, found.fields.album) == ((LONG,), (artist,), (album,))
    assert (found.fields.track, found.fields.date) == (("7",), ("1988",))


def test_id3v2_comes_before_apev2_field_by_field(tmp_path: Path, sound: Sound, ape_tag: bytes) -> None:
    found = read(tmp_path, "a.mp3", id3v2(*text_frames(TIT2="Ode")) + sound("mp3") + ape_tag)
    assert found.fields == APE_FIELDS._replace(title=("Ode",))
    assert (found.sources["title"], found.sources["artist"]) == ("ID3v2", "APEv2")


def test_id3v1_alone_is_read(tmp_path: Path, sound: Sound) -> None:
    found = read(tmp_path, "a.mp3", sound("mp3") + id3v1("Ode", "Anna", "Odes", "2003"))
    assert found.fields == FULL_FIELDS._replace(track=("7",), date=("2003",), genre=("Rock",))
    assert set(found.sources.values()) == {"ID3v1"}


def test_a_number_without_a_genre_is_none(tmp_path: Path, sound: Sound) -> None:
    assert read(tmp_path, "a.mp3", sound("mp3") + id3v1("Ode", "A", "O", "2003", genre=224)).fields.genre == ()
    named = id3v2(*text_frames(TCON="Unknown"))
    assert read(tmp_path, "a.mp3", named + sound("mp3")).fields.genre == ("Unknown",)


EMPTY = b"ID3\4\0\0\0\0\0\0"
PLACES: dict[str, Callable[[bytes], bytes]] = {
    "after an empty tag": lambda sound: EMPTY + id3v2(*FULL) + sound,
    "after a tag of padding": lambda sound: b"ID3\3\0\0\0\0\x07\x76" + bytes(1014) + id3v2(*FULL) + sound,
    "after blank bytes": lambda sound: EMPTY + bytes(100) + id3v2(*FULL) + sound,
    "at the end": lambda sound: sound + with_footer(id3v2(*FULL)),
    "at the end, after an empty one": lambda sound: EMPTY + sound + with_footer(id3v2(*FULL)),
    "at the end, before ID3v1": lambda sound: (
        sound + with_footer(id3v2(*FULL)) + id3v1("O", "A", "O", "1999", genre=255)
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_id3v2_is_read_in_every_place(tmp_path: Path, sound: Sound, place: str) -> None:
    assert read(tmp_path, "a.mp3", PLACES[place](sound("mp3"))).fields == FULL_FIELDS


def test_of_two_id3v2_tags_the_first_counts_and_the_second_adds(tmp_path: Path, sound: Sound) -> None:
    second = id3v2(*text_frames(TIT2="Other", TCON="Jazz"))
    assert read(tmp_path, "a.mp3", id3v2(*FULL) + second + sound("mp3")).fields == FULL_FIELDS._replace(genre=("Jazz",))


def test_id3_of_the_oldest_version_is_read(tmp_path: Path, sound: Sound) -> None:
    texts = {"TT2": "Ode", "TP1": "Anna", "TAL": "Odes", "TRK": "3/12", "TYE": "2003", "TDA": "0104", "TP2": "The Odes"}
    frames = [(name.encode(), b"\0" + text.encode()) for name, text in texts.items()]
    found = read(tmp_path, "a.mp3", raw_id3(2, *frames) + sound("mp3"))
    assert found.fields == FULL_FIELDS._replace(album_artist=("The Odes",))


@pytest.mark.parametrize("text", ["01.04.2003", "April 2003", "2003-04-01"])
def test_a_date_that_is_not_written_as_the_standard_says_is_kept(tmp_path: Path, sound: Sound, text: str) -> None:
    found = read(tmp_path, "a.mp3", raw_id3(3, (b"TIT2", b"\0Ode"), (b"TYER", b"\0" + text.encode())) + sound("mp3"))
    assert text in found.fields.date


UTF_16 = "Ünïcode".encode("utf-16-le")
WRONG_ENCODINGS = {
    "UTF-8 that is said to be Latin-1": b"\0" + "Ünïcode".encode(),
    "UTF-16 that is said to be Latin-1": b"\0\xff\xfe" + UTF_16,
    "UTF-16 without a byte order mark": b"\1" + UTF_16,
    "big-endian UTF-16 without a byte order mark": b"\1" + "Plain".encode("utf-16-be"),
    "UTF-16 with two byte order marks": b"\1\xff\xfe\xff\xfe" + UTF_16,
    "UTF-8 with a byte order mark": b"\3" + "\ufeffÜnïcode".encode(),
    "Latin-1 that is said to be UTF-8": b"\3" + "Ünïcode".encode("latin-1"),
    "Latin-1": b"\0" + "Ünïcode".encode("latin-1"),
}


@pytest.mark.parametrize("encoding", WRONG_ENCODINGS)
def test_a_text_in_another_encoding_than_said_is_read(tmp_path: Path, sound: Sound, encoding: str) -> None:
    found = read(tmp_path, "a.mp3", raw_id3(3, (b"TIT2", WRONG_ENCODINGS[encoding])) + sound("mp3"))
    assert found.fields.title == ("Plain" if "big-endian" in encoding else "Ünïcode",)


def test_nul_separates_values_of_id3(tmp_path: Path, sound: Sound) -> None:
    text = b"\1\xff\xfe" + "Anna".encode("utf-16-le") + b"\0\0\xff\xfe" + "Bert".encode("utf-16-le")
    found = read(tmp_path, "a.mp3", raw_id3(3, (b"TPE1", text)) + sound("mp3"))
    assert found.fields.artist == ("Anna", "Bert")


def test_id3_before_flac_counts_beside_an_empty_comment_block(tmp_path: Path, sound: Sound) -> None:
    for end in (b"", id3v1("Other", "x", "y", "1999", genre=255)):
        found = read(tmp_path, "a.flac", id3v2(*FULL, version=3) + sound("flac") + end)
        assert found.fields == FULL_FIELDS


def test_id3_before_flac_is_ignored_beside_comments(tmp_path: Path, sound: Sound) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(sound("flac"))
    open_flac: Any = mutagen.flac.FLAC
    file = open_flac(path)
    file["title"] = "Vorbis Title"
    file.save()
    found = read(tmp_path, "a.flac", id3v2(*FULL) + path.read_bytes() + id3v1("Other", "x", "y", "1999"))
    assert found.fields == TagFields(title=("Vorbis Title",))


INFO = {"INAM": "Ödé", "IART": "Anna", "IPRD": "Odes", "ICRD": "2003", "ITRK": "3", "IGNR": "Folk", "IAAR": "All"}
INFO_FIELDS = TagFields(
    title=("Ödé",),
    artist=("Anna",),
    album=("Odes",),
    track=("3",),
    date=("2003",),
    genre=("Folk",),
    album_artist=("All",),
)


def with_unknown_length(sound: bytes) -> bytes:
    """Return a WAV file as a program writes it into a pipe, with its texts before the sound."""
    content = with_chunks(sound, info(**INFO), are_first=True)
    at = content.index(b"data") + 4
    return content[:4] + b"\xff" * 4 + content[8:at] + b"\xff" * 4 + content[at + 4 :]


def as_rf64(sound: bytes) -> bytes:
    """Return a WAV file as RF64, which keeps the length of its sound elsewhere."""
    at = sound.index(b"data")
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, len(sound) - at - 8, 0, 0))
    body = sizes + sound[12:at] + b"data" + b"\xff" * 4 + sound[at + 8 :]
    return b"RF64" + b"\xff" * 4 + b"WAVE" + body + info(**INFO)


WAVS: dict[str, Callable[[bytes], bytes]] = {
    "after the sound": lambda sound: with_chunks(sound, info(**INFO)),
    "before the sound": lambda sound: with_chunks(sound, info(**INFO), are_first=True),
    "in the encoding of Windows": lambda sound: with_chunks(sound, info("cp1252", **INFO)),
    "in small letters": lambda sound: with_chunks(
        sound, info(**INFO).replace(b"INFO", b"info").replace(b"LIST", b"list")
    ),
    "without padding": lambda sound: with_chunks(sound, info(is_padded=False, **INFO)),
    "of unknown length": with_unknown_length,
    "RF64": as_rf64,
    "xWMA": lambda sound: with_chunks(sound, info(**INFO)).replace(b"WAVE", b"XWMA", 1),
}


@pytest.mark.parametrize("kind", WAVS)
def test_texts_of_wav_files_are_read(tmp_path: Path, sound: Sound, kind: str) -> None:
    found = read(tmp_path, "a.wav", WAVS[kind](sound("wav")))
    assert found.fields == INFO_FIELDS
    assert set(found.sources.values()) == {"RIFF INFO"}


@pytest.mark.parametrize("name", [b"id3 ", b"ID3 ", b"Id3 ", b"id3\0"])
def test_id3_chunks_of_wav_and_aiff_are_read_under_every_name(tmp_path: Path, sound: Sound, name: bytes) -> None:
    for extension, order in (("wav", "<"), ("aiff", ">")):
        odd = chunk(b"junk", b"odd", order=order, is_padded=False)
        tag = chunk(name, id3v2(*FULL), order=order)
        assert read(tmp_path, f"a.{extension}", with_chunks(sound(extension), tag)).fields == FULL_FIELDS
        assert read(tmp_path, f"a.{extension}", with_chunks(sound(extension), odd, tag)).fields == FULL_FIELDS


def test_id3_comes_before_the_texts_of_wav_and_aiff(tmp_path: Path, sound: Sound) -> None:
    tag = id3v2(*text_frames(TIT2="Ode"))
    wav = read(tmp_path, "a.wav", with_chunks(sound("wav"), info(**INFO), chunk(b"id3 ", tag)))
    assert (wav.fields.title, wav.fields.artist) == (("Ode",), ("Anna",))
    texts = chunk(b"NAME", b"Name", order=">"), chunk(b"AUTH", "Bärt".encode("latin-1"), order=">")
    aiff = read(tmp_path, "a.aiff", with_chunks(sound("aiff"), *texts, chunk(b"ID3 ", tag, order=">")))
    assert (aiff.fields.title, aiff.fields.artist) == (("Ode",), ("Bärt",))
    assert read(tmp_path, "a.aiff", with_chunks(sound("aiff"), *texts)).fields.title == ("Name",)


def test_the_broadcast_extension_gives_title_and_date(tmp_path: Path, sound: Sound) -> None:
    extension = b"Evening Song".ljust(256, b"\0") + b"Radio".ljust(64, b"\0") + b"2001-02-0310:11:12" + bytes(264)
    found = read(tmp_path, "a.wav", with_chunks(sound("wav"), chunk(b"bext", extension), are_first=True))
    assert found.fields == TagFields(title=("Evening Song",), date=("2001-02-03",))


ALBUM_TAG = matroska_tag(level(50), TITLE="Odes", ARTIST="The Odes", DATE_RELEASED="2003", TOTAL_PARTS="12")
TRACK_TAG = matroska_tag(level(30), TITLE="Ode", ARTIST="Anna", PART_NUMBER="3", MUSICBRAINZ_TRACKID=RECORDING)
MATROSKA_FIELDS = TagFields(
    title=("Ode",),
    artist=("Anna",),
    album=("Odes",),
    track=("3",),
    date=("2003",),
    album_artist=("The Odes",),
    track_total=("12",),
    recording_ids=(RECORDING,),
)


def test_matroska_tags_are_those_of_their_level(tmp_path: Path, sound: Sound) -> None:
    for tags in ((ALBUM_TAG, TRACK_TAG), (TRACK_TAG, ALBUM_TAG)):
        found = read(tmp_path, "a.mka", with_tags(sound("mka"), *tags))
        assert found.fields == MATROSKA_FIELDS
        assert set(found.sources.values()) == {"Matroska"}


def test_matroska_levels_may_have_names(tmp_path: Path, sound: Sound) -> None:
    album = matroska_tag(element("63CA", b"ALBUM"), TITLE="Odes")
    track = matroska_tag(element("63CA", b"TRACK"), TITLE="Ode")
    found = read(tmp_path, "a.mka", with_tags(sound("mka"), album, track))
    assert found.fields == TagFields(title=("Ode",), album=("Odes",))


def test_a_matroska_tag_of_a_chapter_or_another_track_is_none_of_the_song(tmp_path: Path, sound: Sound) -> None:
    chapter = matroska_tag(element("63C4", b"\5"), TITLE="Chapter")
    other = matroska_tag(element("63C5", b"\x7f\x7f\x7f"), TITLE="Commentary")
    found = read(tmp_path, "a.mka", with_tags(sound("mka"), chapter, other, matroska_tag(b"", ARTIST="Anna")))
    assert found.fields == TagFields(artist=("Anna",))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mka", "flac"),
        ("a.mkv", "flac"),
        ("a.webm", "libopus"),
        ("a.caf", "pcm_s16be"),
        ("a.au", "pcm_s16be"),
        ("a.opus", "libopus"),
        ("a.avi", "libmp3lame"),
        ("a.flv", "aac"),
        ("a.mov", "aac"),
    ],
)
def test_what_ffmpeg_writes_is_read(tmp_path: Path, name: str, codec: str) -> None:
    path = write_with_ffmpeg(tmp_path / name, codec)
    found = read_fields(path)
    assert found is not None
    assert (found.fields.title, found.fields.artist) == (("Ode",), ("Änna",))
    if name not in {"a.avi", "a.flv"}:
        assert found.fields.album == ("Odes",)


def test_keys_of_quicktime_in_m4a_are_read(tmp_path: Path) -> None:
    options = {"movflags": "use_metadata_tags"}
    path = write_with_ffmpeg(tmp_path / "a.m4a", "aac", options, musicbrainz_trackid=RECORDING)
    found = read_fields(path)
    assert found is not None
    assert found.fields == TagFields(
        title=("Ode",), artist=("Änna",), album=("Odes",), track=("3/12",), recording_ids=(RECORDING,)
    )
    assert set(found.sources.values()) == {"FFmpeg (mov,mp4,m4a,3gp,3g2,mj2)"}


def test_tags_of_a_matroska_track_are_about_the_song(tmp_path: Path) -> None:
    """FFmpeg writes them so when it copies an Ogg file, with the title as the track's name."""
    found = read_fields(write_with_ffmpeg(tmp_path / "a.mka", "flac", are_of_stream=True))
    assert found is not None
    assert (found.fields.title, found.fields.artist, found.fields.album) == (("Ode",), ("Änna",), ("Odes",))


def test_comments_beside_a_film_in_ogg_are_read(tmp_path: Path) -> None:
    """mutagen does not know such a file by its beginning."""
    path = tmp_path / "a.ogg"
    with av.open(path, "w") as container:
        film: Any = container.add_stream("libvpx", rate=5)
        film.width = film.height = 32
        film.pix_fmt = "yuv420p"
        sound: Any = container.add_stream("libopus", rate=48_000, layout="mono")
        sound.metadata["title"] = "Ode"
        picture = av.VideoFrame(32, 32, "yuv420p")
        picture.pts = 0
        frame = av.AudioFrame(format="s16", layout="mono", samples=4_096)
        frame.sample_rate = 48_000
        for plane in (*picture.planes, *frame.planes):
            plane.update(bytes(plane.buffer_size))
        for stream, content in ((film, picture), (sound, frame), (film, None), (sound, None)):
            container.mux(stream.encode(content))
    found = read_fields(path)
    assert found is not None
    assert found.fields == TagFields(title=("Ode",))


def write_with_ffmpeg(
    path: Path, codec: str, options: dict[str, str] | None = None, *, are_of_stream: bool = False, **more: str
) -> Path:
    """Write a file whose tags FFmpeg writes."""
    rate_hz = 48_000 if codec == "libopus" else 44_100
    with av.open(path, "w", options=options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate_hz, layout="mono")
        tagged = stream if are_of_stream else container
        tagged.metadata.update({"title": "Ode", "artist": "Änna", "album": "Odes", "track": "3/12"} | more)
        frame = av.AudioFrame(format=stream.codec_context.format or "s16", layout="mono", samples=4_096)
        frame.sample_rate = rate_hz
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_texts_of_3gp_files_are_read(tmp_path: Path, sound: Sound) -> None:
    texts = {"titl": "Ode", "perf": "Änna", "albm": "Odes", "gnre": "Folk"}
    boxes = [box(name.encode(), bytes(4) + b"\x15\xc7" + text.encode() + b"\0") for name, text in texts.items()]
    content = sound("3gp")
    movie = box(b"moov", box(b"udta", b"".join(boxes) + box(b"yrrc", bytes(4) + b"\x07\xd3")))
    found = read(tmp_path, "a.3gp", content + movie)
    assert found.fields == TagFields(title=("Ode",), artist=("Änna",), album=("Odes",), genre=("Folk",), date=("2003",))


def test_texts_of_w64_files_are_read(tmp_path: Path, sound: Sound) -> None:
    """Sony's WAV for large files names its chunks by GUIDs, and counts their headers."""
    riff = bytes.fromhex("726966662E91CF11A5D628DB04C10000")
    wave, form, data = (name + bytes.fromhex("F3ACD3118CD100C04F8EDB8A") for name in (b"wave", b"fmt ", b"data"))
    texts = bytes.fromhex("BC945F925A52D21186DC00C04F8EDB8A")

    def w64(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<Q", len(content) + 24) + content + bytes(-len(content) % 8)

    listed = struct.pack("<I", 2) + b"INAM" + struct.pack("<I", 8) + "Ode\0".encode("utf-16-le")
    listed += b"IART" + struct.pack("<I", 10) + "Anna\0".encode("utf-16-le")
    wav = sound("wav")
    body = wave + w64(form, wav[20:36]) + w64(texts, listed) + w64(data, wav[-800:])
    found = read(tmp_path, "a.w64", riff + struct.pack("<Q", len(body) + 24) + body)
    assert (found.fields.title, found.fields.artist) == (("Ode",), ("Anna",))


def test_id3_of_dsf_files_is_read(tmp_path: Path) -> None:
    form = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 1, 1, 2_822_400, 1, 4_096 * 8, 4_096, 0)
    data = b"data" + struct.pack("<Q", 12 + 4_096) + b"\x69" * 4_096
    at = 28 + len(form) + len(data)
    content = b"DSD " + struct.pack("<QQQ", 28, at + len(id3v2(*FULL)), at) + form + data + id3v2(*FULL)
    assert read(tmp_path, "a.dsf", content).fields == FULL_FIELDS


def test_free_texts_of_id3_count_where_no_frame_does(tmp_path: Path, sound: Sound) -> None:
    frames = [id3.TXXX(encoding=3, desc=name, text=[text]) for name, text in (("ALBUM ARTIST", "All"), ("BPM", "120"))]
    found = read(tmp_path, "a.mp3", id3v2(*FULL, *frames) + sound("mp3"))
    assert (found.fields.album_artist, found.fields.bpm) == (("All",), ("120",))


def test_apev2_comes_first_where_it_is_the_container_s_own(tmp_path: Path, sound: Sound, ape_tag: bytes) -> None:
    found = read(tmp_path, "a.wv", id3v2(*text_frames(TIT2="Ode", TCON="Folk")) + sound("wv") + ape_tag)
    assert found.fields == APE_FIELDS._replace(genre=("Folk",))


def test_rf64_without_tags_says_nothing(tmp_path: Path, sound: Sound) -> None:
    """mutagen calls it damaged."""
    content = sound("wav")
    assert read(tmp_path, "a.wav", b"RF64" + content[4:]).fields == TagFields()


def test_a_file_of_no_kind_of_music_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no music")
    assert read_fields(tmp_path / "a.txt") is None


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), flips=st.integers(1, 40), keep=st.floats(0.01, 1.0))
def test_no_damage_raises_what_the_caller_does_not_expect(
    sound: Sound, tmp_path: Path, ape_tag: bytes, seed: int, flips: int, keep: float
) -> None:
    rng = np.random.default_rng(seed)
    tagged = {
        "a.mka": with_tags(sound("mka"), ALBUM_TAG, TRACK_TAG),
        "a.wav": with_chunks(sound("wav")[:300], info(**INFO), chunk(b"id3 ", id3v2(*FULL))),
        "a.mp3": EMPTY
        + id3v2(*FULL)
        + sound("mp3")[:400]
        + ape_tag
        + lyrics3(ETT="Ode")
        + id3v1("O", "A", "O", "1999"),
        "a.3gp": sound("3gp") + box(b"moov", box(b"udta", box(b"titl", bytes(6) + b"Ode\0"))),
    }
    for name, content in tagged.items():
        damaged = bytearray(content[: max(1, int(len(content) * keep))])
        for position in rng.integers(0, len(damaged), flips):
            damaged[position] = int(rng.integers(0, 256))
        path = tmp_path / name
        path.write_bytes(damaged)
        with suppress(LEAKED_BY_MUTAGEN):
            read_fields(path)
