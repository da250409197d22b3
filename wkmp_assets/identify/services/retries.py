"""When a request that failed is sent again."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

MAX_WAIT_S = 10.0
"""A service that asks for a longer pause (Retry-After) is given up for the run, and the files are deferred."""
BUSY_CODES = frozenset({429, 500, 502, 503, 504})
"""HTTP status codes of a service that may answer a moment later."""


def choose_wait_s(pause_s: float | None, response: requests.Response) -> float | None:
    """Choose how long to wait after a response with one of `BUSY_CODES`.

    Parameters
    ----------
    pause_s : float or None, unit=s
        Our own pause before the next attempt; None after the last attempt.
    response : requests.Response
        Its header Retry-After may ask for a longer pause.

    Returns
    -------
    float or None, unit=s
        The longer of the two. After the last attempt None, unless the service asks for more than `MAX_WAIT_S`: the
        caller tells the user so.
    """
    asked_s = read_retry_after_s(response)
    if asked_s is None or (pause_s is not None and asked_s <= pause_s):
        return pause_s
    return asked_s if pause_s is not None or asked_s > MAX_WAIT_S else None


def read_retry_after_s(response: requests.Response) -> float | None:
    """Read the header Retry-After, which holds seconds or a date (RFC 9110, section 10.2.3).

    Returns
    -------
    float or None, unit=s, >= 0
        None when the header is missing, or is neither.
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:6])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(tz=when.tzinfo or UTC)).total_seconds()) if when.tzinfo else None
