"""Modules are loaded without the garbage collector, which is as it was afterwards."""

import gc
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from wkmp_assets.runtime.loading import loading_modules

pytestmark = pytest.mark.usefixtures("collector")


@pytest.fixture
def collector() -> Iterator[None]:
    was_on = gc.isenabled()
    yield
    gc.unfreeze()
    (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("is_on", [True, False])
def test_nothing_is_collected_while_modules_are_loaded(
    is_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_for_loading.py").write_text("made = [[number] for number in range(5_000)]")
    monkeypatch.syspath_prepend(tmp_path)
    (gc.enable if is_on else gc.disable)()
    frozen = gc.get_freeze_count()
    collections: list[str] = []
    gc.callbacks.append(lambda phase, _found: collections.append(phase))
    with loading_modules():
        import_module("made_for_loading")
    gc.callbacks.pop()
    assert collections == [], "5,000 lists are many times what a collection waits for"
    assert gc.isenabled() is is_on
    assert gc.get_freeze_count() > frozen + 5_000
    del sys.modules["made_for_loading"]


def test_what_is_there_can_go_when_nothing_was_loaded() -> None:
    frozen = gc.get_freeze_count()
    with loading_modules():
        import_module("sys")
    assert gc.get_freeze_count() == frozen


def test_the_collector_is_on_again_after_a_module_that_cannot_be_loaded() -> None:
    gc.enable()
    with pytest.raises(ImportError), loading_modules():
        import_module("no_such_module")
    assert gc.isenabled()
