"""Results of earlier runs that this run keeps, and lookups of other files in the same folder."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from wkmp_assets.files.walk import list_audio_names
from wkmp_assets.identify.earlier_answers import keep_earlier_answers
from wkmp_assets.identify.releases import find_folder_releases
from wkmp_assets.model.boundary_evidence import TrackSheet
from wkmp_assets.model.file_key import decode_key, encode_key
from wkmp_assets.model.flavor import MEASURED_NAMES
from wkmp_assets.model.outcomes import Failed, Outcome, Outcomes, Result
from wkmp_assets.model.phases import FLAVORS, LEAD_POINTS, LOOKUPS
from wkmp_assets.model.values import (
    ClassesOutcome,
    FileIdentity,
    Flavors,
    LeadPointParameters,
    RecordingLookups,
    SongMatches,
)
from wkmp_assets.runtime.phase_store import PhaseStore


def choose_lead_parameters(
    store: PhaseStore, matches: Outcomes[SongMatches], otherwise: LeadPointParameters, *, keep: bool
) -> dict[str, Outcome[LeadPointParameters]]:
    """Return the lead-point parameters for every file.

    Parameters
    ----------
    store : PhaseStore
        Holds the lead points of earlier runs.
    matches : mapping of str to Outcome
        Of the run's partitions.
    otherwise : LeadPointParameters
        For files without earlier lead points of the same content.
    keep : bool
        Whether a file keeps the parameters of its earlier lead points.
    """
    parameters: dict[str, Outcome[LeadPointParameters]] = {}
    for key, outcome in matches.items():
        if not isinstance(outcome, Result):
            parameters[key] = outcome
            continue
        earlier = _earlier(store, LEAD_POINTS, key, outcome.content_hash) if keep else None
        parameters[key] = Result(earlier.parameters if earlier else otherwise, outcome.content_hash)
    return parameters


def find_measured_flavors(store: PhaseStore, matches: Outcomes[SongMatches]) -> dict[str, Outcome[Flavors]]:
    """Return the measured flavors of files with unchanged content and passages, without classes from a service."""
    kept: dict[str, Outcome[Flavors]] = {}
    for key, outcome in matches.items():
        earlier = _earlier(store, FLAVORS, key, outcome.content_hash) if isinstance(outcome, Result) else None
        if isinstance(outcome, Result) and earlier is not None and _is_of(earlier, outcome.value):
            kept[key] = Result(_without_classes(earlier), outcome.content_hash)
    return kept


def find_track_lists(store: PhaseStore, identities: Outcomes[FileIdentity]) -> dict[str, TrackSheet]:
    """Return the track lists of releases that earlier lookups found for the present content of files, by partition."""
    found: dict[str, TrackSheet] = {}
    for key, outcome in identities.items():
        earlier = _earlier(store, LOOKUPS, key, outcome.content_hash) if isinstance(outcome, Result) else None
        if isinstance(earlier, RecordingLookups) and earlier.sheet is not None:
            found[key] = earlier.sheet
    return found


def _earlier(store: PhaseStore, phase: str, key: str, content_hash: str) -> Any | None:
    outcome = store.read_stored(phase, key)
    return outcome.value if isinstance(outcome, Result) and outcome.content_hash == content_hash else None


def _is_of(flavors: Flavors, matches: SongMatches) -> bool:
    is_same = [flavor.span for flavor in flavors.passages] == [match.span for match in matches.passages]
    return is_same and all(set(flavor.measured) == MEASURED_NAMES for flavor in flavors.passages)


def _without_classes(flavors: Flavors) -> Flavors:
    return Flavors(
        tuple(
            replace(flavor, classes={}, detail="", warnings=(), outcome=ClassesOutcome.SKIPPED)
            for flavor in flavors.passages
        )
    )


MAX_ALBUM_FILES = 100
"""A larger folder is no album, and reading the lookups of all its files would cost each of them too much."""


def restore_earlier_answers(
    store: PhaseStore, lookups: Outcomes[RecordingLookups]
) -> dict[str, Outcome[RecordingLookups]]:
    """Return the lookups with earlier answers where no service was asked now and the file has the same bytes."""
    outcomes: dict[str, Outcome[RecordingLookups]] = {}
    for key, now in lookups.items():
        earlier: Outcome[Any] = store.read_stored(LOOKUPS, key)
        if isinstance(now, Result) and isinstance(earlier, Result) and now.content_hash == earlier.content_hash:
            outcomes[key] = Result(keep_earlier_answers(now.value, earlier.value), now.content_hash)
        else:
            outcomes[key] = now
    return outcomes


def find_releases_by_folder(
    root: Path, store: PhaseStore, lookups: Outcomes[RecordingLookups]
) -> dict[str, Outcome[Mapping[str, int]]]:
    """Find for every file the releases that explain most of its folder.

    Parameters
    ----------
    root : Path
        The library root.
    store : PhaseStore
        Holds the lookups of files that are not in the run; files without stored lookups are left out.
    lookups : mapping of str to Outcome
        Of the run's partitions.

    Returns
    -------
    dict
        Partition key -> `find_folder_releases` of its folder, with the content hash of the file's own lookups.
    """
    known: dict[PurePosixPath, Mapping[str, int]] = {}
    outcomes: dict[str, Outcome[Mapping[str, int]]] = {}
    for key, outcome in lookups.items():
        if not isinstance(outcome, Result):
            outcomes[key] = outcome
            continue
        folder = PurePosixPath(decode_key(key)).parent
        if folder not in known and _has_choice(outcome.value):
            known[folder] = _find_releases(root, folder, store, lookups)
        outcomes[key] = Result(known.get(folder, {}), outcome.content_hash)
    return outcomes


def _has_choice(lookups: RecordingLookups) -> bool:
    return any(len(passage.releases) > 1 for passage in lookups.passages)


def _find_releases(
    root: Path, folder: PurePosixPath, store: PhaseStore, lookups: Outcomes[RecordingLookups]
) -> Mapping[str, int]:
    names = list_audio_names(root / folder)
    if len(names) > MAX_ALBUM_FILES:
        return {}
    return find_folder_releases(_read_lookups([encode_key(str(folder / name)) for name in names], store, lookups))


def _read_lookups(
    keys: Iterable[str], store: PhaseStore, lookups: Outcomes[RecordingLookups]
) -> Iterable[RecordingLookups]:
    for key in keys:
        outcome: Outcome[Any] | None = lookups.get(key)
        if not isinstance(outcome, Result | Failed):  # not in this run, or unchanged since an earlier one
            outcome = store.read_stored(LOOKUPS, key)
        if isinstance(outcome, Result):
            yield outcome.value
