"""Time how long pages of the web UI take to open: `python -m wkmp_assets_tests.tools.benchmarks.ui_benchmark`.

Registers partitions and writes events of imports through Dagster's instance, half of the files imported, then opens
pages in Chromium, as a person would: few partitions and many, side by side. Writes docs/benchmarks/web_ui.md.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from rich.console import Console

from wkmp_assets.model.phases import ENTRY, SCAN
from wkmp_assets.orchestration.dagster_values import to_metadata
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.report.partition_metadata import describe_commit
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.integration.browser.browser import browser_page, why_not
from wkmp_assets_tests.integration.browser.person import IMPORT_GROUP, Person
from wkmp_assets_tests.integration.browser.server import dagster_dev
from wkmp_assets_tests.support.builders import commit, entry, in_a_row
from wkmp_assets_tests.support.workplace import Workplace, make_workplace
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS

OUT = Console(highlight=False)
MODULE = "wkmp_assets_tests.tools.benchmarks.ui_benchmark"
FILES_PER_ALBUM = 10


@dataclass(frozen=True)
class Opening:
    """How long one page took to open, in seconds."""

    first: float
    """With a new server and an empty browser cache."""
    again: float
    """Median of the times after that."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no browser, else 0."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Time the web UI's pages.")
    parser.add_argument("--few", type=int, default=100, help="partitions")
    parser.add_argument("--many", type=int, default=10_000, help="partitions")
    parser.add_argument("--rounds", type=int, default=5, help="how often each page is opened")
    parser.add_argument("--out", type=Path, default=DOCS / "web_ui.md", help="the page")
    options = parser.parse_args(arguments)
    if reason := why_not():
        OUT.print(f"[bold red]Error:[/] {reason}")
        return 1
    loads = [("at the start", load_now())]
    few, many = (time_pages(number, options.rounds) for number in (options.few, options.many))
    loads.append(("at the end", load_now()))
    shown = [pages_table(options.few, options.many, few, many), describe_machine(loads, Path(tempfile.gettempdir()))]
    for table in shown:
        OUT.print(table.to_rich())
        OUT.print()
    write_page(options.out, "How long the web UI takes to open", _introduction(options), shown)
    OUT.print(f"Written: {options.out}")
    return 0


def time_pages(partitions: int, rounds: int) -> dict[str, Opening]:
    """Make an instance with that many partitions, half of them imported, and open its pages."""
    with tempfile.TemporaryDirectory(prefix="wkmp-ui-") as name:
        folder = Path(name)
        (folder / "none").mkdir()
        place = make_workplace(folder, folder / "none")
        keys = [f"Artist {n // 100:03}/Album {n // FILES_PER_ALBUM:04}/{n:05} Song.flac" for n in range(partitions)]
        fill(place, keys)
        with dagster_dev(place) as url, browser_page() as page:
            person = Person(page, url)
            visits = pages(person, keys)
            times: dict[str, list[float]] = {what: [] for what in visits}
            for _ in range(rounds):
                for what, visit in visits.items():
                    began = time.perf_counter()
                    visit()
                    times[what].append(time.perf_counter() - began)
    return {what: Opening(found[0], statistics.median(found[1:] or found)) for what, found in times.items()}


def fill(place: Workplace, keys: Sequence[str]) -> None:
    """Register partitions, and store an event of `library_entry` for every second one, as an import does."""
    settings = load_settings(library_root=place.music, state_dir=place.home / ".wkmp")
    one = commit(place.home / "receipt.db", entry("a.flac", bounds=in_a_row(1)))["a.flac"]
    metadata = to_metadata(describe_commit(one))
    with place.instance() as instance:
        instance.add_dynamic_partitions(partitions_name(settings), list(keys))
        instance.report_runless_asset_event(dg.AssetMaterialization(SCAN))
        for key in keys[::2]:
            instance.report_runless_asset_event(dg.AssetMaterialization(ENTRY, partition=key, metadata=metadata))


def pages(person: Person, keys: Sequence[str]) -> Mapping[str, Callable[[], object]]:
    """Return name of a page -> function that opens it and waits for its content."""
    imported = len(keys[::2])

    def overview() -> None:
        person.open(f"/assets/{ENTRY}")
        person.sees("write_locks", exact=True)

    def partitions() -> None:
        person.open(f"/assets/{ENTRY}?view=partitions")
        person.sees(f"Materialized ({imported})", exact=True)

    def file() -> None:
        person.opens_partition(ENTRY, keys[-2])
        person.sees("write_locks", exact=True)

    def dialog() -> None:
        person.open(IMPORT_GROUP)
        person.button("Materialize all").click()
        person.sees("Select a partition or create one").click()
        person.sees(f"Select all ({len(keys)})")

    return {
        "overview of library_entry": overview,
        "its partitions": partitions,
        "one file's receipt": file,
        "the dialog, all files to choose from": dialog,
    }


def pages_table(few: int, many: int, with_few: Mapping[str, Opening], with_many: Mapping[str, Opening]) -> Table:
    """Show the times side by side."""
    rows = []
    for what, opening in with_few.items():
        other = with_many[what]
        rows.append(
            (
                what,
                f"{opening.first:.1f}",
                f"{other.first:.1f}",
                f"{opening.again:.2f}",
                f"{other.again:.2f}",
                f"{other.again / opening.again:.1f}",
            )
        )
    columns = ("Page", f"{few:,}, first, s", f"{many:,}, first, s", f"{few:,}, s", f"{many:,}, s", "Ratio")
    slowest = max(with_many, key=lambda what: with_many[what].again)
    reading = f"Slowest with {many:,} partitions: {slowest}, {with_many[slowest].again:.1f} s."
    return Table("Seconds until a page can be read", columns, rows, reading)


def _introduction(options: argparse.Namespace) -> list[str]:
    made = (
        f"`make bench-ui` writes this page. It runs `dagster dev` with {options.few:,} and with {options.many:,} "
        "files, half of them imported. Dagster's instance gets their partitions, and for each imported file an event "
        "of `library_entry` with its receipt. No music is read."
    )
    opened = (
        f"Chromium opens each page {options.rounds} times, until its purpose can be read. *First* is the time when "
        "everything has just started. The other columns are the median of the later times."
    )
    return [made, opened]


if __name__ == "__main__":
    raise SystemExit(main())
