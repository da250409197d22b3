"""What Dagster's catalog says of every asset beside its description: owner, version, source, page, freshness."""

import warnings
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import cast

import dagster as dg

from wkmp_assets.errors import SettingsError
from wkmp_assets.model.phases import (
    CODE_VERSIONS,
    ENTRY,
    FINGERPRINTS,
    FLAVORS,
    IDENTITY,
    LEAD_POINTS,
    LOOKUPS,
    MATCHES,
    PICTURE,
    REPORT,
    SCAN,
    SEGMENTS,
    TAGS,
)
from wkmp_assets.orchestration.run_tags import tags_of_library
from wkmp_assets.settings import Settings, name_source

_HERE = Path(__file__).resolve()
_CHECKOUT = _HERE.parents[2]

PAGES = {
    SCAN: "docs/guide/ignore.md",
    IDENTITY: "docs/guide/import.md",
    TAGS: "docs/reference/tags.md",
    SEGMENTS: "docs/guide/passages.md",
    FINGERPRINTS: "docs/guide/identify.md",
    LOOKUPS: "docs/guide/identify.md",
    MATCHES: "docs/guide/identify.md",
    LEAD_POINTS: "docs/guide/passages.md",
    FLAVORS: "docs/guide/flavor.md",
    ENTRY: "docs/reference/library_tables.md",
    PICTURE: "docs/guide/pictures.md",
    REPORT: "docs/guide/library.md",
}
"""The page of the documentation that explains an asset."""

_IS_QUIET = ~dg.AutomationCondition.any_deps_updated() & ~dg.AutomationCondition.any_deps_in_progress()
_IS_OLD = dg.AutomationCondition.freshness_warned() | dg.AutomationCondition.freshness_failed()
_IS_DUE = dg.AutomationCondition.any_deps_updated() | _IS_OLD.newly_true()
WHEN_IMPORTS_END = (
    _IS_DUE.since_last_handled()  # type: ignore[misc] # it is annotated for assets and checks together
    & _IS_QUIET
    & ~dg.AutomationCondition.in_progress()
).with_label("imports have ended, or the report is getting old")
"""When the report is written by itself: once after any number of runs, because it reads the whole library.

Dagster's own `eager()` waits for all partitions, so one file that cannot be imported would put it off for ever.
"""


def describe_asset(spec: dg.AssetSpec, settings: Settings) -> dg.AssetSpec:
    """Return the specification of an asset with what the catalog says of it.

    Raises
    ------
    SettingsError
        Dagster does not accept an owner or a tag.
    """
    name = spec.key.path[-1]
    try:
        return spec.replace_attributes(
            owners=list(settings.owner_names),
            tags={**spec.tags, **settings.asset_tag_values},
            code_version=CODE_VERSIONS.get(name),
            metadata={**spec.metadata, **_link_page(name, settings)},
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise SettingsError(f"{name_source('owners')} or {name_source('asset_tags')}: {error}") from error


def describe_report(spec: dg.AssetSpec, settings: Settings) -> dg.AssetSpec:
    """Return the specification of the report: how old it may be, and when it is written by itself."""
    limit = timedelta(days=settings.fresh_days)
    return spec.replace_attributes(
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=limit, warn_window=limit * 0.9),
        automation_condition=WHEN_IMPORTS_END,
    )


@cache
def linked_to_source(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """Return an asset of this package with a link to its source on this machine; Dagster reads the file for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # two for each asset, on the terminal of every command
        (linked,) = dg.with_source_code_references([asset])
    return cast("dg.AssetsDefinition", linked)


def link_to_repository(assets: Sequence[dg.AssetsDefinition], settings: Settings) -> Sequence[dg.AssetsDefinition]:
    """Return the assets with links to their source in the repository that a setting names, if it names one.

    Raises
    ------
    SettingsError
        The address is not one of GitHub or GitLab.
    """
    if settings.repository_url is None:
        return assets
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        mapping = dg.AnchorBasedFilePathMapping(_HERE, _HERE.relative_to(_CHECKOUT).as_posix())
        try:
            linked = dg.link_code_references_to_git(
                assets, settings.repository_url, settings.repository_branch, mapping
            )
        except ValueError as error:
            raise SettingsError(f"{name_source('repository_url')} is {settings.repository_url}: {error}") from error
    return [asset for asset in linked if isinstance(asset, dg.AssetsDefinition)]


def automation_sensor(settings: Settings) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that writes the report when imports have ended. With WKMP_WATCH it runs from the start."""
    return dg.AutomationConditionSensorDefinition(
        "report_sensor",
        target=dg.AssetSelection.assets(REPORT),
        default_status=dg.DefaultSensorStatus.RUNNING if settings.watch else dg.DefaultSensorStatus.STOPPED,
        run_tags=tags_of_library(settings),
        description="Writes the library report again when imports have ended, and when it is nearly as old as "
        "WKMP_FRESH_DAYS allows.",
    )


def _link_page(asset: str, settings: Settings) -> dict[str, dg.MetadataValue[str]]:
    page = PAGES[asset]
    if settings.repository_url is not None:
        address = f"{settings.repository_url.rstrip('/')}/blob/{settings.repository_branch}/{page}"
        return {"documentation": dg.MetadataValue.url(address)}
    path = _CHECKOUT / page
    return {"documentation": dg.MetadataValue.path(path)} if path.is_file() else {}
