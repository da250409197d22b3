"""Every family of containers fills every field, and says which tag a field is from."""

from pathlib import Path
from typing import Any

import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.mp4

from wkmp_assets.audio.tag_fields import TagFields, read_fields
from wkmp_assets_tests.audio.sounds import encode, silence

RECORDING, ARTIST, RELEASE, WORK, RELEASE_ARTIST, RELEASE_GROUP, RELEASE_TRACK = (
    f"{n}b1a9c0e-d987-4042-ae91-78d6a3267d69" for n in range(7)
)
EXPECTED = TagFields(
    title=("Ode",),
    artist=("Anna & Bert",),
    album=("Odes",),
    track=("3/12",),
    date=("2003",),
    artist_names=("Anna", "Bert"),
    work_titles=("Ode to Tests",),
    recording_ids=(RECORDING,),
    artist_ids=(ARTIST,),
    release_ids=(RELEASE,),
    work_ids=(WORK,),
    album_artist=("The Odes",),
    album_artist_names=("Carl", "Dora"),
    genre=("Rock", "Folk"),
    disc=("1/2",),
    track_total=("12",),
    disc_total=("2",),
    composer=("Emil",),
    compilation=("1",),
    isrc=("USRC17607839",),
    bpm=("120",),
    key=("Am",),
    original_date=("1999",),
    release_artist_ids=(RELEASE_ARTIST,),
    release_group_ids=(RELEASE_GROUP,),
    release_track_ids=(RELEASE_TRACK,),
)
VORBIS_KEYS = TagFields(
    title=("TITLE",),
    artist=("ARTIST",),
    album=("ALBUM",),
    track=("TRACKNUMBER",),
    date=("DATE",),
    artist_names=("ARTISTS",),
    work_titles=("WORK",),
    recording_ids=("MUSICBRAINZ_TRACKID",),
    artist_ids=("MUSICBRAINZ_ARTISTID",),
    release_ids=("MUSICBRAINZ_ALBUMID",),
    work_ids=("MUSICBRAINZ_WORKID",),
    album_artist=("ALBUMARTIST",),
    album_artist_names=("ALBUMARTISTS",),
    genre=("GENRE",),
    disc=("DISCNUMBER",),
    track_total=("TOTALTRACKS",),
    disc_total=("TOTALDISCS",),
    composer=("COMPOSER",),
    compilation=("COMPILATION",),
    isrc=("ISRC",),
    bpm=("BPM",),
    key=("KEY",),
    original_date=("ORIGINALDATE",),
    release_artist_ids=("MUSICBRAINZ_ALBUMARTISTID",),
    release_group_ids=("MUSICBRAINZ_RELEASEGROUPID",),
    release_track_ids=("MUSICBRAINZ_RELEASETRACKID",),
)
APE_KEYS = VORBIS_KEYS._replace(track=("Track",), disc=("Disc",), date=("Year",), album_artist=("Album Artist",))
ASF_KEYS = TagFields(
    title=("Title",),
    artist=("Author",),
    album=("WM/AlbumTitle",),
    track=("WM/TrackNumber",),
    date=("WM/Year",),
    artist_names=("WM/ARTISTS",),
    work_titles=("WM/Work",),
    recording_ids=("MusicBrainz/Track Id",),
    artist_ids=("MusicBrainz/Artist Id",),
    release_ids=("MusicBrainz/Album Id",),
    work_ids=("MusicBrainz/Work Id",),
    album_artist=("WM/AlbumArtist",),
    album_artist_names=("WM/AlbumArtists",),
    genre=("WM/Genre",),
    disc=("WM/PartOfSet",),
    track_total=("TotalTracks",),
    disc_total=("TotalDiscs",),
    composer=("WM/Composer",),
    compilation=("WM/IsCompilation",),
    isrc=("WM/ISRC",),
    bpm=("WM/BeatsPerMinute",),
    key=("WM/InitialKey",),
    original_date=("WM/OriginalReleaseTime",),
    release_artist_ids=("MusicBrainz/Album Artist Id",),
    release_group_ids=("MusicBrainz/Release Group Id",),
    release_track_ids=("MusicBrainz/Release Track Id",),
)
FREEFORM = "----:com.apple.iTunes:"
MP4_KEYS = TagFields(
    title=("©nam",),
    artist=("©ART",),
    album=("©alb",),
    date=("©day",),
    artist_names=(FREEFORM + "ARTISTS",),
    work_titles=("©wrk",),
    recording_ids=(FREEFORM + "MusicBrainz Track Id",),
    artist_ids=(FREEFORM + "MusicBrainz Artist Id",),
    release_ids=(FREEFORM + "MusicBrainz Album Id",),
    work_ids=(FREEFORM + "MusicBrainz Work Id",),
    album_artist=("aART",),
    album_artist_names=(FREEFORM + "ALBUMARTISTS",),
    genre=("©gen",),
    composer=("©wrt",),
    isrc=(FREEFORM + "ISRC",),
    key=(FREEFORM + "initialkey",),
    original_date=(FREEFORM + "originaldate",),
    release_artist_ids=(FREEFORM + "MusicBrainz Album Artist Id",),
    release_group_ids=(FREEFORM + "MusicBrainz Release Group Id",),
    release_track_ids=(FREEFORM + "MusicBrainz Release Track Id",),
)
ID3_FRAMES = TagFields(
    title=("TIT2",),
    artist=("TPE1",),
    album=("TALB",),
    track=("TRCK",),
    date=("TDRC",),
    artist_names=("TXXX:ARTISTS",),
    work_titles=("TXXX:WORK",),
    artist_ids=("TXXX:MusicBrainz Artist Id",),
    release_ids=("TXXX:MusicBrainz Album Id",),
    work_ids=("TXXX:MusicBrainz Work Id",),
    album_artist=("TPE2",),
    album_artist_names=("TXXX:ALBUMARTISTS",),
    genre=("TCON",),
    disc=("TPOS",),
    track_total=("TXXX:TOTALTRACKS",),
    disc_total=("TXXX:TOTALDISCS",),
    composer=("TCOM",),
    compilation=("TCMP",),
    isrc=("TSRC",),
    bpm=("TBPM",),
    key=("TKEY",),
    original_date=("TDOR",),
    release_artist_ids=("TXXX:MusicBrainz Album Artist Id",),
    release_group_ids=("TXXX:MusicBrainz Release Group Id",),
    release_track_ids=("TXXX:MusicBrainz Release Track Id",),
)


