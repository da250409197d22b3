"""The outcome of one phase of one file as JSON, and files of several such documents, one a line.

A file of documents is one JSON object. Each line of it is a name and a document, so that a document can be replaced or
read without looking at the others, which may be long.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.json_text import parse_json
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.model.values import SCHEMA_VERSION

_BEGINNING_BYTES = 32_768
"""How much of a document to read for its content hash, which comes after a partition key of any length."""
DAMAGED = b""
"""Stands for a document that cannot be read."""
_NAME = json.JSONDecoder()
_HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


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


def is_of(document: bytes, content_hash: str) -> bool:
    """Tell whether a document is of this content, without reading its value, which may be long."""
    return f'"content_hash": "{content_hash}"'.encode() in document[:_BEGINNING_BYTES]


def find_hashes(document: bytes) -> set[str]:
    """Return every SHA-256 that a document mentions, as 64 hex digits."""
    return {match.decode() for match in _HASH.findall(document)}


def join_documents(documents: Mapping[str, bytes]) -> bytes:
    """Return one file of several documents, by name."""
    lines = (json.dumps(name).encode("ascii") + b": " + document for name, document in documents.items())
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def is_whole(content: bytes) -> bool:
    """Tell whether a file of documents has its beginning and its end."""
    return content.startswith(b"{\n") and content.endswith(b"\n}\n")


def split_documents(content: bytes) -> dict[str, bytes]:
    """Return the documents of a file by name, unread. A file that is not whole has none."""
    if not is_whole(content):
        return {}
    documents: dict[str, bytes] = {}
    for line in content[2:-3].split(b"\n"):
        try:
            text = line[:_BEGINNING_BYTES].decode("ascii")
            name, end = _NAME.raw_decode(text)
        except (ValueError, RecursionError):  # damaged; what it names is missing
            continue
        documents[str(name)] = line[end + 2 :].removesuffix(b",")
    return documents
