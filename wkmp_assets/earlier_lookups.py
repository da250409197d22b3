"""What the services said in earlier runs: about the same file, and about the other files of its folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from wkmp_assets.files.walk import audio_names
from wkmp_assets.identify.earlier import keep_answers
from wkmp_assets.identify.releases import explained
from wkmp_assets.model.file_key import decode_key, encode_key
from wkmp_assets.model.outcomes import Failed, Outcome, Outcomes, Result
from wkmp_assets.model.phases import LOOKUPS
from wkmp_assets.model.values import RecordingLookups
from wkmp_assets.runtime.phase_store import PhaseStore

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
            outcomes[key] = Result(keep_answers(now.value, earlier.value), now.content_hash)
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
        Partition key -> `albums.explained` of its folder, with the content hash of the file's own lookups.
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
    names = audio_names(root / folder)
    if len(names) > ALBUM_FILES:
        return {}
    return explained(_lookups([encode_key(str(folder / name)) for name in names], store, lookups))


def _lookups(keys: Iterable[str], store: PhaseStore, lookups: Outcomes[RecordingLookups]) -> Iterable[RecordingLookups]:
    for key in keys:
        outcome: Outcome[Any] | None = lookups.get(key)
        if not isinstance(outcome, Result | Failed):  # not in this run, or unchanged since an earlier one
            outcome = store.read_stored(LOOKUPS, key)
        if isinstance(outcome, Result):
            yield outcome.value
