"""What Datasette calls: the routes of our pages, functions for queries, links in tables, and answers to our errors.

Datasette has one list of plugins for the process, so each function first looks whether the application is ours.
"""

import asyncio
import json
import traceback
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from datasette import hookimpl
from datasette.utils.asgi import Base400, NotFound, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup

from wkmp_assets.db.read.browsing import read_covers_of, read_path_of
from wkmp_assets.db.read.canned_queries import FLAVOR_DISTANCE, FLAVOR_NEIGHBOURS, FLAVOR_WORDS, MAX_NEAREST
from wkmp_assets.errors import WkmpError
from wkmp_assets.model.flavor import Flavor, distance, parse_flavor
from wkmp_assets.report.browse.pages import read_file_page, read_start_page
from wkmp_assets.report.browse.places import BrowsedLibrary
from wkmp_assets.report.browse.served_files import find_inside, find_music, media_type_of, serve
from wkmp_assets.report.flavor_words import describe_stored_flavor
from wkmp_assets.report.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

_OWN_PAGE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_REPORT = {
    # It is one file with its style and its script inside.
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
_PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


def library_of(datasette: Any) -> BrowsedLibrary | None:
    """Return the library that an application shows; None for an application of others."""
    found = getattr(datasette, "library", None)
    return found if isinstance(found, BrowsedLibrary) else None


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, "Callable[..., Any]"]]:
    """Return the addresses of our pages and files."""
    if library_of(datasette) is None:
        return []
    return [
        (r"^/$", _start),
        (r"^/file/(?P<file>[^/]+)$", _file),
        (r"^/audio/(?P<file>[^/]+)$", _audio),
        (r"^/picture/(?P<file>[^/]+)$", _picture),
        (r"^/cover/(?P<file>[^/]+)/(?P<number>\d{1,3})$", _cover),
        (r"^/report$", _report),
    ]


@hookimpl
def prepare_connection(conn: Any, datasette: Any) -> None:
    """Add the functions that the canned queries use."""
    if (library := library_of(datasette)) is not None:
        conn.create_function(FLAVOR_DISTANCE, 2, _distance, deterministic=True)
        conn.create_function(FLAVOR_NEIGHBOURS, 1, partial(_rank_neighbours, library))
        conn.create_function(FLAVOR_WORDS, 2, _words, deterministic=True)


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None, datasette: Any) -> Markup | None:
    """Return a link to the page of a file in place of its guid, and in place of its path in the table of files."""
    if library_of(datasette) is None or not isinstance(value, str):
        return None
    if (table, column) == ("files", "path"):
        guid = row["guid"]
    elif column == "file_id":
        guid = value
    else:
        return None
    return Markup('<a href="/file/{}">{}</a>').format(quote(str(guid), safe=""), printable(value))


@hookimpl
def handle_exception(request: Any, exception: BaseException) -> Any:
    """Return a page, or JSON, that says what went wrong.

    In place of Datasette's own function, which prints a traceback with all variables for every wrong address.
    """
    status, message = _explain(exception)
    if request.path.split("?")[0].endswith(".json"):
        return Response.json({"ok": False, "error": str(message), "status": status}, status=status)
    page = Markup(
        '<!doctype html><html lang="en"><title>{status}</title><p>{message}</p><p><a href="/">Start</a></p></html>'
    )
    return Response.html(page.format(status=status, message=message), status=status, headers=_OWN_PAGE)


def _explain(exception: BaseException) -> tuple[int, str]:
    """Return the HTTP status of an error, and its message, as Markup where it is HTML."""
    if isinstance(exception, WkmpError):
        return 503, str(exception)
    if isinstance(exception, Base400):
        return exception.status, str(exception) or "There is no such page."
    if isinstance(exception, DatasetteError):
        return exception.status, Markup(exception.message) if exception.message_is_html else exception.message  # noqa: S704 - made by Datasette
    traceback.print_exception(exception)
    return 500, "This page cannot be shown, because of a fault of this program. It printed where it happened."


async def _start(request: Any, datasette: Any) -> Any:
    datasette.find_receipts()
    page = await asyncio.to_thread(read_start_page, datasette.library, request.args.get("q") or "")
    html = await datasette.render_template("browse_start.html", {"page": page, "library": datasette.library}, request)
    return Response.html(html, headers=_OWN_PAGE)


async def _file(request: Any, datasette: Any) -> Any:
    asked = request.args.get("passage") or ""
    number = int(asked) if asked.isdecimal() and len(asked) < 10 else None
    guid = _guid(request)
    page = await asyncio.to_thread(read_file_page, datasette.library, guid, number)
    if page is None:
        raise NotFound("The library has no such file.")
    html = await datasette.render_template("browse_file.html", {"page": page}, request)
    return Response.html(html, headers=_OWN_PAGE)


async def _audio(request: Any, datasette: Any, scope: Any, receive: Any, send: Any) -> None:
    library, guid = datasette.library, _guid(request)

    def find() -> Any:
        path = read_path_of(library.database, guid)
        return serve(find_music(library.root, path), media_type_of(path)) if path else serve(None, None)

    await (await asyncio.to_thread(find))(scope, receive, send)


async def _picture(request: Any, datasette: Any, scope: Any, receive: Any, send: Any) -> None:
    library, guid = datasette.library, _guid(request)

    def find() -> Any:
        path = read_path_of(library.database, guid)
        return serve(find_inside(library.pictures, str(library.picture_of(path))) if path else None, "image/png")

    await (await asyncio.to_thread(find))(scope, receive, send)


async def _cover(request: Any, datasette: Any, scope: Any, receive: Any, send: Any) -> None:
    library, guid = datasette.library, _guid(request)
    number = int(request.url_vars["number"])

    def find() -> Any:
        # The table may name any path, because other programs write to it.
        paths = read_covers_of(library.database, guid)
        path = find_inside(library.covers, paths[number]) if number < len(paths) else None
        return serve(path, _PICTURES.get(path.suffix.lower()) if path else None)

    await (await asyncio.to_thread(find))(scope, receive, send)


async def _report(datasette: Any) -> Any:
    try:
        page = await asyncio.to_thread(partial(datasette.library.report.read_text, encoding="utf-8"))
    except OSError as error:
        raise NotFound("There is no report yet. To write one: wkmp report FOLDER") from error
    return Response.html(page, headers=_OWN_PAGE | _REPORT)


def _guid(request: Any) -> str:
    guid: str = request.url_vars["file"]
    return guid


@lru_cache(maxsize=64)  # one side of a comparison is the same flavor again and again
def _parsed(flavor: str) -> Flavor:
    return parse_flavor(flavor).flavor


def _distance(one: object, other: object) -> float | None:
    if not isinstance(one, str) or not isinstance(other, str):
        return None
    first, second = parse_flavor(one).flavor, _parsed(other)
    return distance(first, second) if first.keys() & second.keys() else None


def _rank_neighbours(library: BrowsedLibrary, passage: object) -> str:
    """Return pairs of guid and distance, the nearest first: at most as many as a query shows."""
    nearest = islice(library.find_similar(passage), MAX_NEAREST) if isinstance(passage, str) else ()
    return json.dumps([(one.listed.passage, one.distance) for one in nearest])


def _words(vector: object, metadata: object) -> str:
    return describe_stored_flavor(
        vector if isinstance(vector, str) else None, metadata if isinstance(metadata, str) else None
    )
