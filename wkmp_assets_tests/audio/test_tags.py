"""Tags of every family of containers give the same values, and unusable ones become warnings."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen.aiff
import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.mp3
import mutagen.mp4
import mutagen.oggopus
import mutagen.oggvorbis
import mutagen.wave
import mutagen.wavpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wkmp_assets.audio.tags import read_tags
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.values import Artist, FileTags, Release, TagDetails, Work
from wkmp_assets_tests.audio.sounds import encode, melody, silence
from wkmp_assets_tests.integration.corpus.tags import syncsafe

RECORDING = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
ARTIST_1 = "f27ec8db-af05-4f36-916e-3d57f91ecf5e"
ARTIST_2 = "5b11f4ce-a62d-471e-81fc-a69a8278c7da"
RELEASE = "f5093c06-23e3-404f-aeaa-40f72885ee3a"
WORK = "b6b5f9f0-7d5a-3f0d-8d0a-1f0c6a0a3b6e"
Texts = dict[str, str | list[str]]

TEXTS: Texts = {
    "title": "Ode",
    "artist": "Anna & Bert",
    "album": "Odes",
    "track": "03/12",
    "date": "2003-04-01",
    "recording": RECORDING,
    "artists": ["Anna", "Bert"],
    "artist ids": [ARTIST_1, ARTIST_2],
    "release": RELEASE,
    "work ids": WORK,
    "work": "Ode to Tests",
}
EXPECTED = FileTags(
    title="Ode",
    artist="Anna & Bert",
    album="Odes",
    track_number=3,
    year=2003,
    recording_mbid=RECORDING,
    artists=(Artist(ARTIST_1, "Anna"), Artist(ARTIST_2, "Bert")),
    release=Release(RELEASE, "Odes", "2003-04-01"),
    works=(Work(WORK, "Ode to Tests"),),
    details=TagDetails(
        track_count=12,
        date="2003-04-01",
        artist_mbids=(ARTIST_1, ARTIST_2),
        release_mbid=RELEASE,
        work_mbids=(WORK,),
    ),
)

id3: Any = mutagen.id3
ID3_FRAMES: dict[str, Callable[[list[str]], Any]] = {
    "title": lambda texts: id3.TIT2(text=texts),
    "artist": lambda texts: id3.TPE1(text=texts),
    "album": lambda texts: id3.TALB(text=texts),
    "track": lambda texts: id3.TRCK(text=texts),
    "date": lambda texts: id3.TDRC(text=texts),
    "recording": lambda texts: id3.UFID(owner="http://musicbrainz.org", data=texts[0].encode()),
    "artists": lambda texts: id3.TXXX(desc="ARTISTS", text=texts),
    "artist ids": lambda texts: id3.TXXX(desc="MusicBrainz Artist Id", text=texts),
    "release": lambda texts: id3.TXXX(desc="MusicBrainz Album Id", text=texts),
    "work ids": lambda texts: id3.TXXX(desc="MusicBrainz Work Id", text=texts),
    "work": lambda texts: id3.TXXX(desc="WORK", text=texts),
}
VORBIS_KEYS = {
    "track": "TRACKNUMBER",
    "recording": "MUSICBRAINZ_TRACKID",
    "artist ids": "MUSICBRAINZ_ARTISTID",
    "release": "MUSICBRAINZ_ALBUMID",
    "work ids": "MUSICBRAINZ_WORKID",
}
APE_KEYS = {**VORBIS_KEYS, "track": "Track", "date": "Year"}
FREEFORM = "----:com.apple.iTunes:"
MP4_KEYS = {
    "title": "©nam",
    "artist": "©ART",
    "album": "©alb",
    "date": "©day",
    "work": "©wrk",
    "recording": FREEFORM + "MusicBrainz Track Id",
    "artists": FREEFORM + "ARTISTS",
    "artist ids": FREEFORM + "MusicBrainz Artist Id",
    "release": FREEFORM + "MusicBrainz Album Id",
    "work ids": FREEFORM + "MusicBrainz Work Id",
}
ASF_KEYS = {
    "title": "Title",
    "artist": "Author",
    "album": "WM/AlbumTitle",
    "track": "WM/TrackNumber",
    "date": "WM/Year",
    "recording": "MusicBrainz/Track Id",
    "artists": "WM/ARTISTS",
    "artist ids": "MusicBrainz/Artist Id",
    "release": "MusicBrainz/Album Id",
    "work ids": "MusicBrainz/Work Id",
    "work": "WM/Work",
}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def tag_id3(file: Any, texts: Texts) -> None:
    if file.tags is None:
        file.add_tags()
    for field, value in texts.items():
        file.tags.add(ID3_FRAMES[field](listed(value)))


def tag_keys(keys: dict[str, str]) -> Callable[[Any, Texts], None]:
    def tag(file: Any, texts: Texts) -> None:
        for field, value in texts.items():
            file[keys.get(field, field)] = listed(value)

    return tag


def tag_mp4(file: Any, texts: Texts) -> None:
    for field, value in texts.items():
        if field == "track":
            number, _, count = str(value).partition("/")
            file["trkn"] = [(int(number), int(count or 0))]
        elif MP4_KEYS[field].startswith("----"):
            file[MP4_KEYS[field]] = [text.encode() for text in listed(value)]
        else:
            file[MP4_KEYS[field]] = listed(value)


CONTAINERS: dict[str, tuple[str, int, Any, Callable[[Any, Texts], None]]] = {
    "a.mp3": ("libmp3lame", 44_100, mutagen.mp3.MP3, tag_id3),
    "a.wav": ("pcm_s16le", 44_100, mutagen.wave.WAVE, tag_id3),
    "a.aiff": ("pcm_s16be", 44_100, mutagen.aiff.AIFF, tag_id3),
    "a.flac": ("flac", 44_100, mutagen.flac.FLAC, tag_keys(VORBIS_KEYS)),
    "a.ogg": ("vorbis", 44_100, mutagen.oggvorbis.OggVorbis, tag_keys(VORBIS_KEYS)),
    "a.opus": ("libopus", 48_000, mutagen.oggopus.OggOpus, tag_keys(VORBIS_KEYS)),
    "a.m4a": ("aac", 44_100, mutagen.mp4.MP4, tag_mp4),
    "a.wv": ("wavpack", 44_100, mutagen.wavpack.WavPack, tag_keys(APE_KEYS)),
    "a.wma": ("wmav2", 44_100, mutagen.asf.ASF, tag_keys(ASF_KEYS)),
}


def tagged(path: Path, texts: Texts) -> Path:
    codec, rate_hz, opener, tag = CONTAINERS[path.name]
    encode(path, silence(0.2, rate_hz, channels=2), rate_hz, codec)
    file = opener(path)
    tag(file, texts)
    file.save()
    return path


def read_flac(tmp_path: Path, **texts: str | list[str]) -> FileTags:
    named = {key if key.startswith("musicbrainz_") else key.replace("_", " "): value for key, value in texts.items()}
    return read_tags(tagged(tmp_path / "a.flac", named))


def said(tags: FileTags) -> list[str]:
    return [warning.text for warning in tags.warnings]


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_says_the_same(tmp_path: Path, name: str) -> None:
    texts = TEXTS | ({"date": "2003"} if name == "a.wma" else {})
    found = read_tags(tagged(tmp_path / name, texts))
    if name == "a.wma":
        assert found.release == Release(RELEASE, "Odes", "2003")
    else:
        assert found.release == EXPECTED.release
    assert found.warnings == ()
    assert (found.title, found.artist, found.album) == (EXPECTED.title, EXPECTED.artist, EXPECTED.album)
    assert (found.track_number, found.year) == (3, 2003)
    assert found.recording_mbid == RECORDING
    assert found.artists == EXPECTED.artists
    assert found.works == EXPECTED.works


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_file_without_tags_says_nothing(tmp_path: Path, name: str) -> None:
    assert read_tags(tagged(tmp_path / name, {})) == FileTags()


def test_id3_version_2_3_is_read_like_2_4(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.mp3", TEXTS)
    opener: Any = mutagen.mp3.MP3
    file = opener(path)
    file.tags.update_to_v23()
    file.save(v2_version=3, v23_sep="; ")
    assert read_tags(path) == EXPECTED


def test_an_id3_header_before_an_aac_stream_is_read(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.aac", silence(0.5, channels=2), 44_100, "aac")
    header = id3.ID3()
    header.add(id3.TIT2(text=["Ode"]))
    header.save(path)
    assert read_tags(path).title == "Ode"


def test_an_ape_tag_after_an_mp3_without_id3_does_not_confuse(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.mp3", {})
    opener: Any = mutagen.apev2.APEv2
    ape = opener()
    ape["Title"] = "Ode"
    ape.save(path)
    assert read_tags(path).warnings == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Ode\t", "Ode"),
        (" \t ", None),
        ("", None),
        ("O\x07d\x1be", "Ode"),
        ("\ufeffOde", "Ode"),
        ("Ode\0", "Ode"),
        ("Ode\nto\r\n tests", "Ode to tests"),
    ],
)
def test_texts_are_stripped_of_blanks_and_control_characters(tmp_path: Path, text: str, expected: str | None) -> None:
    found = read_flac(tmp_path, title=text, artist=text, album=text)
    assert (found.title, found.artist, found.album) == (expected, expected, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        ("03", 3),
        ("3/12", 3),
        ("3 of 12", 3),
        ("0", None),
        ("A1", None),
        ("/12", None),
        ("9" * 30, None),
    ],
)
def test_track_numbers_are_read_from_their_usual_forms(tmp_path: Path, text: str, expected: int | None) -> None:
    assert read_flac(tmp_path, track=text).track_number == expected


@pytest.mark.parametrize(
    ("text", "year", "date"),
    [
        ("2003", 2003, "2003"),
        ("2003-04", 2003, "2003-04"),
        ("2003-04-01", 2003, "2003-04-01"),
        ("2003-04-01T12:00:00Z", 2003, "2003-04-01"),
        ("20030401", 2003, "2003-04-01"),
        ("01.04.2003", 2003, "2003"),
        ("2003-00-00", 2003, "2003"),
        ("2003-13-01", 2003, "2003"),
        ("0000", None, None),
        ("last year", None, None),
    ],
)
def test_years_and_dates_are_read_from_their_usual_forms(
    tmp_path: Path, text: str, year: int | None, date: str | None
) -> None:
    found = read_flac(tmp_path, date=text, album="Odes", release=RELEASE)
    assert found.year == year
    assert found.release == Release(RELEASE, "Odes", date)


@pytest.mark.parametrize("said", ["0000", "0000-00-00", "unknown", "1"])
def test_a_date_that_says_nothing_hides_no_other_date(tmp_path: Path, said: str) -> None:
    nothing = read_flac(tmp_path, date=said, album="Odes", release=RELEASE)
    assert (nothing.year, nothing.release) == (None, Release(RELEASE, "Odes", None))
    original = read_flac(tmp_path, date=said, originaldate="1999-05", album="Odes", release=RELEASE)
    assert (original.year, original.release) == (1999, Release(RELEASE, "Odes", "1999-05"))
    assert (original.details.date, original.details.original_date) == (None, "1999-05")
    assert read_flac(tmp_path, date=said, year="1998", originaldate="1999").year == 1998


def test_a_track_may_name_its_disc(tmp_path: Path) -> None:
    for text in ("2-03/12", "2.03/12"):
        found = read_flac(tmp_path, track=text)
        assert (found.track_number, found.details.track_count, found.details.disc_number) == (3, 12, 2)
    assert read_flac(tmp_path, track="2-03", discnumber="1/3").details == TagDetails(disc_number=1, disc_count=3)
    assert read_flac(tmp_path, track="A1") == FileTags(details=TagDetails(track_side="A1"))


def test_a_value_that_is_there_twice_is_one(tmp_path: Path) -> None:
    found = read_flac(
        tmp_path,
        title=["x", "x"],
        artist=["The Artist", "THE ARTIST", "The Artist"],
        artist_ids=ARTIST_1,
        genre=["Rock", "rock", "Pop"],
        composer=["Zoë", "Zoe\u0308", "Yann"],
    )
    assert (found.title, found.artist, found.artists) == ("x", "The Artist", (Artist(ARTIST_1, "The Artist"),))
    assert (found.details.genres, found.details.composers) == (("rock", "pop"), ("Zoë", "Yann"))


def test_different_values_are_all_kept_in_order(tmp_path: Path) -> None:
    """Programs that add a title instead of replacing it leave the wrong one first."""
    found = read_flac(tmp_path, title=["Caves", "Hell", "caves"], album=["Odes", "Oden"], release=RELEASE)
    assert (found.title, found.album, found.release) == ("Caves; Hell", "Odes; Oden", Release(RELEASE, "Odes; Oden"))


def test_an_author_in_both_descriptions_of_a_wma_file_is_one(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.wma", {"artist": ["The Artist", "The Artist"], "artist ids": ARTIST_1})
    assert read_tags(path).artists == (Artist(ARTIST_1, "The Artist"),)


def test_nul_separates_values(tmp_path: Path) -> None:
    found = read_flac(tmp_path, artist="Anna\0Bert", artist_ids=f"{ARTIST_1}\0{ARTIST_2}", genre="Rock\0Pop")
    assert (found.artist, found.details.genres) == ("Anna; Bert", ("rock", "pop"))
    assert found.artists == (Artist(ARTIST_1, "Anna"), Artist(ARTIST_2, "Bert"))
    assert found.warnings == ()


def test_what_has_no_column_is_kept_as_details(tmp_path: Path) -> None:
    found = read_flac(
        tmp_path,
        albumartist=["Anna", "Bert"],
        compilation="1",
        isrc=["US-RC1-76-07839", "none"],
        bpm="120.5",
        initialkey="Am",
        genre="(17)",
        discnumber="1",
        disctotal="2",
        tracktotal="12",
        musicbrainz_albumartistid=[ARTIST_1, ARTIST_2],
        musicbrainz_releasegroupid=RELEASE,
        musicbrainz_releasetrackid=WORK,
    )
    assert found.details == TagDetails(
        track_count=12,
        disc_number=1,
        disc_count=2,
        album_artist="Anna; Bert",
        is_compilation=True,
        genres=("rock",),
        isrcs=("USRC17607839",),
        bpm=120.5,
        key="Am",
        album_artist_mbids=(ARTIST_1, ARTIST_2),
        release_group_mbid=RELEASE,
        release_track_mbid=WORK,
    )
    assert said(found) == ['The ISRC "none" is none and was ignored.']


def test_the_artist_of_the_release_tells_a_joint_credit_apart(tmp_path: Path) -> None:
    credit = {"artist": "Emily meets Hall & Oates", "artist_ids": [ARTIST_1, ARTIST_2]}
    found = read_flac(tmp_path, **credit, albumartist="Emily", musicbrainz_albumartistid=ARTIST_1)
    assert found.artists == (Artist(ARTIST_1, "Emily"), Artist(ARTIST_2, "Hall & Oates", NameRank.PART))
    assert found.warnings == ()


@pytest.mark.parametrize("text", [f" {RECORDING.upper()} ", f"{{{RECORDING}}}"], ids=["blanks", "braces"])
def test_ids_are_lower_case_and_rid_of_blanks_and_braces(tmp_path: Path, text: str) -> None:
    found = read_flac(tmp_path, recording=text)
    assert found.recording_mbid == RECORDING
    assert found.warnings == ()


@pytest.mark.parametrize("text", ["42", RECORDING[:-1], RECORDING + "0", RECORDING.replace("-", ""), "x" * 500])
def test_an_id_that_is_no_uuid_is_dropped_with_a_warning(tmp_path: Path, text: str) -> None:
    found = read_flac(tmp_path, title="Ode", recording=text)
    assert found.recording_mbid is None
    assert found.title == "Ode"
    assert len(found.warnings) == 1
    assert "recording" in found.warnings[0].text
    assert len(found.warnings[0].text) < 150


def test_several_recording_ids_give_the_first_and_a_warning(tmp_path: Path) -> None:
    found = read_flac(tmp_path, recording=[RECORDING, WORK])
    assert found.recording_mbid == RECORDING
    assert "2 MusicBrainz recording ids" in found.warnings[0].text


BOTH = f"{ARTIST_1}; {ARTIST_2}"
TAGGED = (Artist(ARTIST_1, "A"), Artist(ARTIST_2, "B"))
TOLD_APART = tuple(replace(artist, rank=NameRank.PART) for artist in TAGGED)


@pytest.mark.parametrize(
    ("texts", "artists"),
    [
        pytest.param({"artists": ["A", "B"], "artist": "A meets B"}, TAGGED, id="artists-list"),
        pytest.param({"artists": "A; B", "artist": "A meets B"}, TAGGED, id="artists-in-one-text"),
        pytest.param({"artist": ["A", "B"]}, TAGGED, id="several-artist-tags"),
        pytest.param({"artist": "A feat. B"}, TOLD_APART, id="feat"),
        pytest.param({"artist": "A (ft. B)"}, TOLD_APART, id="ft-in-brackets"),
        pytest.param({"artist": "A / B"}, TOLD_APART, id="slash-between-blanks"),
        pytest.param({"artist": "A;B"}, TOLD_APART, id="semicolon"),
        pytest.param({"artists": ["A", "B"]}, TAGGED, id="no-credit"),
    ],
)
@pytest.mark.parametrize("ids", [[ARTIST_1, ARTIST_2], BOTH, f"{ARTIST_1}/{ARTIST_2}"])
def test_artist_ids_are_paired_with_names(
    tmp_path: Path, texts: Texts, artists: tuple[Artist, ...], ids: str | list[str]
) -> None:
    found = read_flac(tmp_path, **texts, artist_ids=ids)
    assert found.artists == artists
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("texts", "name", "rank"),
    [
        ({"artist": "Foo"}, "Foo", NameRank.TAG),
        ({"artist": "Handsome"}, "Handsome", NameRank.TAG),
        ({"artist": "Foo feat. Bar"}, "Foo feat. Bar", NameRank.CREDIT),
        ({"artist": "Foo (ft. Bar)"}, "Foo (ft. Bar)", NameRank.CREDIT),
        ({"artist": "Simon & Garfunkel"}, "Simon & Garfunkel", NameRank.CREDIT),
        ({"artist": "Foo presents Bar"}, "Foo presents Bar", NameRank.CREDIT),
        ({"artist": "Foo with Bar"}, "Foo with Bar", NameRank.CREDIT),
        ({"artist": "Foo vs. Bar"}, "Foo vs. Bar", NameRank.CREDIT),
        ({"artist": "Foo x Bar"}, "Foo x Bar", NameRank.CREDIT),
        ({"artist": "Foo/Bar"}, "Foo/Bar", NameRank.CREDIT),
        ({"artist": "Foo,"}, "Foo,", NameRank.TAG),
        ({"artists": "Simon & Garfunkel"}, "Simon & Garfunkel", NameRank.TAG),
        ({"artists": "AC/DC", "artist": "AC/DC feat. Bar"}, "AC/DC", NameRank.TAG),
        ({"artists": "Foo feat. Bar"}, "Foo feat. Bar", NameRank.CREDIT),
        ({"artists": ["Foo", "Bar"], "artist": "Foo meets Bar"}, "Foo meets Bar", NameRank.CREDIT),
    ],
)
def test_a_single_artist_id_takes_the_whole_credit(tmp_path: Path, texts: Texts, name: str, rank: NameRank) -> None:
    """A list of artists has an entry for each, so an entry with "&" is one name. Guests are no part of any name."""
    assert read_flac(tmp_path, **texts, artist_ids=ARTIST_1).artists == (Artist(ARTIST_1, name, rank),)


def test_each_of_several_artist_texts_may_be_a_joint_credit(tmp_path: Path) -> None:
    found = read_flac(tmp_path, artist=["A & The Orchestra", "B"], artist_ids=BOTH)
    assert found.artists == (Artist(ARTIST_1, "A & The Orchestra", NameRank.CREDIT), Artist(ARTIST_2, "B"))


def test_several_artist_texts_are_a_joint_credit_of_a_single_artist_id(tmp_path: Path) -> None:
    found = read_flac(tmp_path, artist=["A", "B"], artist_ids=ARTIST_1)
    assert found.artists == (Artist(ARTIST_1, "A; B", NameRank.CREDIT),)


@pytest.mark.parametrize("credit", ["The Both", "A & B", "A, B", "A/B", "A and B", "A x B", "A vs. B", "A presents B"])
def test_artists_that_cannot_be_told_apart_share_the_credit_with_a_warning(tmp_path: Path, credit: str) -> None:
    found = read_flac(tmp_path, artist=credit, artist_ids=BOTH)
    assert found.artists == (Artist(ARTIST_1, credit, NameRank.CREDIT), Artist(ARTIST_2, credit, NameRank.CREDIT))
    assert "told apart" in found.warnings[0].text


def test_an_invalid_artist_id_does_not_shift_the_names(tmp_path: Path) -> None:
    found = read_flac(tmp_path, artist="A feat. B", artist_ids=["nonsense", ARTIST_2])
    assert found.artists == (Artist(ARTIST_2, "B", NameRank.PART),)
    assert len(found.warnings) == 1


def test_an_artist_named_twice_is_one_artist(tmp_path: Path) -> None:
    found = read_flac(tmp_path, artist="Anna", artist_ids=[ARTIST_1, ARTIST_1])
    assert found.artists == (Artist(ARTIST_1, "Anna"),)
    assert found.warnings == ()


def test_artist_ids_without_any_name_are_dropped_with_a_warning(tmp_path: Path) -> None:
    found = read_flac(tmp_path, artist_ids=ARTIST_1)
    assert found.artists == ()
    assert "no artist" in found.warnings[0].text


def test_a_work_without_a_title_takes_that_of_the_file(tmp_path: Path) -> None:
    assert read_flac(tmp_path, title="Ode", work_ids=WORK).works == (Work(WORK, "Ode", NameRank.GUESS),)


def test_a_work_without_any_title_is_dropped_with_a_warning(tmp_path: Path) -> None:
    found = read_flac(tmp_path, work_ids=WORK)
    assert found.works == ()
    assert "work" in found.warnings[0].text


def test_works_are_paired_with_their_titles(tmp_path: Path) -> None:
    found = read_flac(tmp_path, title="Medley", work_ids=[WORK, RECORDING], work="One; Two")
    assert found.works == (Work(WORK, "One"), Work(RECORDING, "Two"))


@pytest.mark.parametrize("work", [["One"], "One/Two", "One, Two", ["One", "Two", "Three"]])
def test_a_work_never_gets_a_title_by_guess(tmp_path: Path, work: str | list[str]) -> None:
    """One title for two works may be that of either; so all titles stand for both, until something better is known."""
    joint = "; ".join(listed(work))
    found = read_flac(tmp_path, title="Medley", work_ids=[WORK, RECORDING], work=work)
    assert found.works == (Work(WORK, joint, NameRank.CREDIT), Work(RECORDING, joint, NameRank.CREDIT))


def test_a_release_without_an_album_title_is_dropped_with_a_warning(tmp_path: Path) -> None:
    found = read_flac(tmp_path, release=RELEASE)
    assert found.release is None
    assert "no album title" in found.warnings[0].text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gone.mp3", None),
        ("empty.mp3", b""),
        ("text.txt", b"no music"),
        ("stub.flac", b"fLaC"),
        ("a.ogg", b"OggS"),
    ],
)
def test_what_cannot_be_read_is_a_warning(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    found = read_tags(tmp_path / name)
    assert found == FileTags(warnings=found.warnings)
    (warning,) = found.warnings
    assert warning.kind is WarningKind.UNREADABLE_TAGS
    assert warning.text.startswith("The tags cannot be read")


@pytest.fixture(scope="module")
def tagged_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("tagged")
    return [tagged(folder / name, TEXTS | {"date": "2003"}) for name in CONTAINERS]


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), flips=st.integers(1, 60), keep=st.floats(0.01, 1.0))
def test_no_damage_makes_reading_tags_raise(
    tagged_files: list[Path], tmp_path: Path, seed: int, flips: int, keep: float
) -> None:
    rng = np.random.default_rng(seed)
    for source in tagged_files:
        content = bytearray(source.read_bytes())
        content = content[: max(1, int(len(content) * keep))]
        _damage(content, rng.integers(0, min(len(content), 3000), flips), rng)
        path = tmp_path / source.name
        path.write_bytes(content)
        found = read_tags(path)
        texts = [found.title, found.artist, found.album, *(artist.name for artist in found.artists)]
        for text in filter(None, texts):
            assert text == text.strip()
            text.encode("utf-8")


def _damage(content: bytearray, positions: Iterable[int], rng: np.random.Generator) -> None:
    for position in positions:
        content[position] = int(rng.integers(0, 256))


def test_atoms_in_each_other_without_end_are_a_warning(tmp_path: Path) -> None:
    """mutagen recurses into each; the recursion error of Python must not fail the import."""
    atom = b""
    for _ in range(2_000):
        atom = struct.pack(">I4s", len(atom) + 8, b"udta") + atom
    path = encode(tmp_path / "a.m4a", melody(1), 44_100, "aac")
    path.write_bytes(path.read_bytes() + atom)
    assert said(read_tags(path)) == ["The tags cannot be read (they are nested too deeply)."]


def test_a_text_without_end_is_cut_with_a_warning(tmp_path: Path) -> None:
    tags = read_flac(tmp_path, title="la " * 500_000)
    assert tags.title == ("la " * 500)[:1000]
    assert said(tags) == ["The tags hold a text of more than 1000 characters as title; it was cut."]


def test_a_list_without_end_is_cut_with_a_warning(tmp_path: Path) -> None:
    tags = read_flac(tmp_path, artist=[str(number) for number in range(5_000)])
    assert tags.artist == "; ".join(map(str, range(200)))
    assert said(tags) == ["The tags hold more than 200 texts as artist; the others were left out."]


@pytest.mark.slow
def test_tags_that_take_more_memory_than_there_is_are_a_warning(tmp_path: Path) -> None:
    """A few kilobytes unpack to more than the memory limit; a process of its own, because the limit stays."""
    packed = zlib.compress(bytes(400_000_000), 1)
    frame = b"MCDI" + syncsafe(len(packed) + 4) + b"\0\x09" + syncsafe(2**28 - 1) + packed
    (tmp_path / "a.mp3").write_bytes(b"ID3\4\0\0" + syncsafe(len(frame)) + frame)
    code = (
        "import resource, sys; from pathlib import Path; from wkmp_assets.audio.tags import read_tags\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (300_000_000, 300_000_000))\n"
        "print(*read_tags(Path(sys.argv[1])).warnings)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.mp3")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "The tags cannot be read (they take more memory than a worker may have).\n"
