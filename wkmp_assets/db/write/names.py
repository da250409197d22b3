"""Decide whether a new name replaces a stored one: functions that the statements of the transaction call.

See Also
--------
wkmp_assets.db.plan.name_evidence : what the evidence for a name is.
"""

import sqlite3

from wkmp_assets.model.name_ranks import NameRank

_GUID_CHARACTERS = 36


def create_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions `kept_name` and `kept_evidence`, which the conflict clauses of names call."""
    connection.create_function("kept_name", 4, keep_name, deterministic=True)
    connection.create_function("kept_evidence", 4, keep_evidence, deterministic=True)


def keep_name(
    stored: bytes | str | None, kept: bytes | str | None, new: str | None, evidence: str | None
) -> str | None:
    """Return the name that a row has after a conflict.

    Parameters
    ----------
    stored, kept : bytes or str or None
        The name in the library, and the evidence for it; as bytes, because they need not be UTF-8.
    new, evidence : str or None
        The name that this import found, and the evidence for it.
    """
    stored, kept = _text(stored), _text(kept)
    return new if _is_better(stored, kept, new, evidence) else stored


def keep_evidence(
    stored: bytes | str | None, kept: bytes | str | None, new: str | None, evidence: str | None
) -> str | None:
    """Return the evidence that a row has after a conflict; the parameters are those of `keep_name`.

    When the tags that gave the stored name give a worse one now, the name stays, because other files may say the same.
    Its evidence keeps the rank without time and file, so that anything as good replaces it.
    """
    stored, kept = _text(stored), _text(kept)
    if _is_better(stored, kept, new, evidence):
        return evidence
    if kept and evidence and _is_given_up(stored, kept, evidence):
        return kept[:2] + kept[_end_of_first_line(kept) - 1 :]
    return kept


def _text(stored: bytes | str | None) -> str | None:
    """Return a stored text; what is not UTF-8 counts as nothing."""
    try:
        return stored.decode() if isinstance(stored, bytes) else stored
    except UnicodeDecodeError:
        return None


def _is_better(stored: str | None, kept: str | None, new: str | None, evidence: str | None) -> bool:
    """Tell whether a new name replaces the stored one.

    A name without evidence is of an older version, or of another program: a tag of its own or a service replaces it.
    The time only tells files apart: a file from an older backup has an older time, and says something else now.
    """
    if new is None or evidence is None or stored is None:
        return new is not None and stored is None
    if kept is None:
        return evidence >= f"{NameRank.TAG:d}"
    if evidence == kept or not _is_ours(stored, kept):
        return False
    if evidence[: _end_of_first_line(evidence)] >= kept[: _end_of_first_line(kept)]:
        return True
    return evidence[:1] == kept[:1] and _is_of_same_tags(kept, evidence)


def _is_given_up(stored: str | None, kept: str, evidence: str) -> bool:
    """Tell whether the tags that gave the stored name give a worse one now."""
    return evidence[:1] < kept[:1] and _is_ours(stored, kept) and _is_of_same_tags(kept, evidence)


def _is_ours(stored: str | None, kept: str) -> bool:
    """Tell whether a name is still what the import wrote. Any other is somebody else's and stays."""
    return stored == kept[_end_of_first_line(kept) :]


def _is_of_same_tags(kept: str, evidence: str) -> bool:
    """Tell whether the tags of one file gave both, so that the new ones are the present ones."""
    return kept < f"{NameRank.ACOUSTID:d}" and _file_of(evidence) == _file_of(kept)


def _file_of(evidence: str) -> str:
    end = _end_of_first_line(evidence) - 1
    return evidence[max(end - _GUID_CHARACTERS, 0) : max(end, 0)]


def _end_of_first_line(evidence: str) -> int:
    """Return the index behind the first line feed; 0 without one."""
    return evidence.find("\n") + 1
