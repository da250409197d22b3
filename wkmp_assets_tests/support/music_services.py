"""AcoustID, MusicBrainz and AcousticBrainz on this machine: a real HTTP server that can misbehave on demand."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from uuid import NAMESPACE_URL, uuid5

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

KEY = "Key-Only-For-Tests"
Behaviour = Callable[[Request], Response | None]


@dataclass
class Asked:
    """One request that arrived."""

    at: float
    """Monotonic, in seconds."""
    service: str
    form: dict[str, str] = field(default_factory=dict)
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class MusicServices:
    """All three services at one address.

    `fingerprints` maps a fingerprint to AcoustID results, `recordings` an MBID to MusicBrainz' answer, `searches` a
    query to recordings, `merged` an MBID to the one it was merged into, `classes` an MBID to AcousticBrainz' answer.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.fingerprints: dict[str, list[dict[str, Any]]] = {}
        self.default_results: Callable[[str], list[dict[str, Any]]] = lambda _fingerprint: []
        self.recordings: dict[str, dict[str, Any]] = {}
        self.releases: dict[str, dict[str, Any]] = {}
        self.default_recording: Callable[[str], dict[str, Any] | None] = lambda _mbid: None
        self.searches: dict[str, list[dict[str, Any]]] = {}
        self.merged: dict[str, str] = {}
        self.classes: dict[str, Any] = {}
        self.asked: list[Asked] = []
        self.acoustid_behaviour: Behaviour = lambda _request: None
        self.musicbrainz_behaviour: Behaviour = lambda _request: None
        self.acousticbrainz_behaviour: Behaviour = lambda _request: None
        self._lock = threading.Lock()
        server.expect_request("/acoustid/lookup", method="POST").respond_with_handler(self._acoustid)
        server.expect_request("/mb/recording", method="GET").respond_with_handler(self._search)
        server.expect_request(_AnyPath("/mb/recording/"), method="GET").respond_with_handler(self._musicbrainz)
        server.expect_request(_AnyPath("/mb/release/"), method="GET").respond_with_handler(self._release)
        server.expect_request(_AnyPath("/ab/api/v1/"), method="GET").respond_with_handler(self._acousticbrainz)

    @property
    def acoustid_url(self) -> str:
        return self.server.url_for("/acoustid")

    @property
    def musicbrainz_url(self) -> str:
        return self.server.url_for("/mb")

    @property
    def acousticbrainz_url(self) -> str:
        return self.server.url_for("/ab")

    @property
    def settings(self) -> dict[str, Any]:
        """Settings with the addresses of these services, and without a limit on the rate."""
        return {
            "acoustid_api_key": KEY, "acoustid_url": self.acoustid_url, "acoustid_interval_ms": 0,
            "musicbrainz_url": self.musicbrainz_url, "musicbrainz_interval_ms": 0,
            "acousticbrainz_url": self.acousticbrainz_url, "acousticbrainz_interval_ms": 0,
        }  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """The same settings as environment variables."""
        return {f"WKMP_{name.upper()}": str(value) for name, value in self.settings.items()}

    def times(self, service: str) -> list[float]:
        return sorted(asked.at for asked in self.asked if asked.service == service)

    def count(self, service: str) -> int:
        return len(self.times(service))

    def _note(self, asked: Asked) -> None:
        with self._lock:
            self.asked.append(asked)

    def _acoustid(self, request: Request) -> Response:
        body = request.get_data()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self._note(Asked(time.monotonic(), "AcoustID", form, request.path, dict(request.headers)))
        told = self.acoustid_behaviour(request)
        if told is not None:
            return told
        if form.get("client") != KEY:
            return _json({"status": "error", "error": {"code": 4, "message": "invalid API key"}}, 400)
        if not form.get("fingerprint", "").startswith("AQ"):
            return _json({"status": "error", "error": {"code": 3, "message": "invalid fingerprint"}}, 400)
        found = self.fingerprints.get(form["fingerprint"])
        results = self.default_results(form["fingerprint"]) if found is None else found
        if "sources" not in form.get("meta", "").split():
            results = _without_sources(results)
        return _json({"status": "ok", "results": results})

    def _search(self, request: Request) -> Response:
        self._note(Asked(time.monotonic(), "MusicBrainz", dict(request.args), request.full_path, dict(request.headers)))
        told = self.musicbrainz_behaviour(request)
        if told is not None:
            return told
        return _json({"count": 0, "offset": 0, "recordings": self.searches.get(request.args["query"], [])})

    def _musicbrainz(self, request: Request) -> Response:
        self._note(Asked(time.monotonic(), "MusicBrainz", {}, request.full_path, dict(request.headers)))
        told = self.musicbrainz_behaviour(request)
        if told is not None:
            return told
        mbid = request.path.rsplit("/", 1)[1]
        if mbid in self.merged:
            query = request.query_string.decode()
            return Response(status=301, headers={"Location": f"/mb/recording/{self.merged[mbid]}?{query}"})
        known = self.recordings.get(mbid) or self.default_recording(mbid)
        return _json({"error": "Not Found"}, 404) if known is None else _json(known)

    def _release(self, request: Request) -> Response:
        self._note(Asked(time.monotonic(), "MusicBrainz", {}, request.full_path, dict(request.headers)))
        told = self.musicbrainz_behaviour(request)
        known = self.releases.get(request.path.rsplit("/", 1)[1])
        return told or (_json({"error": "Not Found"}, 404) if known is None else _json(known))

    def _acousticbrainz(self, request: Request) -> Response:
        self._note(Asked(time.monotonic(), "AcousticBrainz", {}, request.full_path, dict(request.headers)))
        told = self.acousticbrainz_behaviour(request)
        if told is not None:
            return told
        known = self.classes.get(request.path.removeprefix("/ab/api/v1/").removesuffix("/high-level"))
        return _json({"message": "Not found"}, 404) if known is None else _json(known)


