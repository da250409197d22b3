"""Whatever a tool is told to overlook carries its reason; and a rule about that is itself seen red."""

import pytest

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.kept import bare_comments, bare_names, bare_settings
from wkmp_assets_tests.tools.plan import plan_test

SOURCES = sorted([*(ROOT / "wkmp_assets").rglob("*.py"), *(ROOT / "wkmp_assets_tests").rglob("*.py")])


@plan_test("TC-M-DC-040-01")
def test_every_name_kept_from_vulture_has_a_reason() -> None:
    assert list(bare_names((ROOT / "wkmp_assets_tests/tools/vulture_kept.py").read_text(encoding="utf-8"))) == []


@plan_test("TC-M-DC-040-01")
def test_every_overlooked_warning_names_its_rule_and_has_a_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number in bare_comments(path.read_text(encoding="utf-8"))
    ]
    assert bare == []


@plan_test("TC-M-DC-040-01")
def test_every_exception_in_the_settings_of_the_tools_has_a_reason() -> None:
    assert list(bare_settings((ROOT / "pyproject.toml").read_text(encoding="utf-8"))) == []


COMMENTS = {
    "no rule": ("x = 1  # noqa", False),
    "no reason": ("x = 1  # noqa: S608", False),
    "a rule and a reason": ("x = 1  # noqa: S608 - literals only", True),
    "two rules": ("x = 1  # noqa: S608, E501 - literals only", True),
    "for a file, without": ("# ruff: noqa: B018", False),
    "for a file, with": ("# ruff: noqa: B018 - names only, nothing runs", True),
    "a type without": ("x = 1  # type: ignore[arg-type]", False),
    "a type without its rule": ("x = 1  # type: ignore - the library has no types", False),
    "a type with": ("x = 1  # type: ignore[arg-type] # mypy: a class has no hash", True),
    "two, one bare": ("x = 1  # type: ignore[arg-type]  # noqa: S608 - literals only", False),
    "coverage without": ("x = 1  # pragma: no cover", False),
    "coverage with": ("x = 1  # pragma: no cover - only on macOS", True),
    "a reason of one letter": ("x = 1  # noqa: S608 - x", False),
    "a long line says so itself": ("x = 1  # noqa: E501", True),
    "text that only speaks of it": ("x = '# noqa'", True),
}


@plan_test("TC-M-DC-040-01")
@pytest.mark.parametrize(("source", "is_good"), COMMENTS.values(), ids=COMMENTS)
def test_a_bare_comment_is_seen(source: str, is_good: bool) -> None:
    assert list(bare_comments(f"{source}\n")) == ([] if is_good else [1])


@plan_test("TC-M-DC-040-01")
@pytest.mark.parametrize(("line", "is_good"), [("trace", False), ("trace  # x", False), ("trace  # by protocol", True)])
def test_a_bare_name_is_seen(line: str, is_good: bool) -> None:
    assert list(bare_names(f'"""What vulture keeps."""\n\n{line}\n')) == ([] if is_good else [3])


SETTINGS = {
    "deptry": ('[tool.deptry.per_rule_ignores]\nDEP002 = ["x"]', 2),
    "a file's": ('[tool.ruff.lint.per-file-ignores]\n# Asserts are the point.\n"a/*" = ["S101"]\n"b/*" = ["S101"]', 4),
    "one of a list": ('[tool.ruff.lint]\nignore = [\n  "D105", # documented by the language\n  "D107",\n]', 4),
    "a decorator": ('[tool.vulture]\nignore_decorators = ["@main.command*"]', 2),
    "a module": ('[[tool.mypy.overrides]]\nmodule = ["x.*"]', 2),
    "a warning": ('[tool.pytest.ini_options]\nfilterwarnings = [\n  "error",\n  "ignore::x",\n]', 4),
    "not covered": ('[tool.coverage.report]\nexclude_also = ["x"]', 2),
}


@plan_test("TC-M-DC-040-01")
@pytest.mark.parametrize(("settings", "line"), SETTINGS.values(), ids=SETTINGS)
def test_a_bare_exception_in_the_settings_is_seen(settings: str, line: int) -> None:
    assert list(bare_settings(settings)) == [line]


@plan_test("TC-M-DC-040-01")
def test_a_reason_above_or_behind_is_enough() -> None:
    assert (
        list(bare_settings("[tool.vulture]\n# Read by name.\nexclude = ['a']\nignore_names = ['b'] # by c, by name"))
        == []
    )
