"""The texts of a file's picture, shortened to the room they have, in any script."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from wkmp_assets.report.text import clock, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wkmp_assets.model.values import PassageMatch

LIST_COLUMNS = 3
_LIST_ROWS = 20
_LIST_WIDTH = 47
"""Letters in one column."""
FONTS = (
    "DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Source Han Sans", "IPAGothic",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "Hiragino Sans", "PingFang SC", "Noto Sans Arabic", "Noto Sans Hebrew",
    "Noto Sans Devanagari", "Noto Sans Thai", "Arial Unicode MS",
)  # fmt: skip
"""A glyph that the first font lacks is drawn with the next installed font that has it."""


def name_passage(number: int, match: PassageMatch) -> str:
    """Return the name of a passage: its number, and its title and artist where they are known."""
    return printable(" · ".join(filter(None, (f"{number} {match.title or ''}".strip(), match.artist))))


def drop_overlapping(texts: Sequence[tuple[float, str]], room_s: float) -> list[tuple[float, str]]:
    """Leave out texts that would overlap their left neighbour."""
    kept: list[tuple[float, str]] = []
    for second, text in texts:
        if not kept or second - kept[-1][0] >= room_s:
            kept.append((second, text))
    return kept


def list_passages(passages: Sequence[tuple[float, str]]) -> list[str]:
    """Return a line for each passage, from its start in seconds and its name; the last line may say "and 3 more"."""
    most = LIST_COLUMNS * _LIST_ROWS
    lines = [cut_text(f"{clock(start, 0)}  {text}", _LIST_WIDTH) for start, text in passages]
    return lines if len(lines) <= most else [*lines[: most - 1], f"and {len(lines) - most + 1} more"]


def measure_width(text: str) -> int:
    """Return how many letters a text is wide; a Chinese or Japanese character counts twice."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def cut_text(text: str, room: float) -> str:
    """Cut a text to the room for it. Of a passage's name, at least the number stays."""
    if measure_width(text) <= room:
        return text
    kept, width = "", 1
    for character in text:
        width += measure_width(character)
        if width > room:
            break
        kept += character
    number = text.split(" ", 1)[0]
    return number if number.isdecimal() and len(kept) <= len(number) + 1 else f"{kept}…"


def shorten_path(path: str, most: int) -> str:
    """Shorten a path from the left: the name of the file says more than its folders do."""
    while measure_width(path) > most and "/" in path.removeprefix("…/"):
        path = f"…/{path.removeprefix('…/').split('/', 1)[1]}"
    return cut_text(path, most)
