"""Debian's Chromium, driven by Playwright, or the reason why it is not available."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
IS_FULL = bool(os.environ.get("WKMP_TEST_UI"))
"""Whether the long scenarios run, and a missing browser is a failure."""
SCREENSHOTS = os.environ.get("WKMP_SCREENSHOTS")
"""Folder in which to leave screenshots, if any. For Japanese names install fonts-droid-fallback before."""

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDTH, HEIGHT = 1440, 900
WAIT_MS = 120_000
"""Limit for a page to show what it has. It is a hundred times too long, because a test machine may stall."""
RUN_WAIT_MS = 600_000
"""Limit for what appears at the end of a run only."""

full_form = pytest.mark.skipif(not IS_FULL, reason="part of `make test-ui` only")


def why_not() -> str | None:
    """Return the reason why no browser is available; None when one is."""
    if importlib.util.find_spec("playwright") is None:
        return "no Playwright: pip install -r requirements-ui.txt"
    if CHROMIUM is None:
        return "no Chromium: apt-get install chromium (`make test-ui` tries to)"
    return None


@contextmanager
def browser_page() -> Iterator["Page"]:
    """Open a browser with an empty profile, and close it after the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        try:
            page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
            page.set_default_timeout(WAIT_MS)
            page.set_default_navigation_timeout(WAIT_MS)
            yield page
        finally:
            browser.close()
