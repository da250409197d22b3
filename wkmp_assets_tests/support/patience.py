"""How long tests wait for what is sure to happen: only something that hangs takes that long."""

import os
import time
from collections.abc import Callable

LESS_PATIENCE = "WKMP_TESTS_PATIENCE_S"
"""Environment: another number of seconds, for runs in which something is known not to happen."""
PATIENCE_S = float(os.environ.get(LESS_PATIENCE, "1800"))
"""Hundreds of times what the slowest takes on a quiet machine: a busy one is no reason to fail."""


def wait_until(condition: Callable[[], object], what: str | Callable[[], str], *, look_every_s: float = 0.02) -> None:
    """Wait for something that another thread or process does.

    Parameters
    ----------
    condition : callable
        True when it has happened.
    what : str or callable
        Said, or made and said, when it has not after `PATIENCE_S`.
    look_every_s : float
        Seconds between two looks.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what if isinstance(what, str) else what()}"
        time.sleep(look_every_s)
