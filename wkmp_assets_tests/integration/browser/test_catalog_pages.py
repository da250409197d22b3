"""The catalog in the web UI: what is stale, how fresh the report is, the columns of tables, plots, and the timeline."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.phases import CODE_VERSIONS, FLAVORS, REPORT
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.integration.browser.browser import full_form
from wkmp_assets_tests.integration.browser.conftest import Visit
from wkmp_assets_tests.support.checked_library import QUIET, SONG, TAKE
from wkmp_assets_tests.support.workplace import Workplace, make_workplace

LONG = f"Johann Sebastian Bach/{'The Complete Cantatas, ' * 6}Vol. 7 [2004]/01 Wachet auf, BWV 80.flac"
"""A path of 200 characters, with some that partition keys cannot have."""
UNCLIPPED = """element => {
    for (let one = element; one; one = one.parentElement)
        if (getComputedStyle(one).overflowX !== "visible" && one.scrollWidth > one.clientWidth) return false;
    return true;
}"""
"""Whether nothing cuts off or shortens the text of an element."""


def write_report(place: Workplace) -> None:
    settings = load_settings(library_root=place.music, state_dir=place.home / ".wkmp")
    job = build_definitions(settings).resolve_implicit_global_asset_job_def()
    report = job.get_subset(asset_selection={dg.AssetKey(REPORT)})
    with place.instance() as instance:
        assert report.execute_in_process(instance=instance, run_config=QUIET).success


@full_form
def test_the_catalog_shows_what_is_stale_and_what_the_tables_hold(
    tmp_path: Path, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(SONG, source / "song.flac")
    assert len(LONG) == 200
    (source / LONG).parent.mkdir(parents=True)
    shutil.copy(TAKE, source / LONG)
    place = make_workplace(tmp_path, source)
    with monkeypatch.context() as earlier:
        earlier.setitem(CODE_VERSIONS, FLAVORS, "0")  # the servers have the version of today
        assert place.wkmp("import", place.music).returncode == 0
    for _ in range(2):
        write_report(place)
    with visit(place) as person:
        person.opens_partition(FLAVORS, "song.flac")
        person.sees("Unsynced (1)", exact=True)
        person.opens_partition("lead_points", "song.flac")
        person.sees("Materialized", exact=True)
        assert not person.page.get_by_text("Unsynced").filter(visible=True).count()
        assert person.opens_partition("library_entry", encode_key(LONG), shows=LONG).evaluate(UNCLIPPED)
        assert person.metadata("path") == LONG
        person.open("/assets/library_report")
        for shown in ("Freshness policy", "report_sensor", "Source code", "identified_share"):
            person.sees(shown, exact=True)
        # Dagster lays the name of the file out twice, once shortened, so that no element has the whole line.
        line = person.sees("in editor").locator("xpath=ancestor::*[contains(., 'Open')][1]")
        assert "library_report.py" in line.inner_text()
        person.page.get_by_text("Plots", exact=True).filter(visible=True).first.click()
        person.page.locator("canvas").first.wait_for()
        person.open("/assets/wkmp_db/passages")
        for shown in ("Row count", "main.passages", "start_time_ticks", "where it starts and ends"):
            person.sees(shown, exact=True)
        person.pictures("catalog")
        person.open("/timeline")
        person.sees("import_files", exact=True)
        person.sees("scan_library", exact=True)
