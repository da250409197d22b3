"""Resources of a run: the library, worker processes, claims, and the web services when there is a key."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import dagster as dg
from pydantic import Field

from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.db.kept_open import keep_open
from wkmp_assets.db.read.known_files import read_file_rows
from wkmp_assets.db.read.library_settings import LibrarySettings, read_library_settings
from wkmp_assets.files.ignore import IgnoreRules
from wkmp_assets.files.presence import is_on_disk
from wkmp_assets.identify.flavor_classes import ClassLookup
from wkmp_assets.identify.lookup import RecordingLookup
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.findings import Findings
from wkmp_assets.orchestration.found_library import use_library
from wkmp_assets.orchestration.instance.dagster_api import ends_with_this_process, is_running
from wkmp_assets.orchestration.raw_config import refuse_environment
from wkmp_assets.orchestration.services import acoustid_key, service_settings
from wkmp_assets.orchestration.workers import open_workers
from wkmp_assets.runtime.claims import RunClaims, open_claims
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import Settings

OpenLookup = Callable[..., AbstractContextManager[RecordingLookup | ClassLookup]]


class Network(dg.ConfigurableResource[None]):
    """Whether a run may ask web services."""

    skip: bool = Field(
        default=False,
        description="true: ask no web service in this run. Its lookups are deferred, and the job retry_deferred or the "
        "schedule weekly_top_up asks later. Without an AcoustID key, no service is asked anyway.",
    )


@dataclass(frozen=True)
class Library:
    """One music library: its files, database, phase values, covers and decoded PCM."""

    settings: Settings
    store: PhaseStore | None = None
    """The phase store, where it is shared and keeps values in memory."""

    @property
    def root(self) -> Path:
        """The music folder."""
        return self.settings.library

    @cached_property
    def database(self) -> Path:
        """The library database, checked at its first use. It may not exist yet."""
        return use_library(self.settings)

    @cached_property
    def pcm(self) -> PcmStore:
        """Decoded PCM, for the phases after the decode."""
        return PcmStore(self.settings.pcm_dir, self.settings.pcm_cache_mb * 1_000_000)

    @cached_property
    def covers(self) -> CoverStore:
        """The covers of its files."""
        return CoverStore(self.settings.covers_path, self.settings.cover_notes_path)

    @cached_property
    def findings(self) -> dict[str, Findings]:
        """What the workers found out about the files of this run, by partition key."""
        return {}

    @cached_property
    def phases(self) -> PhaseStore:
        """The stored phase values."""
        return self.store or PhaseStore(self.settings.phase_dir)

    def file_of(self, key: str) -> Path:
        """Return the file of a partition.

        Raises
        ------
        PartitionKeyError
            The key does not decode to a path in the library.
        """
        return self.root / decode_key(key)

    @cached_property
    def ignore_rules(self) -> IgnoreRules:
        """What a scan passes over."""
        return ignore_rules(self.settings)

    def has_file(self, path: str) -> bool:
        """Tell whether a relative path is on disk, where a scan finds it; see `presence.is_on_disk`."""
        return is_on_disk(self.root, path) and not self.is_ignored(path)

    def is_ignored(self, path: str) -> bool:
        """Tell whether a scan passes over a relative path by its name."""
        return self.ignore_rules.find(path) is not None

    def read_rows(self, keys: Iterable[str]) -> dict[str, dict[str, list[dict[str, object]]] | None]:
        """Read the rows of partitions: key -> rows by table; None for a file that the library does not hold."""
        return {key: read_file_rows(self.database, decode_key(key)) for key in keys}

    def read_settings(self) -> LibrarySettings:
        """Read the settings that the library database holds now."""
        return read_library_settings(self.database)


def ignore_rules(settings: Settings) -> IgnoreRules:
    """Return what a scan of the library passes over."""
    return IgnoreRules(settings.library, settings.ignore_patterns)


def workers_resource(settings: Settings, control: RunControl) -> dg.ResourceDefinition:
    """Return the resource with a run's worker processes, which end with the run."""

    @dg.resource
    def open_for_run(_context: dg.InitResourceContext) -> Iterator[WorkerPool]:
        workers = open_workers(settings, control)
        try:
            yield workers
        finally:
            workers.shut_down()

    return open_for_run


def claims_resource(settings: Settings) -> dg.ResourceDefinition:
    """Return the resource with which a run claims its files until it ends."""

    @dg.resource
    def open_for_run(context: dg.InitResourceContext) -> Iterator[RunClaims]:
        use_library(settings)  # notes the first use before there is any state of the library
        instance, run = context.instance, context.run
        if instance is None or run is None:
            with open_claims(settings.claims_dir, f"no run, process {os.getpid()}") as claims:
                yield claims
            return
        # With Dagster's multiprocess executor this is the process of one step.
        goes_on = not ends_with_this_process(instance, run.run_id)
        with open_claims(settings.claims_dir, run.run_id, partial(is_running, instance), goes_on=goes_on) as claims:
            yield claims

    return open_for_run


def library_resource(library: Library) -> dg.ResourceDefinition:
    """Return the library as a resource, with its database kept open until the run ends."""

    @dg.resource
    def open_library(context: dg.InitResourceContext) -> Iterator[Library]:
        refuse_environment(context.run.run_config if context.run else None)
        # Without findings. It reads every .wkmpignore anew, and checks the database again.
        opened = replace(library, store=library.phases)
        with keep_open(opened.database):
            try:
                yield opened
            finally:
                if context.run is not None:
                    library.phases.settle(context.run.run_id)
                library.phases.visits.forget_notes()

    return open_library


def lookup_resource(library: Library, open_lookup: OpenLookup, control: RunControl) -> dg.ResourceDefinition:
    """Return the resource that asks web services for a run, unless the run skips the network.

    Parameters
    ----------
    library : Library
        Its settings say how to reach the services. Without an AcoustID key no service is asked.
    open_lookup : callable
        `open_recording_lookup` or `open_class_lookup`.
    control : RunControl
        After its stop no service is asked.
    """

    @dg.resource(required_resource_keys={"network"})
    def open_for_run(context: dg.InitResourceContext) -> Iterator[RecordingLookup | ClassLookup]:
        settings, skip = library.settings, context.resources.network.skip
        with open_lookup(service_settings(settings), acoustid_key(settings), skip=skip, control=control) as lookup:
            yield lookup

    return open_for_run
