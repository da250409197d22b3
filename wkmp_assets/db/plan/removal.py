"""The batch that removes a file from the library."""

import json

from wkmp_assets.db.read.removal import Removable
from wkmp_assets.db.tables import listed_copies
from wkmp_assets.model.batch import CopyLink, ExpectedFile, RemovalBatch


def plan_removal(removable: Removable, time: str, *, with_references: bool) -> RemovalBatch:
    """Return the batch that removes a file.

    Parameters
    ----------
    removable : Removable
        As it was just read.
    time : str
        UTC, `YYYY-MM-DD HH:MM:SS`: stamped on the rows of its copies.
    with_references : bool
        Whether rows of other programs that refer to it go as well. If not, one that was added since stops the removal.
    """
    row = removable.file
    return RemovalBatch(
        path=row.path,
        expected=ExpectedFile(row, removable.passages_text),
        passages=removable.passages,
        references=removable.reference_columns,
        with_references=with_references,
        copy_links=tuple(
            CopyLink(copy, json.dumps([guid for guid in listed_copies(copy.matching_hashes) if guid != row.guid]))
            for copy in removable.copies
        ),
        images=removable.images,
        at=time,
    )
