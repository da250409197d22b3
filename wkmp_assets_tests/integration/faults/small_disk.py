"""A disk of a few megabytes, in memory, that can be really full or read-only, with ENOSPC and EROFS of the kernel."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from wkmp_assets_tests.support.paths import ROOT

_BALLAST = "ballast"


@dataclass(frozen=True)
class SmallDisk:
    """A mounted tmpfs."""

    path: Path
    """Its path for programs that are started with `prefix`."""
    seen_from_here: Path
    """The same folder for this process. Copy from and to it only: SQLite would follow a link in it to another place."""
    prefix: tuple[str, ...] = ()
    """Prefix of commands that must see the disk."""

    def fill(self, *, free_kb: int = 0) -> None:
        """Fill the disk, except for `free_kb`."""
        usage = shutil.disk_usage(self.seen_from_here)
        (self.seen_from_here / _BALLAST).write_bytes(bytes(usage.free - free_kb * 1024))

    def make_room(self) -> None:
        """Delete the file that filled it."""
        (self.seen_from_here / _BALLAST).unlink()

    def make_read_only(self) -> None:
        """Mount it again, read-only."""
        subprocess.run([*self.prefix, "mount", "-o", "remount,ro", self.path], check=True)


@contextmanager
def small_disk(folder: Path, *, size_mb: int) -> Iterator[SmallDisk]:
    """Mount a disk over a folder, as root or in a user namespace; skip the test where neither is possible."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=0777", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            yield SmallDisk(folder, folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
        return
    with subprocess.Popen(
        [
            "unshare",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            f'{" ".join(mount[:-1])} "$0" && echo mounted && cat',
            folder,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        if holder.stdout.readline() != "mounted\n":
            pytest.skip(
                f"a small disk may be mounted neither as root nor by unshare: {holder.communicate()[1].strip()}"
            )
        enter = ("nsenter", "--target", str(holder.pid), "--user", "--mount", "--preserve-credentials")
        yield SmallDisk(folder, Path(f"/proc/{holder.pid}/root{folder}"), (*enter, "env", f"--chdir={ROOT}"))
        holder.communicate()
