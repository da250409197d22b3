"""The words for tables and columns name what there is, and are those of the reference."""

import re
import sqlite3
from contextlib import closing

from wkmp_assets.db.read.table_texts import TABLE_TEXTS
from wkmp_assets.db.schema import read_statements
from wkmp_assets_tests.support.paths import ROOT

REFERENCE = (ROOT / "docs" / "reference" / "library_tables.md").read_text(encoding="utf-8")


def plain(markdown: str) -> str:
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "").replace("*", "").strip()


def sections() -> dict[str, str]:
    """Name of a table with a section of its own -> the section."""
    found = re.split(r"^## ", REFERENCE, flags=re.MULTILINE)[1:]
    return {match.group(1): one for one in found if (match := re.match(r"`(\w+)`\n", one))}


def test_every_table_and_column_has_words() -> None:
    with closing(sqlite3.connect(":memory:")) as library:
        for statement in read_statements():
            library.execute(statement)
        tables = [row[0] for row in library.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {name: {row[1] for row in library.execute(f"PRAGMA table_xinfo({name})")} for name in tables}
    assert {name: set(text.columns) for name, text in TABLE_TEXTS.items()} == columns


def test_the_reference_says_the_same() -> None:
    compared = 0
    assert len(sections()) > 8
    for table, section in sections().items():
        own = TABLE_TEXTS[table]
        assert plain(section.split("\n\n")[1].replace("\n", " ")) == own.holds
        for names, text in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.*) \|$", section, re.MULTILINE):
            for name in re.findall(r"`(\w+)`", names):
                if name in own.columns:  # the section on files also has a table of statuses
                    assert (table, name, plain(text)) == (table, name, own.columns[name])
                    compared += 1
    assert compared > 80
