"""The only assembly: settings in, definitions out. Tests and the command line build their own."""

import os
from collections.abc import Iterator, Mapping

import dagster as dg

from wkmp_assets.assets.file_picture import file_picture
from wkmp_assets.assets.fingerprints import fingerprints
from wkmp_assets.assets.flavors import flavors
from wkmp_assets.assets.identity import file_identity
from wkmp_assets.assets.lead_points import lead_points
from wkmp_assets.assets.library_entry import library_entry
from wkmp_assets.assets.library_report import library_report
from wkmp_assets.assets.lookups import recording_lookups
from wkmp_assets.assets.scan import library_scan
from wkmp_assets.assets.segments import passage_segments
from wkmp_assets.assets.song_matches import song_matches
from wkmp_assets.assets.tags import file_tags
from wkmp_assets.checks.identified import classes_complete, lookups_complete, passages_identified
from wkmp_assets.checks.imported import files_imported
from wkmp_assets.checks.lead_band import lead_points_plausible
from wkmp_assets.checks.receipts import commit_receipts
from wkmp_assets.checks.stored import stored_rows
from wkmp_assets.db.connection import kept_open
from wkmp_assets.identify.lookup import Lookup
from wkmp_assets.identify.services.acousticbrainz import ClassSource
from wkmp_assets.identify.services.open import open_acousticbrainz, open_services
from wkmp_assets.io_managers import PhaseStoreIOManager, PictureIOManager, SqliteBatchIOManager
from wkmp_assets.jobs import import_job, reflavor_job, retry_job, scan_job
from wkmp_assets.partitions import audio_files, backfill_policy
from wkmp_assets.resources import Library, Network
from wkmp_assets.runtime.claims import RunClaims, claiming
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets.schedules import schedules
from wkmp_assets.sensors import new_files_sensor
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets.topping_up import acoustid_key, service_settings

OWNER = "team:wkmp"
"""Whom the web UI names for every asset."""

PER_FILE_ASSETS = (
    file_identity,
    file_tags,
    passage_segments,
    fingerprints,
    recording_lookups,
    song_matches,
    lead_points,
    flavors,
    library_entry,
    file_picture,
)


def build_definitions(
    settings: Settings | None = None,
    *,
    control: RunControl | None = None,
    resource_overrides: Mapping[str, object] | None = None,
) -> dg.Definitions:
    """Assemble the code location.

    Parameters
    ----------
    settings : Settings, optional
        Default: from the environment.
    control : RunControl, optional
        For progress and stopping; the command line passes its own.
    resource_overrides : mapping of str to object, optional
        Resources to replace, by name.
    """
    settings = settings or load_settings()
    control = control or RunControl()
    library = Library(settings)
    partitions, policy = audio_files(settings), backfill_policy(settings)

    def owned(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(owners=[OWNER])

    def per_file(spec: dg.AssetSpec) -> dg.AssetSpec:
        return owned(spec).replace_attributes(partitions_def=partitions)

    assets = [asset.map_asset_specs(per_file).with_attributes(backfill_policy=policy) for asset in PER_FILE_ASSETS]
    resources: dict[str, object] = {
        "library": _kept_open(library),
        "claims": _claims(settings),
        "network": Network.configure_at_launch(),
        "services": _services(library),
        "acousticbrainz": _acousticbrainz(library),
        "workers": _workers(settings, control),
        "phase_store": PhaseStoreIOManager(library),
        "pictures": PictureIOManager(library),
        "library_db": SqliteBatchIOManager(library, control),
    }
    return dg.Definitions(
        assets=[library_scan.map_asset_specs(owned), *assets, library_report.map_asset_specs(owned)],
        asset_checks=[
            lookups_complete,
            passages_identified,
            classes_complete,
            files_imported,
            commit_receipts,
            stored_rows,
            lead_points_plausible,
        ],
        jobs=[scan_job, import_job, retry_job, reflavor_job],
        sensors=[new_files_sensor(settings)],
        schedules=schedules(settings),
        resources={**resources, **(resource_overrides or {})},
        # Parallelism is inside the steps (worker processes); a process per step would only add start-up time.
        executor=dg.in_process_executor,
    )


def open_workers(settings: Settings, control: RunControl) -> WorkerPool:
    """Return worker processes for whoever shuts them down; none is started before there is work."""
    limits = WorkerLimits(memory_mb=settings.worker_memory_mb, file_s=settings.worker_timeout_s)
    return WorkerPool(settings.workers, control, limits)


def _workers(settings: Settings, control: RunControl) -> dg.ResourceDefinition:
    """Give a run its worker processes, and end them with it: the run's own process would wait until they are idle."""

    @dg.resource
    def open_for_run(_context: dg.InitResourceContext) -> Iterator[WorkerPool]:
        workers = open_workers(settings, control)
        try:
            yield workers
        finally:
            workers.shut_down()

    return open_for_run


def _claims(settings: Settings) -> dg.ResourceDefinition:
    """Let a run claim the files it imports, for as long as it lasts."""

    @dg.resource
    def open_claims(context: dg.InitResourceContext) -> Iterator[RunClaims]:
        run_id = context.run.run_id if context.run else f"no run, process {os.getpid()}"
        with claiming(settings.claims_dir, run_id) as claims:
            yield claims

    return open_claims


def _services(library: Library) -> dg.ResourceDefinition:
    """Open AcoustID and MusicBrainz for a run, when there is a key."""

    @dg.resource(required_resource_keys={"network"})
    def open_lookup(context: dg.InitResourceContext) -> Iterator[Lookup]:
        settings, skip = library.settings, context.resources.network.skip
        with open_services(service_settings(settings), acoustid_key(settings), skip=skip) as lookup:
            yield lookup

    return open_lookup


def _acousticbrainz(library: Library) -> dg.ResourceDefinition:
    """Open AcousticBrainz for a run, when the other services may be asked."""

    @dg.resource(required_resource_keys={"network"})
    def open_classes(context: dg.InitResourceContext) -> Iterator[ClassSource]:
        settings, skip = library.settings, context.resources.network.skip
        with open_acousticbrainz(service_settings(settings), acoustid_key(settings), skip=skip) as classes:
            yield classes

    return open_classes


def _kept_open(library: Library) -> dg.ResourceDefinition:
    """Hand the library to the assets, and keep its database attached as long as the run lasts."""

    @dg.resource
    def open_library(_context: dg.InitResourceContext) -> Iterator[Library]:
        with kept_open(library.database):
            yield library

    return open_library
