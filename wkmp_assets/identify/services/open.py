"""Open the services for one run."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from wkmp_assets.errors import SettingsError
from wkmp_assets.identify.lookup import NoRecordingLookup, RecordingLookup, ServiceRecordingLookup
from wkmp_assets.identify.services import acousticbrainz, acoustid, musicbrainz
from wkmp_assets.identify.services.acousticbrainz import (
    AcousticBrainzClient,
    ClassLookup,
    DeferringClassLookup,
    NoClassLookup,
)
from wkmp_assets.identify.services.acoustid import AcoustIdClient
from wkmp_assets.identify.services.musicbrainz import MusicBrainzClient
from wkmp_assets.identify.services.outage import OutageFile
from wkmp_assets.identify.services.session import ServiceSession
from wkmp_assets.model.values import LookupOutcome

TOML_FIELD = "acoustid_api_key"
NO_KEY = "no AcoustID key is set (WKMP_ACOUSTID_API_KEY)"
NETWORK_SKIPPED = "the run was told to skip the network"
OFF = "off"
PROBE_TIMEOUT_S = 10.0
SWITCHED_OFF = f"it is switched off (WKMP_ACOUSTICBRAINZ_URL={OFF})"


@dataclass(frozen=True)
class ServiceSettings:
    """How to reach the services."""

    folder: Path
    """For caches and shared rates."""
    acoustid_url: str
    acoustid_interval_ms: int
    musicbrainz_url: str
    musicbrainz_interval_ms: int
    acousticbrainz_url: str
    acousticbrainz_interval_ms: int
    user_agent: str


def resolve_key(stored: str | None, configured: SecretStr | None, toml: Path) -> SecretStr | None:
    """Find AcoustID's application key: in the library, else in the environment, else in WKMP's own TOML file.

    Parameters
    ----------
    stored : str or None
        `acoustid_api_key` of the library's settings table.
    configured : SecretStr or None
        From the environment.
    toml : Path
        May be missing.

    Returns
    -------
    SecretStr or None
        None when it is nowhere; a blank one counts as missing.

    Raises
    ------
    SettingsError
        The TOML file cannot be read.
    """
    if stored and stored.strip():
        return SecretStr(stored.strip())
    if configured is not None and configured.get_secret_value().strip():
        return SecretStr(configured.get_secret_value().strip())
    try:
        value = tomllib.loads(toml.read_text(encoding="utf-8")).get(TOML_FIELD)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        # Not from the error: its text, and the chain to it, may quote the key.
        raise SettingsError(f"{toml} cannot be read as TOML; mend it, or remove it") from None
    return SecretStr(value.strip()) if isinstance(value, str) and value.strip() else None


@contextmanager
def open_services(settings: ServiceSettings, key: SecretStr | None, *, skip: bool = False) -> Iterator[RecordingLookup]:
    """Open AcoustID and MusicBrainz for the block.

    Without a key neither is asked for anything. Told to skip them, what would have been asked is deferred.
    """
    if key is None or skip:
        yield NoRecordingLookup(NO_KEY) if key is None else NoRecordingLookup(NETWORK_SKIPPED, LookupOutcome.DEFERRED)
        return
    acoustid_service = acoustid.service(settings.acoustid_url, settings.acoustid_interval_ms)
    musicbrainz_service = musicbrainz.service(settings.musicbrainz_url, settings.musicbrainz_interval_ms)
    with (
        ServiceSession(acoustid_service, settings.folder, settings.user_agent, acoustid.judge) as fingerprints,
        ServiceSession(musicbrainz_service, settings.folder, settings.user_agent, musicbrainz.judge) as recordings,
    ):
        yield ServiceRecordingLookup(AcoustIdClient(fingerprints, key), MusicBrainzClient(recordings))


@contextmanager
def open_acousticbrainz(
    settings: ServiceSettings, key: SecretStr | None, *, skip: bool = False, is_probe: bool = False
) -> Iterator[ClassLookup]:
    """Open AcousticBrainz for the block. It needs no key; without AcoustID's nobody wants services asked, though.

    Told to skip it, what would have been asked is deferred. A probe asks also while it rests, and does not wait long:
    to see whether it is back.
    """
    if settings.acousticbrainz_url == OFF or key is None:
        yield NoClassLookup(SWITCHED_OFF if settings.acousticbrainz_url == OFF else NO_KEY)
        return
    if skip:
        yield DeferringClassLookup(NETWORK_SKIPPED)
        return
    service = acousticbrainz.service(settings.acousticbrainz_url, settings.acousticbrainz_interval_ms)
    outages = OutageFile(settings.folder / f"{acousticbrainz.NAME}-outage.json")
    patience: dict[str, Any] = {"timeout_s": PROBE_TIMEOUT_S, "pauses_s": ()} if is_probe else {}
    with ServiceSession(service, settings.folder, settings.user_agent, acousticbrainz.judge, **patience) as classes:
        yield AcousticBrainzClient(classes, outages, is_probe=is_probe)
