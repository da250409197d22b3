"""Playlists of passages that sound alike."""

from wkmp_assets.model.likeness import Heard, choose_playlist, find_shared, rank_by_likeness, smooth


def heard(name: str, bright: float, song: str | None = None) -> Heard:
    return Heard(name, song or name, 60.0, {"user.brightness": {"bright": bright, "dark": 1 - bright}})


SEED = heard("seed", 0.0)


def test_the_nearest_come_first_and_what_cannot_be_compared_not_at_all() -> None:
    other = Heard("other", "other", 60.0, {"mood": {"a": 1.0, "b": 0.0}})
    ranked = rank_by_likeness(SEED.flavor, [heard("far", 1.0), other, heard("near", 0.1)])
    assert [one.passage for _, one in ranked] == ["near", "far"]


def test_a_playlist_lasts_as_long_as_asked_and_has_each_song_once() -> None:
    others = [heard("same", 0.0, song="seed"), heard("a", 0.2), heard("b", 0.4), heard("c", 0.6)]
    assert [one.passage for one in choose_playlist(SEED, others, 150)] == ["seed", "a", "b"]
    assert len(list(choose_playlist(SEED, others, 9000))) == 4, "all there is"


def test_a_smooth_playlist_goes_on_with_the_nearest() -> None:
    chosen = [heard("first", 0.5), heard("a", 0.1), heard("b", 0.7), heard("c", 0.9)]
    assert [one.passage for one in smooth(chosen)] == ["first", "b", "c", "a"]
    assert smooth([]) == []


def test_values_that_are_likely_in_both_are_shared() -> None:
    assert find_shared(heard("a", 0.8).flavor, heard("b", 0.6).flavor) == [("user.brightness", "bright")]
    assert find_shared(heard("a", 0.8).flavor, heard("b", 0.4).flavor) == []
