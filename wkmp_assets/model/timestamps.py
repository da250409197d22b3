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


def normalise_timestamp(text: str) -> str:
    """Bring either form found in WKMP databases (`YYYY-MM-DD HH:MM:SS` or RFC 3339) to the first, in UTC.

    Text in no known form is returned as it is: it then equals no file's time, so the file is looked at again.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
