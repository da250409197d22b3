"""Every promise in docs/explanation/security.md names tests, and these exist."""

import re

from wkmp_assets_tests.support.paths import ROOT, TESTS

DOCUMENT = (ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")


def promises() -> list[list[str]]:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_every_promise_names_tests_that_exist() -> None:
    assert len(promises()) > 10
    for promise, held, *_limit in promises():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", held)
        assert named, promise
        for file, function in named:
            source = (TESTS / file).read_text(encoding="utf-8")
            assert re.search(rf"^def {function}\(", source, re.MULTILINE), f"{file}::{function}"


def test_every_table_says_what_its_promises_do_not_cover() -> None:
    heads = [line for line in DOCUMENT.splitlines() if line.startswith("| promise")]
    assert set(heads) == {"| promise | held by | limit |"}
    assert [promise for promise in promises() if len(promise) != 3] == []


def test_every_test_of_this_folder_holds_a_promise() -> None:
    about_the_tests = {"test_markdown_that_is_not_escaped_would_be_seen"}
    here = {
        name
        for path in (TESTS / "integration/security").glob("test_*.py")
        if path.name != "test_document.py"
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert [name for name in sorted(here - about_the_tests) if name not in DOCUMENT] == []
