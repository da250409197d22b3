"""The library's timestamps: UTC, to the second, as text. Files' times are in RFC 3339, all others are not."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799
_LAST = "9999-12-31 23:59:59"
_BEFORE_ALL = "0000-12-31 23:59:59"


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


def format_seconds(seconds: int) -> str:
    """Format a file's time as the library stores it. Every number has its own text, even beyond the calendar.

    A damaged file system or a network share may date a file to the year 30828.

    Parameters
    ----------
    seconds : int
        Since 1970-01-01 UTC, of any size and sign.

    Returns
    -------
    str
        UTC, `YYYY-MM-DD HH:MM:SS`. Beyond the years 1 to 9999 it is the nearest end of the calendar, with more digits
        after the seconds, so that different times have different texts and the right order.
    """
    if seconds > _LAST_SECOND:
        return f"{_LAST}.{seconds:020}"
    if seconds < _FIRST_SECOND:
        return f"{_BEFORE_ALL}.{10**20 + seconds:020}"
    return format_timestamp(datetime.fromtimestamp(seconds, tz=UTC))


def read_timestamp(text: str) -> datetime | None:
    """Return the moment of `YYYY-MM-DD HH:MM:SS` in UTC; None for a time beyond the calendar."""
    if len(text) > len(_LAST):
        return None
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rfc3339_timestamp(text: str) -> str:
    """Write a file's time as RFC 3339, the only form that WKMP reads in `files.modification_time`.

    Parameters
    ----------
    text : str
        UTC, as `format_seconds` writes it.

    Returns
    -------
    str
        `YYYY-MM-DDTHH:MM:SS+00:00`. A time beyond the calendar stays as it is, because RFC 3339 has no text for it.
    """
    return text if len(text) != len(_LAST) else f"{text[:10]}T{text[11:]}+00:00"


def normalise_timestamp(text: str) -> str:
    """Bring either form found in WKMP databases (`YYYY-MM-DD HH:MM:SS` or RFC 3339) to the first, in UTC.

    Text in any other form is returned unchanged: it equals no file's time, so the file is imported again.
    """
    try:
        moment = datetime.fromisoformat(text)
        return format_timestamp(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
    except (ValueError, OverflowError):  # in UTC, it may lie before the year 1 or after 9999
        return text


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
