"""Tags of a run that the web UI shows beside it: its files, who requested it, and its result."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

import dagster as dg

from wkmp_assets.model.outcomes import SkipReason
from wkmp_assets.report.partition_metadata import FAILED
from wkmp_assets.settings import Settings

LIBRARY_TAG = "wkmp/library"
"""The id of the run's library, because one Dagster instance may serve several."""
FILES_TAG = "wkmp/files"
"""Number of files that need the run."""
REQUESTED_BY_TAG = "wkmp/requested_by"
"""The sensor or schedule that requested the run."""
FOLDERS_TAG = "wkmp/folders"
"""The first folders of its files, and the number of further ones."""
RESULT_TAG = "wkmp/result"
"""Files by result, in the words of the summary."""
CLUSTER_TAG = "wkmp/cluster"
"""Address of the cluster's page, where other machines measure the files."""

FAILED_IN_TAG = "wkmp/failed_in"
"""The phase in which the file failed, and the run that tried to import it."""

MAX_FOLDERS = 3


def tags_of_library(settings: Settings) -> dict[str, str]:
    """Return the tag that names the library of a run."""
    return {LIBRARY_TAG: settings.library_id}


def is_of_library(run: dg.DagsterRun, settings: Settings) -> bool:
    """Tell whether a run is of this library. One that does not say so may be, as may all runs of earlier versions."""
    return run.tags.get(LIBRARY_TAG, settings.library_id) == settings.library_id


def tags_of_files(keys: Collection[str], present: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that describe the files of a run.

    Parameters
    ----------
    keys : collection of str
        Its partition keys.
    present : mapping of str to str
        Tags that the run has; they are not replaced, because the requester knows which files need the run.
    """
    folders = sorted({str(PurePosixPath(key).parent) for key in keys})
    named, more = folders[:MAX_FOLDERS], len(folders) - MAX_FOLDERS
    said = ", ".join("the library's top folder" if folder == "." else folder for folder in named)
    found = {FILES_TAG: str(len(keys)), FOLDERS_TAG: f"{said} and {more} more" if more > 0 else said}
    return {name: text for name, text in found.items() if name not in present}


def tags_of_cluster(page: str | None) -> dict[str, str]:
    """Return the tag with the page of the cluster that measures a run's files; none where there is no such page."""
    return {CLUSTER_TAG: page} if page else {}


def tags_of_results(results: Iterable[str]) -> dict[str, str]:
    """Return the tag with the results of a run's files: `16 imported, 1 duplicate, 1 failed`."""
    counts = Counter(results).most_common()
    return {RESULT_TAG: ", ".join(f"{count} {result}" for result, count in counts)} if counts else {}


def tags_of_failure(phase: str, run_id: str) -> dict[str, str]:
    """Return the tags of a run that stands for one failed file: the phase in which it failed, and the importing run."""
    return {FILES_TAG: "1", FAILED_IN_TAG: f"{phase}, in run {run_id}", **tags_of_results([FAILED])}


def was_interrupted(tags: Mapping[str, str]) -> bool:
    """Tell by the tags of a finished run whether it was stopped before it imported all of its files."""
    return SkipReason.INTERRUPTED in tags.get(RESULT_TAG, "")
