"""The plan's tests exist with their ids, and docs/requirements.md names them."""

import re

import pytest

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.plan import PLAN_TESTS, REQUIREMENTS, plan_test
from wkmp_assets_tests.tools.plan_table import DOCUMENT, PACKAGE, MarkedTest, marked_in, marked_tests, render

MARKED = list(marked_tests())
OWN = [test.id for test in PLAN_TESTS if not test.is_whole_suite]


def test_the_plan_has_its_11_requirements_and_21_tests() -> None:
    assert (len(REQUIREMENTS), len(PLAN_TESTS)) == (11, 21)
    assert len({test.id for test in PLAN_TESTS}) == 21
    assert {test.requirement for test in PLAN_TESTS} == {requirement.id for requirement in REQUIREMENTS} | {"all"}


@pytest.mark.parametrize("test_id", OWN)
def test_every_id_has_a_test_of_its_own(test_id: str) -> None:
    assert [one for one in MARKED if one.test_id == test_id] != []


def test_every_command_behind_an_id_is_run_by_make_check() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    target = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert target is not None
    run = target.group(1).replace("$(BIN)/", "").split("\n\t")
    named = {command for test in PLAN_TESTS for command in test.checks}
    assert named
    assert {command for command in named if not any(line.strip().startswith(command) for line in run)} == set()


def test_no_test_carries_an_id_that_the_plan_has_not() -> None:
    assert {one.test_id for one in MARKED} <= set(OWN)
    with pytest.raises(KeyError):
        plan_test("TC-U-BW-999-99")


def test_the_modules_a_requirement_names_exist() -> None:
    named = {module for requirement in REQUIREMENTS for module in requirement.modules} - {"*"}
    assert [module for module in named if not (PACKAGE / module).is_file()] == []


def test_the_table_of_requirements_is_true() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(MARKED), (
        "write it again with: python -m wkmp_assets_tests.tools.plan_table"
    )


SOURCE = """
pytestmark = [pytest.mark.slow, plan_test("TC-I-BW-030-02")]

@plan.plan_test("TC-U-BW-020-01")
@pytest.mark.parametrize("x", [1])
def test_one(x): ...

class TestSome:
    def test_two(self): ...

@plan_test("TC-U-BW-020-01")
def helper(): ...
"""


def test_marks_are_found_on_functions_and_modules() -> None:
    assert list(marked_in("a.py", SOURCE)) == [
        MarkedTest("a.py", "test_one", "TC-I-BW-030-02"),
        MarkedTest("a.py", "test_one", "TC-U-BW-020-01"),
        MarkedTest("a.py", "test_two", "TC-I-BW-030-02"),
    ]
