"""Another program holds SQLite's write lock. Within the budget the import waits; beyond it, it fails cleanly."""

import time
from pathlib import Path

from wkmp_assets_tests.integration.end_to_end.test_dagster_command import receipts
from wkmp_assets_tests.integration.faults.conftest import SHORT_FILES, Reference
from wkmp_assets_tests.integration.faults.extent import full_form
from wkmp_assets_tests.integration.faults.gate import gate_is_free
from wkmp_assets_tests.integration.faults.imports import (
    clear_error,
    look_at_what_is_left,
    succeed,
)
from wkmp_assets_tests.support.builders import run_sql, write_lock_held
from wkmp_assets_tests.support.library_rows import library_rows
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until
from wkmp_assets_tests.support.workplace import Workplace
from wkmp_assets_tests.tools.plan import plan_test

LOCKED_S = 2.0


def set_budget(database: Path, budget_ms: int) -> None:
    run_sql(
        database,
        "DELETE FROM settings",
        f"INSERT INTO settings (key, value) VALUES ('ai_database_max_lock_wait_ms', '{budget_ms}')",  # noqa: S608 - a number
    )


@plan_test("TC-I-BW-050-02")
def test_an_import_waits_while_another_program_holds_the_lock(
    half_imported: Workplace, short_library: Reference
) -> None:
    database = half_imported.database
    set_budget(database, 30_000)  # the default may be too short on a busy machine
    with write_lock_held(database):
        process = half_imported.start("import", half_imported.music)
        wait_until(lambda: process.poll() is not None or not gate_is_free(database), "the import wants to write")
        time.sleep(LOCKED_S)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out + err
    waited = [receipt for receipt in receipts(half_imported).values() if receipt.get("retries")]
    assert len(waited) == 1, "the first to be written"
    assert waited[0]["wait_ms"] > LOCKED_S * 1000 / 2
    assert waited[0]["write_locks"] == 1
    run_sql(database, "DELETE FROM settings")
    assert library_rows(database) == library_rows(short_library.databases[0])


@full_form
@plan_test("TC-I-BW-050-02")
def test_a_lock_beyond_the_budget_is_a_clean_failure_with_nothing_partial(
    half_imported: Workplace, short_library: Reference
) -> None:
    database = half_imported.database
    set_budget(database, 500)
    with write_lock_held(database):
        error = clear_error(half_imported.wkmp("import", half_imported.music))
    assert "stayed locked by another program" in error
    assert "ai_database_max_lock_wait_ms" in error
    assert gate_is_free(database)
    run_sql(database, "DELETE FROM settings")
    present = look_at_what_is_left(database, half_imported.home / "copy", short_library.databases)
    assert present == set(SHORT_FILES[:1])
    succeed(half_imported.wkmp("import", half_imported.music))
    assert library_rows(database) == library_rows(short_library.databases[0])
