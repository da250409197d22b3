"""Genres have the names that MusicBrainz gives them, whatever their spelling in the tags."""

import pytest
from mutagen.id3 import TCON

from wkmp_assets.audio.genres import name_genres


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["Rock"], ["rock"]),
        (["(17)"], ["rock"]),
        (["17"], ["rock"]),
        (["(4)Eurodisco"], ["disco", "euro-disco"]),
        (["(17)(4)"], ["rock", "disco"]),
        (["255"], []),
        (["Hip-Hop"], ["hip hop"]),
        (["HIPHOP", "Hip Hop"], ["hip hop"]),
        (["Synthpop"], ["synth-pop"]),
        (["Darkwave"], ["dark wave"]),
        (["Drum & Bass", "drum'n'bass", "Drum n Bass", "DnB"], ["drum and bass"]),
        (["RnB", "R&B", "Rhythm and Blues"], ["r&b"]),
        (["Rock'n'Roll"], ["rock and roll"]),
        (["Rai"], ["raï"]),
        (["Psychadelic"], ["psychedelic"]),
        (["Rock; Pop"], ["rock", "pop"]),
        (["Folk, World, & Country"], ["folk", "world", "country"]),
        (["R&B/Soul"], ["r&b", "soul"]),
        (["Electronic / Ambient"], ["electronic", "ambient"]),
        (["Singer/Songwriter"], ["singer-songwriter"]),
        (["AC/DC Tribute"], ["ac/dc tribute"]),
        (["Nerd Opera"], ["nerd opera"]),
        (["Unknown", "Other"], []),
        ([], []),
    ],
)
def test_genres_get_the_names_of_musicbrainz(texts: list[str], names: list[str]) -> None:
    assert name_genres(texts) == tuple(names)


def test_every_genre_of_id3_has_a_name_in_lower_case_with_its_number_as_with_its_word() -> None:
    for number, word in enumerate(TCON.GENRES):
        assert name_genres([f"({number})"]) == name_genres([word])
        assert all(name == name.lower() for name in name_genres([word]))
