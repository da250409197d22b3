"""The comparison of tags calls equal what says the same, and nothing else."""

from pathlib import Path

import pytest

from wkmp_assets_tests.audio.sounds import encode, silence
from wkmp_assets_tests.audio.test_tags import ARTIST_1, RECORDING, TEXTS, tagged
from wkmp_assets_tests.tools.benchmarks.independent_tags import missing_readers, read_with_ffprobe, read_with_mediainfo
from wkmp_assets_tests.tools.benchmarks.tag_comparison import Compared, compare

NOBODY: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("field", "ours", "ffprobe", "mediainfo", "is_equal"),
    [
        ("title", "Ode", "Ode", "Ode", True),
        ("title", "Ode", "Ode", "", True),
        ("title", "Ode", "", "Ode", True),
        ("title", "Ode", "Oden", "Ode", True),
        ("title", "Ode", "Oden", "Oden", False),
        ("title", "Ode", "ode", "ode", False),
        ("title", "", "Ode", "Ode", False),
        ("title", "Ode", "", "", False),
        ("track", "3", "03/12", "03", True),
        ("track", "3", "4", "4", False),
        ("track", "", "0", "0", True),
        ("date", "2003-04", "2003-04", "2003-04", True),
        ("date", "2003-04-01", "2003-04-01T12:00:00", "", True),
        ("date", "2003", "2003-04-01", "2003-04-01", False),
        ("recording id", RECORDING, RECORDING.upper(), "", True),
        ("recording id", RECORDING, ARTIST_1, ARTIST_1, False),
    ],
)
def test_a_field_is_equal_when_one_of_two_readers_says_the_same(
    field: str, ours: str, ffprobe: str, mediainfo: str, *, is_equal: bool
) -> None:
    said = [(text,) if text else NOBODY for text in (ours, ffprobe, mediainfo)]
    assert Compared("a.ogg", "Debian", field, *said).is_equal is is_equal


@pytest.mark.slow
@pytest.mark.skipif(bool(missing_readers()), reason="ffprobe and mediainfo are needed by `make compare-tags` only")
def test_what_the_import_reads_of_a_file_is_compared_with_what_two_programs_read(tmp_path: Path) -> None:
    texts = TEXTS | {"title": ["Ode", 'The "Ode"'], "artist": "Anna & Bert", "artists": [], "artist ids": ARTIST_1}
    path = tagged(tmp_path / "a.flac", texts)
    bare = encode(tmp_path / "b.flac", silence(0.2), 44_100, "flac")
    assert read_with_ffprobe(path)["title"] == read_with_mediainfo(path)["title"] == ("Ode", 'The "Ode"')
    assert read_with_ffprobe(bare).keys() | read_with_mediainfo(bare).keys() == set()
    compared = compare({path: "one", bare: "two"}, tmp_path / "wkmp.db")
    assert {one.field: one.is_equal for one in compared} == dict.fromkeys(
        ("title", "artist", "album", "track", "date", "recording id", "artist ids", "release id"), True
    )
