"""Which files to ask the services for again, and where those are."""

from collections.abc import Sequence
from dataclasses import dataclass

from wkmp_assets.db.read.counts import read_deferred
from wkmp_assets.identify.open_lookups import open_class_lookup
from wkmp_assets.orchestration.services import acoustid_key, service_settings
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
    with open_class_lookup(service_settings(settings), acoustid_key(settings), is_probe=True) as lookup:
        return lookup.look_up(recording).reason
