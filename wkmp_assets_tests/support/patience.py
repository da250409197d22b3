"""How long tests wait for a certain event, which takes that long only when something hangs."""

import os
import time
from collections.abc import Callable

LESS_PATIENCE = "WKMP_TESTS_PATIENCE_S"
"""Environment variable with another number of seconds, for runs in which an event is known not to happen."""
PATIENCE_S = float(os.environ.get(LESS_PATIENCE, "1800"))
"""Hundreds of times the longest wait on a quiet machine, so that tests pass on a busy one."""


def wait_until(condition: Callable[[], object], what: str | Callable[[], str], *, look_every_s: float = 0.02) -> None:
    """Wait until another thread or process has done something.

    Parameters
    ----------
    condition : callable
        True when it has happened.
    what : str or callable
        The expected event, for the message after `PATIENCE_S`; a callable is called then.
    look_every_s : float
        Seconds between two looks.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what if isinstance(what, str) else what()}"
        time.sleep(look_every_s)
