"""The tags of a run: what it carries, who asked for it, what came of it. In the web UI they stand beside every run."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

FILES_TAG = "wkmp/files"
"""How many files that need the run it carries."""
REASON_TAG = "wkmp/requested_by"
"""The sensor or schedule that asked for a run."""
FOLDERS_TAG = "wkmp/folders"
"""Whose files they are: the first few folders, and how many more."""
RESULT_TAG = "wkmp/result"
"""What became of the files, in the words of the summary."""

FOLDERS_NAMED = 3


def tags_of_files(keys: Collection[str], present: Mapping[str, str]) -> dict[str, str]:
    """Say what a run carries.

    Parameters
    ----------
    keys : collection of str
        Its partition keys.
    present : mapping of str to str
        The tags it has; whoever asked for the run knows better how many of its files need it.
    """
    folders = sorted({str(PurePosixPath(key).parent) for key in keys})
    named, more = folders[:FOLDERS_NAMED], len(folders) - FOLDERS_NAMED
    said = ", ".join("the library's own folder" if folder == "." else folder for folder in named)
    found = {FILES_TAG: str(len(keys)), FOLDERS_TAG: f"{said} and {more} more" if more > 0 else said}
    return {name: text for name, text in found.items() if name not in present}


def tags_of_results(results: Iterable[str]) -> dict[str, str]:
    """Say what became of a run's files: `16 imported, 1 duplicate, 1 failed`."""
    counts = Counter(results).most_common()
    return {RESULT_TAG: ", ".join(f"{count} {result}" for result, count in counts)} if counts else {}
