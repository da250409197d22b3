"""Files that wait for their import and have the same size: they may be copies of one another."""

from collections.abc import Iterable, Mapping

from wkmp_assets.model.copy_ranks import rank_copy
from wkmp_assets.model.known_files import FileStat


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
