"""A layer in front of Dagster's web UI, which answers this machine's own pages and programs, and no other web page.

Dagster executes what any request asks for: a mutation in the address of an image, a form, a WebSocket of another page,
or a request under a foreign name that leads to this machine (DNS rebinding). dagster.yaml chooses our storage, and the
web server tells its storage that it starts. So the layer is there however the web server is started.

Browsers say where a request comes from: https://developer.mozilla.org/en-US/docs/Glossary/Fetch_metadata_request_header.
Programs say nothing, and are not refused.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_READING = frozenset({"GET", "HEAD"})
_OWN = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site for the page itself, and for an address that a person typed."""
ANY_HOST = "*"


def guard_web_ui(hosts: Collection[str]) -> None:
    """Put the layer in front of every web UI that this process makes from now on.

    Parameters
    ----------
    hosts : collection of str
        Names under which it is asked, besides addresses and `localhost`; `*` for any.
    """
    # Here, because only the web server's own process has loaded it.
    from dagster_webserver.webserver import DagsterWebserver

    create = DagsterWebserver.create_asgi_app

    def create_guarded(server: DagsterWebserver[Any, Any], **options: Any) -> Any:
        app = create(server, **options)
        app.add_middleware(WebGuard, hosts=frozenset(hosts))
        return app

    DagsterWebserver.create_asgi_app = create_guarded  # type: ignore[method-assign, assignment]


class WebGuard:
    """The layer, as an ASGI application around another.

    Parameters
    ----------
    app : callable
        The web UI.
    hosts : collection of str
        As in `guard_web_ui`.
    """

    def __init__(self, app: App, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403 and the reason."""
        reason = self._judge(scope) if scope["type"] in {"http", "websocket"} else None
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

    def _judge(self, scope: Scope) -> str | None:
        """Return why a request is refused; None when it is not."""
        headers = _headers(scope)
        hosts = headers.get("host", [])
        if len(hosts) != 1 or not self._is_known(hosts[0]):
            return "its Host is no name of this web UI; WKMP_UI_HOSTS lists further names"
        if not all(self._is_own(origin, hosts[0]) for origin in headers.get("origin", [])):
            return "it comes from another page (Origin)"
        if not _OWN.issuperset(headers.get("sec-fetch-site", [])) and not _is_followed_link(scope, headers):
            return "it comes from another page (Sec-Fetch-Site)"
        if _is_query_in_address(scope, headers):
            return "GraphQL is asked with POST, because the address of an image can hold a GET"
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
        place = urlsplit(origin)
        # Behind a proxy the port may differ, and the name is one that the user has listed.
        return place.netloc.lower() == host.lower() or _name_of(place.netloc) in self._hosts


def _headers(scope: Scope) -> dict[str, list[str]]:
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
        scope.get("method") in _READING
        and headers.get("sec-fetch-mode") == ["navigate"]
        and headers.get("sec-fetch-dest") == ["document"]
    )


def _is_query_in_address(scope: Scope, headers: dict[str, list[str]]) -> bool:
    """Tell whether a GET asks for GraphQL; with `text/html`, Dagster answers with a page and executes nothing."""
    if scope.get("method") not in _READING or "text/html" in ",".join(headers.get("accept", [])):
        return False
    return scope["path"].rstrip("/").endswith("/graphql") and "query" in parse_qs(
        scope["query_string"].decode("latin-1"), keep_blank_values=True
    )
