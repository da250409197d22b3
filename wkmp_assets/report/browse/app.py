"""Build the application that serves a library."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from wkmp_assets.db.read.browsing import open_for_queries
from wkmp_assets.db.read.canned_queries import LIBRARY_QUERIES, RECEIPT_QUERIES, CannedQuery
from wkmp_assets.db.read.table_texts import TABLE_TEXTS
from wkmp_assets.db.write.receipt_list import RECEIPT_TEXTS
from wkmp_assets.report.browse import plugin
from wkmp_assets.report.browse.places import BrowsedLibrary
from wkmp_assets.report.text import clock, counted, name_status, printable

LIBRARY, RECEIPTS = "library", "receipts"
"""Names of the databases in addresses."""
STATIC = "browse-static"
_SETTINGS = {
    # An import writes while people look, so every page is read anew.
    "default_cache_ttl": 0,
    "sql_time_limit_ms": 15_000,
    "suggest_facets": False,  # it would ask for every one of the 50 columns of `passages`
    "allow_download": False,
    "truncate_cells_html": 300,
}

_T = TypeVar("_T")


class ReadOnlyDatabase(Database):
    """A database that is opened anew for each query: it may be written, replaced or unplugged at any time."""

    def connect(self, write: bool = False) -> Any:  # noqa: ARG002 - the signature is Datasette's
        """Refuse what would keep a connection."""
        raise PermissionError("this database is only read")

    async def execute_fn(self, fn: Callable[[Any], _T]) -> _T:
        """Call a function with a connection, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, self._run, fn)

    def _run(self, fn: Callable[[Any], _T]) -> _T:
        with open_for_queries(Path(self.path)) as connection:
            self.ds._prepare_connection(connection, self.name)  # noqa: SLF001 - it has no public name
            return fn(connection)


class InternalDatabase(Database):
    """Datasette's list of tables, in memory; its connections are closed together."""

    def connect(self, write: bool = False) -> Any:
        """Return a connection that `close` closes."""
        connection = super().connect(write)
        self._all_file_connections.append(connection)
        return connection


class LibraryPages(Datasette):
    """Datasette with the pages of one library.

    Parameters
    ----------
    library : BrowsedLibrary
        What to show.
    """

    def __init__(self, library: BrowsedLibrary) -> None:
        self.library = library
        if not pm.is_registered(plugin):
            pm.unregister(name="datasette.handle_exception")
            pm.register(plugin)
        package = files("wkmp_assets.report.browse")
        super().__init__(
            metadata=_describe(),
            settings=_SETTINGS,
            template_dir=str(package / "templates"),
            static_mounts=[(STATIC, str(package / "static"))],
        )
        self.remove_database("_memory")
        self.remove_database("_internal")
        self._tables = InternalDatabase(self, memory_name=secrets.token_hex())
        self.add_database(self._tables, name="_internal")
        self.add_database(ReadOnlyDatabase(self, path=str(library.database)), name=LIBRARY)
        self.find_receipts()
        self.jinja_env.filters.update(printable=printable, clock=clock, counted=counted, name_status=name_status)
        self.jinja_env.globals.update(library_queries=LIBRARY_QUERIES, receipt_queries=RECEIPT_QUERIES)

    def find_receipts(self) -> None:
        """Show the list of receipts as soon as a report was written, and no longer than it is there."""
        is_there = self.library.receipts.is_file()
        if is_there and RECEIPTS not in self.databases:
            self.add_database(ReadOnlyDatabase(self, path=str(self.library.receipts)), name=RECEIPTS)
        elif not is_there and RECEIPTS in self.databases:
            self.remove_database(RECEIPTS)

    def close(self) -> None:
        """End the threads, and close what they had open."""
        self.executor.shutdown()
        self._tables.close()


def _describe() -> dict[str, Any]:
    """Return Datasette's metadata: what the tables and columns hold, and the canned queries."""
    tables = {
        name: {"description": text.holds, "columns": text.columns, "hidden": text.is_hidden}
        for name, text in TABLE_TEXTS.items()
    }
    receipts = {"description": "One row per file: what its last write cost.", "columns": RECEIPT_TEXTS}
    return {
        "title": "WKMP library",
        "databases": {
            LIBRARY: {
                "description": "Everything that the import wrote, and what people and the player added. It is only "
                "read here.",
                "tables": tables,
                "queries": _queries(LIBRARY_QUERIES),
            },
            RECEIPTS: {
                "description": "What the last write of each file cost, as of the last report.",
                "tables": {"receipts": receipts},
                "queries": _queries(RECEIPT_QUERIES),
            },
        },
    }


def _queries(queries: Mapping[str, CannedQuery]) -> dict[str, dict[str, str]]:
    return {
        name: {"title": one.title, "description": one.description, "sql": one.sql.strip()}
        for name, one in queries.items()
    }
