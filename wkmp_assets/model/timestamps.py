"""The library's timestamps: UTC, to the second, as text."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property


def format_timestamp(moment: datetime) -> str:
    """Format a moment as the library stores it.

    Parameters
    ----------
    moment : datetime
        With its time zone. Fractions of a second are dropped.

    Returns
    -------
    str
        UTC, `YYYY-MM-DD HH:MM:SS`.
    """
    # Not strftime(), which takes three times as long: one per file of a scan.
    return moment.astimezone(UTC).isoformat(" ", "seconds")[: len("YYYY-MM-DD HH:MM:SS")]


def normalise_timestamp(text: str) -> str:
    """Bring either form found in WKMP databases (`YYYY-MM-DD HH:MM:SS` or RFC 3339) to the first, in UTC.

    Text in any other form is returned unchanged: it equals no file's time, so the file is imported again.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return format_timestamp(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)


@dataclass(frozen=True)
class Stamp:
    """Time and run that are written to rows."""

    now: datetime
    """With its time zone."""
    run_id: str

    @cached_property
    def text(self) -> str:
        """UTC, `YYYY-MM-DD HH:MM:SS`."""
        return format_timestamp(self.now)
