"""The address space that commands need, where the system limits it (`ulimit -v`).

Without it a library is not mapped or a thread does not start, each with another error of the dynamic linker or of
Python.
"""

import resource

MEGABYTE = 1_000_000
MIN_MB = {
    "ui": 1800,
    "import": 900,
    "worker": 900,
    "checks": 700,
    "report": 700,
    "join": 650,
    "picture": 650,
    "prune": 650,
    "split": 650,
    "tidy": 650,
    "browse": 500,
    "cluster": 400,
    "scheduler": 400,
}
"""unit=MB: command -> what its libraries map, with Dagster 1.13, PyAV 18.1, NumPy 2.4 and Dask 2026.8. Other commands
need 60. The code server of `ui` starts many threads; with less it never answers, or its sensors fail."""


def read_limit() -> int | None:
    """Return the bytes of address space that this process may have; None: all it wants."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def explain_shortage(command: str, limit: int | None) -> str | None:
    """Return why a command cannot run with `limit` bytes of address space, and what to do; None: it can."""
    needed = MIN_MB.get(command, 0)
    if limit is None or limit >= needed * MEGABYTE:
        return None
    return (
        f"wkmp {command} needs {needed} MB of address space, and this shell or service allows {limit // MEGABYTE} MB. "
        "Raise the limit (`ulimit -v unlimited`, or LimitAS= of the systemd unit), then try again. To limit the memory "
        "of an import, set WKMP_WORKER_MEMORY_MB."
    )
