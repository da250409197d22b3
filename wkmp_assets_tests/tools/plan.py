"""The plan's 11 requirements and 21 tests by their ids, and the marker that ties a test of ours to one of them.

`pytest -m TC-U-BW-020-01` runs the tests behind that id. Behind some ids stand commands of `make check` as well.
`docs/requirements.md` is generated from this table.
"""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Requirement:
    """One requirement of the batch-writing plan."""

    id: str
    text: str
    modules: tuple[str, ...]
    """What it is proven of: files below `wkmp_assets`; `*` for all of it."""


@dataclass(frozen=True)
class PlanTest:
    """One test of the plan."""

    id: str
    requirement: str
    """Id of the requirement it proves; `all` for the regression test."""
    text: str
    is_whole_suite: bool = False
    """It asks for a full run: every test carries its marker."""
    checks: tuple[str, ...] = ()
    """Commands of `make check` that prove it, as they begin in the Makefile; the tests prove the rest."""


_RULES = "ruff check wkmp_assets wkmp_assets_tests"
_UNUSED = "ruff check --select F401,F811,F841 --ignore-noqa"
"""Unused imports, definitions and variables, also where a comment would allow them."""

REQUIREMENTS = (
    Requirement(
        "REQ-BW-010",
        "1 to 2 write-lock acquisitions per file, 8.00 times fewer than before for one passage, 77.00 times for 24",
        ("db/write/writer.py", "db/write/script.py", "db/write/statements.py", "db/write/statement_log.py"),
    ),
    Requirement(
        "REQ-BW-020",
        "related writes in one transaction, at most 2 per file, each under 100 ms",
        ("db/write/writer.py", "db/write/script.py", "db/write/statements.py", "db/plan/file_plan.py"),
    ),
    Requirement(
        "REQ-BW-030",
        "look-ups before BEGIN, results kept in memory",
        ("db/read/file_state.py", "db/plan/entities.py", "db/commit.py"),
    ),
    Requirement(
        "REQ-BW-040",
        "all or nothing, no orphans, foreign keys intact",
        ("db/write/writer.py", "db/connection.py", "runtime/phase_store.py"),
    ),
    Requirement(
        "REQ-BW-050",
        "lock retry: exponential from 10 ms to 1000 ms within the budget of the settings",
        ("db/write/retry.py", "db/write/gate.py", "db/read/library_settings.py"),
    ),
    Requirement("REQ-DC-010", "no unused code before the work", ("*",)),
    Requirement("REQ-DC-020", "no code left that the batching made obsolete", ("*",)),
    Requirement("REQ-DC-030", "no unused imports or dependencies", ("*",)),
    Requirement("REQ-DC-040", "unused code that is kept says why", ("*",)),
    Requirement("REQ-NF-010", "test coverage does not fall (tolerance 0.1 points), all tests pass", ("*",)),
    Requirement(
        "REQ-NF-020",
        "import throughput measurably better (informational)",
        ("db/write/writer.py", "db/write/script.py", "db/write/statements.py", "db/write/gate.py"),
    ),
)

PLAN_TESTS = (
    PlanTest("TC-U-BW-010-01", "REQ-BW-010", "the unbatched baseline is measured: 8 locks for one passage, 77 for 24"),
    PlanTest("TC-I-BW-010-02", "REQ-BW-010", "the same file through the batch writer: at most 2 locks"),
    PlanTest("TC-U-BW-020-01", "REQ-BW-020", "3 new songs and n passages: exactly one BEGIN and one COMMIT"),
    PlanTest("TC-I-BW-020-02", "REQ-BW-020", "24 passages on disk, 50 times: the transaction is held under 100 ms"),
    PlanTest("TC-U-BW-030-01", "REQ-BW-030", "reads come before BEGIN; an existing MBID is reused"),
    PlanTest("TC-I-BW-030-02", "REQ-BW-030", "trace of a whole import: no reads inside transactions"),
    PlanTest("TC-U-BW-040-01", "REQ-BW-040", "a failure in mid-transaction rolls everything back"),
    PlanTest("TC-I-BW-040-02", "REQ-BW-040", "killed between statements: no partial file, a re-run completes it"),
    PlanTest("TC-U-BW-050-01", "REQ-BW-050", "every transaction passes through the one retry entry point"),
    PlanTest("TC-I-BW-050-02", "REQ-BW-050", "contention from another process: delays, budget, other errors at once"),
    PlanTest(
        "TC-M-DC-010-01",
        "REQ-DC-010",
        "dead-code scan before: every finding removed or kept with a reason",
        checks=(_UNUSED, "vulture"),
    ),
    PlanTest("TC-M-DC-010-02", "REQ-DC-010", "full test run after each removal", is_whole_suite=True),
    PlanTest(
        "TC-M-DC-020-01",
        "REQ-DC-020",
        "dead-code scan after: no write outside the writer",
        checks=(_UNUSED, "vulture"),
    ),
    PlanTest("TC-M-DC-020-02", "REQ-DC-020", "full test run after those removals", is_whole_suite=True),
    PlanTest(
        "TC-M-DC-030-01",
        "REQ-DC-030",
        "no unused imports, no unused dependencies",
        checks=(_UNUSED, "deptry wkmp_assets"),
    ),
    PlanTest("TC-M-DC-040-01", "REQ-DC-040", "review of what is kept: each with its reason", checks=(_RULES,)),
    PlanTest("TC-I-NF-010-01", "REQ-NF-010", "the coverage baseline is recorded"),
    PlanTest("TC-I-NF-010-02", "REQ-NF-010", "coverage is not below the baseline by more than 0.1 points"),
    PlanTest("TC-S-NF-020-01", "REQ-NF-020", "throughput of the baseline writer, reported"),
    PlanTest("TC-S-NF-020-02", "REQ-NF-020", "throughput of the batch writer, reported"),
    PlanTest("TC-I-REGR-01", "all", "the whole suite passes", is_whole_suite=True),
)

_IDS = frozenset(test.id for test in PLAN_TESTS)


def plan_test(test_id: str) -> pytest.MarkDecorator:
    """Return the marker of one of the plan's tests.

    Raises
    ------
    KeyError
        The plan has no such test.
    """
    if test_id not in _IDS:
        raise KeyError(test_id)
    marker: pytest.MarkDecorator = getattr(pytest.mark, test_id)
    return marker
