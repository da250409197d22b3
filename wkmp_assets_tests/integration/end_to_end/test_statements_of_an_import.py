"""All statements of an import of a part of the sample library, as SQLite reports them, without our receipts."""

import shutil
from collections.abc import Iterator
from itertools import groupby

import pytest

from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.sql_trace import traced
from wkmp_assets_tests.support.workplace import Workplace, make_workplace, read_manifest
from wkmp_assets_tests.tools.plan import plan_test

FOLDERS = ("Destructavator", "Unsorted", "Various Artists")
"""With songs, a copy, a silent file, and a file of three passages."""
FILES = sum(record["path"].startswith(FOLDERS) for record in read_manifest("sample_library"))
Statements = list[tuple[int, str, bool]]


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> Statements:
    """Statements that the command sent to wkmp.db, connection by connection."""
    folder = tmp_path_factory.mktemp("traced")
    for name in FOLDERS:
        shutil.copytree(SAMPLE_LIBRARY / name, folder / "part" / name)
    place: Workplace = make_workplace(folder, folder / "part")
    with traced(place.database) as statements:
        result = place.wkmp("import", place.music)
    assert result.returncode == 0, result.stderr
    found = [(one.connection, one.sql, one.is_in_transaction) for one in statements]
    return sorted(found, key=lambda one: one[0])


def transactions(statements: Statements) -> Iterator[list[str]]:
    """The statements between each BEGIN IMMEDIATE and its end."""
    for _, of_connection in groupby(statements, key=lambda one: one[0]):
        inside: list[str] | None = None
        for _, sql, _ in of_connection:
            if sql in {"COMMIT", "ROLLBACK"} and inside is not None:
                yield inside
                inside = None
            elif inside is not None:
                inside.append(sql)
            elif sql == "BEGIN IMMEDIATE":
                inside = []


def word(sql: str) -> str:
    return sql.split()[0].upper()


@plan_test("TC-I-BW-030-02")
def test_no_transaction_of_an_import_reads(statements: Statements) -> None:
    found = list(transactions(statements))
    assert len(found) == FILES, "one per file"
    assert {word(sql) for inside in found for sql in inside} == {"INSERT", "UPDATE", "DELETE"}


@plan_test("TC-I-BW-030-02")
def test_an_import_looks_things_up_outside(statements: Statements) -> None:
    """The trace must see reads, otherwise the test above proves nothing."""
    assert sum(word(sql) == "SELECT" for _, sql, _ in statements) > FILES


@plan_test("TC-I-BW-030-02")
def test_nothing_is_written_outside_those_transactions(statements: Statements) -> None:
    """Except the schema, when the library is created."""
    writes = {"INSERT", "UPDATE", "DELETE", "REPLACE"}
    alone = [sql for _, sql, is_inside in statements if word(sql) in writes and not is_inside]
    assert [sql for sql in alone if "schema_version" not in sql and "_sqlite_migrations" not in sql] == []
    inside = sum(word(sql) in writes for found in transactions(statements) for sql in found)
    of_files = [sql for _, sql, _ in statements if word(sql) in writes and " files " in sql]
    assert len(of_files) >= FILES
    assert inside >= len(of_files)
