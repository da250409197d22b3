"""Take a safety measure away by its name, in a process that has just started and in all that it starts.

`prove` lets the tests' process begin with `take_away`. A module of the package is changed as soon as it is loaded,
before any other has imported from it; not one file of the code is touched.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.safety.measures import EXAMPLES, MEASURES, Measure


class NothingToTakeAwayError(Exception):
    """The package has no attribute of that name."""


@contextmanager
def search_path_without(measure: Measure) -> Iterator[str]:
    """Yield a PYTHONPATH: every Python process that has it in its environment does without a measure.

    Python imports `sitecustomize`, if there is one, before everything else.
    """
    with TemporaryDirectory(prefix="wkmp-safety-") as folder:
        code = f"from {__name__} import take_away\ntake_away({measure.name!r})\n"
        Path(folder, "sitecustomize.py").write_text(code, encoding="utf-8")
        yield f"{folder}:{ROOT}"


def take_away(name: str) -> None:
    """Let this process do without a measure, from the moment at which it loads the module."""
    (measure,) = (one for one in (*MEASURES, *EXAMPLES) if one.name == name)
    sys.meta_path.insert(0, _Changer(measure))


class _Changer(MetaPathFinder):
    """Finds the modules that a measure is in, and changes them when they have been run."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._modules = {module_of(target) for target in measure.targets}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module as Python finds it, with a loader that changes it."""
        if fullname not in self._modules:
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.loader is not None
        load = spec.loader.exec_module

        def load_and_change(module: ModuleType) -> None:
            load(module)
            for target in self._measure.targets:
                if module_of(target) == fullname:
                    owner, name = owner_of(target, module)
                    setattr(owner, name, self._measure.without(getattr(owner, name)))

        spec.loader.exec_module = load_and_change  # type: ignore[method-assign]  # for this one module
        return spec


def module_of(target: str) -> str:
    """Return the module of a target: `db.connection:snapshot` is in `wkmp_assets.db.connection`."""
    return f"wkmp_assets.{target.partition(':')[0]}"


def owner_of(target: str, module: ModuleType | None = None) -> tuple[Any, str]:
    """Return the module or class that a target is an attribute of, and the attribute's name.

    Raises
    ------
    NothingToTakeAwayError
        There is no such attribute.
    """
    owner: Any = module or importlib.import_module(module_of(target))
    *classes, name = target.partition(":")[2].split(".")
    for one in classes:
        owner = getattr(owner, one, None)
    if name not in getattr(owner, "__dict__", {}):
        raise NothingToTakeAwayError(target)
    return owner, name
