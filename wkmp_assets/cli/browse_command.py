"""`wkmp browse`: a page to look at the library and to listen to it."""

import socket
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wkmp_assets.cli.library_flavors import find_similar
from wkmp_assets.cli.options import DATABASE, FOLDER, LIBRARY, OUT, exit_on_error, find_settings, quote_path
from wkmp_assets.errors import GoneLibraryError
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.report.text import printable
from wkmp_assets.runtime.served_page import announce_page
from wkmp_assets.runtime.web_guard import WebGuard
from wkmp_assets.settings import Settings

if TYPE_CHECKING:
    from wkmp_assets.report.browse.app import LibraryPages

DEFAULT_PORT = 3001
THIS_MACHINE = "127.0.0.1"
EXTRA = "pip install 'wkmp-assets[browse]'"


@click.command("browse", epilog="Example: wkmp browse ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@click.option("--port", type=click.IntRange(0, 65_535), default=DEFAULT_PORT, show_default=True,
              help="Of the page; 0 for any that is free.")  # fmt: skip
@click.option("--host", default=THIS_MACHINE, show_default=True,
              help="Address to listen on. The page has no passwords: who reaches it sees and hears all.")  # fmt: skip
def browse(folder: Path, library: Path | None, database: Path | None, port: int, host: str) -> None:
    """Serve the library of FOLDER as pages, to look at it and to listen to it. Ctrl-C ends it.

    The library is only read, and an import may run meanwhile. Exit status 0: ended; 1: there is no library, the port is
    taken, or the extra is not installed.
    """
    settings = find_settings(folder, library, database)
    pages = make_pages(settings)
    with exit_on_error():
        if not settings.database_path.is_file():
            raise GoneLibraryError(settings.database_path)
    _serve(pages, settings, host, port)


def make_pages(settings: Settings) -> "LibraryPages":
    """Return the application for a library.

    Raises
    ------
    click.ClickException
        The extra is not installed.
    """
    try:
        from wkmp_assets.report.browse.app import LibraryPages
        from wkmp_assets.report.browse.places import BrowsedLibrary
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("wkmp_assets"):
            raise
        raise click.ClickException(f"the page needs Datasette, which is not installed: {EXTRA}") from error
    return LibraryPages(
        BrowsedLibrary(
            root=None if settings.music_url else settings.library,
            database=settings.database_path,
            report=settings.report_path,
            receipts=settings.receipts_path,
            covers=settings.covers_path,
            pictures=settings.pictures_dir,
            picture_of=lambda path: settings.picture_path(encode_key(path)),
            find_similar=partial(find_similar, settings.database_path, settings.flavor_cache_path),
        )
    )


def _serve(pages: "LibraryPages", settings: Settings, host: str, port: int) -> None:
    import uvicorn

    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {printable(host)}, port {port} ({error.strerror or error}); choose another: --port"
        ) from error
    with listener:
        address = f"http://{host}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            WebGuard(pages.app(), settings.ui_host_names), log_level="warning", server_header=False, lifespan="on"
        )
        with exit_on_error(), announce_page(settings.browse_path, address):
            OUT.print(f"{address} shows the library of {quote_path(settings.library)}; Ctrl-C ends it")
            with suppress(KeyboardInterrupt):  # uvicorn passes Ctrl-C on when it has ended
                uvicorn.Server(config).run(sockets=[listener])
