"""A flavor in words."""

import json

import pytest

from wkmp_assets.report.flavor_words import MAX_TAGS, FlavorWord, describe_flavor, describe_stored_flavor

MEASURED = {"bpm": 96.4, "key": "D", "scale": "minor", "integrated_lufs": -14.23, "level_estimate_db": -16.0}
FLAVOR = {
    "user.energy": {"calm": 0.78, "energetic": 0.22},
    "user.brightness": {"bright": 0.45, "dark": 0.55},
    "user.tag_instrumental": {"instrumental": 0.91, "not_instrumental": 0.09},
    "user.tag_happy": {"happy": 0.2, "not_happy": 0.8},
    "user.rhythm_regularity": {"free": 0.36, "regular": 0.64},
    "user.key_clarity": {"clear": 0.55, "unclear": 0.45},
    "user.mine": {"good": 0.9, "bad": 0.1},
}


def test_a_stored_flavor_is_one_sentence_that_says_how_sure_it_is() -> None:
    sentence = describe_stored_flavor(json.dumps(FLAVOR), json.dumps({"measured": MEASURED, "mine": 1}))
    assert sentence == "calm (78 %), instrumental (91 %), 96 bpm (64 %), D minor (55 %), -14.2 LUFS"


def test_what_is_uncertain_or_only_denied_is_not_said() -> None:
    words = [word.text for word in describe_flavor(FLAVOR, {})]
    assert words == ["calm", "instrumental"]


def test_classes_and_tags_are_said_once_and_the_most_certain_ones() -> None:
    moods = {f"mood_{name}": {name: 0.7 + number / 100, f"not_{name}": 0.3} for number, name in enumerate("abcdef")}
    flavor = {**moods, "user.tag_f": {"f": 0.95, "not_f": 0.05}, "voice_instrumental": {"instrumental": 0, "voice": 1}}
    words = describe_flavor(flavor, {})
    assert words[:2] == (FlavorWord("with voice", 1), FlavorWord("f", 0.95))
    assert len(words) == MAX_TAGS


@pytest.mark.parametrize("metadata", [None, "", "no JSON", "[1]", '{"measured": 3}', '{"measured": {"bpm": "fast"}}'])
@pytest.mark.parametrize("vector", [None, "no JSON", '{"user.energy": {"calm": 2, "energetic": 1}}'])
def test_columns_that_say_nothing_give_no_sentence(vector: str | None, metadata: str | None) -> None:
    assert describe_stored_flavor(vector, metadata) == ""


def test_music_without_a_beat_has_no_tempo() -> None:
    assert describe_flavor({}, {"bpm": 0.0, "integrated_lufs": True}) == ()
