"""Many files of a library cannot be imported: exactly those are not green, and a click says why."""

import re
from pathlib import Path

from wkmp_assets_tests.integration.browser.browser import full_form
from wkmp_assets_tests.integration.browser.conftest import Visit
from wkmp_assets_tests.support.tones import break_file, tone
from wkmp_assets_tests.support.workplace import make_workplace

FILES, BROKEN = 77, 14


@full_form
def test_of_77_files_exactly_the_14_broken_ones_are_not_green(tmp_path: Path, visit: Visit) -> None:
    music = tmp_path / "some"
    music.mkdir()
    broken = {f"{number:02}.mp3" for number in range(0, FILES, 6)} | {"01.mp3"}
    assert len(broken) == BROKEN
    for number in range(FILES):
        name = f"{number:02}"
        if f"{name}.mp3" in broken:
            break_file(music / f"{name}.mp3")
        else:
            tone(music / f"{name}.wav", 200 + 10 * number)
    place = make_workplace(tmp_path, music)
    assert place.wkmp("import", place.music).returncode == 1
    with visit(place) as person:
        person.open("/assets/library_entry?view=partitions")
        person.sees(f"Failed ({BROKEN})", exact=True)
        person.sees("Missing (0)", exact=True)
        person.sees(f"Materialized ({FILES - BROKEN})", exact=True)
        person.pictures("red_partitions")
        # In the dialog for imports, one click chooses the same files.
        person.open("/assets/library_entry?view=partitions&status=FAILED")
        keys = person.page.get_by_text(re.compile(r"^\d\d\.(mp3|wav)$")).filter(visible=True)
        keys.nth(BROKEN - 1).wait_for()
        assert set(keys.all_inner_texts()) == broken
        person.opens_partition("library_entry", "06.mp3")
        person.sees("did not materialize this asset")
        person.page.get_by_role("link", name=re.compile("^[0-9a-f]{8}$")).filter(visible=True).first.click()
        person.sees("[passage_segments] 06.mp3: ")
        person.sees("then import again")
