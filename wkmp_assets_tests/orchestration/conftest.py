"""The music services know every recording here."""

import pytest

from wkmp_assets_tests.support.music_services import MusicServices, know_everything


@pytest.fixture
def services(services: MusicServices) -> MusicServices:
    """The music services, each with an answer for everything."""
    know_everything(services)
    return services
