"""Every column of the library is described, rows are counted, and measures have a middle."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from wkmp_assets.db.read.described_tables import count_rows, describe_tables
from wkmp_assets.db.read.measures import read_median_measures
from wkmp_assets.db.read.table_texts import TABLE_TEXTS
from wkmp_assets.db.schema import read_statements
from wkmp_assets_tests.support.builders import commit, entry, in_a_row


def test_every_table_and_column_of_the_schema_is_described() -> None:
    with closing(sqlite3.connect(":memory:")) as library:
        for statement in read_statements():
            library.execute(statement)
        tables = [row[0] for row in library.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {table: [row[1] for row in library.execute(f"PRAGMA table_xinfo({table})")] for table in tables}
    assert {name: sorted(text.columns) for name, text in TABLE_TEXTS.items()} == {
        table: sorted(names) for table, names in columns.items()
    }
    described = {table.name: [column.name for column in table.columns] for table in describe_tables()}
    assert described == {name: columns[name] for name, text in TABLE_TEXTS.items() if not text.is_hidden}
    (files,) = (table for table in describe_tables() if table.name == "files")
    assert [column.name for column in files.columns if column.is_key] == ["guid"]
    assert all(column.holds for table in describe_tables() for column in table.columns)


def test_rows_are_counted_by_table(database: Path, tmp_path: Path) -> None:
    assert count_rows(tmp_path / "none.db") == {}
    commit(database, entry("a.mp3", "a", in_a_row(2), songs=[None, None]))
    with closing(sqlite3.connect(database)) as library:
        library.execute("DROP TABLE missing_files")
    counted = count_rows(database)
    assert (counted["files"], counted["passages"], counted["songs"]) == (1, 2, 0)
    assert "missing_files" not in counted, "an older library lacks tables"


def test_the_middle_of_a_measure_leaves_out_passages_without_it(database: Path, tmp_path: Path) -> None:
    assert read_median_measures(tmp_path / "none.db") == {}
    commit(database, entry("a.mp3", "a", in_a_row(4), songs=[None] * 4))
    measured = [{"bpm": 90, "integrated_lufs": -14.25}, {"bpm": 100}, {"bpm": 180.5}, {"bpm": "fast"}]
    with closing(sqlite3.connect(database)) as library:
        guids = [guid for (guid,) in library.execute("SELECT guid FROM passages")]
        for guid, one in zip(guids, measured, strict=True):
            text = json.dumps({"measured": one})
            library.execute("UPDATE passages SET additional_metadata = ? WHERE guid = ?", (text, guid))
        library.commit()
        assert read_median_measures(database) == {"bpm": 100, "integrated_lufs": -14.25}
        library.execute("UPDATE passages SET additional_metadata = 'no JSON'")
        library.commit()
    assert read_median_measures(database) == {}
