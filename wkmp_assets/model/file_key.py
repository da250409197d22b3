"""Partition keys: the file's path relative to the library root, readable and reversible.

Only characters that Dagster or its web UI cannot handle are percent-encoded: `Artist/Album/01 Title.flac` stays as it
is. A key is never used as a file name.
"""

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from wkmp_assets.errors import PartitionKeyError

# Commas and brackets separate keys in the lists of the web UI and of the command line, and quotes and bars end them.
# `...` is the range operator and `*` a wild card. Control characters break logs. Lone surrogates stand for bytes that
# are not UTF-8.
_UNSAFE = re.compile(r'[%,"\[\]|*\x00-\x1f\x7f-\x9f\u2028\u2029\udc80-\udcff]|^/|(?<=\.\.)\.')
_MAX_DECODED = 1000
"""A run decodes each of its keys fifteen times."""


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogateescape"))


def encode_key(relative_path: str) -> str:
    """Turn a path relative to the library root into a partition key.

    Parameters
    ----------
    relative_path : str
        With `/` separators; undecodable bytes as lone surrogates (`os.fsdecode`).

    Returns
    -------
    str
        Valid UTF-8 without control characters and without `...`.
    """
    return _UNSAFE.sub(_percent, relative_path)


@lru_cache(maxsize=_MAX_DECODED)
def decode_key(key: str) -> str:
    """Turn a partition key back into the relative path.

    Raises
    ------
    PartitionKeyError
        The key leads out of the library (absolute, or with a `..` part): anyone who reaches the web UI can type a key.
        Or it spells a path in a second way (`./a`, `a//b`): one file must not have two partitions.
    """
    path = unquote_to_bytes(key).decode("utf-8", "surrogateescape")
    if path.startswith("/") or "\0" in path or any(part in {"", ".", ".."} for part in path.split("/")):
        raise PartitionKeyError(
            f"partition key {key!r} is not a path inside the music folder; use the key that Dagster lists for the file"
        )
    return path


def storable_path(key: str) -> str:
    """Return the path of a partition as the library stores it: the key itself when the path is not UTF-8."""
    path = decode_key(key)
    return path if is_utf8(path) else key


def storable(path: str) -> str:
    """Return a path as the library stores it: its key when it is not UTF-8."""
    return path if is_utf8(path) else encode_key(path)


def is_utf8(relative_path: str) -> bool:
    """Tell whether a path is UTF-8, which the library requires."""
    try:
        relative_path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_within(path: str, folder: str) -> bool:
    """Tell whether a relative path lies in a relative folder; everything lies in `""` and in `"."`."""
    return folder in {"", "."} or path.startswith(f"{folder}/")
