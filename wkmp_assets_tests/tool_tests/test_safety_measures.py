"""Every safety measure is in the code and has tests, which fail when it is taken away."""

import os
import re
import subprocess
import sys

import pytest

from wkmp_assets_tests.support.package_code import users_of
from wkmp_assets_tests.support.paths import TESTS
from wkmp_assets_tests.tools.safety.document import DOCUMENT, render
from wkmp_assets_tests.tools.safety.measures import EXAMPLES, MEASURES, QUICK, Measure
from wkmp_assets_tests.tools.safety.prove import Finding, ProofError, prove
from wkmp_assets_tests.tools.safety.without import NothingToTakeAwayError, owner_of, search_path_without

each_measure = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
UNCHANGED, BREAKS = EXAMPLES


@pytest.mark.slow
@each_measure
def test_a_measure_is_in_the_code_and_used_and_something_else_can_take_its_place(measure: Measure) -> None:
    assert measure.targets
    for target in measure.targets:
        owner, name = owner_of(target)
        there = getattr(owner, name)
        instead = measure.without(there)
        assert callable(instead) == callable(there)
        assert instead != there
        assert isinstance(instead, type(there)) or callable(there)
        assert users_of(name), f"nobody uses {target}"


@each_measure
def test_the_tests_that_are_named_for_a_measure_exist(measure: Measure) -> None:
    assert measure.tests != ()
    for test in measure.tests:
        file, function = test.split("::")
        source = (TESTS / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {function}\(", source, re.MULTILINE), test


def test_measures_have_names_of_their_own() -> None:
    names = [measure.name for measure in (*MEASURES, *EXAMPLES)]
    assert len(set(names)) == len(names)
    assert set(QUICK) <= {measure.name for measure in MEASURES}


@pytest.fixture(scope="module")
def findings() -> dict[str, Finding]:
    """Results without the quick measures, and with one that was not taken away."""
    chosen = (*(one for one in MEASURES if one.name in QUICK), UNCHANGED)
    return {finding.measure.name: finding for finding in prove(chosen)}


@pytest.mark.slow
def test_without_a_measure_its_tests_fail(findings: dict[str, Finding]) -> None:
    """Takes the quick ones away for real; `make test-safety` does so with all."""
    assert set(QUICK) <= set(findings)
    assert [name for name in QUICK if not findings[name].is_proven] == []


@pytest.mark.slow
def test_a_measure_that_no_test_misses_is_seen(findings: dict[str, Finding]) -> None:
    assert not findings[UNCHANGED.name].is_proven


@pytest.mark.slow
@pytest.mark.long
def test_code_that_breaks_proves_nothing() -> None:
    with pytest.raises(ProofError, match="NameError"):
        list(prove([BREAKS]))


@pytest.mark.slow
def test_a_measure_is_gone_from_child_processes_too() -> None:
    (immediate,) = (one for one in MEASURES if one.name == "BEGIN IMMEDIATE")
    child = "from wkmp_assets.db.write.statements import BEGIN; print(BEGIN)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    for process in (child, parent):
        with search_path_without(immediate) as search_path:
            environment = os.environ | {"PYTHONPATH": search_path}
            command = [sys.executable, "-c", process]
            said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        assert said == "BEGIN\n"


def test_a_name_that_is_not_there_is_not_taken_away() -> None:
    with pytest.raises(NothingToTakeAwayError, match="no_such_function"):
        owner_of("db.connection:no_such_function")
    with pytest.raises(NothingToTakeAwayError, match=r"LibraryWriter\.no_such_method"):
        owner_of("db.write.writer:LibraryWriter.no_such_method")


def test_the_table_of_measures_is_true() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), (
        "write it again with: python -m wkmp_assets_tests.tools.safety.document"
    )
