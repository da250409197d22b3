"""The release of a recording, by itself and among the files of its folder."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.identify.releases import choose_release, find_folder_releases
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.values import Candidate, KnownRelease, PassageLookup, RecordingLookups, Span
from wkmp_assets_tests.support.builders import known_release, mbid, song

ALBUM, HITS, BOX = known_release("Album", "2000"), known_release("Hits", "2001"), known_release("Box", "2002")


def looked_up(*passages: tuple[str, Sequence[KnownRelease]]) -> RecordingLookups:
    return RecordingLookups(
        tuple(
            PassageLookup(
                Span(0, 1),
                LookupOutcome.MATCH,
                (Candidate(song(title), None, None, 0.9, 0.9, 0.9, 0.9),),
                tuple(releases),
            )
            for title, releases in passages
        )
    )


def holds(title: str) -> str:
    return mbid(f"release {title}")


def test_the_release_is_chosen_by_title_then_status_then_kind_then_date() -> None:
    named = known_release("Greatest Hits", "2010", is_official=False, is_plain_album=False)
    bootleg = known_release("Bootleg", "1999", is_official=False)
    single = known_release("Single", "1998", is_plain_album=False)
    later, undated, album = (
        known_release("Later", "2002"),
        known_release("Undated", None),
        known_release("A", "2001-05"),
    )
    every = [named, bootleg, single, later, undated, album]
    assert choose_release(every, "Greatest hits", {}) == named.release
    assert choose_release(every, None, {}) == album.release
    assert choose_release(every[:4], "Unheard of", {}) == later.release
    assert choose_release([bootleg, single], None, {}) == single.release
    assert choose_release([], "Album", {}) is None


def test_a_folder_s_release_comes_after_the_album_tag_and_before_everything_else() -> None:
    bootleg = known_release("Bootleg", "2020", is_official=False, is_plain_album=False)
    every = [ALBUM, HITS, bootleg]
    assert choose_release(every, None, {}) == ALBUM.release
    assert choose_release(every, None, {holds("Bootleg"): 5, holds("Hits"): 4}) == bootleg.release
    assert choose_release(every, "hits", {holds("Bootleg"): 5}) == HITS.release


def test_of_two_editions_with_the_tag_s_title_the_folder_decides() -> None:
    first, again = known_release("Live", "1970"), known_release("Live!", "1999")
    assert choose_release([first, again], "Live", {}) == first.release
    assert choose_release([first, again], "Live", {holds("Live!"): 9}) == again.release


def test_a_release_counts_by_the_recordings_of_the_folder_that_it_holds() -> None:
    folder = [looked_up(("1", [ALBUM, HITS]), ("2", [ALBUM])), looked_up(("3", [ALBUM, BOX])), looked_up(("4", [BOX]))]
    assert find_folder_releases(folder) == {holds("Album"): 3}


def test_a_recording_that_is_there_twice_counts_once() -> None:
    assert find_folder_releases([looked_up(("1", [ALBUM])), looked_up(("1", [ALBUM]))]) == {}
    folder = [looked_up(("1", [ALBUM])), looked_up(("1", [ALBUM])), looked_up(("2", [ALBUM]))]
    assert find_folder_releases(folder) == {holds("Album"): 2}


def test_a_folder_of_singles_is_not_the_compilation_that_holds_some_of_them() -> None:
    folder = [looked_up((str(number), [BOX] if number < 3 else [known_release(str(number))])) for number in range(6)]
    assert find_folder_releases(folder) == {}


@pytest.mark.parametrize("lookups", [[], [RecordingLookups(())], [looked_up(("1", []))]])
def test_where_no_release_is_known_none_explains_anything(lookups: list[RecordingLookups]) -> None:
    assert find_folder_releases(lookups) == {}


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sets(st.sampled_from(["Album", "Hits", "Box"]))), max_size=12),
    st.randoms(use_true_random=False),
)
def test_the_order_of_files_and_releases_does_not_matter(
    files: list[tuple[str, set[str]]], order: random.Random
) -> None:
    folder = [looked_up((title, [known_release(name) for name in sorted(names)])) for title, names in files]
    shuffled = [looked_up((title, [known_release(name) for name in sorted(names)][::-1])) for title, names in files]
    order.shuffle(shuffled)
    assert find_folder_releases(shuffled) == find_folder_releases(folder)
