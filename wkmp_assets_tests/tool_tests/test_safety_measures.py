"""Every safety measure is in the code, has its tests, and is missed when it is taken away."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets_tests.support.package_code import PACKAGE
from wkmp_assets_tests.support.paths import TESTS
from wkmp_assets_tests.tools.safety.document import DOCUMENT, render
from wkmp_assets_tests.tools.safety.measures import MEASURES, QUICK, Measure
from wkmp_assets_tests.tools.safety.prove import ProofError, prove, take_away

each_measure = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)


@each_measure
def test_a_measure_is_in_the_code_once_and_what_is_left_without_it_is_code(measure: Measure) -> None:
    source = (PACKAGE / measure.module).read_text(encoding="utf-8")
    assert source.count(measure.find) == 1
    ast.parse(source.replace(measure.find, measure.without))


@each_measure
def test_the_tests_that_are_named_for_a_measure_exist(measure: Measure) -> None:
    assert measure.tests != ()
    for test in measure.tests:
        file, function = test.split("::")
        source = (TESTS / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {function}\(", source, re.MULTILINE), test


def test_measures_have_names_of_their_own() -> None:
    names = [measure.name for measure in MEASURES]
    assert len(set(names)) == len(names)
    assert set(QUICK) <= set(names)


def test_without_a_measure_its_tests_fail() -> None:
    """The quick ones, for real; `make test-safety` does all."""
    found = {finding.measure.name: finding for finding in prove(one for one in MEASURES if one.name in QUICK)}
    assert set(found) == set(QUICK)
    assert [name for name, finding in found.items() if not finding.is_proven] == []


def test_a_measure_that_no_test_misses_is_seen() -> None:
    """The proof itself, red: a change that changes nothing, and one that breaks the code."""
    (rollback,) = (one for one in MEASURES if one.name == "rollback")
    harmless = replace(rollback, without=f"{rollback.find}  # as it is")
    (finding,) = prove([harmless])
    assert not finding.is_proven
    broken = replace(rollback, without="no_such_name()")
    with pytest.raises(ProofError, match="NameError"):
        list(prove([broken]))


def test_a_text_that_is_not_there_is_not_taken_away(tmp_path: Path) -> None:
    (tmp_path / "wkmp_assets").mkdir()
    (tmp_path / "wkmp_assets/a.py").write_text("x = 1\n")
    one = Measure("m", "", "a.py", "y = 1", "", ())
    with pytest.raises(ProofError, match="occurs 0 times"):
        take_away(tmp_path, one)


def test_the_table_of_measures_is_true() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), (
        "write it again with: python -m wkmp_assets_tests.tools.safety.document"
    )
