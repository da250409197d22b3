"""Modules are loaded without the garbage collector, which is as it was afterwards."""

import gc

import pytest

from wkmp_assets.runtime.loading import loading_modules


@pytest.mark.parametrize("is_on", [True, False])
def test_nothing_is_collected_while_modules_are_loaded(is_on: bool) -> None:
    was_on, frozen = gc.isenabled(), gc.get_freeze_count()
    collections: list[str] = []
    gc.callbacks.append(lambda phase, _found: collections.append(phase))
    try:
        (gc.enable if is_on else gc.disable)()
        with loading_modules():
            made = [[number] for number in range(5_000)]  # many times what a collection waits for
        assert collections == []
        assert gc.isenabled() is is_on
        assert gc.get_freeze_count() > frozen + len(made)
    finally:
        gc.callbacks.pop()
        gc.unfreeze()
        (gc.enable if was_on else gc.disable)()


def test_the_collector_is_on_again_after_a_module_that_cannot_be_loaded() -> None:
    was_on = gc.isenabled()
    gc.enable()
    try:
        with pytest.raises(ImportError), loading_modules():
            raise ImportError("no such module")
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        (gc.enable if was_on else gc.disable)()
