"""Build the definitions of the code location from settings. Tests and the command line build their own."""

from collections.abc import Mapping

import dagster as dg

from wkmp_assets.identify.open_lookups import open_class_lookup, open_recording_lookup
from wkmp_assets.orchestration.alerts import alert_sensors
from wkmp_assets.orchestration.assets.file_picture import file_picture
from wkmp_assets.orchestration.assets.fingerprints import fingerprints
from wkmp_assets.orchestration.assets.flavors import flavors
from wkmp_assets.orchestration.assets.identity import file_identity
from wkmp_assets.orchestration.assets.lead_points import lead_points
from wkmp_assets.orchestration.assets.library_entry import library_entry
from wkmp_assets.orchestration.assets.library_report import library_report
from wkmp_assets.orchestration.assets.lookups import recording_lookups
from wkmp_assets.orchestration.assets.scan import library_scan
from wkmp_assets.orchestration.assets.segments import passage_segments
from wkmp_assets.orchestration.assets.song_matches import song_matches
from wkmp_assets.orchestration.assets.tags import file_tags
from wkmp_assets.orchestration.catalog import (
    automation_sensor,
    describe_asset,
    describe_report,
    link_to_repository,
    linked_to_source,
)
from wkmp_assets.orchestration.checks.failures import files_imported
from wkmp_assets.orchestration.checks.identification import classes_complete, lookups_complete, passages_identified
from wkmp_assets.orchestration.checks.lead_points import lead_points_plausible
from wkmp_assets.orchestration.checks.library_rows import stored_rows
from wkmp_assets.orchestration.checks.receipts import commit_receipts
from wkmp_assets.orchestration.checks.scanned_files import scanned_files_imported
from wkmp_assets.orchestration.checks.songs import passages_have_songs
from wkmp_assets.orchestration.io_managers import PhaseStoreIOManager, PictureIOManager, SqliteBatchIOManager
from wkmp_assets.orchestration.jobs import jobs_of_library
from wkmp_assets.orchestration.library_tables import describe_entry, table_specs
from wkmp_assets.orchestration.partitions import audio_files, backfill_policy
from wkmp_assets.orchestration.resources import (
    Library,
    Network,
    claims_resource,
    library_resource,
    lookup_resource,
    workers_resource,
)
from wkmp_assets.orchestration.schedules import schedules
from wkmp_assets.orchestration.sensors import new_files_sensor
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings, load_settings

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
    """Return the definitions of the code location.

    Parameters
    ----------
    settings : Settings, optional
        Default: from the environment.
    control : RunControl, optional
        Reports progress and stops an import. The command line passes its own.
    resource_overrides : mapping of str to object, optional
        Resources to replace, by name.
    """
    settings = settings or load_settings()
    control = control or RunControl()
    library = Library(settings)
    partitions, policy = audio_files(settings), backfill_policy(settings)

    def described(spec: dg.AssetSpec) -> dg.AssetSpec:
        return describe_asset(spec, settings)

    def per_file(spec: dg.AssetSpec) -> dg.AssetSpec:
        whole = describe_entry(described(spec)) if spec.key == library_entry.key else described(spec)
        return whole.replace_attributes(partitions_def=partitions)

    def report(spec: dg.AssetSpec) -> dg.AssetSpec:
        return describe_report(described(spec), settings)

    assets = [
        linked_to_source(library_scan).map_asset_specs(described),
        *(
            linked_to_source(asset).map_asset_specs(per_file).with_attributes(backfill_policy=policy)
            for asset in PER_FILE_ASSETS
        ),
        linked_to_source(library_report).map_asset_specs(report),
    ]
    resources: dict[str, object] = {
        "library": library_resource(library),
        "claims": claims_resource(settings),
        "network": Network.configure_at_launch(),
        "services": lookup_resource(library, open_recording_lookup, control),
        "acousticbrainz": lookup_resource(library, open_class_lookup, control),
        "workers": workers_resource(settings, control),
        "phase_store": PhaseStoreIOManager(library),
        "pictures": PictureIOManager(library),
        "library_db": SqliteBatchIOManager(library, control),
    }
    return dg.Definitions(
        assets=[*link_to_repository(assets, settings), *table_specs(settings)],
        asset_checks=[
            lookups_complete,
            passages_identified,
            classes_complete,
            files_imported,
            commit_receipts,
            stored_rows,
            lead_points_plausible,
            passages_have_songs,
            scanned_files_imported,
        ],
        jobs=jobs_of_library(settings),
        sensors=[new_files_sensor(settings), automation_sensor(settings), *alert_sensors(settings)],
        schedules=schedules(settings),
        resources={**resources, **(resource_overrides or {})},
        # The worker processes inside a step run in parallel. A process for each step would only add start-up time.
        executor=dg.in_process_executor,
    )
