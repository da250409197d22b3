"""Whatever a linter is told to overlook carries its reason."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_name_kept_from_vulture_has_a_reason() -> None:
    lines = (ROOT / "wkmp_assets_tests/vulture_kept.py").read_text(encoding="utf-8").split('"""')[2].splitlines()
    bare = [line for line in lines if line.strip() and not re.match(r"(\w+  # .{5,}|# .*)$", line)]
    assert bare == []


def test_every_ignored_warning_in_the_package_names_its_rule() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "wkmp_assets").rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"# noqa(?!: [A-Z]+\d+)|# type: ignore(?!\[)", line)
    ]
    assert bare == []
