"""The statements of the documents agree with the code."""

import ast
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import click
import pytest

from wkmp_assets.cli.main import main
from wkmp_assets.db.read.library_settings import ALL_SETTINGS
from wkmp_assets.db.schema import read_statements
from wkmp_assets.files.foreign_names import _FILE_BEGINNINGS, _FOLDER_BEGINNINGS, _FOLDERS
from wkmp_assets.model.audio_formats import AUDIO_FORMATS, UNREAD_FORMATS
from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.model.setting_kinds import WholeNumber, setting_of
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.settings import Settings
from wkmp_assets_tests.audio.format_files import NOT_WRITTEN
from wkmp_assets_tests.support.paths import ROOT, TESTS

PACKAGE = ROOT / "wkmp_assets"
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {
    "setup", "import", "test", "test-faults", "test-safety", "coverage-baseline", "check", "bench", "bench-flavor",
    "bench-sensor", "bench-writer", "test-ui", "bench-ui",
    "ui", "dataset", "clean",
}  # fmt: skip
MAX_README_LINES = 150
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def text_of(document: Path | str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def rows_of(table: str) -> list[list[str]]:
    """The cells of a Markdown table, without its head."""
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def table_after(document: str, marker: str) -> list[list[str]]:
    return rows_of(text_of(document).split(marker)[1].split("\n\n")[0])


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def range_of(field: "Field[Any]") -> str:
    kind = setting_of(field).kind
    return f"{kind.low:,} to {kind.high:,}" if isinstance(kind, WholeNumber) else ""


def default_of(field: "Field[Any]") -> str:
    if field.default is MISSING or field.default is None:
        return ""
    return f"`{int(field.default) if isinstance(field.default, bool) else field.default}`"


def test_every_setting_is_in_the_reference_with_its_own_words() -> None:
    expected = [
        [f"`WKMP_{field.name.upper()}`", default_of(field), range_of(field), setting_of(field).description]
        for field in fields(Settings)
    ]
    assert table_after("docs/reference/settings.md", "<!-- settings:") == expected


def test_every_library_setting_is_in_the_reference_with_default_and_range() -> None:
    expected = [
        [f"`{item.key}`", f"{item.default:.12g}", f"{item.low:.12g} to {item.high:.12g}", item.unit, item.meaning]
        for item in ALL_SETTINGS
    ]
    assert table_after("docs/reference/settings.md", "<!-- library settings:") == expected


def test_the_reference_lists_the_assets_in_their_order() -> None:
    listed = [row[0] for row in table_after("docs/reference/assets_and_checks.md", "<!-- assets:")]
    assert listed == [f"`{name}`" for name in PHASE_VALUES]


def test_the_reference_lists_every_check_with_its_asset() -> None:
    checks = build_definitions().asset_checks or ()
    defined = {
        (f"`{spec.name}`", f"`{spec.asset_key.to_user_string()}`")
        for check in checks
        for spec in check.check_specs  # type: ignore[union-attr] # all of ours are definitions
    }
    listed = [(row[0], row[1]) for row in table_after("docs/reference/assets_and_checks.md", "<!-- checks:")]
    assert len(listed) == len(defined)
    assert set(listed) == defined


def test_the_reference_lists_every_command_and_option() -> None:
    text = text_of("docs/reference/cli.md")
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.epilog, f"{name} --help has an example"
        assert f"`wkmp {name} " in text, name
        for option in command.params:
            if isinstance(option, click.Option):
                assert f"`{option.opts[0]}" in text, f"{name} {option.opts[0]}"


def test_the_reference_lists_every_table_and_column() -> None:
    text = text_of("docs/reference/library_tables.md")
    named = set(re.findall(r"`(\w+)`", text))
    with closing(sqlite3.connect(":memory:")) as library:
        for statement in read_statements():
            library.execute(statement)
        tables = [row[0] for row in library.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {row[1] for table in tables for row in library.execute(f"PRAGMA table_xinfo({table})")}
    assert sorted((set(tables) | columns) - named) == []


def test_every_make_target_has_a_line_of_help_and_of_the_reference() -> None:
    helped = set(re.findall(r"^([a-z-]+):.*## \S", MAKEFILE, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert helped == set(phony.split())
    assert helped >= TARGETS
    assert helped <= set(re.findall(r"^\| `make ([a-z-]+)`", text_of("docs/reference/cli.md"), re.MULTILINE))


@each_document
def test_make_targets_that_are_named_exist(document: Path) -> None:
    named = set(re.findall(r"`(?:WKMP_\w+=\S+ )?make ([a-z-]+)", text_of(document)))
    named |= set(re.findall(r"^\$? ?make ([a-z-]+)", text_of(document), re.MULTILINE))
    assert named <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def anchors_of(document: Path) -> set[str]:
    """The anchors of a document, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", without_code(text_of(document)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text_of(document))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            yield link


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    assert list(broken_links(document)) == []


def test_a_broken_link_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `head` line\n\n[a](page.md#a-head-line) [b](gone.md) [c](#gone)\n", encoding="utf-8")
    assert list(broken_links(page)) == ["gone.md", "#gone"]


@each_document
def test_every_page_is_linked_from_somewhere(document: Path) -> None:
    if document.parent == ROOT:
        return
    others = [other for other in DOCUMENTS if other != document]
    linked = {
        (other.parent / link.partition("#")[0]).resolve()
        for other in others
        for link in re.findall(r"\]\(([^)\s]+)\)", text_of(other))
        if "://" not in link
    }
    assert document.resolve() in linked


def files_named_in(text: str) -> list[str]:
    return re.findall(r"`((?:\w+/)+\w+\.py|test_\w+\.py)(?:::\w+)?`", text)


@each_document
def test_modules_and_tests_that_are_named_exist(document: Path) -> None:
    """A document names a module by its path in the checkout, in the package or in the tests."""
    named = files_named_in(text_of(document))
    there = [name for name in named if not any((place / name).is_file() for place in (ROOT, PACKAGE, TESTS))]
    assert [name for name in there if "/" in name or not list(TESTS.rglob(name))] == []


def test_documents_that_the_code_names_exist() -> None:
    sources = [*PACKAGE.rglob("*.py"), *TESTS.rglob("*.py"), ROOT / "Makefile", ROOT / "dagster.yaml"]
    named = {
        (name, source.name)
        for source in sources
        for name in re.findall(r"\bdocs/[\w/]+\.md\b", source.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert sorted((name, source) for name, source in named if not (ROOT / name).is_file()) == []


def test_the_readme_fits_on_one_page() -> None:
    lines = text_of("README.md").splitlines()
    assert len(lines) <= MAX_README_LINES
    assert "`make test`" in text_of("README.md")
    first = "\n".join(lines[:10])
    for words in ("You have music", "You work with Dagster", "With the result you can"):
        assert words in first, words


def test_history_is_told_on_one_page() -> None:
    telling = [
        document.relative_to(ROOT).as_posix()
        for document in DOCUMENTS
        if "replaced system" in " ".join(text_of(document).lower().split())
    ]
    assert telling == ["docs/origins.md"]


def test_the_architecture_lists_the_packages() -> None:
    listed = [
        row[0] for row in rows_of(text_of("docs/architecture.md").split("## The nine packages")[1].split("\n\n")[1])
    ]
    packages = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    assert sorted(listed) == [f"`{name}/`" for name in packages]
    assert len(packages) == 9
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    kept_names = {"event_storage", "run_launcher"}
    assert modules == {"__init__", "definitions", "errors", "settings"} | kept_names


def allowed_imports() -> dict[str, set[str]]:
    """The table of docs/architecture.md: package -> what it may import."""
    allowed: dict[str, set[str]] = {}
    for left, right in rows_of(text_of("docs/architecture.md").split("## Who may import whom")[1].split("\n\n")[1]):
        above = set(allowed)
        for package in re.findall(r"`(\w+)`", left):
            allowed[package] = above if right == "all of the above" else set(re.findall(r"`(\w+)`", right))
    return allowed


def imports_of_packages() -> dict[str, set[str]]:
    """Read from the code: package or module at the top -> those that it imports."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "wkmp_assets":
                parts = (node.module or "").split(".")
                names = parts[1:2] or [alias.name for alias in node.names]
                found.setdefault(here, set()).update(set(names) - {here})
    return found


@pytest.mark.slow
def test_the_architecture_says_who_may_import_whom() -> None:
    allowed = allowed_imports()
    kept_names = {"event_storage", "run_launcher"}
    for package, imported in imports_of_packages().items():
        if package not in kept_names:
            assert imported - {"errors"} <= allowed.get(package, set()) - {"errors"}, package
    assert allowed["report"] == {"db", "model"}
    assert "cli" not in allowed["orchestration"]


@pytest.mark.parametrize("drawing", sorted((DOCS / "images").glob("*.dot")), ids=lambda path: path.stem)
def test_drawings_show_what_their_source_names(drawing: Path) -> None:
    named = re.findall(r"<b>([\w./]+)</b>", drawing.read_text(encoding="utf-8"))
    shown = drawing.with_suffix(".svg").read_text(encoding="utf-8")
    assert named
    assert [name for name in named if f">{name}</text>" not in shown] == []


def test_the_names_that_are_passed_over_are_listed() -> None:
    page = text_of("docs/guide/ignore.md").split("<!-- built-in patterns:")[1].split("-->")[1]
    listed = re.findall(r"`([^`]+)`", page.split("\n\nEvery other")[0])
    folders = [f"{name}/" for name in _FOLDERS] + [f"{beginning}*/" for beginning in _FOLDER_BEGINNINGS]
    assert listed == folders + [f"{beginning}*" for beginning in _FILE_BEGINNINGS]


def test_the_formats_are_those_of_the_table() -> None:
    def listed(endings: Iterable[str]) -> str:
        return ", ".join(f"`{ending}`" for ending in endings)

    page = "docs/reference/formats.md"
    assert table_after(page, "<!-- formats:") == [
        [one.name, listed(one.endings), f"{one.decoder} (`{one.container}`)", one.tags] for one in AUDIO_FORMATS
    ]
    assert table_after(page, "<!-- unread formats:") == [[what, listed(one)] for what, one in UNREAD_FORMATS.items()]
    assert f"No encoder at hand writes {listed(sorted(NOT_WRITTEN))}. For" in " ".join(text_of(page).split())
