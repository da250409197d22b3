"""The table of files that could not be imported, for `wkmp failures` and the end of an import."""

from collections.abc import Sequence
from typing import Protocol

from rich.markup import escape
from rich.table import Table

from wkmp_assets.report.text import printable

MAX_LISTED = 20
"""How many lines a part of the summary has."""


class Failure(Protocol):
    """What an import or a library says of a file that failed."""

    @property
    def phase(self) -> str:
        """In which it failed."""

    @property
    def code(self) -> str:
        """For programs."""

    @property
    def message(self) -> str:
        """For people: the cause and the next step."""


def render_failures(failures: Sequence[tuple[str, Failure]], max_rows: int = MAX_LISTED) -> Table:
    """Return failed files as a table: the file, the phase, the cause and the next step."""
    more = f" (the first {max_rows}; all of them: wkmp failures FOLDER)" if len(failures) > max_rows else ""
    title = f"{len(failures)} failed{more}"
    table = Table(title=title, title_justify="left", title_style="bold red", box=None, pad_edge=False)
    table.add_column("File", overflow="fold")
    table.add_column("Phase")
    table.add_column("Why, and what to do", overflow="fold")
    for path, failed in failures[:max_rows]:
        reason = failed.message.removeprefix(f"{path}: ")
        table.add_row(escape(printable(path)), failed.phase, escape(f"{failed.code}: {printable(reason)}"))
    return table
