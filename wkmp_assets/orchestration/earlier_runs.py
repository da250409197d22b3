"""What earlier runs found out about the same content, and what they say about the other files of its folder."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from wkmp_assets.files.walk import list_audio_names
from wkmp_assets.identify.earlier_answers import keep_earlier_answers
from wkmp_assets.identify.releases import find_folder_releases
from wkmp_assets.model.file_key import decode_key, encode_key
from wkmp_assets.model.flavor import MEASURED_NAMES
from wkmp_assets.model.outcomes import Failed, Outcome, Outcomes, Result
from wkmp_assets.model.phases import FLAVORS, LEAD_POINTS, LOOKUPS
from wkmp_assets.model.values import ClassesOutcome, Flavors, LeadPointParameters, RecordingLookups, SongMatches
from wkmp_assets.runtime.phase_store import PhaseStore


def lead_parameters(
    store: PhaseStore, matches: Outcomes[SongMatches], otherwise: LeadPointParameters, *, keep: bool
) -> dict[str, Outcome[LeadPointParameters]]:
    """Say with which parameters every file's lead points are to be found.

    Parameters
    ----------
    store : PhaseStore
        Asked for the file's lead points.
    matches : mapping of str to Outcome
        Of the run's partitions.
    otherwise : LeadPointParameters
        For files without lead points of the same content.
    keep : bool
        False: `otherwise` for all.
    """
    parameters: dict[str, Outcome[LeadPointParameters]] = {}
    for key, outcome in matches.items():
        if not isinstance(outcome, Result):
            parameters[key] = outcome
            continue
        earlier = _earlier(store, LEAD_POINTS, key, outcome.content_hash) if keep else None
        parameters[key] = Result(earlier.parameters if earlier else otherwise, outcome.content_hash)
    return parameters


def measured_flavors(store: PhaseStore, matches: Outcomes[SongMatches]) -> dict[str, Outcome[Flavors]]:
    """Return what was measured of files whose content and passages are as they were, without what a service said."""
    kept: dict[str, Outcome[Flavors]] = {}
    for key, outcome in matches.items():
        earlier = _earlier(store, FLAVORS, key, outcome.content_hash) if isinstance(outcome, Result) else None
        if isinstance(outcome, Result) and earlier is not None and _is_of(earlier, outcome.value):
            kept[key] = Result(_without_classes(earlier), outcome.content_hash)
    return kept


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


ALBUM_FILES = 100
"""A folder of more files is no album, and reading about all of them would cost each of them too much."""


def with_earlier_answers(
    store: PhaseStore, lookups: Outcomes[RecordingLookups]
) -> dict[str, Outcome[RecordingLookups]]:
    """Let what was answered before stand where nobody could be asked now, and the file is the same to the byte."""
    outcomes: dict[str, Outcome[RecordingLookups]] = {}
    for key, now in lookups.items():
        earlier: Outcome[Any] = store.read_stored(LOOKUPS, key)
        if isinstance(now, Result) and isinstance(earlier, Result) and now.content_hash == earlier.content_hash:
            outcomes[key] = Result(keep_earlier_answers(now.value, earlier.value), now.content_hash)
        else:
            outcomes[key] = now
    return outcomes


def explained_by_folder(
    root: Path, store: PhaseStore, lookups: Outcomes[RecordingLookups]
) -> dict[str, Outcome[Mapping[str, int]]]:
    """Say for every file which releases explain most of the folder that it lies in.

    Parameters
    ----------
    root : Path
        The library root.
    store : PhaseStore
        Asked for files that are not in the run; a file that nothing is stored of has no say.
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
        if folder not in known and _has_a_choice(outcome.value):
            known[folder] = _explained(root, folder, store, lookups)
        outcomes[key] = Result(known.get(folder, {}), outcome.content_hash)
    return outcomes


def _has_a_choice(lookups: RecordingLookups) -> bool:
    return any(len(passage.releases) > 1 for passage in lookups.passages)


def _explained(
    root: Path, folder: PurePosixPath, store: PhaseStore, lookups: Outcomes[RecordingLookups]
) -> Mapping[str, int]:
    names = list_audio_names(root / folder)
    if len(names) > ALBUM_FILES:
        return {}
    return find_folder_releases(_lookups([encode_key(str(folder / name)) for name in names], store, lookups))


def _lookups(keys: Iterable[str], store: PhaseStore, lookups: Outcomes[RecordingLookups]) -> Iterable[RecordingLookups]:
    for key in keys:
        outcome: Outcome[Any] | None = lookups.get(key)
        if not isinstance(outcome, Result | Failed):  # not in this run, or unchanged since an earlier one
            outcome = store.read_stored(LOOKUPS, key)
        if isinstance(outcome, Result):
            yield outcome.value
