"""An artist id gets a name that the tags give it for certain, or the whole credit until something better is known."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.audio.artist_credits import Credit, name_artists
from wkmp_assets.model.name_ranks import NameRank

NOBODY = Credit(())
CREDIT, PART, TAG = NameRank.CREDIT, NameRank.PART, NameRank.TAG


def name(ids: str, *texts: str, names: tuple[str, ...] = (), of_release: Credit = NOBODY) -> dict[str, tuple[str, int]]:
    """Return id -> name and rank; each letter is an id, and `-` is none."""
    credit = Credit([None if one == "-" else one for one in ids], texts, names)
    artists, is_told_apart = name_artists(credit, of_release)
    assert (
        is_told_apart == all((artist.name, artist.rank) != (credit.text, CREDIT) for artist in artists)
        or len(set(ids)) == 1
    )
    return {artist.mbid: (artist.name, artist.rank) for artist in artists}


def shared(text: str, ids: str = "ab") -> dict[str, tuple[str, int]]:
    return dict.fromkeys(ids, (text, CREDIT))


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("AC/DC feat. Bon Scott", "AC/DC", "Bon Scott"),
        ("Tyler, The Creator featuring Frank Ocean", "Tyler, The Creator", "Frank Ocean"),
        ("Earth, Wind & Fire ft. The Emotions", "Earth, Wind & Fire", "The Emotions"),
        ("Emily (feat. Hall & Oates)", "Emily", "Hall & Oates"),
        ("Emily [feat. Hall & Oates]", "Emily", "Hall & Oates"),
        ("K/DA / Madison Beer", "K/DA", "Madison Beer"),
        ("K/DA; Madison Beer", "K/DA", "Madison Beer"),
    ],
)
def test_a_credit_with_a_sure_separator_is_told_apart(text: str, first: str, second: str) -> None:
    assert name("ab", text) == {"a": (first, PART), "b": (second, PART)}


@pytest.mark.parametrize(
    "text",
    [
        "Emily meets Hall & Oates",
        "Tyler, The Creator",
        "Earth, Wind & Fire",
        "Simon & Garfunkel with Orchestra & Choir",
        "Alpha presents Beta",
        "K/DA",
        "Alpha & Beta",
        "Alpha x Beta",
        "Alpha vs. Beta",
        "Alpha with Beta",
        "Alpha + Beta",
        "Alpha and Beta",
        "Alpha, Beta",
        "Alpha/Beta",
        "Various Artists",
        "Alpha feat. Beta & Gamma feat. Delta",
    ],
)
def test_a_credit_without_a_sure_separator_stays_one_text(text: str) -> None:
    assert name("ab", text) == shared(text)


def test_more_ids_than_parts_leave_the_credit_whole() -> None:
    assert name("abc", "Alpha feat. Beta & Gamma") == shared("Alpha feat. Beta & Gamma", "abc")
    assert name("abc", "Emerson, Lake & Palmer") == shared("Emerson, Lake & Palmer", "abc")


@pytest.mark.parametrize(
    "names",
    [("K/DA", "Madison Beer"), ("K/DA; Madison Beer",), ("K/DA / Madison Beer",), ("K/DA", "K/da", "Madison Beer")],
)
def test_a_list_of_the_artists_wins_over_the_credit(names: tuple[str, ...]) -> None:
    assert name("ab", "K/DA", names=names) == {"a": ("K/DA", TAG), "b": ("Madison Beer", TAG)}


def test_slashes_separate_names_that_the_credit_has_otherwise() -> None:
    assert name("ab", "Anna & Bert", names=("Anna/Bert",)) == {"a": ("Anna", TAG), "b": ("Bert", TAG)}
    assert name("ab", "K/DA", names=("K/DA",)) == shared("K/DA")
    assert name("ab", "AC & Bert", names=("AC/DC",)) == shared("AC & Bert")
    assert name("abc", "AC/DC with Bert", names=("AC/DC/Bert",)) == shared("AC/DC with Bert", "abc")


def test_several_artist_texts_are_one_artist_each() -> None:
    assert name("ab", "A & The Orchestra", "B") == {"a": ("A & The Orchestra", CREDIT), "b": ("B", TAG)}


@pytest.mark.parametrize(
    ("ids", "names"),
    [("ab", "ABAB"), ("abab", "AB"), ("abab", "ABAB"), ("aabb", "AB"), ("aba", "ABA"), ("ab", "AABB")],
)
def test_doubled_ids_and_names_are_one(ids: str, names: str) -> None:
    assert name(ids, "A meets B", names=tuple(names)) == {"a": ("A", TAG), "b": ("B", TAG)}


@pytest.mark.parametrize(
    ("ids", "names"), [("ab", "AA"), ("abab", "AABB"), ("aab", "ABB"), ("abc", "AB"), ("ab", "ABC")]
)
def test_names_that_contradict_the_ids_are_no_names(ids: str, names: str) -> None:
    assert name(ids, "A meets B", names=tuple(names)) == shared("A meets B", "".join(dict.fromkeys(ids)))


def test_an_invalid_id_keeps_its_place() -> None:
    assert name("-b", "A feat. B") == {"b": ("B", PART)}
    assert name("-b", "A & B") == {"b": ("A & B", CREDIT)}
    assert name("-b", names=("A", "B")) == {"b": ("B", TAG)}


def test_the_artist_of_the_release_names_the_same_id() -> None:
    emily = Credit("a", ["Emily"])
    assert name("a", "Emily feat. Bert", of_release=emily) == {"a": ("Emily", TAG)}
    assert name("abc", "Emily & Hall & Oates", of_release=emily) == {
        "a": ("Emily", TAG),
        **shared("Emily & Hall & Oates", "bc"),
    }


def test_the_rest_of_a_credit_is_the_only_other_artist() -> None:
    emily, hall = Credit("a", ["Emily"]), Credit("b", ["Hall"])
    assert name("ab", "Emily meets Hall & Oates", of_release=emily) == {
        "a": ("Emily", TAG),
        "b": ("Hall & Oates", PART),
    }
    assert name("ba", "Emily meets Oates", of_release=emily) == {"b": ("Oates", PART), "a": ("Emily", TAG)}
    assert name("ab", "Emily & Hall", of_release=hall) == {"a": ("Emily", PART), "b": ("Hall", TAG)}
    assert name("ab", "Emily and her band", of_release=Credit("a", ["Em"]))["b"] == ("Emily and her band", CREDIT)


def test_ids_in_another_order_than_the_credit_are_noticed() -> None:
    assert name("ba", "Alpha feat. Beta", of_release=Credit("a", ["Alpha"])) == {
        "b": ("Beta", PART),
        "a": ("Alpha", TAG),
    }


@pytest.mark.parametrize(
    "of_release",
    [Credit("a", ["Alpha & Beta"]), Credit("ab", ["Alpha"]), Credit("a", ["Various Artists"]), Credit("-", ["A"])],
)
def test_a_release_of_several_artists_names_none(of_release: Credit) -> None:
    assert name("ab", "Alpha & Beta", of_release=of_release) == shared("Alpha & Beta")


def test_nobody_is_called_various_artists_for_certain() -> None:
    assert name("a", "Various Artists") == shared("Various Artists", "a")


words = st.sampled_from(
    ["Alpha", "AC/DC", "Tyler, The Creator", "Hall & Oates", "Emily", "&", "feat.", ";", "/", "with", ","]
)


@given(
    ids=st.text("abc-", min_size=1, max_size=5).filter(lambda ids: set(ids) != {"-"}),
    texts=st.lists(words, min_size=1, max_size=7),
)
def test_every_id_gets_one_name_out_of_the_credit(ids: str, texts: list[str]) -> None:
    text = " ".join(texts)
    artists, _ = name_artists(Credit([None if one == "-" else one for one in ids], [text]), NOBODY)
    assert [artist.mbid for artist in artists] == list(dict.fromkeys(ids.replace("-", "")))
    assert all(artist.name and words_of(artist.name) <= words_of(text) for artist in artists)
    for one, other in itertools.combinations(artists, 2):
        assert one.name != other.name or words_of(one.name) == words_of(text)


def words_of(credit: str) -> set[str]:
    """What a credit says, however often it says it."""
    return set(re.split(r"[\s;/,]+", credit)) - {""}
