"""Whether an Ogg file ends within a page.

Ogg states no length, but each page states its size, so the last page of a download that stopped is incomplete.

References
----------
RFC 3533, section 6: the Ogg page format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_PAGE_BYTES = 27 + 255 + 255 * 255
_MAGIC = b"OggS\0"
"""With the only version that there is."""
_HEADER_BYTES = 27
"""The last of them counts the segments, whose sizes follow."""


def ends_within_page(path: Path) -> bool:
    """Tell whether an Ogg file ends before its last page does; False when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - MAX_PAGE_BYTES))
            tail = file.read(MAX_PAGE_BYTES)
    except OSError:  # the decode says whether the file can be read
        return False
    page = tail.rfind(_MAGIC)
    if page < 0:
        return False
    sizes = page + _HEADER_BYTES
    if len(tail) < sizes:
        return True
    content = sizes + tail[sizes - 1]
    return len(tail) < content + sum(tail[sizes:content])
