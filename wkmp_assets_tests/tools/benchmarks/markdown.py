"""Tables that go to the terminal and into a Markdown page, so that the two cannot differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rich.table
from rich.markup import escape


@dataclass(frozen=True)
class Table:
    """A titled table and one sentence on how to read it.

    Parameters
    ----------
    title : str
        Becomes a heading of the page.
    columns : sequence of str
        The first is left-aligned, the others right-aligned.
    rows : sequence of sequence of str
        One text per column.
    reading : str
        What the figures say; made from them, never written beforehand.
    is_text : bool
        All columns are left-aligned.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    reading: str = ""
    is_text: bool = False

    def to_markdown(self) -> str:
        """Return heading, table and reading as Markdown."""
        others = "---" if self.is_text else "---:"
        lines = [_line(self.columns), _line(["---", *[others] * (len(self.columns) - 1)])]
        lines += [_line(row) for row in self.rows]
        table = "\n".join(lines)
        return f"## {self.title}\n\n{table}\n" + (f"\n{self.reading}\n" if self.reading else "")

    def to_rich(self) -> rich.table.Table:
        """Return the table for a terminal."""
        table = rich.table.Table(title=self.title, title_justify="left", caption=escape(self.reading))
        table.caption_justify = "left"
        for number, column in enumerate(self.columns):
            is_left = number == 0 or self.is_text
            table.add_column(escape(column), justify="left" if is_left else "right", overflow="fold")
        for row in self.rows:
            table.add_row(*[escape(cell) for cell in row])
        return table


def write_page(path: Path, heading: str, introduction: Sequence[str], tables: Sequence[Table]) -> None:
    """Write a Markdown page: heading, paragraphs, tables."""
    parts = [f"# {heading}\n", *[f"{paragraph}\n" for paragraph in introduction]]
    parts += [table.to_markdown() for table in tables]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
