"""Events of assets that wait to be stored together.

A run of 50 files records a thousand events of assets, nearly all in rows of their own kind: those that are planned when
the run is created, and those that are materialized when an output has been handled. Stored one by one they are most of
the cost of orchestration, because each one is two transactions and reads the tables' columns again.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from dagster._core.events.log import EventLogEntry

from wkmp_assets.errors import in_one_line
from wkmp_assets.orchestration.instance.event_json import asset_of

MAX_WAIT_S = 0.5
"""unit=s: a person who watches a run sees its events within a second."""
MAX_EVENTS = 1_000
"""An event takes a few kilobytes of memory."""

_LOG = logging.getLogger(__name__)


class EventBatch:
    """Collects events of one run, and hands them over when it is told to, when it is full, or after `MAX_WAIT_S`.

    Parameters
    ----------
    store : callable
        Stores the events that it gets, all or none. They are of one run.
    """

    def __init__(self, store: Callable[[list[EventLogEntry]], None]) -> None:
        self._store = store
        self._events: list[EventLogEntry] = []
        self._assets: set[str] = set()
        # One thread may flush again while it stores, because storing opens connections, which flushes.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def add(self, event: EventLogEntry) -> None:
        """Add an event behind all others. Those of another run are handed over first."""
        with self._lock:
            if self._events and self._events[-1].run_id != event.run_id:
                self.flush()
            self._events.append(event)
            if (asset := asset_of(event)) is not None:
                self._assets.add(asset)
            if len(self._events) >= MAX_EVENTS:
                self.flush()
            elif self._thread is None:
                self._thread = threading.Thread(target=self._flush_often, name="stores events", daemon=True)
                self._thread.start()

    def take_back(self, event: EventLogEntry) -> None:
        """Take out an event if it is the last one, and still waits."""
        with self._lock:
            if self._events and self._events[-1] is event:
                self._events.pop()

    def flush(self) -> None:
        """Store what waits. When that fails, it goes on waiting, and the error is raised.

        When another thread is storing them, it returns after that.
        """
        with self._lock:
            events, self._events = self._events, []
            if not events:
                return
            try:
                self._store(events)
            except BaseException:
                self._events = events + self._events
                raise
            self._assets.clear()

    def flush_at_exit(self) -> None:
        """Store what waits. When that fails, the history lacks these events, and one sentence says so."""
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - nobody is left to take it; here it would be a traceback
            lost = len(self._events)
            _LOG.warning("Dagster's history lacks events (%d), the library nothing: %s", lost, in_one_line(error))

    def _flush_often(self) -> None:
        """Store what waits, every `MAX_WAIT_S` until nothing does. A thread for each batch would cost more."""
        has_more = True
        while has_more:
            time.sleep(MAX_WAIT_S)
            with self._lock:
                has_more = bool(self._events)
                try:
                    self.flush()
                except Exception:  # noqa: BLE001 - whoever flushes next gets it; here it would be a traceback for nobody
                    has_more = False  # the next event tries again
                if not has_more:
                    self._thread = None

    def has_event_of(self, assets: Iterable[str]) -> bool:
        """Tell whether an event of one of these assets waits. While another thread is storing, it waits for that."""
        with self._lock:
            return not self._assets.isdisjoint(assets)
