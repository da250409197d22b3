"""A web UI on a music folder, and a person who uses it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from wkmp_assets_tests.integration.browser.browser import IS_FULL, browser_page, why_not
from wkmp_assets_tests.integration.browser.person import Person
from wkmp_assets_tests.integration.browser.server import dagster_dev
from wkmp_assets_tests.support.processes import processes_of
from wkmp_assets_tests.support.workplace import Workplace

Visit = Callable[[Workplace], AbstractContextManager[Person]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a browser."""
    for item in items:
        if "visit" in getattr(item, "fixturenames", ()):
            item.add_marker("ui")


@contextmanager
def _visit(place: Workplace) -> Iterator[Person]:
    with dagster_dev(place) as url, browser_page() as page:
        try:
            yield Person(page, url)
        except Exception as error:
            seen = place.home / "when_it_failed.png"
            page.screenshot(path=seen)
            error.add_note(f"on the screen then: {seen}")
            raise


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Start the web UI of a workplace for a person; afterwards none of its processes is left."""
    visited: list[Workplace] = []
    if reason := why_not():
        (pytest.fail if IS_FULL else pytest.skip)(reason)

    def visiting(place: Workplace) -> AbstractContextManager[Person]:
        visited.append(place)
        return _visit(place)

    yield visiting
    assert visited
    assert [process for place in visited for process in processes_of(place.home)] == []
