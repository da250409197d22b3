"""The library that makes fingerprints; no Python package carries it.

Importing this module raises `MissingChromaprintError`, with how to install it, where it is missing.
"""

from wkmp_assets.errors import MissingChromaprintError

try:
    import chromaprint
except ImportError as error:  # "couldn't find libchromaprint"
    raise MissingChromaprintError from error

__all__ = ["chromaprint", "library_version"]


def library_version() -> str:
    """Return the version of the library, which decides the fingerprints."""
    said: bytes = chromaprint._libchromaprint.chromaprint_get_version()  # noqa: SLF001 - its module has no name for it
    return said.decode("ascii")
