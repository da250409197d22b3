"""HTTP to one web service, politely: cached, at its rate, with a time limit on everything.

Rate and cache are shared by all processes through files in the state folder. What comes back is untrusted: it may
be late, endless, of another shape, or a redirection to somebody else.
"""

import gzip
import hashlib
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from pyrate_limiter import Limiter, Rate, SQLiteBucket
from requests_cache import NEVER_EXPIRE, CacheMixin
from requests_cache.backends.sqlite import SQLiteCache
from requests_ratelimiter import LimiterMixin

from wkmp_assets.errors import ServiceUnavailableError

NOT_IN_CACHE_KEYS = "client"
"""The form field with AcoustID's application key: it says who asks, not what."""

MAX_ANSWER_BYTES = 1_000_000
"""A recording with 25 releases takes 60 kB."""

MAX_WAIT_S = 10.0
"""A Retry-After beyond it ends the service's part of the run; the files are deferred."""

MAX_QUEUE_S = 120.0
"""For a turn among all processes, before a lookup is deferred."""

MIN_COMPRESSED_BYTES = 1_000

_BUSY = frozenset({429, 500, 502, 503, 504})
_ANSWERS = frozenset({200, 400, 404})
_NOT_IN_CACHE = 504
"""How requests-cache says so, after RFC 9111, section 5.2.1.7."""


@dataclass(frozen=True)
class Service:
    """Where a service is, and how it wants to be asked.

    Parameters
    ----------
    name : str
        For messages and file names.
    url : str
        Base URL; a mirror's, if somebody runs one.
    interval_ms : int
        Shortest time between two requests of all processes together.
    keep_for : timedelta or None
        How long answers are good; None for ever.
    keep_none_for : timedelta or None
        How long "I know nothing of it" is good.
    """

    name: str
    url: str
    interval_ms: int
    keep_for: timedelta | None
    keep_none_for: timedelta | None


@dataclass(frozen=True)
class Answer:
    """A well-formed answer."""

    status: int
    value: Any
    """Parsed JSON."""


Judge = Callable[[Answer], bool | None]
"""True for an answer worth keeping, None for "nothing known", False for one that must be asked for again."""


class ServiceSession:
    """One service within one run. A context manager; opens nothing before the first request.

    Parameters
    ----------
    service : Service
        What to ask.
    folder : Path
        For the cache and the shared rate; created when needed.
    user_agent : str
        Name, version and contact.
    judge : callable
        Says which answers are kept.
    timeout_s : float
        For one request, from its start to its last byte.
    pauses_s : sequence of float
        Before each repetition of a request that failed.
    """

    def __init__(
        self,
        service: Service,
        folder: Path,
        user_agent: str,
        judge: Judge,
        *,
        timeout_s: float = 15.0,
        pauses_s: tuple[float, ...] = (0.5, 2.0),
    ) -> None:
        self.service = service
        self.calls = 0
        self.cache_hits = 0
        self._folder = folder
        self._user_agent = user_agent
        self._judge = judge
        self._timeout_s = timeout_s
        self._pauses_s = pauses_s
        self._session: _Session | None = None
        self._given_up: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._session.close()  # type: ignore[no-untyped-call] # the library has no types there
            # What was handed to it, it leaves to us: the rate's file, and the thread that tidies it up.
            self._session.limiter.close()

    def give_up(self, reason: str) -> None:
        """Send nothing more in this run; what is in the cache is still answered."""
        self._given_up = reason

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """Ask with GET; follows redirections within the service.

        Raises
        ------
        ServiceUnavailableError
            No usable answer, after a few attempts; or the service was given up earlier in the run.
        """
        return self._ask("GET", f"{path}?{urlencode(query)}", None, {})

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Ask with POST; a long form goes compressed. Never redirected: the form may hold a key.

        Raises
        ------
        ServiceUnavailableError
            As for `get`.
        """
        body = urlencode(form).encode("ascii")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if len(body) >= MIN_COMPRESSED_BYTES:
            body, headers = gzip.compress(body, mtime=0), {**headers, "Content-Encoding": "gzip"}
        return self._ask("POST", path, body, headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        try:
            return self._ask_with_patience(method, path, body, headers)
        except sqlite3.Error as error:
            self.give_up(f"what is kept of it in {self._folder} cannot be used ({error}); remove that folder")
            raise self._unavailable(str(self._given_up)) from error

    def _ask_with_patience(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if self._given_up is not None:
            return self._from_cache(method, path, body, headers)
        reason = ""
        for pause_s in (*self._pauses_s, None):
            try:
                response = self._send(method, path, body, headers)
            except requests.RequestException as error:
                reason = _reason(error)
                wait_s = pause_s
            else:
                if response.status_code not in _BUSY:
                    return self._answer(response)
                reason = f"HTTP {response.status_code}"
                wait_s = _longer(pause_s, _retry_after_s(response))
                if wait_s is not None and wait_s > MAX_WAIT_S:
                    reason += f", come back in {wait_s:.0f} s"
                    break
            if wait_s is not None:
                time.sleep(wait_s)
        self.give_up(reason)
        raise self._unavailable(reason)

    def _from_cache(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        response = self._send(method, path, body, headers, only_if_cached=True)
        if response.status_code == _NOT_IN_CACHE:
            raise self._unavailable(str(self._given_up))
        self.cache_hits += 1
        return self._answer(response)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], *, only_if_cached: bool = False
    ) -> requests.Response:
        if self._session is None:
            self._session = _open(self.service, self._folder, self._user_agent, self._judge)
        response = self._session.request(
            method,
            f"{self.service.url.rstrip('/')}/{path}",
            data=body,
            headers=headers,
            timeout=self._timeout_s,
            allow_redirects=method == "GET",
            only_if_cached=only_if_cached,
        )
        if not only_if_cached:
            is_kept = getattr(response, "from_cache", False)
            self.cache_hits, self.calls = self.cache_hits + is_kept, self.calls + (not is_kept)
        return response

    def _answer(self, response: requests.Response) -> Answer:
        if urlsplit(response.url).netloc != urlsplit(self.service.url).netloc:
            raise self._unavailable(f"it redirected to {urlsplit(response.url).netloc}")
        answer = _parse(response)
        if answer is None:
            raise self._unavailable(f"its answer is no usable JSON (HTTP {response.status_code})")
        return answer

    def _unavailable(self, reason: str) -> ServiceUnavailableError:
        return ServiceUnavailableError(self.service.name, reason)


class _Bounded(requests.Session):
    """Reads every answer itself, up to a size and a time."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        started, limit_s = time.monotonic(), kwargs.get("timeout") or MAX_WAIT_S
        response = super().send(request, **{**kwargs, "stream": True})
        received = b""
        for chunk in response.iter_content(65_536):
            received += chunk
            if len(received) > MAX_ANSWER_BYTES:
                response.close()
                raise requests.exceptions.ContentDecodingError("the answer is too long")
            if time.monotonic() - started > limit_s:
                response.close()
                raise requests.exceptions.ReadTimeout
        response._content = received  # where requests itself puts what it has read
        return response


