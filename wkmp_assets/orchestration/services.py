"""How to reach the web services, and with which key.

Without Dagster, because `wkmp status` asks this too and Dagster takes two seconds to load.
"""

import logging
import os
from importlib.metadata import version
from pathlib import Path

from wkmp_assets.identify.open_lookups import ServiceSettings, resolve_key
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.orchestration.found_library import read_accepted_key, read_stored_key
from wkmp_assets.settings import Settings

_LOG = logging.getLogger(__name__)


def acoustid_key(settings: Settings) -> Secret | None:
    """Return AcoustID's application key from the library, the settings or wkmp-ai.toml; None without one.

    The library's counts only if it is accepted on this machine.
    """
    # Not Path.home(), which raises where the user has none, as in some containers.
    toml = Path(os.path.expanduser("~/.config/wkmp/wkmp-ai.toml"))  # noqa: PTH111 - the reason above
    stored = read_accepted_key(settings)
    if stored is None and read_stored_key(settings) is not None:
        _LOG.warning(
            "%s holds an AcoustID key that is not accepted on this machine, so it is not used; "
            "`wkmp accept-key FOLDER` accepts it",
            settings.database_path,
        )
    return resolve_key(stored, settings.acoustid_api_key, toml)


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
