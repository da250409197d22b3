"""Both services, running."""

from collections.abc import Iterator

import pytest

from wkmp_assets_tests.support.music_services import MusicServices, music_services


@pytest.fixture
def services() -> Iterator[MusicServices]:
    with music_services() as running:
        yield running
