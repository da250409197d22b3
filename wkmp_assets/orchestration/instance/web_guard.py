"""A layer in front of Dagster's web UI, which answers this machine's own pages and programs, and no other web page.

Dagster executes what any request asks for, also a mutation in the address of an image. dagster.yaml chooses our
storage, and the web server tells its storage that it starts. So the layer is there however the web server is started.
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qs

from wkmp_assets.runtime.web_guard import READING, Scope, WebGuard, headers_of


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
        app.add_middleware(DagsterGuard, hosts=frozenset(hosts))
        return app

    DagsterWebserver.create_asgi_app = create_guarded  # type: ignore[method-assign, assignment]  # it replaces Dagster's


class DagsterGuard(WebGuard):
    """The layer with a rule for GraphQL, which Dagster executes also when the address of an image holds it."""

    def judge(self, scope: Scope) -> str | None:
        """Return why a request is refused; None when it is not."""
        if reason := super().judge(scope):
            return reason
        if _is_query_in_address(scope, headers_of(scope)):
            return "GraphQL is asked with POST, because the address of an image can hold a GET"
        return None


def _is_query_in_address(scope: Scope, headers: dict[str, list[str]]) -> bool:
    """Tell whether a GET asks for GraphQL; with `text/html`, Dagster answers with a page and executes nothing."""
    if scope.get("method") not in READING or "text/html" in ",".join(headers.get("accept", [])):
        return False
    return scope["path"].rstrip("/").endswith("/graphql") and "query" in parse_qs(
        scope["query_string"].decode("latin-1"), keep_blank_values=True
    )
