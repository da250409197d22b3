"""Without any click, the web UI shows how a library is imported, and then an album that is copied in."""

import shutil
from pathlib import Path

from wkmp_assets_tests.integration.browser.browser import full_form
from wkmp_assets_tests.integration.browser.conftest import Visit
from wkmp_assets_tests.integration.end_to_end.test_watching_daemon import ticks
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY, TEST_DATA
from wkmp_assets_tests.support.workplace import make_workplace

ALBUM = TEST_DATA / "sample_library/Destructavator"


@full_form
def test_a_library_imports_itself_and_an_album_copied_into_it(tmp_path: Path, visit: Visit) -> None:
    place = make_workplace(tmp_path, SAMPLE_LIBRARY)
    shutil.rmtree(place.music / ALBUM.name)
    place.extra["WKMP_WATCH"] = "1"
    with visit(place) as person, place.instance() as instance:
        person.open("/runs")
        person.sees_at_end_of_run("wkmp/requested_by: new_files_sensor")
        person.sees_at_end_of_run("wkmp/files: 16")
        person.sees_at_end_of_run("Success", exact=True)
        before = len(ticks(instance))
        # The album appears in one step, because a tick in the middle of copying would request a part of it.
        shutil.copytree(ALBUM, tmp_path / ALBUM.name).rename(place.music / ALBUM.name)
        person.sees_at_end_of_run("wkmp/folders: Destructavator/UFO Alien Invasion")
        person.sees_at_end_of_run("wkmp/result: 1 imported, 1 duplicate")
        requested = [number for number, tick in enumerate(list(reversed(ticks(instance)))[before:]) if tick.run_ids]
        assert requested in ([0], [1])
        person.pictures("watching")
        person.open("/assets/library_entry?view=partitions")
        person.sees("Materialized (18)")
        person.sees("Missing (0)")
        person.page.set_viewport_size({"width": 2000, "height": 1100})
        person.open("/asset-groups")
        person.sees("import", exact=True)
        person.page.keyboard.press("Alt+e")
        person.sees("library_entry", exact=True)
        person.pictures("assets", {"x": 550, "y": 110, "width": 1440, "height": 950}, settle_ms=10_000)