def tag(opener: Any, path: Path, keys: TagFields) -> None:
    """Write the expected texts under the container's keys; fields without a key stay out."""
    file = opener(path)
    if file.tags is None:
        file.add_tags()
    for names, texts in zip(keys, EXPECTED, strict=True):
        for name in names:
            as_bytes = name.startswith(FREEFORM)
            file[name] = [text.encode() for text in texts] if as_bytes else list(texts)
    if opener is mutagen.mp4.MP4:
        file["trkn"], file["disk"], file["cpil"], file["tmpo"] = [(3, 12)], [(1, 2)], True, [120]
    file.save()


def tag_id3(path: Path) -> None:
    id3: Any = mutagen.id3
    tags = id3.ID3()
    for names, texts in zip(ID3_FRAMES, EXPECTED, strict=True):
        for name in names:
            frame, _, description = name.partition(":")
            options = {"desc": description} if description else {}
            tags.add(getattr(id3, frame)(encoding=3, text=list(texts), **options))
    tags.add(id3.UFID(owner="http://musicbrainz.org", data=RECORDING.encode()))
    tags.save(path)


def test_vorbis_comments_fill_every_field(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.flac", silence(0.2), 44_100, "flac")
    tag(mutagen.flac.FLAC, path, VORBIS_KEYS)
    read = read_fields(path)
    assert read is not None
    assert read.fields == EXPECTED
    assert set(read.sources.values()) == {"Vorbis comment"}
    assert list(read.sources) == list(TagFields._fields)


def test_apev2_fills_every_field(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wv", silence(0.2), 44_100, "wavpack")
    tag(mutagen.File, path, APE_KEYS)
    read = read_fields(path)
    assert read is not None
    assert read.fields == EXPECTED
    assert set(read.sources.values()) == {"APEv2"}


def test_asf_fills_every_field(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wma", silence(0.2), 44_100, "wmav2")
    tag(mutagen.asf.ASF, path, ASF_KEYS)
    read = read_fields(path)
    assert read is not None
    assert read.fields == EXPECTED
    assert set(read.sources.values()) == {"ASF"}


def test_mp4_fills_every_field_but_the_totals(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", silence(0.2), 44_100, "aac")
    tag(mutagen.mp4.MP4, path, MP4_KEYS)
    read = read_fields(path)
    assert read is not None
    assert read.fields == EXPECTED._replace(track_total=(), disc_total=())
    assert set(read.sources.values()) == {"MP4"}
    assert "track_total" not in read.sources


def test_id3_fills_every_field(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", silence(0.2), 44_100, "libmp3lame")
    tag_id3(path)
    read = read_fields(path)
    assert read is not None
    assert read.fields == EXPECTED
    assert set(read.sources.values()) == {"ID3v2"}


def test_numbers_of_genres_are_their_names(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", silence(0.2), 44_100, "libmp3lame")
    id3: Any = mutagen.id3
    tags = id3.ID3()
    tags.add(id3.TCON(encoding=3, text=["(17)", "80"]))
    tags.save(path)
    read = read_fields(path)
    assert read is not None
    assert read.fields.genre == ("Rock", "Folk")
