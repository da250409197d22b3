"""One web service within one run. Requests keep to its rate, and a service that is down is given up.

Answers are untrusted: they may be late, endless, of another shape, or a redirection to another host.
"""

import gzip
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

import requests

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.identify.services.answers import Answer, Judge, parse_answer
from wkmp_assets.identify.services.cache import AnswerCache
from wkmp_assets.identify.services.retries import BUSY_CODES, MAX_WAIT_S, choose_wait_s
from wkmp_assets.identify.services.transport import Transport, describe_failure, open_transport

MIN_COMPRESSED_BYTES = 1_000
"""Shorter forms are sent as they are."""
_NOT_IN_CACHE = 504
"""The HTTP status that requests-cache gives for an answer it does not have (RFC 9111, section 5.2.1.7)."""


@dataclass(frozen=True)
class Service:
    """The address of a service, and its rules.

    Parameters
    ----------
    name : str
        For messages and file names.
    url : str
        Base URL, of the service or of a mirror.
    interval_ms : int, >= 0
        Shortest time between two requests of all processes together.
    keep_for : timedelta or None
        How long answers are good; None: for ever.
    keep_none_for : timedelta or None
        How long "nothing is known" is good; None: for ever.
    """

    name: str
    url: str
    interval_ms: int
    keep_for: timedelta | None
    keep_none_for: timedelta | None


class ServiceSession:
    """One service within one run. A context manager; opens nothing before the first request.

    Parameters
    ----------
    service : Service
        The service to ask.
    folder : Path
        For the cache and the queue, which all processes share; created when needed.
    user_agent : str
        Name, version and contact of this program.
    judge : callable
        Tells which answers are kept.
    timeout_s : float, unit=s
        For one request, from its start to the last byte of its answer.
    pauses_s : sequence of float, unit=s
        Before each repetition of a request that failed.

    Attributes
    ----------
    calls : int
        Requests sent so far.
    cache_hits : int
        Answers served from the cache so far.
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
        self._transport: Transport | None = None
        self._given_up: str | None = None
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            self._transport.close()

    def give_up(self, reason: str) -> None:
        """Send nothing more in this run; answers in the cache are still served."""
        self._given_up = reason
        self._is_over.set()

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """Ask with GET; follows redirections within the service.

        Raises
        ------
        ServiceUnavailableError
            No usable answer after all attempts, or the service was given up earlier in the run.
        """
        return self._ask("GET", f"{path}?{urlencode(query)}", None, {})

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Ask with POST; a long form is sent compressed. Redirections are refused, because the form may hold a key.

        Raises
        ------
        ServiceUnavailableError
            As for `get`.
        """
        return self._ask("POST", path, *_encode(form))

    def cached_post(self, path: str, form: Mapping[str, str]) -> Answer | None:
        """Return the answer that the cache has for a form; None when it has none. Nothing is sent.

        The answer does not count as a cache hit, because the caller may have no use for it.
        """
        try:
            response = self._send("POST", path, *_encode(form), only_if_cached=True)
        except sqlite3.Error as error:
            self._give_up_without_cache(error)
            return None
        return None if response.status_code == _NOT_IN_CACHE else self._answer(response)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        try:
            if self._given_up is not None:
                return self._ask_cache(method, path, body, headers)
            return self._ask_service(method, path, body, headers)
        except sqlite3.Error as error:
            self._give_up_without_cache(error)
            raise self._unavailable(str(self._given_up)) from error

    def _give_up_without_cache(self, error: sqlite3.Error) -> None:
        self.give_up(f"its cache in {self._folder} cannot be used ({error}); remove that folder")

    def _ask_service(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        reason = ""
        for pause_s in (*self._pauses_s, None):
            try:
                response = self._send(method, path, body, headers)
            except requests.RequestException as error:
                reason = describe_failure(error)
                wait_s = pause_s
            else:
                if response.status_code not in BUSY_CODES:
                    return self._answer(response)
                reason = f"HTTP {response.status_code}"
                wait_s = choose_wait_s(pause_s, response)
                if wait_s is not None and wait_s > MAX_WAIT_S:
                    reason += f", come back in {wait_s:.0f} s"
                    break
            if self._is_over.wait(wait_s or 0.0):  # given up from another thread: the run is stopped
                reason = str(self._given_up)
                break
        self.give_up(reason)
        raise self._unavailable(reason)

    def _ask_cache(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        response = self._send(method, path, body, headers, only_if_cached=True)
        if response.status_code == _NOT_IN_CACHE:
            raise self._unavailable(str(self._given_up))
        self.cache_hits += 1
        return self._answer(response)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], *, only_if_cached: bool = False
    ) -> requests.Response:
        if self._transport is None:
            self._transport = self._open()
        response = self._transport.request(
            method,
            f"{self.service.url.rstrip('/')}/{path}",
            data=body,
            headers=headers,
            timeout=self._timeout_s,
            allow_redirects=method == "GET",
            only_if_cached=only_if_cached,
        )
        if not only_if_cached:
            is_from_cache = getattr(response, "from_cache", False)
            self.cache_hits, self.calls = self.cache_hits + is_from_cache, self.calls + (not is_from_cache)
        return response

    def _open(self) -> Transport:
        service = self.service
        self._folder.mkdir(parents=True, exist_ok=True)
        cache = AnswerCache(
            self._folder / f"{service.name}.sqlite", self._judge, service.keep_for, service.keep_none_for
        )
        return open_transport(
            service.name,
            cache,
            self._folder / f"{service.name}-rate.db",
            interval_ms=service.interval_ms,
            user_agent=self._user_agent,
        )

    def _answer(self, response: requests.Response) -> Answer:
        if urlsplit(response.url).netloc != urlsplit(self.service.url).netloc:
            raise self._unavailable(f"it redirected to {urlsplit(response.url).netloc}")
        answer = parse_answer(response)
        if answer is None:
            raise self._unavailable(f"its answer is no usable JSON (HTTP {response.status_code})")
        return answer

    def _unavailable(self, reason: str) -> ServiceUnavailableError:
        return ServiceUnavailableError(self.service.name, reason)


def _encode(form: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a form; a long one is compressed."""
    body = urlencode(form).encode("ascii")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if len(body) < MIN_COMPRESSED_BYTES:
        return body, headers
    return gzip.compress(body, mtime=0), {**headers, "Content-Encoding": "gzip"}
