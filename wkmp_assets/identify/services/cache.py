"""The answers of one service on disk, shared by all processes, without the requests that led to them."""

import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import requests
from requests_cache.backends.sqlite import SQLiteCache

from wkmp_assets.identify.services.answers import Judge, parse_answer

KEY_FIELD = "client"
"""The form field with AcoustID's application key: it says who asks, not what."""


class AnswerCache(SQLiteCache):
    """Keeps answers without the request, which may hold a key.

    Parameters
    ----------
    path : Path
        The SQLite file.
    judge : callable
        Tells which answers are kept, and which of them say that nothing is known.
    keep_for, keep_none_for : timedelta or None
        How long an answer, or "nothing is known", is served from here; None: for ever.
    """

    def __init__(self, path: Path, judge: Judge, keep_for: timedelta | None, keep_none_for: timedelta | None) -> None:
        super().__init__(path, wal=True)
        self._judge = judge
        self._keep_for = keep_for
        self._keep_none_for = keep_none_for

    def is_worth_keeping(self, response: requests.Response) -> bool:
        """Tell whether a response is an answer that need not be asked for again."""
        return self._verdict(response) is not False

    def save_response(
        self, response: requests.Response, cache_key: str | None = None, expires: datetime | None = None
    ) -> None:
        """Save a response without its request, until its time is up."""
        keep_for = self._keep_for if self._verdict(response) else self._keep_none_for
        expires = None if keep_for is None else datetime.now(tz=UTC) + keep_for
        response.request = response.request.copy()
        response.request.body, response.request.headers = None, requests.structures.CaseInsensitiveDict()
        super().save_response(response, cache_key, expires)

    def _verdict(self, response: requests.Response) -> bool | None:
        answer = parse_answer(response)
        return False if answer is None else self._judge(answer)


def cache_key(request: requests.PreparedRequest, **_options: Any) -> str:
    """Return a hash of the request without the application key, the same whether it is compressed or not."""
    body = request.body if isinstance(request.body, bytes) else b""  # `ServiceSession.post` gives bytes
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    fields = sorted(field for field in parse_qsl(body.decode("ascii")) if field[0] != KEY_FIELD)
    return hashlib.sha256(repr((request.method, request.url, fields)).encode()).hexdigest()
