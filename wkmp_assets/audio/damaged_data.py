"""What libraries raise that parse files in Python and do not expect damage."""

import struct
import zlib

RAISED_BY_PARSERS = (
    OSError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""Provoked by bad lengths, bad texts, and compressed or nested data. Libraries add errors of their own."""
