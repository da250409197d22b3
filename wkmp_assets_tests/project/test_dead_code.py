"""No unused code, and no code that the batch writer made obsolete.

`make check` runs the tools over the project. These tests cover what the tools cannot, and prove that the tools work.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wkmp_assets_tests.project.test_sql import OF_DAGSTER
from wkmp_assets_tests.support.package_code import SOURCES, TREES, literals, users_of
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.plan import plan_test

KEPT = ROOT / "wkmp_assets_tests/tools/vulture_kept.py"


def findings(*command: str, folder: Path) -> str:
    """Return what a tool prints; empty when it finds nothing."""
    result = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode in {0, 1, 3}, result.stderr
    return "" if result.returncode == 0 else result.stdout + result.stderr


@pytest.mark.slow
@plan_test("TC-M-DC-010-01")
@plan_test("TC-M-DC-030-01")
def test_the_tools_see_what_they_look_for(tmp_path: Path) -> None:
    """Each tool is red on a project with one mistake of every kind."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\ndependencies = ["click"]\n[tool.vulture]\npaths = ["p"]\n'
    )
    (tmp_path / "p").mkdir()
    (tmp_path / "p/__init__.py").write_text("import os\n\n\ndef idle():\n    left = 1\n")
    ruff = findings("ruff", "check", "--select", "F401,F811,F841", "--isolated", "p", folder=tmp_path)
    assert "F401" in ruff
    assert "F841" in ruff
    assert "unused function 'idle'" in findings("vulture", folder=tmp_path)
    assert "'click' defined as a dependency but not used" in findings("deptry", ".", folder=tmp_path)


@plan_test("TC-M-DC-040-01")
def test_every_name_kept_from_vulture_has_a_reason() -> None:
    source = KEPT.read_text(encoding="utf-8")
    _documentation, *names = ast.parse(source).body
    lines = [source.splitlines()[name.lineno - 1] for name in names]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"\w+  # \S.{4,}", line)] == []


@pytest.mark.slow
@plan_test("TC-M-DC-020-01")
def test_rows_are_written_by_the_writer_and_nowhere_else() -> None:
    """The statements are in one module, and a connection that can run them is opened in one place."""
    writing = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\s", re.IGNORECASE)
    of_the_library = {module for module in TREES if module not in OF_DAGSTER}  # which is Dagster's own database
    with_statements = {
        module for module in of_the_library if any(writing.match(text) for text in literals(TREES[module]))
    }
    assert with_statements == {"db/write/statements.py", "db/schema.py", "db/read/search.py"}
    of_sqlite = {module for module in of_the_library if "sqlite3" in SOURCES[module]}
    assert {use for use in users_of("connect") if use.split("::")[0] in of_sqlite} == {
        "db/connection.py::copy_library",  # writes into a file of its own
        "db/connection.py::open_checkpointer",  # writes no row: test_rest.py
        "db/connection.py::open_reader",
        "db/connection.py::open_writer",
        "db/read/search.py::_match",  # an index in memory
    }
    assert "sqlite3.connect(':memory:')" in ast.unparse(TREES["db/read/search.py"]), "the index is no file"
    assert "mode=ro" in ast.unparse(TREES["db/connection.py"]), "a reader cannot write"
    assert users_of("open_writer") == ["db/write/writer.py::_open"]
    assert {use for use in users_of("_connection") if use.startswith("db/")} <= {
        f"db/write/{use}"
        for use in (
            "writer.py::__enter__", "writer.py::__exit__", "writer.py::_execute", "writer.py::_transaction",
            "writer.py::_roll_back", "writer.py::_checkpoint", "writer.py::write", "statement_log.py::_record",
        )
    }  # fmt: skip


STATEMENTS_IN_A_LOOP = {
    "db/write/writer.py::_execute": "the script, which is made before",
    "db/write/script.py::_insert": "a statement per portion of rows that SQLite can bind",
    "db/write/script.py::_song_flavors": "the same",
    "db/write/script.py::_links_to_remove": "a statement per link table",
    "db/write/script.py::_peer_links": "a statement per other copy of the file: each is compared with what was read",
    "db/write/script.py::_displaced": "the two steps of the row that makes way for a moved one",
}
"""Functions that run or make statements in a loop, with what the loop is over."""


def functions_with_a_statement_in_a_loop(tree: ast.Module) -> Iterator[str]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            loops = [node for node in ast.walk(function) if isinstance(node, ast.For | ast.While | ast.comprehension)]
            calls = {ast.unparse(node.func) for loop in loops for node in ast.walk(loop) if isinstance(node, ast.Call)}
            if calls & {"Step", "self._connection.execute"}:
                yield function.name


@pytest.mark.slow
@plan_test("TC-M-DC-020-01")
def test_no_helper_writes_row_by_row() -> None:
    found = {
        f"{module}::{function}"
        for module in ("db/write/writer.py", "db/write/script.py")
        for function in functions_with_a_statement_in_a_loop(TREES[module])
    }
    assert found == set(STATEMENTS_IN_A_LOOP)
    for one_by_one in ("executescript", "upsert", "upsert_all"):
        assert users_of(one_by_one) == []
    assert users_of("executemany") == ["db/read/search.py::_match"], "in memory"
    assert users_of("insert_all") == ["db/write/receipt_list.py::make_receipt_list"], "in memory"


@plan_test("TC-M-DC-020-01")
@pytest.mark.parametrize(
    "loop",
    ["for row in rows:\n    self._connection.execute(sql, row)", "while rows:\n    yield Step('t', sql, rows.pop())"],
)
def test_a_helper_that_did_would_be_seen(loop: str) -> None:
    tree = ast.parse(f"def _save(self, rows):\n  {loop}")
    assert list(functions_with_a_statement_in_a_loop(tree)) == ["_save"]
