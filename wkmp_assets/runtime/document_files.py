"""Files of several JSON documents, one a line: of the phases of one partition, or of the partitions of one phase.

A file of documents is one JSON object. Each line of it is a name and a document, so that a document can be replaced or
read without looking at the others, which may be long.
"""

import json
import re
from collections.abc import Mapping

_BEGINNING_BYTES = 32_768
"""How much of a document to read for its content hash, which comes after a partition key of any length."""
DAMAGED = b""
"""Stands for a document that cannot be read."""
_NAME = json.JSONDecoder()
_HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


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
