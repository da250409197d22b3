"""Flavors in the library: green as imported, red for every kind of damage."""

import json

import dagster as dg
import pytest

from wkmp_assets_tests.support.builders import column, run_sql
from wkmp_assets_tests.support.checked_library import CheckedLibrary, Evaluations, findings, number

pytestmark = pytest.mark.slow

VALID, COMPLETE = "flavors_valid", "flavors_complete"
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def test_an_import_is_green(imported: tuple[CheckedLibrary, Evaluations]) -> None:
    _, evaluations = imported
    assert evaluations[VALID].passed
    assert evaluations[COMPLETE].passed
    assert number(evaluations[COMPLETE], "passages") == 4
    assert number(evaluations[COMPLETE], "share_of_classes") == 0


def set_flavor(library: CheckedLibrary, path: str, value: str) -> None:
    """Put a SQL expression in the place of the flavor of a file's first passage."""
    first = f"(SELECT guid FROM passages WHERE file_id = (SELECT guid FROM files WHERE path = '{path}') LIMIT 1)"  # noqa: S608 - paths of this module
    run_sql(library.database, f"UPDATE passages SET musical_flavor_vector = {value} WHERE guid = {first}")  # noqa: S608 - the same


INVALID = {
    "no JSON": ("'odd'", ERROR, "it is no JSON"),
    "another program's shape": ("""'{"key": "C", "bpm": 120.5}'""", ERROR, "bpm is left out"),
    "a value above 1": (
        "json_set(musical_flavor_vector, '$.\"user.mode\".major', 1.5)", ERROR, "major is 1.5, not a number",
    ),
    "one value": (
        "json_remove(musical_flavor_vector, '$.\"user.mode\".major')", ERROR, "1 of at least two values",
    ),
    "measured, and slightly off": (
        """json_set(musical_flavor_vector, '$."user.tempo".bpm_100',
           json_extract(musical_flavor_vector, '$."user.tempo".bpm_100') / 2 + 0.00001)""",
        ERROR, "values of user.tempo that sum to",
    ),
    "a service's, and off": (
        """json_set(musical_flavor_vector, '$.timbre', json('{"bright": 0.5, "dark": 0.4}'))""",
        WARN, "the values of timbre sum to 0.900000",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("value", "severity", "words"), INVALID.values(), ids=INVALID)
def test_what_is_no_distribution_is_red_and_named(
    library: CheckedLibrary, value: str, severity: dg.AssetCheckSeverity, words: str
) -> None:
    set_flavor(library, "mix.flac", value)
    evaluation = library.check(VALID)[VALID]
    assert not evaluation.passed
    assert evaluation.severity is severity
    assert words in json.dumps([line["finding"] for line in findings(evaluation)])
    assert {line["file"] for line in findings(evaluation)} == {"mix.flac"}


@pytest.mark.parametrize(
    ("value", "words"),
    [("NULL", "has no flavor"), ("json_remove(musical_flavor_vector, '$.\"user.mode\"')", "lacks user.mode")],
    ids=["none", "a part"],
)
def test_a_passage_that_cannot_be_compared_is_shown(library: CheckedLibrary, value: str, words: str) -> None:
    set_flavor(library, "song.flac", value)
    evaluation = library.check(COMPLETE)[COMPLETE]
    assert (evaluation.passed, evaluation.severity) == (False, WARN)
    assert words in str(evaluation.description)
    assert library.check(VALID)[VALID].passed


def test_what_people_define_is_no_offence(library: CheckedLibrary) -> None:
    value = """json_set(musical_flavor_vector, '$."user.christmas"', json('{"yes": 0.5, "no": 0.5}'))"""
    set_flavor(library, "song.flac", value)
    assert column(library.database, "SELECT count(*) FROM passages WHERE musical_flavor_vector LIKE '%christmas%'") == [
        1
    ]
    evaluations = library.check(VALID, COMPLETE)
    assert evaluations[VALID].passed
    assert evaluations[COMPLETE].passed
