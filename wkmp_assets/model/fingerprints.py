"""Tell whether two Chromaprint fingerprints come from the same sound."""

import base64
import binascii

MAX_BIT_ERROR = 0.35
"""Share of differing bits. Encodings of one recording stay below it; different recordings differ in about half."""
MAX_SHIFT = 80
"""unit=items of an eighth of a second: silence at the start may have been cut at different places."""
_HEADER_BYTES = 4
_MIN_ITEMS = 16
_ITEM_BITS = 32
_SMALL_BITS, _SMALL_MAX, _LARGE_BITS = 3, 7, 5


def is_same_sound(one: str, other: str) -> bool | None:
    """Tell whether two fingerprints, as AcoustID takes them, come from the same sound.

    Returns
    -------
    bool or None
        None when one of them cannot be read or is too short to tell.
    """
    if one == other:
        return True
    first, second = _items(one), _items(other)
    shortest = min(len(first), len(second))
    if shortest < _MIN_ITEMS:
        return None
    shifts = range(-min(MAX_SHIFT, len(second) - _MIN_ITEMS), min(MAX_SHIFT, len(first) - _MIN_ITEMS) + 1)
    return min(_bit_error(first[max(0, by) :], second[max(0, -by) :]) for by in shifts) <= MAX_BIT_ERROR


def _bit_error(one: list[int], other: list[int]) -> float:
    length = min(len(one), len(other))
    differing = sum((left ^ right).bit_count() for left, right in zip(one, other, strict=False))
    return differing / (length * _ITEM_BITS)


def _items(fingerprint: str) -> list[int]:
    """Decode Chromaprint's compression: distances of set bits, 3 bits each, large ones continued in 5 bits each."""
    try:
        raw = base64.urlsafe_b64decode(fingerprint + "=" * (-len(fingerprint) % 4))
    except (binascii.Error, ValueError):
        return []
    count = int.from_bytes(raw[1:_HEADER_BYTES], "big")
    body = raw[_HEADER_BYTES:]
    small = _fields(body, _SMALL_BITS)
    ends = [number for number, value in enumerate(small) if value == 0]
    if not 0 < count <= len(ends):
        return []
    small = small[: ends[count - 1] + 1]
    large = iter(_fields(body[(len(small) * _SMALL_BITS + 7) // 8 :], _LARGE_BITS))
    items: list[int] = []
    bits = position = 0
    for value in small:
        if value == 0:
            items.append(bits ^ (items[-1] if items else 0))
            bits = position = 0
            continue
        position += value + (next(large, 0) if value == _SMALL_MAX else 0)
        if position > _ITEM_BITS:
            return []
        bits |= 1 << (position - 1)
    return items


def _fields(raw: bytes, width: int) -> list[int]:
    """Split bytes into fields of some bits, the lowest first."""
    packed = "".join(f"{byte:08b}"[::-1] for byte in raw)
    return [int(packed[start : start + width][::-1], 2) for start in range(0, len(packed) - width + 1, width)]
