"""A library with files on disk, and its pages as a browser asks for them, without a network."""

import asyncio
import gc
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from datasette.utils.sqlite import sqlite_version

from wkmp_assets.cli.library_flavors import find_similar
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.report.browse.app import LibraryPages
from wkmp_assets.report.browse.places import BrowsedLibrary
from wkmp_assets.runtime.web_guard import WebGuard
from wkmp_assets_tests.support.builders import column, commit, entry, flavor, seconds, song

HOSTILE = "<script>alert('x')</script> \u202egnp.exe"
MUSIC = bytes(range(256)) * 16


@dataclass
class Pages:
    """The pages, and where their library is."""

    app: LibraryPages
    library: BrowsedLibrary

    def ask(self, path: str, method: str = "GET", host: str = "127.0.0.1:3001", **headers: str) -> httpx.Response:
        """Send one request through the layer in front; `_` in the name of a header stands for `-`."""
        given = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return asyncio.run(self._ask(method, path, given))

    async def _ask(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._guarded, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3001") as client:
            return await client.request(method, path, headers=headers)

    def __post_init__(self) -> None:
        self._guarded: Any = WebGuard(self.app.app())

    def shows(self, path: str) -> str:
        """Return a page that is there."""
        answer = self.ask(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def guid(self, path: str) -> str:
        """Return the guid of a file."""
        (guid,) = column(self.library.database, "SELECT guid FROM files WHERE path = ?", path)
        return str(guid)


def heard(path: str, title: str, bright: float, **known: Any) -> FileEntry:
    one = entry(path, path, songs=[song(title, ("Ann",))], **known)
    return replace(one, passages=tuple(replace(p, flavor=flavor(p.match.span, bright)) for p in one.passages))


def make_library(folder: Path) -> BrowsedLibrary:
    root, state = folder / "music", folder / "state"
    for one in (root / "Ann", state / "covers", state / "pictures"):
        one.mkdir(parents=True)
    for name in ("air.mp3", "again.flac", "evil.ogg", "old.ape", "two.mp3"):
        (root / "Ann" / name).write_bytes(MUSIC)
    doubt = (FileWarning(WarningKind.CLIPPED, "much of it"),)
    commit(
        root / "wkmp.db",
        replace(heard("Ann/air.mp3", "Air", 0.2, bounds=seconds((1, 61))), warnings=doubt),
        heard("Ann/again.flac", "Air again", 0.21, bounds=seconds((0, 60))),
        heard("Ann/evil.ogg", HOSTILE, 0.9, bounds=seconds((0, 60))),
        heard("Ann/old.ape", "Old", 0.5, bounds=seconds((0, 60))),
        entry("Ann/two.mp3", "two", seconds((0, 20), (23, 43)), songs=[None, None]),
        entry("Ann/gone.mp3", "gone", seconds((0, 20))),
    )
    return BrowsedLibrary(
        root=root,
        database=root / "wkmp.db",
        report=state / "report.html",
        receipts=state / "receipts.db",
        covers=state / "covers",
        pictures=state / "pictures",
        picture_of=lambda path: state / "pictures" / f"{os.path.basename(path)}.png",  # noqa: PTH119 - a stored path
        find_similar=partial(find_similar, root / "wkmp.db", state / "flavors.npz"),
    )


def serve(library: BrowsedLibrary) -> Iterator[Pages]:
    app = LibraryPages(library)
    try:
        yield Pages(app, library)
    finally:
        app.close()


@pytest.fixture(scope="session", autouse=True)
def known_version() -> None:
    """Let Datasette ask for SQLite's version once: it leaves that connection open, as Python 3.13 and later tell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        sqlite_version()
        gc.collect()


@pytest.fixture(scope="package")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The pages of a library that no test changes."""
    yield from serve(make_library(tmp_path_factory.mktemp("browsed")))


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[Pages]:
    """The pages of a library that the test changes."""
    yield from serve(make_library(tmp_path))
