"""The tables in the database of one run.

Dagster has a database for every run. To create one it reads all of its migrations, which takes as long as the
orchestration of ten files. So only the first one in a process is Dagster's, and the others are made like it.
"""

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

_VERSION = "SELECT version_num FROM alembic_version"
_statements: list[tuple[str, tuple[str, ...]]] = []
"""With their parameters."""


def are_there(connection: Connection) -> bool:
    """Tell whether a database has Dagster's tables and names their version."""
    if not connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").all():
        return False
    return bool(connection.exec_driver_sql(_VERSION).all())


def learn(connection: Connection) -> None:
    """Take the tables of a run's empty database as those of all later ones of this process."""
    made = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    tables = [(statement, ()) for statement in connection.exec_driver_sql(made).scalars()]
    (version,) = connection.exec_driver_sql(_VERSION).scalars()
    _statements[:] = [*tables, ("INSERT INTO alembic_version VALUES (?)", (version,))]


def make(connection: Connection) -> bool:
    """Make the tables of a run in one transaction.

    Returns
    -------
    bool
        False when none are known yet, or when another process is making them.
    """
    if not _statements:
        return False
    try:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        for statement, parameters in _statements:
            connection.exec_driver_sql(statement, parameters)
    except OperationalError:
        connection.rollback()
        return False
    connection.commit()
    return True
