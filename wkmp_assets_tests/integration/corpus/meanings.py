"""Tags whose meaning is easily got wrong: joint credits, values that are there twice, dates that say nothing."""

import uuid
from collections.abc import Iterator
from pathlib import Path

from mutagen.flac import FLAC

from wkmp_assets_tests.integration.corpus.case import Case, Make, warned
from wkmp_assets_tests.integration.corpus.sound_bytes import sound

CREDITS = {
    "AC/DC feat. Bon Scott": {"ac": "AC/DC", "scott": "Bon Scott"},
    "Emily meets Hall & Oates": {"emily": "Emily meets Hall & Oates", "hall": "Emily meets Hall & Oates"},
    "Tyler, The Creator": {"tyler": "Tyler, The Creator", "other": "Tyler, The Creator"},
    "K/DA": {"kda": "K/DA"},
}
"""Credit -> artist -> the name that the artist gets. Others than these would be pieces of a credit."""
IS_READ = warned('The ISRC "none"')
"""A warning that tells these files from those that are simply imported."""
RICH = "tags/twice, with NUL and a year of zero.flac"
DETAILS = {
    "track_count": 12,
    "disc_number": 1,
    "album_artist": "The Artist",
    "original_date": "1999-05",
    "genres": ["hip hop", "rock"],
    "composers": ["Anna", "Bert"],
}


def mbid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def meanings() -> Iterator[Case]:
    for number, (credit, artists) in enumerate(CREDITS.items()):
        ids = [mbid(artist) for artist in artists]
        tags = {"artist": [credit], "musicbrainz_artistid": ids, "musicbrainz_trackid": [mbid(credit)]}
        yield Case(f"tags/joint credit {number}.flac", _tagged(tags), IS_READ)
    rich = {
        "title": ["x", "X"],
        "artist": ["The Artist", "The Artist"],
        "albumartist": ["The Artist", "the artist"],
        "composer": ["Anna\0Bert"],
        "genre": ["Hip-Hop", "(17)"],
        "tracknumber": ["1-03/12"],
        "date": ["0000"],
        "originaldate": ["1999-05-00"],
    }
    yield Case(RICH, _tagged(rich), IS_READ)


def _tagged(tags: dict[str, list[str]]) -> Make:
    def make(path: Path, seed: int) -> None:
        path.write_bytes(sound("flac", seed))
        file = FLAC(path)
        file.update(tags | {"isrc": ["none"]})
        file.save()

    return make
