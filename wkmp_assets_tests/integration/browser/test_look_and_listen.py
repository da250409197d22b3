"""A person searches a library in the browser, opens a file, hears a passage to its end, and finds what sounds alike."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from wkmp_assets.runtime.served_page import find_page
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.integration.browser.browser import IS_FULL, SCREENSHOTS, browser_page, full_form, why_not
from wkmp_assets_tests.integration.browser.person import Person
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.workplace import Workplace, interrupt, make_workplace

MIX = "Three Songs in One File"
PLAYING = "audio => !audio.paused && !audio.error && audio.currentTime > Number(audio.dataset.start) + 0.3"


@contextmanager
def browsed(place: Workplace) -> Iterator[str]:
    """Serve the library as a person does, and end that with Ctrl-C."""
    with patch.dict(os.environ, place.environment(), clear=True):
        note = load_settings(library_root=place.music).browse_path
    process = place.start("browse", place.music, "--port", "0")
    try:
        wait_until(lambda: find_page(note) is not None or process.poll() is not None, lambda: "the page is announced")
        assert process.poll() is None, process.communicate()
        yield str(find_page(note))
        interrupt(process)
        assert process.wait(60) == 0
        assert find_page(note) is None
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("listened")
    for part in ("Various Artists/Mixes", "Maxstack", "Destructavator"):
        shutil.copytree(SAMPLE_LIBRARY / part, folder / "some" / part)
    made = make_workplace(folder, folder / "some")
    assert made.wkmp("import", made.music).returncode == 0
    assert made.wkmp("picture", made.music / "Various Artists" / "Mixes" / f"{MIX}.flac").returncode == 0
    return made


@pytest.fixture
def person(place: Workplace) -> Iterator[Person]:
    if reason := why_not():
        (pytest.fail if IS_FULL else pytest.skip)(reason)
    with browsed(place) as url, browser_page() as page:
        yield Person(page, url)


@full_form
@pytest.mark.ui
def test_a_person_finds_a_file_hears_a_passage_and_sees_its_neighbours(person: Person) -> None:
    page = person.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    person.open("/")
    page.get_by_label("Search title").fill("three songs")
    person.button("Search", exact=True).click()
    person.sees("3 passages found")
    page.get_by_role("link", name=MIX).first.click()
    page.get_by_role("heading", name=f"2. {MIX} (2)").wait_for()
    assert page.locator("audio").count() == 3
    page.get_by_role("img", name="The level of the file over time").wait_for()
    second = page.locator("#passage-2")
    second.get_by_role("button", name="From the start").click()
    audio = second.locator("audio")
    handle = audio.element_handle()
    page.wait_for_function(PLAYING, arg=handle)
    start, end = (float(audio.get_attribute(name) or 0) for name in ("data-start", "data-end"))
    assert start < audio.evaluate("audio => audio.currentTime") < end
    assert float(second.locator(".line .at").get_attribute("x") or 0) > 0, "the mark goes along"
    if SCREENSHOTS:
        page.evaluate("window.scrollTo(0, 0)")
        person.pictures("browse")

    # Near the end it stops by itself, though the file goes on.
    audio.evaluate("audio => { audio.currentTime = Number(audio.dataset.end) - 0.5; }")
    page.wait_for_function("audio => audio.paused", arg=handle)
    assert audio.evaluate("audio => audio.currentTime") == pytest.approx(start, abs=0.1)
    assert audio.evaluate("audio => audio.duration") > end + 5

    # Another passage of the file: the first one that plays falls silent.
    page.locator("#passage-1").get_by_role("button", name="From the start").click()
    page.wait_for_function(PLAYING, arg=page.locator("#passage-1 audio").element_handle())
    page.locator("#passage-3").get_by_role("button", name="From the start").click()
    page.wait_for_function(PLAYING, arg=page.locator("#passage-3 audio").element_handle())
    assert page.locator("#passage-1 audio").evaluate("audio => audio.paused")

    second.get_by_role("link", name="What sounds like it").click()
    page.get_by_role("heading", name=f"Sounds like {MIX} (2)").wait_for()
    neighbours = page.get_by_role("table", name=f"Sounds like {MIX} (2)").get_by_role("row")
    assert neighbours.count() > 3
    neighbours.nth(1).get_by_role("link").click()
    page.locator("#passage-1 dl").wait_for()
    assert faults == []
    assert {url.split("/")[2] for url in asked} == {person.page.url.split("/")[2]}, "nothing comes from elsewhere"


@full_form
@pytest.mark.ui
@pytest.mark.parametrize("name", ["01 David01", "03 Пробуждение", "02 Coherence"])
def test_mp3_vorbis_and_opus_are_heard(person: Person, name: str) -> None:
    person.open("/")
    person.page.get_by_label("Search title").fill(name)
    person.page.keyboard.press("Enter")
    person.page.locator("table.rows").first.get_by_role("link").first.click()
    person.button("From the start").click()
    person.page.wait_for_function(PLAYING, arg=person.page.locator("audio").element_handle())


@full_form
@pytest.mark.ui
def test_a_file_that_the_browser_cannot_read_is_said(person: Person, place: Workplace) -> None:
    broken = place.music / "Maxstack" / "Endgame Singularity" / "01 A New Journey.flac"
    whole = broken.read_bytes()
    broken.write_bytes(b"no music" * 100)
    try:
        person.open("/?q=A+New+Journey")
        person.page.locator("table.rows").first.get_by_role("link").first.click()
        person.button("From the start").click()
        person.sees("This browser cannot play the file.")
    finally:
        broken.write_bytes(whole)


@full_form
@pytest.mark.ui
def test_tables_lead_to_files_and_questions_are_answered(person: Person) -> None:
    person.open("/")
    person.page.get_by_role("link", name="Passages without a song", exact=True).click()
    person.page.get_by_role("heading", name="Passages without a song").wait_for()
    person.page.locator("table.rows-and-columns a[href^='/file/']").first.click()
    person.page.locator("#passage-1 audio").wait_for()
