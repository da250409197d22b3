"""The flavors of a library as arrays, kept in the state folder. They are made again wherever they are not whole."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wkmp_assets.errors import StateDiskError
from wkmp_assets.model.flavor_table import FlavorGroup, FlavorTable, Shape
from wkmp_assets.model.json_text import parse_json
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.state_files import read_state_file

_SHAPES = "shapes"


def read_flavor_cache(path: Path, digest_bytes: int) -> FlavorTable:
    """Read the flavors that a state folder keeps; none where the file is absent, damaged or another program's."""
    try:
        content = read_state_file(path)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            shapes = parse_json(arrays[_SHAPES].tobytes().decode())
            return FlavorTable(
                _group(_shape(shape), arrays[f"digests_{number}"], arrays[f"numbers_{number}"], digest_bytes)
                for number, shape in enumerate(shapes)
            )
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        return FlavorTable()


def _shape(stored: list[tuple[str, list[str]]]) -> Shape:
    return tuple((str(name), tuple(map(str, values))) for name, values in stored)


def _group(shape: Shape, digests: NDArray[Any], numbers: NDArray[Any], size: int) -> FlavorGroup:
    width = sum(len(values) for _, values in shape)
    is_right = digests.dtype == np.uint8 and numbers.dtype == np.float32
    if not is_right or digests.shape[1:] != (size,) or numbers.shape != (len(digests), width):
        raise ValueError("not the arrays of a flavor cache")
    packed = digests.tobytes()
    split = tuple(packed[at : at + size] for at in range(0, len(packed), size))
    return FlavorGroup(shape, split, numbers)


def write_flavor_cache(path: Path, table: FlavorTable) -> None:
    """Keep flavors. A full disk, or a folder that may not be written to, is no error: they are parsed again then."""
    buffer = io.BytesIO()
    arrays: dict[str, NDArray[Any]] = {
        _SHAPES: np.frombuffer(json.dumps([group.shape for group in table.groups]).encode(), np.uint8)
    }
    for number, group in enumerate(table.groups):
        arrays[f"digests_{number}"] = np.frombuffer(b"".join(group.digests), np.uint8).reshape(len(group.digests), -1)
        arrays[f"numbers_{number}"] = group.numbers
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # its stubs take keywords for options
    try:
        write_atomically(path, buffer.getvalue())
    except StateDiskError:
        return
