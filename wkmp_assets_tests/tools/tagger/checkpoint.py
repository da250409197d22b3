"""Read the tensors of a TensorFlow checkpoint (version 2) without TensorFlow.

The index is a table of LevelDB: blocks of keys that share prefixes, found through a footer. Each value is a
`BundleEntryProto`, which says where in the data file a tensor lies. Sources: `table_format.md` of LevelDB, and
`tensor_bundle.proto` of TensorFlow.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOOTER_BYTES = 48
MAGIC = 0xDB4775248B80FB57
DT_FLOAT = 1
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class _Entry:
    dtype: int
    shape: tuple[int, ...]
    offset: int
    size: int


def read_checkpoint(index_path: Path, data_path: Path) -> dict[str, NDArray[np.float32]]:
    """Return all float tensors by their names.

    Raises
    ------
    ValueError
        The index is no uncompressed LevelDB table.
    """
    data = data_path.read_bytes()
    entries = {key.decode(): _entry(value) for key, value in _table(index_path.read_bytes()) if key}
    return {
        name: np.frombuffer(data, "<f4", entry.size // 4, entry.offset).reshape(entry.shape)
        for name, entry in entries.items()
        if entry.dtype == DT_FLOAT
    }


def _table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = content[-FOOTER_BYTES:]
    if struct.unpack("<Q", footer[-8:])[0] != MAGIC:
        raise ValueError("the index is no LevelDB table")
    _, position = _handle(footer, 0)
    index, _ = _handle(footer, position)
    for _, value in _block(content, *index):
        yield from _block(content, *_handle(value, 0)[0])


def _handle(content: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = _varint(content, position)
    size, position = _varint(content, position)
    return (offset, size), position


def _block(content: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if content[offset + size] != 0:
        raise ValueError("the index is compressed")
    block = content[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    end = size - 4 - 4 * restarts
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        unshared, position = _varint(block, position)
        length, position = _varint(block, position)
        key = key[:shared] + block[position : position + unshared]
        position += unshared
        yield key, block[position : position + length]
        position += length


def _varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a protocol buffer as numbers and bytes."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == VARINT:
            value, position = _varint(message, position)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            length, position = _varint(message, position)
        else:
            length = {FIXED64: 8, FIXED32: 4}[kind]
        yield tag >> 3, message[position : position + length]
        position += length


def _entry(message: bytes) -> _Entry:
    numbers = {number: value for number, value in _fields(message) if isinstance(value, int)}
    shapes = [value for number, value in _fields(message) if number == 2 and isinstance(value, bytes)]
    dimensions = [value for shape in shapes for number, value in _fields(shape) if number == 2]
    shape = tuple(dict(_fields(one)).get(1, 0) for one in dimensions if isinstance(one, bytes))
    return _Entry(numbers.get(1, 0), tuple(int(size) for size in shape), numbers.get(4, 0), numbers.get(5, 0))