def _without_sources(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the results as AcoustID gives them to a request without `sources`."""

    def left(one: Any) -> Any:
        return {name: value for name, value in one.items() if name != "sources"} if isinstance(one, dict) else one

    return [
        {**result, "recordings": list(map(left, result["recordings"]))}
        if isinstance(result, dict) and isinstance(result.get("recordings"), list)
        else result
        for result in results
    ]


class _AnyPath:
    """Matches every path below a folder."""

    def __init__(self, start: str) -> None:
        self._start = start

    def __eq__(self, other: object) -> bool:
        return str(other).startswith(self._start)

    def __hash__(self) -> int:
        return hash(self._start)


class _Server(HTTPServer):
    """Ends when it is told to, not up to half a second later."""

    def thread_target(self) -> None:
        assert self.server is not None
        self.server.serve_forever(poll_interval=0.01)


@contextmanager
def music_services() -> Iterator[MusicServices]:
    """Run the services for the block."""
    with _Server(threaded=True) as server:
        yield MusicServices(server)


def know_everything(services: MusicServices) -> None:
    """Give both services a recording for every fingerprint and every id, with artist, work and two releases.

    One release holds every recording; the other, older one holds only that recording.
    """

    def named(kind: str, of: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"{kind} {of}"))

    def heard(fingerprint: str) -> list[dict[str, Any]]:
        mbid = named("recording", fingerprint)
        return [
            acoustid_result(0.98, acoustid_recording(mbid, f"Song {mbid[:8]}", (named("artist", "all"), "Everybody")))
        ]

    def known(mbid: str) -> dict[str, Any]:
        releases = [
            musicbrainz_release(named("release", mbid), f"Album {mbid[:8]}", "2001-02-03"),
            musicbrainz_release(named("release", "all"), "All Together", "2011-02-03"),
        ]
        work = (named("work", mbid), f"Opus {mbid[:8]}")
        artists = [(named("artist", "all"), "Everybody"), (named("artist", mbid), f"Artist {mbid[:8]}")]
        return musicbrainz_recording(mbid, f"Song {mbid[:8]}", artists, releases=releases, works=[work])

    services.default_results, services.default_recording = heard, known


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def acoustid_result(
    score: float, *recordings: dict[str, Any], acoustid: str = "0" * 8 + "-0000-4000-8000-" + "0" * 12
) -> dict[str, Any]:
    return {"id": acoustid, "score": score, "recordings": list(recordings)}


def acoustid_recording(
    mbid: str, title: str, artist: tuple[str, str], duration: float | None = None, sources: int | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {"id": mbid, "title": title, "artists": [{"id": artist[0], "name": artist[1]}]}
    known = {"duration": duration, "sources": sources}
    return found | {name: value for name, value in known.items() if value is not None}


def musicbrainz_recording(
    mbid: str,
    title: str,
    artists: list[tuple[str, str]],
    *,
    length_ms: int | None = None,
    releases: list[dict[str, Any]] | None = None,
    works: list[tuple[str, str]] | None = None,
) -> dict[str, Any]:
    credit = [
        {
            "name": name,
            "joinphrase": " & " if number < len(artists) else "",
            "artist": {"id": id_, "name": name, "sort-name": name},
        }
        for number, (id_, name) in enumerate(artists, start=1)
    ]
    relations = [
        {"type": "performance", "type-id": "a3005666-a872-32c3-ad06-98af558e99b0", "work": {"id": id_, "title": text}}
        for id_, text in works or []
    ]
    return {
        "id": mbid, "title": title, "length": length_ms, "artist-credit": credit, "releases": releases or [],
        "relations": relations,
    }  # fmt: skip


def musicbrainz_release(
    mbid: str, title: str, date: str = "", status: str = "Official", kind: str = "Album"
) -> dict[str, Any]:
    return {
        "id": mbid, "title": title, "date": date, "status": status,
        "release-group": {"primary-type": kind, "secondary-types": []},
    }  # fmt: skip
