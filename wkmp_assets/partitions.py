"""The partitions: one per audio file of the library, registered by `library_scan`."""

import dagster as dg

from wkmp_assets.settings import Settings


def partitions_name(settings: Settings) -> str:
    """Return the name of the library's partition set.

    It names the library: one Dagster instance may serve several, and a range `first...last` must not run into
    another one's files.
    """
    return f"audio_files_{settings.library_id}"


def audio_files(settings: Settings) -> dg.DynamicPartitionsDefinition:
    """Return the partitions definition of the library."""
    return dg.DynamicPartitionsDefinition(name=partitions_name(settings))


def backfill_policy(settings: Settings) -> dg.BackfillPolicy:
    """Return how a selection of many files becomes runs.

    Many resumable runs by default; one run for `all`, which `--partition-range` insists on.
    """
    if settings.files_per_run == "all":
        return dg.BackfillPolicy.single_run()
    return dg.BackfillPolicy.multi_run(settings.files_per_run)
