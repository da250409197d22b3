"""The pinned packages are complete on each Python that the project names."""

import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from loky.backend import utils as loky_utils
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINS = Path(__file__).parents[2] / "requirements.txt"
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


@pytest.mark.parametrize("python", PYTHONS)
def test_what_a_pinned_package_needs_is_pinned(python: str) -> None:
    """They are installed without their dependencies, and some packages left the standard library with Python 3.13."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    lines = [Requirement(line) for line in PINS.read_text(encoding="utf-8").splitlines()]
    pins = {canonicalize_name(one.name) for one in lines if one.marker is None or one.marker.evaluate(environment)}
    lacking = set()
    for name in sorted(pins):
        try:
            needed = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:  # it is for another Python
            continue
        used = {canonicalize_name(one.name) for one in needed if one.marker is None or one.marker.evaluate(environment)}
        lacking |= {f"{name} needs {one}" for one in used - pins - {"setuptools"}}
    assert lacking == set()


def test_workers_are_killed_without_another_program() -> None:
    """Without psutil, loky asks `pgrep`. A Ctrl-C ends that too, and many containers have none: the import hangs."""
    project = tomllib.loads((PINS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "psutil" in {Requirement(one).name for one in project["dependencies"]}
    assert any(line.startswith("psutil==") for line in PINS.read_text(encoding="utf-8").splitlines())
    assert loky_utils.psutil is not None
