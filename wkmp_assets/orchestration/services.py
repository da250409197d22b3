"""How to reach the web services, and with which key.

Without Dagster, because `wkmp status` asks this too and Dagster takes two seconds to load.
"""

import os
from importlib.metadata import version
from pathlib import Path

from pydantic import SecretStr

from wkmp_assets.db.read.library_settings import read_acoustid_key
from wkmp_assets.identify.open_lookups import ServiceSettings, resolve_key
from wkmp_assets.settings import Settings


def acoustid_key(settings: Settings) -> SecretStr | None:
    """Return AcoustID's application key from the library, the settings or wkmp-ai.toml; None without one."""
    # Not Path.home(), which raises where the user has none, as in some containers.
    toml = Path(os.path.expanduser("~/.config/wkmp/wkmp-ai.toml"))  # noqa: PTH111 - the reason above
    return resolve_key(read_acoustid_key(settings.database_path), settings.acoustid_api_key, toml)


def service_settings(settings: Settings) -> ServiceSettings:
    """Return the addresses and request intervals of the services."""
    return ServiceSettings(
        folder=settings.services_dir,
        acoustid_url=settings.acoustid_url,
        acoustid_interval_ms=settings.acoustid_interval_ms,
        musicbrainz_url=settings.musicbrainz_url,
        musicbrainz_interval_ms=settings.musicbrainz_interval_ms,
        acousticbrainz_url=settings.acousticbrainz_url,
        acousticbrainz_interval_ms=settings.acousticbrainz_interval_ms,
        user_agent=f"wkmp_assets/{version('wkmp-assets')} ({settings.contact})",
    )
