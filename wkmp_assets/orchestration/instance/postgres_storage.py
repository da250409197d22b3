"""Dagster's PostgreSQL storage, which also knows which runs are alive. Needs `wkmp-assets[postgres]`.

dagster.yaml chooses it. With Dagster's own class, run monitoring cannot tell that the process of a run was killed, and
the layer in front of the web UI is missing. The SQLAlchemy of our requirements would also refuse an address without a
driver.
"""

from typing import Any, Self

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._serdes import ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config

from wkmp_assets.orchestration.instance.living_runs import LivingRuns
from wkmp_assets.orchestration.instance.web_guard import guard_web_ui
from wkmp_assets.settings import find_dagster_home, load_settings

_ENDS = {DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED}


def with_driver(url: str) -> str:
    """Return the address of a server with the driver that Dagster uses: `postgresql://` means another one by now."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg2{separator}{rest}" if scheme in {"postgresql", "postgres"} else url


class WatchedPostgresEventLogStorage(PostgresEventLogStorage):
    """Event log in PostgreSQL. The process that executes a run holds its lock in DAGSTER_HOME."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        self.living_runs = LivingRuns(find_dagster_home() / "history" / "runs" / ".alive")
        super().__init__(postgres_url, should_autocreate_tables, inst_data)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event. At the start of a run, this process also takes the run's lock."""
        kind = event.dagster_event_type if event.is_dagster_event else None
        if kind is DagsterEventType.RUN_START:
            self.living_runs.begin(event.run_id)
        super().store_event(event)
        if kind in _ENDS:
            self.living_runs.end(event.run_id)

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Put our layer in front of the web UI; Dagster calls this in the web server before it makes the UI."""
        super().optimize_for_webserver(statement_timeout, pool_recycle, max_overflow)
        guard_web_ui(load_settings().ui_host_names)

    def dispose(self) -> None:
        """Close all connections, and let go of the runs of this process."""
        super().dispose()
        self.living_runs.close()


class WatchedPostgresStorage(DagsterPostgresStorage):
    """Dagster's PostgreSQL storage with `WatchedPostgresEventLogStorage` for its events."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        super().__init__(with_driver(postgres_url), should_autocreate_tables, inst_data)
        self._event_log_storage = WatchedPostgresEventLogStorage(self.postgres_url, should_autocreate_tables)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Build from the `config` block of dagster.yaml, which is that of Dagster's own class."""
        return cls(pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data)
