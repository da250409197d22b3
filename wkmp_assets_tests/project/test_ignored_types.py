"""What the type checker is told to ignore has its reason beside it."""

import re

from wkmp_assets_tests.support.package_code import SOURCES
from wkmp_assets_tests.support.paths import ROOT

UNEXPLAINED = re.compile(r"# type: ignore(\[[^]]*\])?\s*$", re.MULTILINE)


def test_every_ignored_type_has_a_reason() -> None:
    tests = {path: path.read_text(encoding="utf-8") for path in (ROOT / "wkmp_assets_tests").rglob("*.py")}
    assert [str(path) for path, code in (SOURCES | tests).items() if UNEXPLAINED.search(code)] == []
