"""Which files to ask the services for again, and where those are."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import SecretStr

from wkmp_assets.db.read.counts import read_deferred
from wkmp_assets.db.read.library_settings import read_acoustid_key
from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.identify.services.open import ServiceSettings, open_acousticbrainz, resolve_key
from wkmp_assets.settings import Settings


@dataclass(frozen=True)
class Waiting:
    """What a top-up has to do."""

    paths: Sequence[str]
    """Files to ask for again, sorted."""
    left: int = 0
    """Files that wait for AcousticBrainz alone, which is not asked."""
    why: str = ""
    """Why it is not."""

    def __str__(self) -> str:
        return f"{self.left} files wait for AcousticBrainz alone, which is left alone: {self.why}" if self.left else ""


def find_waiting(settings: Settings) -> Waiting:
    """Find the files that a service may know more of than when it was asked.

    Files that lack nothing but AcousticBrainz' classes are worth a run each only if it answers: it is asked for one of
    them first, for ten seconds at most.
    """
    deferred = read_deferred(settings.database_path)
    classes_alone = sorted(set(deferred.classes) - set(deferred.lookups))
    why = _probe(settings, deferred.recording) if classes_alone and deferred.recording else ""
    if why:
        return Waiting(deferred.lookups, len(classes_alone), why)
    return Waiting(sorted({*deferred.lookups, *classes_alone}))


def _probe(settings: Settings, recording: str) -> str:
    """Say why AcousticBrainz is not to be asked; blank when it answers."""
    with open_acousticbrainz(service_settings(settings), acoustid_key(settings), is_probe=True) as source:
        if source.not_asked:
            return source.not_asked
        try:
            source.high_level(recording)
        except ServiceUnavailableError as error:
            return error.reason
    return ""


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
