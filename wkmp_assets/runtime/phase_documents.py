"""The outcome of one phase of one file as JSON."""

import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.json_text import parse_json
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.model.phases import SCHEMA_VERSION


@cache
def _adapter(phase: str) -> TypeAdapter[Any]:
    return TypeAdapter(PHASE_VALUES[phase])


def to_document(phase: str, key: str, outcome: Outcome[Any]) -> bytes:
    """Return an outcome as a JSON document of one line."""
    document: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "phase": phase, "partition": key}
    if isinstance(outcome, Result):
        value = _adapter(phase).dump_python(outcome.value, mode="json")
        document |= {"outcome": "result", "content_hash": outcome.content_hash, "value": value}
    elif isinstance(outcome, Skipped):
        document |= {"outcome": "skipped", "reason": outcome.reason, "detail": outcome.detail}
    else:
        document |= {
            "outcome": "failed",
            "in": outcome.phase,
            "code": outcome.code,
            "message": outcome.message,
        }
    # ASCII with escapes, because JSON has no other form for a file name that is not UTF-8.
    return json.dumps(document).encode("ascii")


def from_document(phase: str, key: str, content: bytes | None) -> Outcome[Any]:
    """Return the outcome of a document.

    A document that is missing (None), damaged or of another version gives `Failed`, whose message says what to run
    again.
    """
    if content is None:
        return _unusable(phase, key, "is missing")
    try:
        document = parse_json(content)
        if document["schema_version"] != SCHEMA_VERSION:
            return _unusable(phase, key, f"has the format of another version ({document['schema_version']})")
        return _from_fields(phase, document)
    except (ValueError, KeyError, TypeError, ValidationError):
        return _unusable(phase, key, "is damaged")


def _from_fields(phase: str, document: dict[str, Any]) -> Outcome[Any]:
    if document["outcome"] == "result":
        return Result(_adapter(phase).validate_python(document["value"]), document["content_hash"])
    if document["outcome"] == "skipped":
        return Skipped(SkipReason(document["reason"]), document["detail"])
    return Failed(document["in"], document["code"], document["message"])


def _unusable(phase: str, key: str, what: str) -> Failed:
    message = f"{key}: the stored result of {phase} {what}; {IMPORT_WITH_FORCE}"
    return Failed(phase, "PHASE_VALUE_UNUSABLE", message)
