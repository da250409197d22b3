"""Files that wait for their import and have the same size: they may be copies of one another."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from wkmp_assets.files.hashing import open_without_waiting
from wkmp_assets.model.copy_ranks import rank_copy
from wkmp_assets.model.known_files import FileStat

SAMPLE_BYTES = 4096


def read_sample(path: Path, size_bytes: int) -> bytes | None:
    """Return some bytes of a file, in which files of the same size differ when they are no copies of one another.

    Parameters
    ----------
    path : Path
        The file.
    size_bytes : int
        Its size. The sample is taken from the middle, because formats begin alike.

    Returns
    -------
    bytes or None
        At most `SAMPLE_BYTES`; None when the file cannot be read.
    """
    try:
        with open(path, "rb", buffering=0, opener=open_without_waiting) as file:
            file.seek(size_bytes // 2)
            return file.read(SAMPLE_BYTES)
    except OSError:
        return None


def group_equal_sizes(found: Mapping[str, FileStat], waiting: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of two or more files of the same size, the best path of each first.

    Parameters
    ----------
    found : mapping of str to FileStat
        Relative path -> size and time on disk.
    waiting : iterable of str
        Paths of new and changed files. The choice among files in the library is made already.
    """
    by_size: dict[int, list[str]] = {}
    for path in waiting:
        by_size.setdefault(found[path].size_bytes, []).append(path)
    groups = (sorted(paths, key=rank_copy) for paths in by_size.values() if len(paths) > 1)
    return tuple(sorted(map(tuple, groups)))
