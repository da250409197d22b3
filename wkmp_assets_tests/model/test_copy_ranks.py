"""The better copy is the original: judged by the path, in any order."""

import doctest
import random

import pytest

from wkmp_assets.model import copy_ranks
from wkmp_assets.model.copy_ranks import explain_choice, rank_copy

GOOD = "Artist/Album/01 Song.flac"
LATER = "the copy comes later in the alphabet"
NAMED = "the copy has the name of one"
WORSE = {
    "Artist/Album/01 Song (1).flac": NAMED,
    "Artist/Album/01 Song - Copy.flac": NAMED,
    "Artist/Album/01 Song - Copy (2).flac": NAMED,
    "Artist/Album/01 Song copy.flac": NAMED,
    "Artist/Album/01 Song copy 2.flac": NAMED,
    "Artist/Album/01 Song (copy).flac": NAMED,
    "Artist/Album/01 Song (another copy).flac": NAMED,
    "Artist/Album/01 Song (3rd copy).flac": NAMED,
    "Artist/Album/01 Song - Kopie.flac": NAMED,
    "Artist/Album/01 Song_Kopie.flac": NAMED,
    "Artist/Album/Copy of 01 Song.flac": NAMED,
    "Artist/Album/Copy (2) of 01 Song.flac": NAMED,
    "Artist/Album/Kopie von 01 Song.flac": NAMED,
    "Artist/Album/Copie de 01 Song.flac": NAMED,
    "Artist/Album/01 Song (Ann's conflicted copy 2024-05-06).flac": NAMED,
    "Artist/Album/01 Song.sync-conflict-20240506-070809-ABCDEFG.flac": NAMED,
    "Artist/Album (1)/01 Song.flac": NAMED,
    "Artist/Album - Copy/01 Song.flac": NAMED,
    "01 Song.flac": "the copy is not in an artist's and an album's folder",
    "A/01 Song.flac": "the copy is not in an artist's and an album's folder",
    "A/Artist/Album/01 Song.flac": "the copy is in more folders",
    "Downloads/01 Song.flac": "the copy is in Downloads, a folder for unsorted files",
    "Artist/Album/Unsorted/01 Song.flac": "the copy is in Unsorted, a folder for unsorted files",
    "Desktop/Artist/Album/01 Song.flac": "the copy is in Desktop, a folder for unsorted files",
    "Backup/Artist/Album/01 Song.flac": "the copy is in Backup, a folder for files put aside",
    "Artist/Album/old/01 Song.flac": "the copy is in old, a folder for files put aside",
    "Artist/Album.bak/01 Song.flac": "the copy is in Album.bak, a folder for files put aside",
    "2019 backup of NAS/Artist/01 Song.flac": "the copy is in 2019 backup of NAS, a folder for files put aside",
    "tmp/01 Song.flac": "the copy is in tmp, a folder for files put aside",
    "_trash/Artist/01 Song.flac": "the copy is in _trash, a folder for files put aside",
    "Artist/Album/01 Song.mp3": LATER,
    "Artist/Album/01 Song-1.flac": LATER,
    "Artist/Album/01 Song 2.flac": LATER,
    "Artist/Albums/01 Song.flac": LATER,
}


@pytest.mark.parametrize(("path", "why"), WORSE.items(), ids=WORSE)
def test_a_path_in_an_album_is_better_than(path: str, why: str) -> None:
    assert rank_copy(GOOD) < rank_copy(path)
    assert explain_choice(GOOD, path) == why
    assert explain_choice(path, GOOD) == "the original was imported first"


@pytest.mark.parametrize(
    "path",
    [
        "Old Crow Medicine Show/O.C.M.S/01 Wagon Wheel.mp3",
        "Alice Cooper/Trash/01 Poison.mp3",
        "Artist/Temple of Love (1992)/01.mp3",
        "Artist/Copycat/01 Copycat.mp3",
        "The Templars/Oldies/02 Old.mp3",
    ],
)
def test_names_of_music_are_no_reason(path: str) -> None:
    assert rank_copy(path)[:4] == (0, 0, 0, 0)


def test_places_come_before_names_and_names_before_folders() -> None:
    ordered = [
        GOOD,
        "Artist/01 Song.flac",
        "01 Song.flac",
        "Artist/Album/CD 1/01 Song.flac",
        "A/A/01 Song (1).flac",
        "A/A/01 Song (1) - Copy.flac",
        "A/Downloads/A/01 Song.flac",
        "A/backup/01 Song.flac",
    ]
    assert sorted(ordered, key=rank_copy) == [GOOD, *ordered[3:4], *ordered[1:3], *ordered[4:]]


def test_the_order_of_files_makes_no_difference() -> None:
    paths = [GOOD, *WORSE]
    expected = sorted(paths, key=rank_copy)
    for seed in range(20):
        random.Random(seed).shuffle(paths)
        assert sorted(paths, key=rank_copy) == expected
    assert len({rank_copy(path) for path in paths}) == len(paths), "no two paths have one rank"


def test_the_example_is_true() -> None:
    assert doctest.testmod(copy_ranks).failed == 0