class _Session(CacheMixin, LimiterMixin, _Bounded):
    """First the cache, then the queue, then the wire."""


class _KeylessCache(SQLiteCache):
    """Keeps answers without the request, which may hold a key; how long depends on what they say."""

    def __init__(self, path: Path, service: Service, judge: Judge) -> None:
        super().__init__(path, wal=True)
        self._service = service
        self._judge = judge

    def save_response(
        self, response: requests.Response, cache_key: str | None = None, expires: datetime | None = None
    ) -> None:
        verdict = _verdict(response, self._judge)
        kept_for = self._service.keep_for if verdict else self._service.keep_none_for
        expires = None if kept_for is None else datetime.now(tz=UTC) + kept_for
        response.request = response.request.copy()
        response.request.body, response.request.headers = None, requests.structures.CaseInsensitiveDict()
        super().save_response(response, cache_key, expires)


def _open(service: Service, folder: Path, user_agent: str, judge: Judge) -> _Session:
    folder.mkdir(parents=True, exist_ok=True)
    rate = Rate(1, max(1, service.interval_ms))
    bucket = SQLiteBucket.init_from_file([rate], db_path=str(folder / f"{service.name}-rate.db"), use_file_lock=True)
    session = _Session(
        backend=_KeylessCache(folder / f"{service.name}.sqlite", service, judge),
        expire_after=NEVER_EXPIRE,
        key_fn=_cache_key,
        filter_fn=partial(_is_worth_keeping, judge=judge),
        allowable_methods=("GET", "POST"),
        allowable_codes=tuple(_ANSWERS),
        stale_if_error=True,
        limiter=Limiter(bucket),
        per_host=False,
        bucket_name=service.name,
        max_delay=MAX_QUEUE_S,
        limit_statuses=(),
    )
    session.headers["User-Agent"] = user_agent
    session.max_redirects = 3
    return session


def _cache_key(request: requests.PreparedRequest, **_options: Any) -> str:
    """Name what was asked: not who asks, nor how it was packed."""
    body = request.body if isinstance(request.body, bytes) else b""  # `post` gives bytes
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    fields = sorted(field for field in parse_qsl(body.decode("ascii")) if field[0] != NOT_IN_CACHE_KEYS)
    return hashlib.sha256(repr((request.method, request.url, fields)).encode()).hexdigest()


def _is_worth_keeping(response: requests.Response, *, judge: Judge) -> bool:
    return _verdict(response, judge) is not False


def _verdict(response: requests.Response, judge: Judge) -> bool | None:
    answer = _parse(response)
    return False if answer is None else judge(answer)


def _parse(response: requests.Response) -> Answer | None:
    if response.status_code not in _ANSWERS:
        return None
    try:
        return Answer(response.status_code, response.json())
    except (requests.exceptions.JSONDecodeError, RecursionError):
        return None


def _retry_after_s(response: requests.Response) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:6])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(tz=when.tzinfo or UTC)).total_seconds()) if when.tzinfo else None


def _longer(pause_s: float | None, asked_s: float | None) -> float | None:
    """Wait as long as was asked for; None after the last attempt, unless that was too long anyway."""
    if asked_s is not None and (pause_s is None or asked_s > pause_s):
        return asked_s if pause_s is not None or asked_s > MAX_WAIT_S else None
    return pause_s


def _reason(error: requests.RequestException) -> str:
    """Say what went wrong, without the URL or anything else that was sent."""
    if isinstance(error, requests.exceptions.Timeout):
        if str(error).startswith("Rate limit"):
            return f"no turn came up in {MAX_QUEUE_S:.0f} s"
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "its answer is too long or damaged"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "it cannot be reached"
    return f"the request failed ({type(error).__name__})"
