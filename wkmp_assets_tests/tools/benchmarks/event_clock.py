"""Measure where the main process of an import spends its time, from Dagster's events as they happen."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from dagster import DagsterEventType, DagsterInstance, EventLogEntry


@dataclass
class Spent:
    """Wall time, and CPU time of the main process."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, wall_s: float, cpu_s: float) -> None:
        """Add an interval."""
        self.wall_s += wall_s
        self.cpu_s += cpu_s


@dataclass
class Breakdown:
    """Times between the events."""

    computing: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))
    """By step: in the asset function, waiting for workers included."""
    storing: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))
    """By step: in the IO manager's `handle_output`."""
    loading: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))
    """By step: in the IO managers' `load_input`, with Dagster's own work around it."""
    recording: Spent = field(default_factory=Spent)
    """In Dagster's storage, for events; none of it is in the three above."""
    events: int = 0


class EventClock:
    """Notes both clocks at every event of an instance's runs.

    An interval runs from the moment one event was stored to the moment the next one arrives: the storage
    itself is counted apart.
    """

    def __init__(self, instance: DagsterInstance) -> None:
        self.breakdown = Breakdown()
        self._store = instance.handle_new_event
        self._stored_at = (time.perf_counter(), time.process_time())
        self._previous = ""
        instance.handle_new_event = self._handle  # type: ignore[method-assign] # to observe it

    def _handle(self, event: EventLogEntry, **options: Any) -> None:
        arrived = (time.perf_counter(), time.process_time())
        self._attribute(event, arrived[0] - self._stored_at[0], arrived[1] - self._stored_at[1])
        self._store(event, **options)
        self._stored_at = (time.perf_counter(), time.process_time())
        self.breakdown.recording.add(self._stored_at[0] - arrived[0], self._stored_at[1] - arrived[1])
        self.breakdown.events += 1

    def _attribute(self, event: EventLogEntry, wall_s: float, cpu_s: float) -> None:
        """Name the work between the previous event and this one."""
        if event.dagster_event is None or event.step_key is None:
            return
        kind = event.dagster_event.event_type
        if kind is DagsterEventType.STEP_OUTPUT:
            self.breakdown.computing[event.step_key].add(wall_s, cpu_s)
        elif kind is DagsterEventType.LOADED_INPUT:
            self.breakdown.loading[event.step_key].add(wall_s, cpu_s)
        elif self._previous == DagsterEventType.STEP_OUTPUT.value:
            self.breakdown.storing[event.step_key].add(wall_s, cpu_s)
        self._previous = kind.value
