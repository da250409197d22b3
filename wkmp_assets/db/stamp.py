"""When and by which run something is written."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property


@dataclass(frozen=True)
class Stamp:
    """When and by which run rows are written."""

    now: datetime
    run_id: str

    @cached_property
    def text(self) -> str:
        """UTC, `YYYY-MM-DD HH:MM:SS`."""
        return self.now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
