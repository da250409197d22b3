"""Who may import whom: DESIGN.md section 3, as a table."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wkmp_assets

PACKAGE = Path(wkmp_assets.__file__).parent

VALUES = {"errors", "ticks", "outcomes", "model"}
"""What knows nothing of the rest."""

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "ticks": set(),
    "outcomes": set(),
    "ranges": set(),
    "percentiles": set(),
    "model": {"model"},
    "settings": {"errors"},
    "unfinished": {"errors"},
    "library": {"library"} | VALUES,
    "audio": {"audio", "unfinished"} | VALUES,
    "identify": {"identify", "flavor", "unfinished"} | VALUES,
    "flavor": {"flavor"} | VALUES,
    "db": {"db", "flavor", "library.changes", "library.file_key"} | VALUES,
    "entry": VALUES,
    "phase_store": {"unfinished"} | VALUES,
    "earlier_lookups": {"identify.albums", "identify.earlier_answers", "library", "phase_store"} | VALUES,
    "earlier_values": {"flavor.keeping", "phase_store"} | VALUES,
    "topping_up": {"db", "identify.services", "settings"} | VALUES,
    "listen": {"audio", "flavor", "library"} | VALUES,
    "commit": {"db", "library"} | VALUES,
    "missing": {"db", "library"} | VALUES,
    "run_control": {"commit"},
    "file_locks": set(),
    "claims": {"file_locks", "unfinished"},
    "picture": {"picture_texts"} | VALUES,
    "picture_texts": VALUES,
    "recorded": {"facts"} | VALUES,
    "report": {"report", "db.overview", "db.report", "flavor.vector", "identify.scoring", "percentiles"} | VALUES,
    "reporting": {"db", "partitions", "recorded", "report", "settings", "unfinished"} | VALUES,
    "living_runs": {"file_locks"},
    "event_storage": {"file_locks", "living_runs"},
    "run_launcher": {"event_storage"},
    "signals": set(),
    "worker_process": set(),
    "workers": {"run_control", "worker_process"} | VALUES,
    "run_tags": set(),
    "passage_tables": VALUES,
    "facts": {"commit", "passage_tables"} | VALUES,
    "metadata": {"facts", "passage_tables"},
    "summary": {"commit", "facts", "library", "percentiles"} | VALUES,
    "progress": {"library", "summary"} | VALUES,
    "resources": {"audio", "db", "identify", "library", "settings", "workers"} | VALUES,
    "partitions": {"settings"},
    "jobs": {"model"},
    "io_managers": {
        "commit", "facts", "metadata", "phase_store", "resources", "run_control", "run_tags", "unfinished",
    } | VALUES,
    "assets": {
        "assets", "audio", "claims", "db.missing", "db.reader", "entry", "earlier_lookups", "earlier_values", "flavor",
        "identify", "library", "listen", "missing", "partitions", "phase_store", "picture", "reporting", "resources",
        "run_tags", "workers",
    } | VALUES,
    "checks": {
        "checks", "db.audit", "db.report", "facts", "flavor", "library", "partitions", "percentiles",
        "phase_store", "recorded",
        "resources",
    } | VALUES,
    "watching": {"library", "ranges"},
    "requesting": {
        "breakdowns", "claims", "db.reader", "db.report", "jobs", "library", "missing", "partitions", "ranges",
        "run_tags", "settings", "watching",
    } | VALUES,
    "breakdowns": {"jobs", "run_tags"},
    "sensors": {"breakdowns", "jobs", "partitions", "requesting", "settings", "watching"},
    "schedules": {"jobs", "library", "partitions", "ranges", "requesting", "settings", "topping_up"} | VALUES,
    "build": {"*"},
    "definitions": {"build"},
    "importer": {
        "build", "jobs", "library", "partitions", "ranges", "run_control", "settings", "unfinished",
    } | VALUES,
    "pruning": {
        "audio", "claims", "db", "library", "missing", "partitions", "phase_store", "requesting", "settings",
    } | VALUES,
    "cli_options": {"settings", "summary"} | VALUES,
    "cli_missing": {"cli_options", "db", "importer", "library", "pruning", "settings", "summary"} | VALUES,
    "cli": {
        "cli_missing", "cli_options", "commit", "db", "importer", "library", "phase_store", "picture", "progress",
        "reporting", "run_control", "settings", "signals", "summary", "topping_up", "unfinished",
    } | VALUES,
}  # fmt: skip

DAGSTER = {
    "assets", "checks", "facts", "metadata", "partitions", "jobs", "sensors", "schedules", "importer", "build",
    "definitions", "io_managers", "pruning", "recorded", "reporting", "requesting", "resources", "event_storage",
    "breakdowns", "run_launcher", "cli",
}  # fmt: skip
DATABASE = {"db"}
FOR_DAGSTER_S_OWN_DATABASES = {"event_storage"}
FOR_ERRORS_OF_A_CACHE = {"identify"}
"""The HTTP cache of a library is SQLite's, too."""
ENVIRONMENT = {"settings"}
READ_BY_DAGSTER = {"assets", "checks", "resources", "sensors", "schedules"}
"""Dagster inspects these annotations at run time: `from __future__ import annotations` breaks that."""

