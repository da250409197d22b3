"""What the last scan found, for `wkmp status`.

It is read without pydantic, which takes longer to load than a library to read.
"""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from wkmp_assets.model.json_text import parse_json
from wkmp_assets.model.library_changes import LibraryChanges, PassedOver
from wkmp_assets.model.phases import SCAN, SCHEMA_VERSION
from wkmp_assets.runtime.bundles import BundleFolder


def read_last_scan(folder: Path) -> LibraryChanges | None:
    """Return what the phase store in a folder has of the last scan.

    None before the first scan, and when what it found cannot be used: damaged, of another version, or no result.
    """
    content = BundleFolder(folder).read_one(SCAN, SCAN)
    try:
        document = parse_json(content or b"")
        if document["schema_version"] != SCHEMA_VERSION or document["outcome"] != "result":
            return None
        stored: dict[str, Any] = document["value"]
        found: dict[str, Any] = {
            field.name: _read(field.name, stored[field.name])
            for field in fields(LibraryChanges)
            if field.name in stored
        }
        return LibraryChanges(**found)
    except (ValueError, KeyError, TypeError):
        return None


def _read(name: str, value: Any) -> Any:
    reader: Callable[[Any], Any] = _READ.get(name, _texts)
    return reader(value)


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"not of the type {kind.__name__}")
    return value


def _text(value: Any) -> str:
    return str(_of(str, value))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, _of(list, value)))


def _patterns(value: Any) -> tuple[PassedOver, ...]:
    return tuple(map(_pattern, _of(list, value)))


def _pattern(value: Any) -> PassedOver:
    return PassedOver(
        _text(value["pattern"]),
        _text(value.get("source", "")),
        _of(int, value.get("folder_count", 0)),
        _of(int, value.get("file_count", 0)),
    )


def _counts(value: Any) -> dict[str, int]:
    return {name: _of(int, count) for name, count in _of(dict, value).items()}


_READ: dict[str, Callable[[Any], Any]] = {"folder": _text, "patterns": _patterns, "unread_formats": _counts}
"""Fields that are no tuple of texts."""
