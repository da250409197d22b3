"""The page is complete, safe, and needs no other file."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from wkmp_assets.db.read.counts import LibraryCounts, StoredFailure, read_counts
from wkmp_assets.db.read.file_warnings import ListedWarning, WarningCounts, read_warnings
from wkmp_assets.db.read.overview import LibraryOverview, NamedPassage, read_overview
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets.report.figures import compute_figures
from wkmp_assets.report.library_page import render_page
from wkmp_assets_tests.report.test_figures import committed, set_flavor
from wkmp_assets_tests.support.builders import commit, entry, in_a_row, song

ATTACK = "</script><script>alert(1)</script>"
MADE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Elements(HTMLParser):
    """The elements of a page, as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action", "data"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(database: Path) -> str:
    """A library with hostile names everywhere, and a map."""
    doubts = (FileWarning(WarningKind.CUT_SHORT, f"cut {ATTACK}"),)
    one = entry(f"a/{ATTACK}.flac", bounds=in_a_row(4), songs=[song(ATTACK), *[None] * 3])
    commit(database, replace(one, warnings=doubts))
    for number in range(1, 5):
        shares = {"a": 1 / number, "b": 1 - 1 / number}
        set_flavor(database, number, {"user.energy": {"high": number / 5, "low": 1 - number / 5}, "user.x": shares})
    report = read_counts(database)
    assert report is not None
    message = f"\udcff<b>.mp3: {ATTACK}; rename it"
    failure = StoredFailure("\udcff<b>.mp3", "file_identity", "NAME_NOT_UTF8", message, 2, "t")
    receipts = [committed("2026-03-01 12:00:00")]
    figures = compute_figures(report, [failure], read_overview(database), receipts, read_warnings(database))
    return render_page(figures, f"/m/{ATTACK}", MADE)


def test_names_cannot_become_markup(database: Path) -> None:
    page = page_of(database)
    elements = Elements(page)
    assert elements.tags.count("script") == 1
    assert "b" not in re.findall(r"<(\w+)>\.mp3", page)
    assert ATTACK not in page
    assert ATTACK in elements.text, "they are shown as they are"
    page.encode("utf-8")


def test_the_page_needs_nothing_from_elsewhere(database: Path) -> None:
    page = page_of(database)
    assert Elements(page).addresses == []
    assert "@import" not in page
    assert "url(" not in page
    assert re.findall(r"https?://[^\s\"')]+", page) == ["http://www.w3.org/2000/svg"]


def test_every_passage_with_a_flavor_is_a_point_with_its_name_and_neighbours(database: Path) -> None:
    page = page_of(database)
    (stored,) = re.findall(r"const points = (.*);", page)
    points = json.loads(stored)
    assert page.count("<circle ") == len(points) == 4
    assert ATTACK in {point["name"].split(" · ")[0] for point in points}
    assert all(len(set(point["near"]) - {number}) == 3 for number, point in enumerate(points))


def test_a_failure_is_named_with_its_next_step(database: Path) -> None:
    text = Elements(page_of(database)).text
    assert "NAME_NOT_UTF8" in text
    assert "rename it" in text
    assert "1.00 write locks per file" in text


def test_a_doubtful_file_is_listed_under_its_kind(database: Path) -> None:
    text = " ".join(Elements(page_of(database)).text.split())
    assert "1 file: cut short" in text
    assert f"cut {ATTACK}" in text


def test_of_many_doubtful_files_the_first_are_listed_and_the_command_for_all() -> None:
    many = [ListedWarning(f"{number:02}.mp3", "over-segmented", "too many") for number in range(12)]
    counts = LibraryCounts({}, {}, 0, warnings=WarningCounts(12, {"over-segmented": 12}))
    text = Elements(render_page(compute_figures(counts, [], LibraryOverview(), [], many), "/m", MADE)).text
    assert ("09.mp3" in text, "10.mp3" in text) == (True, False)
    assert "wkmp warnings FOLDER --kind over-segmented" in text


def test_a_library_without_anything_has_a_page_that_says_so(database: Path) -> None:
    report = LibraryCounts({}, {}, 0)
    text = Elements(render_page(compute_figures(report, [], read_overview(database), []), "/m", MADE)).text
    assert "Nothing failed." in text
    assert "No warnings." in text
    assert "There are no receipts" in text
    assert "No map" in text


def test_bars_are_as_high_as_their_counts_and_numbers_short_enough_to_stand_above_them() -> None:
    report = LibraryCounts({"INGEST COMPLETE": 12_345, "DUPLICATE HASH": 9_876, "NO AUDIO": 12}, {}, 0)
    page = render_page(compute_figures(report, [], LibraryOverview(), []), "/m", MADE)
    heights = [float(height) for height in re.findall(r"height: calc\(\(100% - 2.9em\) \* ([\d.]+)\)", page)]
    assert heights == pytest.approx([1.0, 0.8, 0.001], abs=1e-4)
    assert re.findall(r"<b>([\d.]+[kM]?)</b>\s*<i", page) == ["12k", "9.9k", "12"]


def test_a_passage_of_almost_an_hour_is_an_hour_long() -> None:
    almost = NamedPassage("side.flac", 0, round(3599.97 * TICKS_PER_SECOND), None, None)
    figures = compute_figures(LibraryCounts({}, {}, 0), [], LibraryOverview(longest=(almost,)), [])
    page = render_page(figures, "/m", MADE)
    assert re.findall(r'<td class="number">(.*?)</td>', page) == ["1:00:00.0"]
