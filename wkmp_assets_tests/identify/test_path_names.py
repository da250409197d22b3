"""The texts in a path."""

import pytest

from wkmp_assets.identify.path_names import read_path_names

PATHS = {
    "Ann/Best Of/01 Song.flac": (("Song",), ("Ann", "Best Of")),
    "Ann - Best Of/1-07. Song.mp3": (("Song",), ("Ann", "Best Of")),
    "07 - Ann - Song.ogg": (("Ann", "Song"), ()),
    "ann/07_my_song.opus": (("my song",), ("ann",)),
    "Ann \u2013 Song (live).mp3": (("Ann", "Song (live)"), ()),
    "99 Luftballons.mp3": (("Luftballons",), ()),  # 99 looks like a track number
    "1979.mp3": (("1979",), ()),
    "7.mp3": (("7",), ()),
    "Jean-Michel/Twenty-One.mp3": (("Twenty-One",), ("Jean-Michel",)),
    " - .mp3": ((), ()),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.items())
def test_names(path: str, expected: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    names = read_path_names(path)
    assert (names.file, names.folders) == expected
