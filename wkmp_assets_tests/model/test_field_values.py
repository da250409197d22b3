"""The fields of flat dataclasses are those that `asdict` has."""

from dataclasses import asdict

from wkmp_assets.model.field_values import fields_of
from wkmp_assets.model.values import SoundMeasures, TagDetails


def test_the_fields_of_a_flat_dataclass_are_those_of_asdict_in_their_order() -> None:
    measures = SoundMeasures(120.0, "C", "major", 0.5, -14.0, 9.0, replaygain_db=-4.0)
    for value in (measures, TagDetails(track_count=9, genres=("rock", "pop"))):
        assert list(fields_of(value).items()) == list(asdict(value).items())
