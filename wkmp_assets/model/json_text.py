"""JSON that this program did not write itself, or not today: in a library, in the state folder, in an answer."""

import json
from typing import Any


def parse_json(content: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        It is none, or is nested deeper than Python can follow.
    """
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def parse_object(text: bytes | str | None) -> dict[str, Any] | None:
    """Return the object in a JSON column, empty for NULL and an empty text; None when it holds something else."""
    try:
        found = parse_json(text or "{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
