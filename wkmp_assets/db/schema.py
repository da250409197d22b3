"""Create the library's tables, or add to an existing WKMP database what it lacks. No table is ever rebuilt.

The statements are in `schema.sql`, and this module applies them as sqlite-utils migrations. To find the columns that an
existing table lacks, it compares the table with the same table in a database in memory: `schema.sql` states them once.
"""

import sqlite3
from importlib.resources import files

import sqlite_utils
from sqlite_utils.db import Database
from sqlite_utils.migrations import Migrations

from wkmp_assets.db.tables import WKMP_SCHEMA_VERSION

library_migrations = Migrations("wkmp_assets")


def ensure_schema(connection: sqlite3.Connection) -> bool:
    """Bring the database up to date.

    Parameters
    ----------
    connection : sqlite3.Connection
        A writable connection without an open transaction.

    Returns
    -------
    bool
        False when it was up to date and nothing was written.
    """
    database = sqlite_utils.Database(connection)
    if not library_migrations.pending(database):
        return False
    library_migrations.apply(database)
    return True


def read_statements() -> list[str]:
    """Return the statements of `schema.sql`, in order, without comments between them."""
    text = files("wkmp_assets.db").joinpath("schema.sql").read_text(encoding="utf-8")
    found, pending = [], ""
    for line in text.splitlines(keepends=True):
        if not pending and (line.startswith("--") or not line.strip()):
            continue
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    return found


@library_migrations()
def m001_tables_columns_and_indexes(database: Database) -> None:
    """Add everything of WKMP's schema version 4 that an import writes, and `import_failures`."""
    is_new = not database["files"].exists()
    ddl = read_statements()
    for statement in ddl:
        if statement.startswith("CREATE TABLE"):
            database.execute(statement)
    _add_missing_columns(database, ddl)
    for statement in ddl:
        if statement.startswith("CREATE INDEX"):
            database.execute(statement)
    if is_new:
        # Otherwise WKMP would run its migrations on tables that already have their result.
        for version in range(1, WKMP_SCHEMA_VERSION + 1):
            database.execute("INSERT OR IGNORE INTO schema_version (version) VALUES (?)", [version])


@library_migrations()
def m002_missing_files(database: Database) -> None:
    """Add `missing_files` to libraries that are older than this table."""
    for statement in read_statements():
        if statement.startswith("CREATE TABLE IF NOT EXISTS missing_files"):
            database.execute(statement)


@library_migrations()
def m003_import_warnings(database: Database) -> None:
    """Add `import_warnings` to libraries that are older than this table."""
    for statement in read_statements():
        if statement.startswith("CREATE TABLE IF NOT EXISTS import_warnings"):
            database.execute(statement)


@library_migrations()
def m004_evidence_of_names(database: Database) -> None:
    """Add the columns in which the import keeps why it wrote a name."""
    _add_missing_columns(database, read_statements())


@library_migrations()
def m005_images_of_files(database: Database) -> None:
    """Add `import_images`, and `images` to a library that has lost it."""
    needed = tuple(f"CREATE TABLE IF NOT EXISTS {table}" for table in ("images", "import_images"))
    for statement in read_statements():
        if statement.startswith(needed) or "ON import_images" in statement:
            database.execute(statement)


@library_migrations()
def m006_columns_of_the_player(database: Database) -> None:
    """Add the computed columns that WKMP's player reads, except where the table has a column of that name."""
    for statement in read_statements():
        if statement.startswith("ALTER TABLE"):
            _, _, table, _, _, name, *_ = statement.split()
            # table_info lists no computed columns.
            present = {row[1] for row in database.execute(f'PRAGMA table_xinfo("{table}")')}
            if name not in present:
                database.execute(statement)


@library_migrations()
def m007_undo(database: Database) -> None:
    """Add `import_undo` to libraries that are older than this table."""
    for statement in read_statements():
        if statement.startswith("CREATE TABLE IF NOT EXISTS import_undo"):
            database.execute(statement)


def _add_missing_columns(database: Database, ddl: list[str]) -> None:
    with sqlite_utils.Database(memory=True) as reference:
        for statement in ddl:
            reference.execute(statement)
        for table in reference.table_names():
            present = {row[1] for row in database.execute(f'PRAGMA table_info("{table}")')}
            for _, name, kind, _, default, _ in reference.execute(f'PRAGMA table_info("{table}")'):
                if present and name not in present:  # a later migration adds the whole table
                    # ALTER TABLE cannot add CURRENT_TIMESTAMP defaults, or NOT NULL without a constant default.
                    suffix = "" if default in (None, "CURRENT_TIMESTAMP") else f" DEFAULT {default}"
                    database.execute(f'ALTER TABLE "{table}" ADD COLUMN "{name}" {kind}{suffix}')
