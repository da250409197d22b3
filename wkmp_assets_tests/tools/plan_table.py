"""Find the tests of each requirement in the test tree, without running it, and write docs/requirements.md.

`python -m wkmp_assets_tests.tools.plan_table`
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets_tests.support.paths import TESTS
from wkmp_assets_tests.tools.plan import PLAN_TESTS, REQUIREMENTS, PlanTest, Requirement

PACKAGE = TESTS.parent / "wkmp_assets"
DOCUMENT = TESTS.parent / "docs" / "requirements.md"

_INTRODUCTION = """\
# Requirements and the tests that prove them

These are the 11 requirements of the [batch-writing plan](origins.md), its 21 tests, and the tests here that prove them.
Every id is a pytest marker: `pytest -m TC-U-BW-020-01` runs its tests. A command of `make check` is named where
it is part of the proof.

`python -m wkmp_assets_tests.tools.plan_table` writes this page from the markers in the test tree. A test
compares the two.
"""


@dataclass(frozen=True, order=True)
class MarkedTest:
    """A test function of ours that carries one of the plan's ids."""

    file: str
    """Relative to `wkmp_assets_tests`."""
    function: str
    test_id: str


def marked_tests(folder: Path = TESTS) -> list[MarkedTest]:
    """Find every `plan_test("...")` on a test function, or as `pytestmark` on a whole module."""
    return sorted(
        marked
        for path in folder.rglob("test_*.py")
        for marked in marked_in(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8"))
    )


def marked_in(file: str, source: str) -> Iterator[MarkedTest]:
    """Find the marked tests of one module."""
    if "plan_test" not in source:
        return
    tree = ast.parse(source)
    for_all: list[str] = []
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            for_all += _ids_in(statement.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            own = [test_id for decorator in node.decorator_list for test_id in _ids_in(decorator)]
            for test_id in dict.fromkeys([*for_all, *own]):
                yield MarkedTest(file, node.name, test_id)


def _ids_in(expression: ast.expr) -> list[str]:
    return [
        call.args[0].value
        for call in ast.walk(expression)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).split(".")[-1] == "plan_test"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    ]


def render(marked: list[MarkedTest]) -> str:
    """Return the document."""
    by_id: dict[str, list[MarkedTest]] = {}
    for one in marked:
        by_id.setdefault(one.test_id, []).append(one)
    sections = [_section(requirement, by_id) for requirement in REQUIREMENTS]
    regression = [f"- `{test.id}`: {test.text}. Every test." for test in PLAN_TESTS if test.requirement == "all"]
    return "\n".join([_INTRODUCTION, *sections, "## All of them\n", *regression, ""])


def _section(requirement: Requirement, by_id: dict[str, list[MarkedTest]]) -> str:
    modules = ", ".join(f"`{module}`" for module in requirement.modules if module != "*")
    lines = [
        f"## {requirement.id}: {requirement.text}\n",
        f"Of `wkmp_assets`: {modules or 'all of it'}.\n",
        "| the plan's test | our proof |",
        "|---|---|",
    ]
    tests = [test for test in PLAN_TESTS if test.requirement == requirement.id]
    return "\n".join([*lines, *(_row(test, by_id.get(test.id, [])) for test in tests), ""])


def _row(test: PlanTest, marked: list[MarkedTest]) -> str:
    if test.is_whole_suite:
        return f"| `{test.id}`: {test.text} | every test |"
    checks = [f"`make check`: `{command}`" for command in test.checks]
    ours = "<br>".join([*checks, *(f"`{one.file}::{one.function}`" for one in marked)])
    return f"| `{test.id}`: {test.text} | {ours} |"


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(render(marked_tests()), encoding="utf-8")


if __name__ == "__main__":
    main()
