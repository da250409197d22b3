"""A disk of a few megabytes, in memory, that can really be full or read-only: the kernel says ENOSPC and EROFS."""

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
    """Where it is for programs started with `prefix`."""
    seen_from_here: Path
    """The same folder for this process; to copy from and to, for SQLite would follow a link in it to another place."""
    prefix: tuple[str, ...] = ()
    """What to put before a command that is to see the disk."""

    def fill(self, *, free_kb: int = 0) -> None:
        """Leave so much room."""
        usage = shutil.disk_usage(self.seen_from_here)
        (self.seen_from_here / _BALLAST).write_bytes(bytes(usage.free - free_kb * 1024))

    def make_room(self) -> None:
        """Delete what filled it."""
        (self.seen_from_here / _BALLAST).unlink()

    def make_read_only(self) -> None:
        """Mount it again, without the right to write."""
        subprocess.run([*self.prefix, "mount", "-o", "remount,ro", self.path], check=True)


@contextmanager
def small_disk(folder: Path, *, size_mb: int) -> Iterator[SmallDisk]:
    """Mount a disk over a folder: as root, otherwise in a namespace where we are root; skip where neither may be."""
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
