"""How long a service has been down, remembered from run to run, so that not every run waits for it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wkmp_assets.model.json_text import parse_json
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.state_files import read_state_file

MIN_REST = timedelta(minutes=1)
MAX_REST = timedelta(hours=1)
GONE_AFTER = timedelta(days=7)
"""Outages that last longer raise no more warnings."""


@dataclass(frozen=True)
class Outage:
    """A time in which a service does not answer."""

    since: datetime
    last: datetime
    """The last attempt. Both times are aware."""
    reason: str
    """Of the last failure."""

    @property
    def rests_until(self) -> datetime:
        """When to try again: after a pause as long as the outage so far, between a minute and an hour."""
        return self.last + min(max(self.last - self.since, MIN_REST), MAX_REST)

    @property
    def is_lasting(self) -> bool:
        """Whether the outage has lasted for a week; the service is still tried."""
        return self.last - self.since >= GONE_AFTER

    def __str__(self) -> str:
        return f"no answer since {self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({self.reason})"


def _utc_now() -> datetime:
    return datetime.now(tz=UTC)


class OutageFile:
    """The outage of one service, in a file that all processes share.

    Parameters
    ----------
    path : Path
        The file; its folder is created when needed.
    now : callable
        Returns the current time, aware.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = _utc_now) -> None:
        self._path = path
        self._now = now

    def read(self) -> Outage | None:
        """Return the outage; None when the last attempt was answered, or the file is damaged."""
        try:
            kept = parse_json(read_state_file(self._path))
            return Outage(datetime.fromisoformat(kept["since"]), datetime.fromisoformat(kept["last"]), kept["reason"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def resting(self) -> Outage | None:
        """Return the outage if it is too early to try again, else None."""
        outage = self.read()
        return outage if outage is not None and self._now() < outage.rests_until else None

    def note(self, reason: str) -> Outage:
        """Record a failed attempt at the current time, and return the outage.

        Raises
        ------
        StateDiskError
            The file cannot be written.
        """
        now, known = self._now(), self.read()
        outage = Outage(known.since if known else now, now, reason)
        kept = {"since": outage.since.isoformat(), "last": now.isoformat(), "reason": reason}
        write_atomically(self._path, json.dumps(kept).encode("ascii"))
        return outage

    def end(self) -> None:
        """Record that the service answered."""
        self._path.unlink(missing_ok=True)
