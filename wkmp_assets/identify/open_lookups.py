"""The lookups of one run, at the services when there is an AcoustID key."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wkmp_assets.errors import SettingsError
from wkmp_assets.identify.flavor_classes import ClassLookup, NoClassLookup, RecordingClasses, ServiceClassLookup
from wkmp_assets.identify.lookup import NoRecordingLookup, RecordingLookup, ServiceRecordingLookup
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.setting_kinds import Secret, SecretText
from wkmp_assets.model.values import ClassesOutcome
from wkmp_assets.runtime.run_control import RunControl

TOML_FIELD = "acoustid_api_key"
KEY_IN_LIBRARY = f"{TOML_FIELD} in the library's settings table"
NO_KEY = "no AcoustID key is set (WKMP_ACOUSTID_API_KEY)"
NETWORK_SKIPPED = "the run was told to skip the network"
OFF = "off"
PROBE_TIMEOUT_S = 10.0
STOPPED = "the import was stopped"
SWITCHED_OFF = f"it is switched off (its address is {OFF})"


@dataclass(frozen=True)
class ServiceSettings:
    """The addresses of the services, and their pace."""

    folder: Path
    """For caches, queues and outages, which all processes share."""
    acoustid_url: str
    acoustid_interval_ms: int
    musicbrainz_url: str
    musicbrainz_interval_ms: int
    acousticbrainz_url: str
    acousticbrainz_interval_ms: int
    user_agent: str


def resolve_key(stored: str | None, configured: Secret | None, toml: Path) -> Secret | None:
    """Return AcoustID's application key: from the library, else the environment, else WKMP's own TOML file.

    Parameters
    ----------
    stored : str or None
        The value of `acoustid_api_key` in the library's settings table.
    configured : Secret or None
        The key in the environment.
    toml : Path
        May be missing.

    Returns
    -------
    Secret or None
        None when there is no key; a blank one counts as none.

    Raises
    ------
    SettingsError
        The TOML file cannot be read, or the key has spaces inside.
    """
    if stored and stored.strip():
        return parse_key(stored, KEY_IN_LIBRARY)
    if configured is not None and configured.value.strip():
        return configured
    try:
        value = tomllib.loads(toml.read_text(encoding="utf-8")).get(TOML_FIELD)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        # The error's text, and its chain, may quote the key.
        raise SettingsError(f"{toml} cannot be read as TOML; correct or remove it, then try again") from None
    return parse_key(value, f"{toml}, {TOML_FIELD}") if isinstance(value, str) and value.strip() else None


def parse_key(text: str, place: str) -> Secret:
    """Return AcoustID's application key from a text.

    Parameters
    ----------
    text : str
        Spaces around the key are left out.
    place : str
        Where the text is, for the message.

    Raises
    ------
    SettingsError
        The key has spaces inside. The message does not show it.
    """
    try:
        return SecretText()(text)
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from None


@contextmanager
def open_recording_lookup(
    settings: ServiceSettings, key: Secret | None, *, skip: bool = False, control: RunControl | None = None
) -> Iterator[RecordingLookup]:
    """Open the lookup of recordings at AcoustID and MusicBrainz, for the block.

    Parameters
    ----------
    settings : ServiceSettings
        How to reach them.
    key : Secret or None
        Without a key every lookup is skipped.
    skip : bool
        Defer every lookup.
    control : RunControl, optional
        After its stop nothing more is asked. Answers in the cache count, the other lookups are deferred.
    """
    if key is None or skip:
        yield NoRecordingLookup(NO_KEY) if key is None else NoRecordingLookup(NETWORK_SKIPPED, LookupOutcome.DEFERRED)
        return
    # What asks services takes a quarter of a second of CPU to load, and most imports have no key.
    from wkmp_assets.identify.services import acoustid, musicbrainz
    from wkmp_assets.identify.services.session import ServiceSession

    acoustid_service = acoustid.describe_service(settings.acoustid_url, settings.acoustid_interval_ms)
    musicbrainz_service = musicbrainz.describe_service(settings.musicbrainz_url, settings.musicbrainz_interval_ms)
    with (
        ServiceSession(acoustid_service, settings.folder, settings.user_agent, acoustid.judge) as fingerprints,
        ServiceSession(musicbrainz_service, settings.folder, settings.user_agent, musicbrainz.judge) as recordings,
    ):

        def give_up() -> None:
            fingerprints.give_up(STOPPED)
            recordings.give_up(STOPPED)

        with (control or RunControl()).telling_of_stop(give_up):
            clients = acoustid.AcoustIdClient(fingerprints, key), musicbrainz.MusicBrainzClient(recordings)
            yield ServiceRecordingLookup(*clients)


@contextmanager
def open_class_lookup(
    settings: ServiceSettings,
    key: Secret | None,
    *,
    skip: bool = False,
    is_probe: bool = False,
    control: RunControl | None = None,
) -> Iterator[ClassLookup]:
    """Open the lookup of classes at AcousticBrainz, for the block.

    Parameters
    ----------
    settings : ServiceSettings
        How to reach it; the address `off` skips every lookup.
    key : Secret or None
        AcoustID's. AcousticBrainz needs none, but a person without a key does not want services asked.
    skip : bool
        Defer every lookup.
    is_probe : bool
        Find out whether the service is back: ask even while it rests, once, for ten seconds at most.
    control : RunControl, optional
        After its stop every lookup is deferred. That is no outage of the service.
    """
    if settings.acousticbrainz_url == OFF or key is None:
        yield NoClassLookup(SWITCHED_OFF if settings.acousticbrainz_url == OFF else NO_KEY)
        return
    if skip:
        yield NoClassLookup(NETWORK_SKIPPED, ClassesOutcome.DEFERRED)
        return
    from wkmp_assets.identify.services import acousticbrainz
    from wkmp_assets.identify.services.outage import OutageFile
    from wkmp_assets.identify.services.session import ServiceSession

    service = acousticbrainz.describe_service(settings.acousticbrainz_url, settings.acousticbrainz_interval_ms)
    outages = OutageFile(settings.folder / f"{acousticbrainz.NAME}-outage.json")
    patience: dict[str, Any] = {"timeout_s": PROBE_TIMEOUT_S, "pauses_s": ()} if is_probe else {}
    with ServiceSession(service, settings.folder, settings.user_agent, acousticbrainz.judge, **patience) as classes:
        asking = ServiceClassLookup(acousticbrainz.AcousticBrainzClient(classes, outages, is_probe=is_probe))
        yield asking if control is None else _UntilStopped(asking, control)


@dataclass(frozen=True)
class _UntilStopped:
    """Defers every lookup after a stop."""

    lookup: ClassLookup
    control: RunControl

    def look_up(self, mbid: str) -> RecordingClasses:
        stopped = NoClassLookup(STOPPED, ClassesOutcome.DEFERRED)
        return (stopped if self.control.is_stopping else self.lookup).look_up(mbid)
