"""Phases 1 and 2: the path and the content hash of a file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from hashlib import sha256

import dagster as dg
from pydantic import Field

from wkmp_assets.db.read.incomplete import read_incomplete
from wkmp_assets.db.read.known_files import read_known_by_hash, read_known_by_path
from wkmp_assets.errors import HashingStoppedError
from wkmp_assets.files.changes import HashedFile
from wkmp_assets.files.identity import hash_doubtful, identify_hashed, sort_out_unchanged
from wkmp_assets.model.file_key import decode_key, encode_key
from wkmp_assets.model.findings import Findings
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.outcomes import Failed, Outcomes, Result, Skipped, SkipReason
from wkmp_assets.model.phases import ENTRY, IDENTITY
from wkmp_assets.model.statuses import FileStatus
from wkmp_assets.model.values import FileIdentity
from wkmp_assets.orchestration.assets.scan import library_scan
from wkmp_assets.orchestration.better_copies import find_better_copies, note_waits, wait_for
from wkmp_assets.orchestration.file_visits import note_visits, plan_visits, visit_files, visit_rest, visits_whole_files
from wkmp_assets.orchestration.instance.dagster_api import executes_asset
from wkmp_assets.orchestration.music_objects import at_hand
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.orchestration.run_tags import tags_of_cluster, tags_of_files, tags_of_library
from wkmp_assets.runtime.claims import RunClaims
from wkmp_assets.runtime.worker_pool import WorkerPool


class IdentityConfig(dg.Config):
    """Which files to import."""

    force: bool = Field(
        default=False,
        description="true: import unchanged files again. Edits by people and play history stay.",
    )
    complete: bool = Field(
        default=False,
        description="true: also import files that WKMP marked complete but left half-made. Songs, links and edits by "
        "people stay.",
    )


@dg.asset(name=IDENTITY, group_name="import", io_manager_key="phase_store", deps=[library_scan], kinds={"file"})
def file_identity(
    context: dg.AssetExecutionContext,
    config: IdentityConfig,
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
    claims: dg.ResourceParam[RunClaims],
) -> Outcomes[FileIdentity]:
    """What the file is to the library: new, changed, unchanged, touched, moved, or a duplicate of another file.

    One partition is one audio file. The SHA-256 of its bytes identifies it: a renamed file keeps its play history, and
    a copy is not imported twice. Of new copies the one in the best place is the original, and the others wait for it. A
    file with the size and time of its last import is skipped without opening it, unless `force` is set, or `complete`
    is set and WKMP left it half-made. A file that another run is importing is skipped too. Stale when the file's size
    or time changes.
    """
    tags = tags_of_library(library.settings) | tags_of_files(context.partition_keys, context.run.tags)
    if not tags.items() <= context.run.tags.items():  # `wkmp import` and the sensor give them at once
        context.instance.add_run_tags(context.run.run_id, tags)
    # Claim before reading the library, so that a file that another run has just committed counts as unchanged.
    claimed = claims.claim(context.partition_keys)
    claimed_by_others = {key: Skipped(SkipReason.ELSEWHERE) for key in context.partition_keys if key not in claimed}
    paths = {key: decode_key(key) for key in sorted(claimed)}
    known = read_known_by_path(library.database, list(paths.values()))
    has_original = _has_original(library, known)
    # Alone, it is asked for its value. A run that commits asks whether there is anything to do.
    again = set() if executes_asset(context, ENTRY) else _without_value(library, paths)
    half_made = read_incomplete(library.database, list(paths.values())) if config.complete else ()
    forced = {file.path for file in half_made}
    again |= {key for key, path in paths.items() if path in forced}
    outcomes, to_hash = sort_out_unchanged(
        library.root,
        paths,
        known,
        has_original,
        force=config.force,
        again=again,
        is_ignored=library.is_ignored,
        max_bytes=library.settings.max_file_bytes,
    )
    hashed: dict[str, HashedFile] = {}
    visits = plan_visits(library, paths, to_hash, is_whole=visits_whole_files(context))
    for key, found in visit_files(library, workers, visits).items():
        if isinstance(found, Failed | Skipped):
            outcomes[key] = found
        else:
            hashed[key] = HashedFile(paths[key], to_hash[key], found.content_hash, known.get(paths[key]))
            note_visits(library, {key: found})
    if on_cluster := tags_of_cluster(workers.page):  # connected by now, if there was anything to measure
        context.instance.add_run_tags(context.run.run_id, on_cluster)
    same_content = read_known_by_hash(library.database, [file.content_hash for file in hashed.values()])
    try:
        content_now = hash_doubtful(
            library.root,
            hashed,
            same_content,
            max_bytes=library.settings.max_file_bytes,
            is_stopping=lambda: workers.is_stopping,
            open_music=partial(at_hand, library.settings),
        )
        same_content |= read_known_by_hash(library.database, list(content_now.values()))
        better = find_better_copies(library, hashed, same_content, is_stopping=lambda: workers.is_stopping)
    except HashingStoppedError:
        return outcomes | claimed_by_others | dict.fromkeys(hashed, Skipped(SkipReason.INTERRUPTED))
    note_waits(library.settings, context.run.run_id, {paths[key]: path for key, path in better.items()})
    waiting = {key: wait_for(path) for key, path in better.items()}
    hashed = {key: file for key, file in hashed.items() if key not in waiting}
    identities = identify_hashed(
        hashed, same_content, library.has_file, force=config.force, content_now=content_now, forced=forced
    )
    if visits_whole_files(context):
        half_visited = {key: visits[key] for key in hashed if _is_half_visited(library.findings[key])}
        note_visits(library, visit_rest(library, workers, half_visited, identities))
    # Its code and inputs do not tell Dagster that the content of a file has changed.
    context.set_data_version(context.asset_key, _version_of(hashed.values()))
    moves = {key: (encode_key(path), hashed[key].content_hash) for key, path in _moved(identities)}
    library.phases.carry(moves)
    return outcomes | claimed_by_others | waiting | identities


def _version_of(files: Iterable[HashedFile]) -> dg.DataVersion:
    """Return one version for the contents of all files of a run, because Dagster takes one for all partitions."""
    contents = "".join(sorted(file.content_hash for file in files))
    return dg.DataVersion(sha256(contents.encode("ascii")).hexdigest())


def _is_half_visited(findings: Findings) -> bool:
    return findings.may_go_on and not findings.outcomes


def _without_value(library: Library, keys: Iterable[str]) -> set[str]:
    """Return the partitions without a stored identity."""
    return {key for key in keys if not isinstance(library.phases.read_stored(IDENTITY, key), Result)}


def _moved(identities: Outcomes[FileIdentity]) -> Iterator[tuple[str, str]]:
    """Yield the partition of each moved file with its old path."""
    for key, outcome in identities.items():
        if isinstance(outcome, Result) and outcome.value.moved_from is not None:
            yield key, outcome.value.moved_from


def _has_original(library: Library, known: Mapping[str, KnownFile]) -> Callable[[KnownFile], bool]:
    """Return a function that tells whether the original of a duplicate is on disk."""
    hashes = [row.content_hash for row in known.values() if row.status == FileStatus.DUPLICATE_HASH]
    rows = read_known_by_hash(library.database, hashes)

    def has_original(copy: KnownFile) -> bool:
        return any(
            row.status == FileStatus.INGEST_COMPLETE and library.has_file(row.path)
            for row in rows.get(copy.content_hash, ())
        )

    return has_original
