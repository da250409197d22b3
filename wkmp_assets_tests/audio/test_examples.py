"""The examples in docstrings give the results they state."""

import doctest
from types import ModuleType

import pytest

from wkmp_assets.audio import envelope, lead_points, silence
from wkmp_assets.model import audio_formats


@pytest.mark.parametrize("module", [envelope, audio_formats, lead_points, silence], ids=lambda module: module.__name__)
def test_examples_give_what_they_say(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0
