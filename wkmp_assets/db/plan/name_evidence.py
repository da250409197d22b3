"""The evidence for a name, as the library keeps it beside the name.

It is one text: rank, time, and guid of the file, separated by blanks; a line feed; and the name. Of two files' texts
the one with the greater first line is better or newer, whoever compares them and in whatever order they came. The text
includes the name, because a stored name that differs from it was changed by another program, and stays.

Of two texts that the tags of one file gave, the later import's counts, whatever its time, if its rank is as good.
"""

from datetime import timedelta

from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.rows import FileRow
from wkmp_assets.model.timestamps import Stamp, format_timestamp, normalise_timestamp

_TOLERANCE = timedelta(days=1)
"""How far the clock of a music server may be ahead of ours."""


class EvidenceOfFile:
    """Describes the evidence that one file brings.

    Parameters
    ----------
    file : FileRow
        Its tags are as old as its last modification.
    stamp : Stamp
        Time of this import.
    """

    def __init__(self, file: FileRow, stamp: Stamp) -> None:
        self._file_guid = file.guid
        modified_at = normalise_timestamp(file.modification_time)
        self._tagged_at = "" if _is_impossible(modified_at, stamp) else modified_at
        # A clock that is ahead may date a file to the next minute, and its next version must still be newer.
        self._tagged_at = min(self._tagged_at, stamp.text)

    def describe(self, text: str, rank: NameRank, answered_at: str | None) -> str:
        """Return the evidence for a name.

        Parameters
        ----------
        text : str
            The name.
        rank : NameRank
            How good the evidence is.
        answered_at : str or None
            When a service named it; None when the tags do.
        """
        at = self._tagged_at if answered_at is None else answered_at
        return f"{rank:d} {at} {self._file_guid}\n{text}"


def _is_impossible(modified_at: str, stamp: Stamp) -> bool:
    """Tell whether a file's time lies in the future, so that it says nothing about the age of its tags."""
    return modified_at > format_timestamp(stamp.now + _TOLERANCE)


def rank_of(evidence: str) -> str:
    """Return the part by which evidence is compared."""
    return evidence.partition("\n")[0]
