"""A file that cannot be imported is red in the web UI, and the page says why and what to do."""

import shutil
from pathlib import Path

from wkmp_assets_tests.integration.browser.browser import RUN_WAIT_MS, full_form
from wkmp_assets_tests.integration.browser.conftest import Visit
from wkmp_assets_tests.integration.browser.graph import checks_of_entry
from wkmp_assets_tests.support.paths import TEST_DATA
from wkmp_assets_tests.support.workplace import make_workplace

KEY = "header_only.flac"


@full_form
def test_a_corrupt_file_is_red_alone_and_turns_its_check_red(tmp_path: Path, visit: Visit) -> None:
    music = tmp_path / "one"
    music.mkdir()
    shutil.copy(TEST_DATA / "broken_files" / KEY, music)
    with visit(make_workplace(tmp_path, music)) as person:
        person.scans()
        person.chooses(KEY, 1)
        person.presses_and_follows("Launch 1 run")
        person.sees_at_end_of_run("Failure", exact=True)
        person.sees(f"[passage_segments] {KEY}: no sound in it")
        person.sees("replace it, then import again")
        person.pictures("failed")
        person.open("/runs")
        person.sees("wkmp/result: 1 failed")
        person.opens_partition("library_entry", KEY)
        person.sees("Failed (1)", exact=True)
        person.sees("did not materialize this asset")
        person.opens_partition("passage_segments", KEY)
        person.sees("did not materialize this asset")
        # After the failure, Dagster executed no checks.
        assert person.check("files_imported") == "Execution failed"
        assert person.executes_all_checks("files_imported") == "Failed"
        person.page.get_by_text("Succeeded", exact=True).nth(checks_of_entry() - 2).wait_for(timeout=RUN_WAIT_MS)
        person.sees(f"1 file could not be imported. First: {KEY}")
        person.sees("replace it, then import again")
        person.pictures("checks_red")
