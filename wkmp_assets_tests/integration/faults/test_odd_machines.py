"""Machines that sleep, whose clock jumps, that have little address space, or whose disk fails in the middle."""

import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from wkmp_assets.cli.address_space import MEGABYTE, MIN_MB
from wkmp_assets_tests.integration.faults.conftest import Reference
from wkmp_assets_tests.integration.faults.extent import full_form
from wkmp_assets_tests.integration.faults.imports import clear_error, succeed
from wkmp_assets_tests.support.library_rows import library_rows, paths_in
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until
from wkmp_assets_tests.support.workplace import Workplace

pytestmark = full_form

SLEEP_S = 20
LITTLE_KB = math.ceil(MIN_MB["import"] * MEGABYTE / 1024)
"""unit=KiB: of address space. Libraries alone map half of it."""
FAKE_CLOCK = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def import_command(place: Workplace) -> list[str]:
    return [sys.executable, "-m", "wkmp_assets.cli.main", "import", str(place.music)]


def wait_for_state(place: Workplace, process: subprocess.Popen[str]) -> None:
    """Wait until workers have measured something, so that the import is in its middle, or has ended."""
    state = place.home / ".wkmp"
    wait_until(lambda: process.poll() is not None or any(state.rglob("*.pcm*")), "a worker decodes")


def test_a_machine_that_sleeps_goes_on(short_place: Workplace, short_library: Reference) -> None:
    process = short_place.start("import", short_place.music)
    wait_for_state(short_place, process)
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(SLEEP_S)
    os.killpg(process.pid, signal.SIGCONT)
    _, error = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, error
    assert library_rows(short_place.database) == library_rows(short_library.databases[0])


@pytest.mark.skipif(FAKE_CLOCK is None, reason="no fake clock (apt-get install faketime)")
@pytest.mark.parametrize("jump", ["-2d", "+400d"])
def test_a_clock_that_jumps_harms_nothing(
    short_place: Workplace, short_library: Reference, tmp_path: Path, jump: str
) -> None:
    now = tmp_path / "now"
    now.write_text("+0d", encoding="ascii")
    short_place.extra |= {
        "LD_PRELOAD": str(FAKE_CLOCK),
        "FAKETIME_TIMESTAMP_FILE": str(now),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    process = short_place.start("import", short_place.music)
    wait_for_state(short_place, process)
    now.write_text(jump, encoding="ascii")
    _, error = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, error
    assert library_rows(short_place.database) == library_rows(short_library.databases[0])
    assert "unchanged" in succeed(short_place.wkmp_process("import", short_place.music))


def test_little_address_space_is_enough(short_place: Workplace, short_library: Reference) -> None:
    limited = ["sh", "-c", f'ulimit -v {LITTLE_KB} && exec "$@"', "sh"]
    succeed(short_place.run([*limited, *import_command(short_place)]))
    assert library_rows(short_place.database) == library_rows(short_library.databases[0])


@contextmanager
def failing_disk(folder: Path, image: Path) -> Iterator[Path]:
    """Mount a real file system that becomes read-only at its first error; yield the file that makes it fail."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("only root can mount a disk that fails, made by mkfs.ext4")
    with image.open("wb") as file:
        file.truncate(200_000_000)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, folder], check=False)
    if mounted.returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        source = subprocess.run(["findmnt", "-n", "-o", "SOURCE", folder], check=True, capture_output=True, text=True)
        yield Path("/sys/fs/ext4") / Path(source.stdout.strip()).name / "trigger_fs_error"
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_fails_in_the_middle_is_no_green_import(
    short_place: Workplace, short_library: Reference, tmp_path: Path
) -> None:
    """Commits do not wait for the disk, so its failure shows when the write-ahead log is emptied."""
    (disk := tmp_path / "disk").mkdir()
    image = tmp_path / "disk.ext4"
    with failing_disk(disk, image) as trigger:
        shutil.copytree(short_place.music, disk / "music")
        os.sync()  # only the library is to be lost
        short_place.music = disk / "music"
        process = short_place.start("import", short_place.music)
        wait_until(lambda: _has_rows(short_place.database), "a file is in the library")
        with suppress(OSError):
            trigger.write_text("the disk fails", encoding="ascii")
        out, err = process.communicate(timeout=PATIENCE_S)
        said = clear_error(subprocess.CompletedProcess([], process.returncode, out, err))
        assert "disk" in said
        subprocess.run(["umount", "--lazy", disk], check=True)
        subprocess.run(["e2fsck", "-fy", image], check=False, capture_output=True)
        subprocess.run(["mount", "-o", "loop", image, disk], check=True)
        succeed(short_place.wkmp_process("import", short_place.music))
        assert paths_in(short_place.database) == paths_in(short_library.databases[0])


def _has_rows(database: Path) -> bool:
    return database.exists() and bool(paths_in(database))
