"""A layer in front of a web server of this machine, which answers its own pages and programs, and no other web page.

Another web page can send requests to this machine: with an image, a form or a WebSocket, or under a foreign name that
leads here (DNS rebinding).

Browsers say where a request comes from: https://developer.mozilla.org/en-US/docs/Glossary/Fetch_metadata_request_header.
Programs say nothing, and are not refused.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

READING = frozenset({"GET", "HEAD"})
_OWN = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site for the page itself, and for an address that a person typed."""
ANY_HOST = "*"


class WebGuard:
    """The layer, as an ASGI application around another.

    Parameters
    ----------
    app : callable
        The pages.
    hosts : collection of str
        Names under which they are asked, besides addresses and `localhost`; `*` for any.
    """

    def __init__(self, app: App, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403 and the reason."""
        reason = self.judge(scope) if scope["type"] in {"http", "websocket"} else None
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason[:120]})
        else:
            text = f"Refused: {reason}.\n".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": text})

    def judge(self, scope: Scope) -> str | None:
        """Return why a request is refused; None when it is not."""
        headers = headers_of(scope)
        hosts = headers.get("host", [])
        if len(hosts) != 1 or not self._is_known(hosts[0]):
            return "its Host is no name of this web page; WKMP_UI_HOSTS lists further names"
        if not all(self._is_own(origin, hosts[0]) for origin in headers.get("origin", [])):
            return "it comes from another page (Origin)"
        if not _OWN.issuperset(headers.get("sec-fetch-site", [])) and not _is_followed_link(scope, headers):
            return "it comes from another page (Sec-Fetch-Site)"
        return None

    def _is_known(self, host: str) -> bool:
        name = _name_of(host)
        return (
            ANY_HOST in self._hosts
            or name in self._hosts
            or name == "localhost"
            or name.endswith(".localhost")
            or _is_address(name)
        )

    def _is_own(self, origin: str, host: str) -> bool:
        try:
            place = urlsplit(origin)
        except ValueError:  # nonsense, such as half an address in brackets
            return False
        # Behind a proxy the port may differ, and the name is one that the user has listed.
        return place.netloc.lower() == host.lower() or _name_of(place.netloc) in self._hosts


def headers_of(scope: Scope) -> dict[str, list[str]]:
    """Return name in lower case -> values of the headers of a request."""
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _name_of(host: str) -> str:
    """Return the name or address in a Host header, in lower case, without its port; empty for nonsense."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    """Tell whether a host is an IP address: nobody else's name can lead there."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_followed_link(scope: Scope, headers: dict[str, list[str]]) -> bool:
    """Tell whether a person followed a link of another page to the web UI, which shows a page and does nothing."""
    return (
        scope.get("method") in READING
        and headers.get("sec-fetch-mode") == ["navigate"]
        and headers.get("sec-fetch-dest") == ["document"]
    )
