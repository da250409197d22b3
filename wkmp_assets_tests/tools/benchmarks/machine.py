"""The machine of a benchmark, without which figures cannot be compared."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import av
import psutil
import soundfile

from wkmp_assets_tests.tools.benchmarks.markdown import Table

_PACKAGES = ("av", "soundfile", "pyacoustid", "numpy", "mutagen", "loky", "dagster", "pydantic")


def load_now() -> str:
    """Return the load averages of 1 and 5 minutes."""
    return "{:.2f} / {:.2f}".format(*os.getloadavg())


def describe_machine(loads: list[tuple[str, str]], work_folder: Path) -> Table:
    """Tabulate the machine and the load at named moments of the run."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    codecs = ".".join(str(part) for part in av.library_versions["libavcodec"])
    memory_gb = psutil.virtual_memory().total / 1e9
    rows = [
        ("Measured", f"{datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC"),
        ("CPU", f"{_cpu_model()}, {_usable_cores()} cores usable, {memory_gb:.0f} GB of memory"),
        ("System", f"{platform.system()} {platform.release()}, {_distribution()}"),
        ("Python", f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}"),
        ("Libraries", f"{libraries}; libavcodec {codecs}, libsndfile {soundfile.__libsndfile_version__}"),
        ("Temporary files", f"{work_folder} on {_filesystem(work_folder)}"),
        *[(f"Load (1 / 5 min) {moment}", load) for moment, load in loads],
    ]
    return Table("Machine", ("", ""), rows, is_text=True)


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown distribution")
    except OSError:
        return platform.platform()


def _filesystem(folder: Path) -> str:
    """Name the file system that holds a folder."""
    within = [part for part in psutil.disk_partitions(all=True) if folder.resolve().is_relative_to(part.mountpoint)]
    return max(within, key=lambda part: len(part.mountpoint)).fstype if within else "an unknown file system"
