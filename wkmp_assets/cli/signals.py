"""Work that Ctrl-C or SIGTERM stops: the first signal asks for an end, the second ends the process at once."""

import signal
import threading
from collections.abc import Callable
from types import FrameType


def run_until_stopped(work: Callable[[], object], stop: Callable[[], None]) -> None:
    """Do the work in a thread, so that signals arrive outside the Dagster step.

    Parameters
    ----------
    work : callable
        Its exceptions are raised again here.
    stop : callable
        Called at the first Ctrl-C or SIGTERM; it must make the work end soon. The second signal has its usual effect.
    """
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed over to the main thread below
            raised.append(error)

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        stop()

    thread = threading.Thread(target=guarded, name="import", daemon=True)
    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        thread.start()
        while thread.is_alive():
            thread.join(0.5)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if raised:
        raise raised[0]
