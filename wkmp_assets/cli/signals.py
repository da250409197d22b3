"""Work that Ctrl-C or SIGTERM stops: the first signal asks for an end, the second ends the process at once."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

_MAX_CLEANUP_S = 1.0
"""unit=s: how long the process may close its databases after the second signal."""


def run_until_stopped(work: Callable[[], object], stop: Callable[[], None]) -> None:
    """Do the work in a thread, so that signals arrive outside the Dagster step.

    Parameters
    ----------
    work : callable
        Its exceptions are raised again here.
    stop : callable
        Called at the first Ctrl-C or SIGTERM; it must make the work end soon. At the second, the process has a second
        to close its databases.

    Raises
    ------
    KeyboardInterrupt
        At the second signal.
    """
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed over to the main thread below
            raised.append(error)

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, _end_at_once)
        stop()

    thread = threading.Thread(target=guarded, name="import", daemon=True)
    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        thread.start()
        while thread.is_alive():
            thread.join(0.1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if raised:
        raise raised[0]


def _end_at_once(_signal: int, _frame: FrameType | None) -> None:
    """Leave by an exception, which closes what is open, and by force when that takes too long."""
    patience = threading.Timer(_MAX_CLEANUP_S, os._exit, (1,))
    patience.daemon = True
    patience.start()
    raise KeyboardInterrupt
