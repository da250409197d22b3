"""The bundles of the phase store: one file for each partition, with a document of each phase.

Earlier versions kept a file for each phase. It counts until the bundle has that phase.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from itertools import repeat
from pathlib import Path

from wkmp_assets.model.phases import PHASES
from wkmp_assets.runtime.atomic_files import remove_leftovers, replace_durably, temporary_name
from wkmp_assets.runtime.document_files import DAMAGED, is_whole, join_documents, split_documents
from wkmp_assets.runtime.state_files import read_state_file, write_new_file

UNFINISHED = "unfinished"
"""Folder of files that are being written."""
_THREADS = 4
"""The disk syncs several files in about the time of one."""
_MAX_PLACES = 1000
"""A run asks for the place of each of its bundles a dozen times."""


@lru_cache(maxsize=_MAX_PLACES)
def place_of(folder: Path, key: str) -> Path:
    """Return the path of a partition's file in a folder; its name is a hash of the key."""
    name = _name_of(key)
    return folder.joinpath(name[:2], f"{name}.json")


def _name_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8")).hexdigest()


def write_document(folder: Path, path: Path, content: bytes) -> None:
    """Write a file of the phase store in `folder`; after a crash it is the whole new file or the old one.

    It is written in one folder for all files, so that leftovers are found without a walk through 100,000 of them.
    """
    temporary = _temporary_of(folder, path)
    for parent in (temporary.parent, path.parent):
        if not parent.is_dir():
            parent.mkdir(parents=True, exist_ok=True)
    try:
        write_new_file(temporary, content)
        replace_durably(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _temporary_of(folder: Path, path: Path) -> Path:
    kind, name = path.relative_to(folder).parts[0], path.relative_to(folder).parent.name
    return folder / UNFINISHED / temporary_name(f"{kind}-{name}-{path.name}")


def delete_others(folder: Path, keys: Iterable[str]) -> list[Path]:
    """Delete the files of all partitions but these; return their paths."""
    kept = {_name_of(key) for key in keys}
    others = [path for path in folder.glob("*/*.json") if path.stem not in kept]
    for path in others:
        path.unlink(missing_ok=True)
    return others


def read_each(folder: Path) -> Iterator[bytes]:
    """Yield the content of every partition's file."""
    for path in folder.glob("*/*.json"):
        with suppress(FileNotFoundError):  # deleted by another process
            yield read_state_file(path)


class BundleFolder:
    """The bundles of one library.

    Parameters
    ----------
    folder : Path
        Of the phase store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bundles = folder / "bundles"

    def path_of(self, key: str) -> Path:
        """Return the path of a partition's bundle."""
        return place_of(self._bundles, key)

    def _old_path_of(self, phase: str, key: str) -> Path:
        return place_of(self._folder / phase, key)

    def read(self, key: str) -> dict[str, bytes]:
        """Return the documents of a partition by phase."""
        bundle = self._read_bundle(key)
        documents = {phase: self._read_old(phase, key) for phase in PHASES if phase not in bundle}
        return bundle | {phase: document for phase, document in documents.items() if document is not None}

    def read_one(self, phase: str, key: str) -> bytes | None:
        """Return the document of a phase and a partition; None without one."""
        document = self._read_bundle(key).get(phase)
        return self._read_old(phase, key) if document is None else document

    def read_all(self) -> Iterator[dict[str, bytes]]:
        """Yield the documents of every bundle and of every file of earlier versions, by phase."""
        yield from map(split_documents, read_each(self._bundles))
        for phase in PHASES:
            for content in read_each(self._folder / phase):
                yield {phase: content}

    def _read_bundle(self, key: str) -> dict[str, bytes]:
        try:
            content = read_state_file(self.path_of(key))
        except FileNotFoundError:
            return {}
        return split_documents(content) if is_whole(content) else dict.fromkeys(PHASES, DAMAGED)

    def _read_old(self, phase: str, key: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return read_state_file(self._old_path_of(phase, key))
        return None

    def update(self, documents: Mapping[str, Mapping[str, bytes]]) -> None:
        """Replace documents of bundles, each bundle durably and as a whole.

        Parameters
        ----------
        documents : mapping of str to mapping of str to bytes
            Partition key -> phase -> document.
        """
        remove_leftovers(self._folder / UNFINISHED)
        with_old = {phase for phase in PHASES if (self._folder / phase).is_dir()}
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(self._update_one, documents, documents.values(), repeat(with_old)))

    def _update_one(self, key: str, documents: Mapping[str, bytes], with_old: Set[str]) -> None:
        path = self.path_of(key)
        earlier = {phase: document for phase, document in self._read_bundle(key).items() if document != DAMAGED}
        whole = {**earlier, **documents}
        in_order = {phase: whole[phase] for phase in PHASES if phase in whole}
        write_document(self._folder, path, join_documents(in_order))
        for phase in documents.keys() & with_old:
            self._old_path_of(phase, key).unlink(missing_ok=True)

    def keep_only(self, keys: Iterable[str]) -> int:
        """Delete the files of all other partitions; return how many there were."""
        kept = list(keys)
        folders = (self._bundles, *(self._folder / phase for phase in PHASES))
        return sum(len(delete_others(folder, kept)) for folder in folders)
