"""The actions of a person in the web UI: open pages, read, click, fill in dialogs. Tests use nothing else."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from PIL import Image

from wkmp_assets_tests.integration.browser.browser import RUN_WAIT_MS, SCREENSHOTS, WAIT_MS

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Locator, Page

LOCATION = "/locations/wkmp_assets.definitions"
IMPORT_GROUP = f"{LOCATION}/asset-groups/import/lineage"


class Person:
    """A person who uses the web UI in a browser.

    Parameters
    ----------
    page : Page
        The browser's page.
    url : str
        Address of the web server.
    """

    def __init__(self, page: "Page", url: str) -> None:
        self.page = page
        self._url = url

    def open(self, path: str) -> None:
        """Open a page of the web UI."""
        self.page.goto(self._url + path)

    def sees(self, text: str, *, exact: bool = False, wait_ms: int = WAIT_MS) -> "Locator":
        """Wait until a text appears; a failure names the text, the page and what the page showed instead."""
        found = self.page.get_by_text(text, exact=exact).filter(visible=True).first
        try:
            found.wait_for(timeout=wait_ms)
        except Exception as error:
            shown = self.page.locator("body").inner_text()[-3000:]
            error.add_note(f"{text!r} did not appear in {wait_ms / 1000:g} s on {self.page.url}, which shows:\n{shown}")
            raise
        return found

    def sees_at_end_of_run(self, text: str, *, exact: bool = False) -> "Locator":
        """Wait until a text appears that a run shows when it has ended."""
        return self.sees(text, exact=exact, wait_ms=RUN_WAIT_MS)

    def button(self, name: str, *, exact: bool = False) -> "Locator":
        """The button whose name is or contains a text."""
        return self.page.get_by_role("button", name=name, exact=exact).filter(visible=True).first

    def presses_and_follows(self, name: str) -> None:
        """Press a button that launches a run, then follow the link in the message at the bottom of the page."""
        here = self.page.url
        self.button(name).click()
        self.page.get_by_text("View", exact=True).filter(visible=True).last.click()
        self.page.wait_for_url(lambda url: url != here)

    def pictures(self, name: str, clip: "FloatRect | None" = None, settle_ms: int = 1500) -> None:
        """Save a screenshot of the page or a part of it, if screenshots are wanted."""
        if SCREENSHOTS:
            self.page.wait_for_timeout(settle_ms)  # until the page is still
            taken = Image.open(BytesIO(self.page.screenshot(clip=clip))).convert("RGB")
            small = taken.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            small.save(Path(SCREENSHOTS, f"{name}.png"), optimize=True)

    def opens_partition(self, asset: str, key: str, shows: str | None = None) -> "Locator":
        """Open the page of one file's partition, and wait for its key, or for the text that it shows of a long one."""
        self.open(f"/assets/{asset}?view=partitions&partition={quote(key, safe='')}")
        found = self.page.get_by_text(shows or key, exact=True).filter(visible=True).last
        found.wait_for()
        return found

    def metadata(self, name: str) -> str:
        """Read one line of the metadata of the partition whose page is open."""
        cells = self.page.locator("tr").filter(has=self.page.get_by_text(name, exact=True)).locator("td")
        return cells.nth(1).inner_text().strip()

    def chooses(self, text: str, files: int) -> None:
        """Open the dialog that materializes the group `import`, and tick all files whose names contain a text."""
        self.open(IMPORT_GROUP)
        self.button("Materialize all").click()
        self.sees("Select a partition or create one").click()
        self.page.get_by_placeholder("Filter partitions").fill(text)
        self.sees(f"Select all ({files})").click()
        self.page.keyboard.press("Escape")
        self.sees(f"{files} partition{'s' if files > 1 else ''}", exact=True)

    def scans(self) -> None:
        """Materialize `library_scan` and wait for its end."""
        self.open("/assets/library_scan")
        self.presses_and_follows("Materialize")
        self.sees_at_end_of_run("Success", exact=True)

    def check(self, name: str) -> str:
        """Open a check of `library_entry` and return the result of its latest execution: `Passed` or `Failed`."""
        self.open(f"/assets/library_entry?view=checks&checkDetail={name}")
        return self._result_of_check()

    def executes_all_checks(self, wait_for: str) -> str:
        """Execute the checks of `library_entry` over the whole library, and return the result of one."""
        before = self.check(wait_for)
        self.button("Execute all").click()
        while (now := self._result_of_check()) in {before, "Running"}:
            self.page.wait_for_timeout(500)
        return now

    def _result_of_check(self) -> str:
        result = self.page.get_by_text("Evaluation result", exact=True).locator("xpath=..")
        result.wait_for()
        return result.inner_text().replace("Evaluation result", "").strip()
