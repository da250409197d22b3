"""The visits of workers to the files of a run: which files are visited, and what the visits found.

`file_identity` asks for the visits of its run, and the assets of the single phases take what they found. Whoever knows
which files the next run imports can let the workers begin with them: see `begin_visits`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import dagster as dg

from wkmp_assets.audio.sent_tasks import visit_file
from wkmp_assets.audio.visit import VISITED_PHASES, Visit
from wkmp_assets.db.read.known_files import read_hashes_by_size, read_known_by_path
from wkmp_assets.errors import LibraryRootError, PartitionKeyError
from wkmp_assets.files.equal_sizes import read_sample
from wkmp_assets.files.identity import sort_out_unchanged
from wkmp_assets.identify.path_names import read_path_names
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.findings import Findings
from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.outcomes import Failed, Outcome, Outcomes, Result, Skipped
from wkmp_assets.model.phases import IDENTITY
from wkmp_assets.model.values import FileIdentity, FileState
from wkmp_assets.orchestration.better_copies import find_better_paths
from wkmp_assets.orchestration.earlier_runs import find_track_lists
from wkmp_assets.orchestration.instance.dagster_api import executes_itself
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.file_work import WORKER_FAILURES
from wkmp_assets.runtime.visit_store import StoredVisit
from wkmp_assets.runtime.worker_pool import WorkerPool


def begin_visits(library: Library, workers: WorkerPool, keys: Iterable[str], *, force: bool = False) -> None:
    """Let the workers visit files that a later run of the whole import will ask for.

    The visits wait behind all other work. `file_identity` takes them over when the files have not changed since. Files
    that look unchanged, are gone, passed over or too large are not visited.

    Parameters
    ----------
    library : Library
        Where the files are.
    workers : WorkerPool
        The pool that the later run gets. `WorkerPool.forget` takes back what has not started.
    keys : iterable of str
        Partition keys of one later run.
    force : bool
        Visit files that look unchanged too.
    """
    paths = dict(_decoded(keys))
    known = read_known_by_path(library.database, list(paths.values()))
    try:
        _, to_visit = sort_out_unchanged(
            library.root,
            paths,
            known,
            lambda _copy: True,  # a copy whose original is gone is left to its run
            force=force,
            is_ignored=library.is_ignored,
            max_bytes=library.settings.max_file_bytes,
        )
    except LibraryRootError:  # its run says so
        return
    visits = plan_visits(library, paths, to_visit, is_whole=True)
    workers.begin(IDENTITY, visit_file, {key: (library.file_of(key), visit) for key, visit in visits.items()})


def _decoded(keys: Iterable[str]) -> Iterable[tuple[str, str]]:
    for key in keys:
        try:
            yield key, decode_key(key)
        except PartitionKeyError:  # typed by a person; its run says so
            continue


def visits_whole_files(context: dg.AssetExecutionContext) -> bool:
    """Tell whether a run computes all phases that a visit computes."""
    return all(executes_itself(context, phase) for phase in VISITED_PHASES)


def plan_visits(
    library: Library, paths: Mapping[str, str], on_disk: Mapping[str, FileStat], *, is_whole: bool
) -> dict[str, Visit]:
    """Return a visit for each file that is to be hashed.

    A file goes on after its hash when nothing else can have its content: no file of the library, no other of the run,
    and no better copy that waits. What is moved, touched or a duplicate is never decoded. Files of the same size are
    told apart by a sample.

    Parameters
    ----------
    library : Library
        Where the files are.
    paths : mapping of str to str
        Partition key -> relative path.
    on_disk : mapping of str to FileStat
        Partition key -> size and time, of the files to hash.
    is_whole : bool
        Whether any file may go on after its hash.
    """
    if not on_disk:
        return {}
    sizes = Counter(stat.size_bytes for stat in on_disk.values())
    known = read_hashes_by_size(library.database, sizes) if is_whole else {}
    by_path = {paths[key]: stat for key, stat in on_disk.items()}
    doubtful = _find_possible_copies(library, by_path, sizes) if is_whole else ()
    settings = library.read_settings()
    return {
        key: Visit(
            key,
            paths[key],
            read_path_names(paths[key]),
            stat,
            settings.segmentation,
            settings.lead_points,
            library.pcm,
            library.covers,
            library.phases.visits,
            is_hash_only=not is_whole or paths[key] in doubtful,
            known_hashes=known.get(stat.size_bytes, frozenset()),
        )
        for key, stat in on_disk.items()
    }


def _find_possible_copies(library: Library, on_disk: Mapping[str, FileStat], sizes: Mapping[int, int]) -> set[str]:
    """Return the files, by path, that may have the content of another of them, or of a better copy that waits.

    `sizes` tells how many of them have each size.
    """
    better = find_better_paths(library.settings, set(on_disk))

    @cache
    def sample(path: str, size_bytes: int) -> bytes | None:
        return read_sample(library.root / path, size_bytes)

    samples = {
        path: (stat.size_bytes, sample(path, stat.size_bytes))
        for path, stat in on_disk.items()
        if sizes[stat.size_bytes] > 1 or path in better
    }
    alike = Counter(samples.values())
    return {
        path
        for path, (size_bytes, own) in samples.items()
        if own is None
        or alike[size_bytes, own] > 1
        or any(sample(other, size_bytes) in {None, own} for other in better.get(path, ()))
    }


def visit_files(
    library: Library, workers: WorkerPool, visits: Mapping[str, Visit]
) -> dict[str, Findings | Failed | Skipped]:
    """Let the workers visit files; return what they found, by partition key.

    A file that brings its worker down is only hashed. Its phases then run one by one, and the one that fails is named.
    """
    tasks = {key: (library.file_of(key), visit) for key, visit in visits.items()}
    found: dict[str, Findings | Failed | Skipped] = dict(workers.map_files(IDENTITY, visit_file, tasks))
    again = {
        key: (tasks[key][0], replace(visits[key], is_hash_only=True))
        for key, outcome in found.items()
        if isinstance(outcome, Failed) and outcome.code in WORKER_FAILURES and not visits[key].is_hash_only
    }
    for key, outcome in workers.map_files(IDENTITY, visit_file, again):
        found[key] = replace(outcome, may_go_on=False) if isinstance(outcome, Findings) else outcome
    return found


def visit_rest(
    library: Library,
    workers: WorkerPool,
    visits: Mapping[str, Visit],
    identities: Outcomes[FileIdentity],
) -> dict[str, Findings]:
    """Visit the files whose visit ended after the hash, and which turned out to be new or changed.

    Parameters
    ----------
    library, workers
        As for `visit_files`.
    visits : mapping of str to Visit
        Partition key -> the visit that ended.
    identities : mapping of str to Outcome
        What each file is, by partition key.
    """
    track_lists = find_track_lists(library.phases, identities)
    rest = {
        key: (
            library.file_of(key),
            replace(
                visit,
                content_hash=identity.content_hash,
                is_hash_only=False,
                known_hashes=frozenset(),
                track_list=track_lists.get(key),
            ),
        )
        for key, visit in visits.items()
        if isinstance(identity := identities.get(key), Result)
        and identity.value.state in {FileState.NEW, FileState.CHANGED}
    }
    found = workers.map_files(IDENTITY, visit_file, rest)
    return {key: findings for key, findings in found if isinstance(findings, Findings)}


def note_visits(library: Library, found: Mapping[str, Findings]) -> None:
    """Keep what visits found for the phases of this run."""
    library.findings.update(found)
    for key, findings in found.items():
        if findings.token is not None:
            library.phases.visits.note(key, StoredVisit(findings.values, findings.token))


def find_visited(
    library: Library, phase: str, is_usable: Callable[..., bool], key: str, content_hash: str, *values: Any
) -> Any | None:
    """Return the value that the visit of this run found, or the failure of the phase; None when it has to be computed.

    Parameters
    ----------
    library : Library
        Of the run.
    phase : str
        Name of the phase.
    is_usable : callable
        Takes the value and `values`, and tells whether the value was computed from them.
    key, content_hash : str
        Partition key and content of the file.
    *values
        Values of the earlier phases.
    """
    findings = library.findings.get(key)
    outcome = findings.outcomes.get(phase) if findings and findings.content_hash == content_hash else None
    if isinstance(outcome, Result):
        return outcome.value if is_usable(outcome.value, *values) else None
    return outcome


def find_value(library: Library, phase: str, key: str, of: Outcome[Any]) -> Any | None:
    """Return the value that the visit of this run found for the content of another outcome; None without one."""
    found = find_visited(library, phase, lambda _value: True, key, of.content_hash) if isinstance(of, Result) else None
    return None if isinstance(found, Failed) else found
