"""The log of a step that hands Dagster's own events straight to the instance.

Dagster makes a log record of each event, with an id, a text and the place in the code, and shows it to all loggers. An
entry of the event log has none of that. A run records nine events per file: it was a seventh of what their run costs.
"""

import logging
import time

from dagster import DagsterEventType, DagsterInstance
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.types import _EventListenerLogHandler
from dagster._core.log_manager import DagsterLogManager

_MATERIALIZED = DagsterEventType.ASSET_MATERIALIZATION.value


class StepLog(DagsterLogManager):
    """Dagster's log of a step. Events below errors skip the loggers.

    Parameters
    ----------
    log : DagsterLogManager
        The log whose place it takes.
    instance : dagster.DagsterInstance
        Keeps the events.
    """

    def __init__(self, log: DagsterLogManager, instance: DagsterInstance) -> None:
        super().__init__(log._dagster_handler, log.level, log._managed_loggers)
        self._instance = instance

    def log_dagster_event(
        self,
        level: str | int,
        msg: str,
        dagster_event: DagsterEvent,
        batch_metadata: DagsterEventBatchMetadata | None = None,
    ) -> None:
        """Store an event."""
        if level != logging.DEBUG:
            super().log_dagster_event(level, msg, dagster_event, batch_metadata)
            return
        of_step = self.metadata
        entry = EventLogEntry(  # type: ignore[no-untyped-call]  # Dagster gives its constructor no types
            error_info=None,
            level=level,
            user_message=msg,
            run_id=of_step["run_id"],
            timestamp=time.time(),
            step_key=of_step["step_key"] or dagster_event.step_key,
            job_name=of_step["job_name"],
            dagster_event=dagster_event,
        )
        if dagster_event.event_type_value == _MATERIALIZED and not self._instance._subscribers.get(entry.run_id):
            self._instance.event_log_storage.store_event(entry)  # all that the instance would do with it
        else:
            self._instance.handle_new_event(entry, batch_metadata=batch_metadata)


def without_loggers(log: DagsterLogManager, instance: DagsterInstance) -> DagsterLogManager:
    """Return a log whose events skip the loggers, if no logger would show them and only the instance listens.

    Otherwise return the same log. Runs of the web UI show their events on the terminal too, and with
    DAGSTER_EVENT_BATCH_SIZE the instance collects them.
    """
    if isinstance(log, StepLog):
        return log
    handler = log._dagster_handler
    is_shown = any(logger.isEnabledFor(logging.DEBUG) for logger in handler._loggers)
    is_alone = [type(one) for one in handler._handlers] == [_EventListenerLogHandler]
    is_batched = instance._is_batch_writing_enabled()
    return StepLog(log, instance) if is_alone and not (is_shown or is_batched) else log
