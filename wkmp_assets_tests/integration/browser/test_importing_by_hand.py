"""A person imports files from the dialogs of the web UI, and reads the results."""

import shutil
from pathlib import Path

import pytest

from wkmp_assets_tests.integration.browser.browser import RUN_WAIT_MS, full_form
from wkmp_assets_tests.integration.browser.conftest import Visit
from wkmp_assets_tests.integration.browser.graph import assets_of_import, checks_of_entry
from wkmp_assets_tests.integration.browser.person import Person
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.workplace import make_workplace

MIX = "Various Artists/Mixes/Three Songs in One File.flac"
RANGE = ("Maxstack/Endgame Singularity/01 A New Journey.flac", "Maxstack/Сингулярность/03 Пробуждение.ogg")


def import_one(person: Person) -> None:
    """From an empty library to one file, with the pages that show it."""
    person.open("/asset-groups")
    for group in ("scan", "import", "pictures"):
        person.sees(group, exact=True)
    person.scans()
    person.chooses(MIX, 1)
    person.pictures("dialog")
    person.presses_and_follows("Launch 1 run")
    person.sees_at_end_of_run("Success", exact=True)
    person.opens_partition("library_entry", MIX)
    person.sees("0:44.5 of FLAC: 3 passages, 0 of them with a known song")
    person.pictures("receipt")
    assert person.metadata("write_locks") == "1"
    assert person.metadata("result") == "imported"
    assert person.check("files_imported") == "Passed"


@pytest.mark.long
def test_a_person_imports_a_file_and_reads_its_receipt(tmp_path: Path, visit: Visit) -> None:
    shutil.copytree(SAMPLE_LIBRARY / "Various Artists", tmp_path / "one/Various Artists")
    place = make_workplace(tmp_path, tmp_path / "one")
    with visit(place) as person:
        import_one(person)


@full_form
def test_a_person_reads_the_report_without_opening_its_page(tmp_path: Path, visit: Visit) -> None:
    music = tmp_path / "one"
    music.mkdir()
    shutil.copy(SAMPLE_LIBRARY.parent / "broken_files/truncated.flac", music)
    shutil.copy(SAMPLE_LIBRARY.parent / "broken_files/header_only.flac", music)
    place = make_workplace(tmp_path, music)
    assert place.wkmp("import", place.music).returncode == 1
    with visit(place) as person:
        person.open("/assets/library_report")
        person.presses_and_follows("Materialize")
        person.sees_at_end_of_run("Success", exact=True)
        person.open("/assets/library_report")
        for text in ("failures", "warnings", "transactions", "header_only.flac", "cut short"):
            person.sees(text)
        assert person.page.locator("a[href^='file:']").count() == 0


@full_form
def test_a_person_imports_one_file_then_a_range(tmp_path: Path, visit: Visit) -> None:
    with visit(make_workplace(tmp_path, SAMPLE_LIBRARY)) as person:
        import_one(person)
        person.chooses("Maxstack/", 3)
        person.presses_and_follows("Launch backfill")
        person.page.get_by_text("100% completed").nth(assets_of_import() - 1).wait_for(timeout=RUN_WAIT_MS)
        person.pictures("range")
        for key in RANGE:
            person.opens_partition("library_entry", key)
            person.sees("1 passage")
            assert person.metadata("write_locks") == "1"
        assert person.check("one_transaction_per_file") == "Passed"
        person.sees("3 of 3 files were written in one transaction each")
        assert person.page.get_by_text("Succeeded", exact=True).count() == checks_of_entry()
        person.pictures("checks_green")
