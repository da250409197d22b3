"""SQLite's write lock, counted from the kernel's calls, not from our receipts."""

import re
import shutil
import sys

import pytest

from wkmp_assets_tests.support.library_rows import paths_in
from wkmp_assets_tests.support.workplace import Workplace

_SHARED_MEMORY_LOCK = re.compile(
    r"fcntl\(\d+<[^>]*wkmp\.db-shm>, F_SETLKW?, "
    r"\{l_type=F_WRLCK, l_whence=SEEK_SET, l_start=(\d+), l_len=(\d+)[^}]*\}\) = 0"
)
_WRITE_LOCK_BYTE = 120
"""Offset of WAL_WRITE_LOCK in the -shm file (SQLite's file format, section 2.3.1 of the WAL-index format)."""
_RECOVERY = (121, 2)
"""Locked right after the write lock when a connection is the first of all and builds the index."""


def write_locks(trace: str) -> tuple[int, int]:
    """Return how often the write lock was taken: for writing, and for building the index."""
    locks = [(int(start), int(length)) for start, length in _SHARED_MEMORY_LOCK.findall(trace)]
    taken = [number for number, (start, length) in enumerate(locks) if start <= _WRITE_LOCK_BYTE < start + length]
    building = [number for number in taken if locks[number + 1 : number + 2] == [_RECOVERY]]
    return len(taken) - len(building), len(building)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (apt-get install strace)")
def test_the_kernel_sees_one_write_lock_per_file(workplace: Workplace) -> None:
    trace, folder = workplace.home / "trace.txt", workplace.music / "Unsorted"
    assert workplace.wkmp("import", folder).returncode == 0
    files = len(paths_in(workplace.database))
    assert files == 3
    strace = ["strace", "-f", "--seccomp-bpf", "-y", "-e", "trace=fcntl", "-o", str(trace)]
    result = workplace.run([*strace, sys.executable, "-m", "wkmp_assets.cli.main", "import", str(folder), "--force"])
    assert result.returncode == 0, result.stderr
    for_writing, for_building = write_locks(trace.read_text(encoding="utf-8", errors="replace"))
    assert for_writing == files + 1, "one per file, and one to empty the log when all are written"
    assert for_building == 2, "once to check the library that is found, and once when the import attaches to it"
