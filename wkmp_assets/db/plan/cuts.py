"""Keep the passages of a file that a person cut or joined, whatever boundaries an import finds."""

from dataclasses import replace

from wkmp_assets.db.read.file_state import LibraryState
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, merge_warnings
from wkmp_assets.model.ticks import TICKS_PER_SECOND

MAX_LENGTH_CHANGE_TICKS = TICKS_PER_SECOND
"""Another encoding of the same sound is no longer or shorter than this."""


def follow_cuts(entry: FileEntry, state: LibraryState) -> tuple[FileEntry, LibraryState]:
    """Return the entry and state of a file as they count when a person has cut it.

    All passages of such a file stay as they are, and the import's are left out. When the file has another length than
    before, it has another sound: the cuts are given up with a warning.
    """
    if not any(passage.is_cut for passage in state.passages):
        return entry, state
    before = state.owner.duration_ticks if state.owner else None
    is_same = state.owner is not None and state.owner.hash == entry.identity.content_hash
    if not is_same and abs((entry.duration_ticks or 0) - (before or 0)) > MAX_LENGTH_CHANGE_TICKS:
        lost = FileWarning(
            WarningKind.LOST_SONG,
            "The passages that a person cut or joined are gone, because the file has another length now; cut it again.",
        )
        passages = tuple(replace(passage, is_cut=False) for passage in state.passages)
        return replace(entry, warnings=merge_warnings(entry.warnings, (lost,))), replace(state, passages=passages)
    return replace(entry, passages=()), replace(
        state, passages=tuple(replace(passage, is_cut=True) for passage in state.passages)
    )