FILES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
MODULES = {name: path for name, path in FILES.items() if name != "__init__"}
each_module = pytest.mark.parametrize("module", MODULES)


def layer_of(module: str) -> str:
    return module.split(".")[0]


def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """Every module that is imported anywhere in the file, inside functions too."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(module: str) -> set[str]:
    return {name.removeprefix("wkmp_assets.") for name in imports(module) if name.startswith("wkmp_assets.")}


def is_allowed(imported: str, allowed: set[str]) -> bool:
    return "*" in allowed or any(imported == one or imported.startswith(f"{one}.") for one in allowed)


@each_module
def test_a_module_imports_only_from_the_layers_below_it(module: str) -> None:
    layer = layer_of(module)
    assert layer in MAY_IMPORT, f"{module} has no place among the layers yet: add it to the table"
    wrong = {imported for imported in own_imports(module) if not is_allowed(imported, MAY_IMPORT[layer])}
    assert not wrong


def test_the_layers_have_no_circle() -> None:
    below: dict[str, set[str]] = {}
    for module in MODULES:
        below.setdefault(layer_of(module), set()).update(layer_of(name) for name in own_imports(module))
    placed: set[str] = set()
    while remaining := set(below) - placed:
        ready = {layer for layer in remaining if below[layer] - {layer} <= placed}
        assert ready, f"in a circle: {remaining}"
        placed |= ready


def importing(*packages: str) -> set[str]:
    return {module for module in MODULES if any(name.split(".")[0] in packages for name in imports(module))}


def test_dagster_is_known_only_at_the_top() -> None:
    assert {layer_of(module) for module in importing("dagster")} <= DAGSTER


def test_sqlite_is_known_only_to_the_database_layer() -> None:
    assert {layer_of(module) for module in importing("sqlite3", "sqlite_utils")} <= DATABASE | FOR_ERRORS_OF_A_CACHE


def test_sound_is_known_only_to_the_audio_layer() -> None:
    assert {layer_of(module) for module in importing("av", "mutagen", "soundfile", "chromaprint", "acoustid")} <= {
        "audio"
    }


SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+(OR \w+ )?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|PRAGMA)\b",
    re.DOTALL,
)


def literals(module: str) -> Iterator[str]:
    """Text in the code that is no docstring."""
    tree = tree_of(module)
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


@each_module
def test_sql_is_written_only_in_the_database_layer(module: str) -> None:
    statements = [text for text in literals(module) if SQL.search(text)]
    assert layer_of(module) in DATABASE | FOR_DAGSTER_S_OWN_DATABASES or not statements


@each_module
def test_only_the_settings_read_the_environment(module: str) -> None:
    reads = [
        node
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
    ]
    assert layer_of(module) in ENVIRONMENT or not reads


@each_module
def test_annotations_that_dagster_reads_are_real(module: str) -> None:
    has_future = "__future__.annotations" in set(imports(module))
    assert layer_of(module) not in READ_BY_DAGSTER or not has_future


def test_the_rules_see_what_they_forbid() -> None:
    """Each rule on a piece of code that breaks it; a rule never seen red is decoration."""
    assert not is_allowed("db.writer", MAY_IMPORT["library"])
    assert not is_allowed("library.walk", MAY_IMPORT["db"])
    assert not is_allowed("model_of_something", MAY_IMPORT["db"])
    assert SQL.search("SELECT guid\nFROM files")
    assert importing("sqlite3")
    assert importing("dagster")


def test_the_command_does_not_wait_for_dagster() -> None:
    """`wkmp status` would take two seconds longer."""
    code = "import sys, wkmp_assets.cli.main; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, check=False).returncode == 0
