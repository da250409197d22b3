"""What the documents say is held against the code."""

import re
from pathlib import Path

import pytest

from wkmp_assets.db.read.library_settings import ALL_SETTINGS
from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.settings import Settings
from wkmp_assets_tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
TARGETS = {
    "setup", "import", "test", "test-faults", "test-safety", "coverage-baseline", "check", "bench", "bench-flavor",
    "bench-sensor", "bench-writer", "test-ui", "bench-ui",
    "ui", "dataset", "clean",
}  # fmt: skip


def table_rows(marker: str) -> list[list[str]]:
    table = README.split(f"<!-- {marker}:")[1].split("\n\n")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_setting_is_in_the_readme_with_its_own_words() -> None:
    described = {f"`WKMP_{name.upper()}`": field.description for name, field in Settings.model_fields.items()}
    assert {row[0]: row[1] for row in table_rows("settings")} == described


def test_every_library_setting_is_in_the_readme_with_default_and_range() -> None:
    expected = [
        [f"`{item.key}`", f"{item.default:.12g}", f"{item.low:.12g} to {item.high:.12g}", item.unit, item.meaning]
        for item in ALL_SETTINGS
    ]
    assert table_rows("library settings") == expected


def test_the_readme_lists_the_assets_in_their_order() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", README.split("## The assets")[1].split("## The web UI")[0], re.MULTILINE)
    assert listed == list(PHASE_VALUES)


def test_every_make_target_has_a_line_of_help() -> None:
    helped = set(re.findall(r"^([a-z-]+):.*## \S", MAKEFILE, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert helped == set(phony.split())
    assert helped >= TARGETS
    assert set(re.findall(r"`make ([a-z-]+)", README)) <= helped


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []
    tests = re.findall(r"`((?:\w+/)?test_\w+\.py)`", text)
    assert [name for name in tests if not (ROOT / "wkmp_assets_tests" / name).exists()] == []
