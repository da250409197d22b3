"""The fields of a dataclass as a mapping, without the deep copy of `dataclasses.asdict`."""

from dataclasses import fields
from functools import lru_cache
from typing import Any


def fields_of(value: Any) -> dict[str, Any]:
    """Return the values of a dataclass by field. They are the same objects, so those inside it stay what they are."""
    return {name: getattr(value, name) for name in _names_of(value.__class__)}


@lru_cache(maxsize=64)
def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
