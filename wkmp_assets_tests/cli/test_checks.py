"""`wkmp checks` on a library that a real import made."""

import json
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets_tests.support.builders import run_sql
from wkmp_assets_tests.support.checked_library import BROKEN, TAKE
from wkmp_assets_tests.support.documented_json import undocumented_names
from wkmp_assets_tests.support.workplace import make_workplace

pytestmark = pytest.mark.slow


def test_the_whole_library_is_judged(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name, file in {"take.wav": TAKE, "broken.mp3": BROKEN}.items():
        (source / name).write_bytes(file.read_bytes())
    place = make_workplace(tmp_path, source)
    log = tmp_path / "wkmp.log"
    imported = place.wkmp("--verbose", "--log-file", log, "import", place.music)
    assert imported.returncode == 1
    assert "info: failed: broken.mp3" in imported.stderr
    assert "take.wav" not in imported.stderr, "results of files are details"
    logged = log.read_text()
    assert " DEBUG wkmp_assets.cli.import_command: take.wav: imported\n" in logged
    assert logged.count("run ") == logged.count(" succeeded\n") + logged.count(" failed\n") >= 2
    junit = tmp_path / "made for it" / "checks.xml"
    bad = place.wkmp("checks", place.music, "--json", "--junit", junit)
    assert bad.returncode == 1
    said = json.loads(bad.stdout)
    assert undocumented_names(said, "guide/ci.md") == set()
    assert said["schema"] == 1
    by_name = {one["check"]: one for one in said["checks"]}
    count = len(build_definitions().resolve_asset_graph().asset_check_keys)
    assert len(by_name) == count
    assert {name for name, one in by_name.items() if one["result"] == "failed"} == {"files_imported"}
    assert "broken.mp3" in by_name["files_imported"]["finding"]
    (suite,) = parse(junit).getroot()  # noqa: S314 - our own file
    assert (suite.attrib["tests"], suite.attrib["failures"]) == (str(count), "1")

    run_sql(place.database, "DELETE FROM import_failures", "DROP TABLE passage_songs")
    lost = place.wkmp("checks", place.music)
    assert lost.returncode == 1
    assert "could not be carried out" in lost.stdout
    assert "passed" in lost.stdout.splitlines()[-1]


@pytest.mark.long
def test_a_library_without_a_fault_passes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "take.wav").write_bytes(TAKE.read_bytes())
    place = make_workplace(tmp_path, source)
    assert place.wkmp("import", place.music).returncode == 0
    good = place.wkmp("checks", place.music)
    count = len(build_definitions().resolve_asset_graph().asset_check_keys)
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, f"{count} of {count} checks passed."), good.stdout
