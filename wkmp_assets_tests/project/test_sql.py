"""All SQL is in `db`: the one rule about places that neither import-linter nor ruff can state."""

import re

from wkmp_assets_tests.support.package_code import SOURCES, TREES, literals

SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+(OR \w+ )?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|PRAGMA)\b",
    re.DOTALL,
)
OF_DAGSTER = {f"orchestration/instance/{name}.py" for name in ("asset_rows", "event_log", "old_runs", "run_storage")}
"""Their SQL is for Dagster's own databases."""


def test_sql_is_written_only_in_the_database_package() -> None:
    suspects = [module for module, source in SOURCES.items() if SQL.search(source)]
    with_sql = {module for module in suspects if any(SQL.search(text) for text in literals(TREES[module]))}
    assert with_sql >= {"db/read/file_state.py", "db/write/statements.py"} | OF_DAGSTER, "it sees SQL"
    assert {module for module in with_sql if not module.startswith("db/")} == OF_DAGSTER
