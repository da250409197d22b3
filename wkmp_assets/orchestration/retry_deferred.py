"""Which files have deferred lookups that a service can answer now."""

from collections.abc import Sequence
from dataclasses import dataclass

from wkmp_assets.db.read.counts import read_deferred
from wkmp_assets.identify.open_lookups import open_class_lookup
from wkmp_assets.orchestration.found_library import use_library
from wkmp_assets.orchestration.services import acoustid_key, service_settings
from wkmp_assets.settings import Settings


@dataclass(frozen=True)
class RetryPlan:
    """The files to ask the services about again, and those to leave out."""

    paths: Sequence[str]
    """Sorted."""
    skipped_count: int = 0
    """Files with deferred classes only, while AcousticBrainz is not asked."""
    skip_reason: str = ""
    """Why AcousticBrainz is not asked."""

    def __str__(self) -> str:
        if not self.skipped_count:
            return ""
        return f"{self.skipped_count} files lack only classes, and AcousticBrainz is not asked: {self.skip_reason}"


def plan_retry(settings: Settings) -> RetryPlan:
    """Return the files with deferred lookups.

    Files that lack only AcousticBrainz' classes need a run only if AcousticBrainz answers. It is asked about one
    recording first, for at most ten seconds.
    """
    deferred = read_deferred(use_library(settings))
    classes_alone = sorted(set(deferred.classes) - set(deferred.lookups))
    skip_reason = _probe(settings, deferred.recording) if classes_alone and deferred.recording else ""
    if skip_reason:
        return RetryPlan(deferred.lookups, len(classes_alone), skip_reason)
    return RetryPlan(sorted({*deferred.lookups, *classes_alone}))


def _probe(settings: Settings, recording: str) -> str:
    """Return why AcousticBrainz is not asked; empty when it answers."""
    with open_class_lookup(service_settings(settings), acoustid_key(settings), is_probe=True) as lookup:
        return lookup.look_up(recording).reason
