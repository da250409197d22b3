"""The way of a request: through the cache, the queue of all processes, and the network with limits."""

import time
from pathlib import Path
from typing import Any

import requests
from requests_cache import NEVER_EXPIRE, CacheMixin
from requests_ratelimiter import LimiterMixin

from wkmp_assets.identify.services.answers import ANSWER_CODES
from wkmp_assets.identify.services.cache import AnswerCache, cache_key
from wkmp_assets.identify.services.rate_limit import MAX_QUEUE_S, open_limiter

MAX_ANSWER_BYTES = 1_000_000
"""A MusicBrainz recording with 25 releases takes 60 kB."""
MAX_REDIRECTIONS = 3
_CHUNK_BYTES = 65_536


class BoundedSession(requests.Session):
    """Reads every answer to its end itself, up to a size and a time."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request; its `timeout` counts from here to the last byte of the answer.

        Raises
        ------
        requests.exceptions.ContentDecodingError
            The answer is longer than `MAX_ANSWER_BYTES`.
        requests.exceptions.ReadTimeout
            It is not complete in time.
        """
        started = time.monotonic()
        response = super().send(request, **{**kwargs, "stream": True})
        received = b""
        for chunk in response.iter_content(_CHUNK_BYTES):
            received += chunk
            if len(received) > MAX_ANSWER_BYTES:
                response.close()
                raise requests.exceptions.ContentDecodingError("the answer is too long")
            if time.monotonic() - started > kwargs["timeout"]:
                response.close()
                raise requests.exceptions.ReadTimeout
        response._content = received  # noqa: SLF001 - where requests itself puts what it has read
        return response


class Transport(CacheMixin, LimiterMixin, BoundedSession):
    """Asks the cache, else waits in the queue and sends the request."""

    def close(self) -> None:
        """Close the cache, the connections and the queue."""
        super().close()  # type: ignore[no-untyped-call] # requests-cache has no types there
        # requests-ratelimiter leaves a limiter that it was given open, with its file and the thread that tidies it.
        self.limiter.close()


def open_transport(name: str, cache: AnswerCache, queue_path: Path, *, interval_ms: int, user_agent: str) -> Transport:
    """Open the way to one service.

    Parameters
    ----------
    name : str
        The service's.
    cache : AnswerCache
        Its answers so far.
    queue_path : Path
        The file through which all processes take turns.
    interval_ms : int, >= 0
        Shortest time between two requests of all processes together.
    user_agent : str
        Name, version and contact of this program.
    """
    transport = Transport(
        backend=cache,
        expire_after=NEVER_EXPIRE,
        key_fn=cache_key,
        filter_fn=cache.is_worth_keeping,
        allowable_methods=("GET", "POST"),
        allowable_codes=tuple(ANSWER_CODES),
        stale_if_error=True,
        limiter=open_limiter(queue_path, interval_ms),
        per_host=False,
        bucket_name=name,
        max_delay=MAX_QUEUE_S,
        limit_statuses=(),
    )
    transport.headers["User-Agent"] = user_agent
    transport.max_redirects = MAX_REDIRECTIONS
    return transport


def describe_failure(error: requests.RequestException) -> str:
    """Return what went wrong as a clause, without the URL or anything else that was sent."""
    if isinstance(error, requests.exceptions.Timeout):
        if str(error).startswith("Rate limit"):
            return f"no turn came up in {MAX_QUEUE_S:.0f} s"
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "its answer is too long or damaged"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "it cannot be reached"
    return f"the request failed ({type(error).__name__})"
