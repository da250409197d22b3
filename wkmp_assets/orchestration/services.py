"""The web services of a run, opened when there is a key."""

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import dagster as dg
from pydantic import SecretStr

from wkmp_assets.db.read.library_settings import read_acoustid_key
from wkmp_assets.identify.flavor_classes import ClassLookup
from wkmp_assets.identify.lookup import RecordingLookup
from wkmp_assets.identify.open_lookups import ServiceSettings, open_class_lookup, open_recording_lookup, resolve_key
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.settings import Settings


def acoustid_key(settings: Settings) -> SecretStr | None:
    """Return AcoustID's application key, wherever it is kept; None when there is none."""
    # Not Path.home(), which raises where the user has none, as in some containers.
    toml = Path(os.path.expanduser("~/.config/wkmp/wkmp-ai.toml"))  # noqa: PTH111 - the reason above
    return resolve_key(read_acoustid_key(settings.database_path), settings.acoustid_api_key, toml)


def service_settings(settings: Settings) -> ServiceSettings:
    """Return how to reach the services."""
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


def services_resource(library: Library) -> dg.ResourceDefinition:
    """Open AcoustID and MusicBrainz for a run, when there is a key."""

    @dg.resource(required_resource_keys={"network"})
    def open_lookup(context: dg.InitResourceContext) -> Iterator[RecordingLookup]:
        settings, skip = library.settings, context.resources.network.skip
        with open_recording_lookup(service_settings(settings), acoustid_key(settings), skip=skip) as lookup:
            yield lookup

    return open_lookup


def acousticbrainz_resource(library: Library) -> dg.ResourceDefinition:
    """Open AcousticBrainz for a run, when the other services may be asked."""

    @dg.resource(required_resource_keys={"network"})
    def open_classes(context: dg.InitResourceContext) -> Iterator[ClassLookup]:
        settings, skip = library.settings, context.resources.network.skip
        with open_class_lookup(service_settings(settings), acoustid_key(settings), skip=skip) as classes:
            yield classes

    return open_classes
