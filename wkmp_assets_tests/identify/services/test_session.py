"""Sessions with a real server that is slow, overloaded, moved or down, or gives wrong answers."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from pyrate_limiter.abstracts.bucket import Leaker
from werkzeug import Request, Response

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.identify.services.answers import Answer
from wkmp_assets.identify.services.session import Service, ServiceSession
from wkmp_assets.identify.services.transport import MAX_ANSWER_BYTES
from wkmp_assets_tests.support.music_services import Behaviour, MusicServices
from wkmp_assets_tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.slow

MBID = "aaaaaaaa-0000-4000-8000-000000000001"


def keep(answer: Answer) -> bool | None:
    return answer.status == 200 or None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "services"


def session(
    services: MusicServices | str, folder: Path, *, interval_ms: int = 0, timeout_s: float = PATIENCE_S
) -> ServiceSession:
    url = services if isinstance(services, str) else services.musicbrainz_url
    service = Service("MusicBrainz", url, interval_ms, keep_for=None, keep_none_for=timedelta(days=1))
    return ServiceSession(service, folder, "test/1 (nobody)", keep, timeout_s=timeout_s, pauses_s=(0.05, 0.1))


def ask(services: MusicServices | str, folder: Path, timeout_s: float = PATIENCE_S) -> Answer:
    with session(services, folder, timeout_s=timeout_s) as opened:
        return opened.get(f"recording/{MBID}", {"fmt": "json"})


def refusal(services: MusicServices | str, folder: Path, timeout_s: float = PATIENCE_S) -> str:
    with pytest.raises(ServiceUnavailableError) as raised:
        ask(services, folder, timeout_s)
    return raised.value.reason


def test_an_answer_is_asked_for_once(services: MusicServices, folder: Path) -> None:
    services.recordings[MBID] = {"id": MBID}
    assert [ask(services, folder).value for _ in range(3)] == [{"id": MBID}] * 3
    assert services.count("MusicBrainz") == 1
    assert services.asked[0].headers["User-Agent"] == "test/1 (nobody)"


def test_that_nothing_is_known_is_remembered_too(services: MusicServices, folder: Path) -> None:
    assert [ask(services, folder).status for _ in range(2)] == [404, 404]
    assert services.count("MusicBrainz") == 1


def test_an_overloaded_service_is_asked_again(services: MusicServices, folder: Path) -> None:
    told = iter([Response(status=503), Response(status=429), None])
    services.musicbrainz_behaviour = lambda _request: next(told)
    services.recordings[MBID] = {"id": MBID}
    assert ask(services, folder).status == 200
    assert services.count("MusicBrainz") == 3


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
def test_it_is_not_asked_before_the_time_it_named(services: MusicServices, folder: Path, as_date: bool) -> None:
    when = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=2), usegmt=True) if as_date else "1"
    told = iter([Response(status=503, headers={"Retry-After": when}), None])
    services.musicbrainz_behaviour = lambda _request: next(told)
    services.recordings[MBID] = {"id": MBID}
    started = time.monotonic()
    assert ask(services, folder).status == 200
    assert time.monotonic() - started >= 0.9


@pytest.mark.parametrize("retry_after", ["86400", "9" * 50])
def test_a_service_that_wants_to_be_left_alone_for_long_is(
    services: MusicServices, folder: Path, retry_after: str
) -> None:
    services.musicbrainz_behaviour = lambda _request: Response(status=503, headers={"Retry-After": retry_after})
    assert "come back in" in refusal(services, folder)
    assert services.count("MusicBrainz") == 1


def test_a_service_that_is_gone_is_given_up_for_the_rest_of_the_run(folder: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with session(url, folder) as opened:
        for _ in range(3):
            with pytest.raises(ServiceUnavailableError, match="cannot be reached"):
                opened.get("recording/x", {})
        assert opened.calls == 0


def test_after_giving_up_nothing_is_sent(services: MusicServices, folder: Path) -> None:
    services.musicbrainz_behaviour = lambda _request: Response(status=500)
    with session(services, folder) as opened:
        for number in range(5):
            with pytest.raises(ServiceUnavailableError, match="HTTP 500"):
                opened.get(f"recording/{number}", {})
    assert services.count("MusicBrainz") == 3


NOBODY_WAITS = threading.Event()
"""Set when a test is over, so that its endless answers end."""


def _never(_request: Request) -> Response:
    NOBODY_WAITS.wait()
    return Response("{}")


def _dripping(_request: Request) -> Response:
    def drops() -> Iterator[bytes]:
        while not NOBODY_WAITS.wait(0.1):
            yield b" "

    return Response(drops())


@pytest.mark.parametrize("behaviour", [_never, _dripping])
def test_an_answer_that_never_ends_is_given_up(services: MusicServices, folder: Path, behaviour: Behaviour) -> None:
    services.musicbrainz_behaviour = behaviour
    NOBODY_WAITS.clear()
    try:
        assert "did not answer in time" in refusal(services, folder, timeout_s=0.3)
    finally:
        NOBODY_WAITS.set()
    services.musicbrainz_behaviour = lambda _request: None
    services.recordings[MBID] = {"id": MBID}
    assert ask(services, folder).value == {"id": MBID}


def _dripping_for_long(_request: Request) -> Response:
    return Response(b" " * 70_000 for _ in range(40))


BAD_ANSWERS = {
    "too long in small parts": (_dripping_for_long, "too long"),
    "truncated": (lambda _request: Response('{"id": "aaaa'), "no usable JSON"),
    "not JSON": (lambda _request: Response("<html>Maintenance</html>"), "no usable JSON"),
    "deeply nested": (lambda _request: Response("[" * 200_000), "no usable JSON"),
    "2 MB of junk": (lambda _request: Response(b"x" * 2 * MAX_ANSWER_BYTES), "too long"),
    "a bomb": (
        lambda _request: Response(gzip.compress(b" " * 20_000_000), headers={"Content-Encoding": "gzip"}),
        "too long",
    ),
    "teapot": (lambda _request: Response("{}", status=418), "HTTP 418"),
    "redirection in a circle": (
        lambda request: Response(status=302, headers={"Location": request.url}),
        "TooManyRedirects",
    ),
}


@pytest.mark.parametrize(("behaviour", "reason"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_what_is_no_answer_is_told_apart_and_not_kept(
    services: MusicServices, folder: Path, behaviour: Behaviour, reason: str
) -> None:
    services.musicbrainz_behaviour = behaviour
    with pytest.raises(ServiceUnavailableError, match=reason):
        ask(services, folder)
    services.musicbrainz_behaviour = lambda _request: None
    services.recordings[MBID] = {"id": MBID}
    assert ask(services, folder).value == {"id": MBID}


def test_a_redirection_to_somebody_else_is_not_believed(services: MusicServices, folder: Path) -> None:
    elsewhere = services.musicbrainz_url.replace("localhost", "127.0.0.1") + "/recording/else"
    services.default_recording = lambda mbid: {"id": mbid}
    services.musicbrainz_behaviour = lambda request: (
        Response(status=302, headers={"Location": elsewhere}) if request.path.endswith(MBID) else None
    )
    assert "redirected to 127.0.0.1" in refusal(services, folder)


def test_a_form_is_never_redirected(services: MusicServices, folder: Path) -> None:
    there = services.server.url_for("/there")
    services.acoustid_behaviour = lambda _request: Response(status=307, headers={"Location": there})
    with session(services.acoustid_url, folder) as opened, pytest.raises(ServiceUnavailableError, match="HTTP 307"):
        opened.post("lookup", {"client": "secret"})
    assert services.count("AcoustID") == 1


def test_an_old_answer_serves_while_the_service_is_down(services: MusicServices, folder: Path) -> None:
    services.recordings[MBID] = {"id": MBID}
    short = Service("MusicBrainz", services.musicbrainz_url, 0, timedelta(milliseconds=1), None)
    for behaviour in (lambda _request: None, lambda _request: Response(status=503)):
        services.musicbrainz_behaviour = behaviour
        with ServiceSession(short, folder, "test", keep, timeout_s=PATIENCE_S, pauses_s=()) as opened:
            assert opened.get(f"recording/{MBID}", {}).value == {"id": MBID}
        time.sleep(0.05)


def test_a_session_that_is_closed_leaves_no_thread_behind(
    services: MusicServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import of a large library takes a thousand runs with three sessions each."""
    made_as_usual = Leaker.__init__
    monkeypatch.setattr(Leaker, "__init__", lambda self, _ten_seconds: made_as_usual(self, leak_interval=100))
    before = set(threading.enumerate())
    with session(services, tmp_path) as opened:
        opened.get(f"recording/{MBID}", {})
        tidying = [thread for thread in threading.enumerate() if thread not in before and "Leaker" in thread.name]
        assert tidying
    for thread in tidying:
        thread.join(PATIENCE_S)  # it wakes up every tenth of a second here
        assert not thread.is_alive()


def _ask_many(url: str, folder: Path, process: int, count: int, interval_ms: int) -> int:
    with session(url, folder, interval_ms=interval_ms) as opened:
        for number in range(count):
            opened.get(f"recording/{process}-{number}", {})
        return opened.calls


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.long)])
def test_processes_keep_to_one_rate_together(services: MusicServices, folder: Path, processes: int) -> None:
    services.default_recording = lambda mbid: {"id": mbid}
    asking = partial(_ask_many, services.musicbrainz_url, folder, count=6, interval_ms=250)
    with ProcessPoolExecutor(processes, get_context("spawn")) as executor:
        assert sum(executor.map(asking, range(processes))) == 6 * processes
    times = services.times("MusicBrainz")
    assert len(times) == 6 * processes
    for number, first in enumerate(times):
        within = sum(at < first + 1.0 for at in times[number:])
        assert within <= 5, json.dumps([round(at - times[0], 3) for at in times])


def test_a_service_that_was_given_up_still_answers_from_the_cache(services: MusicServices, folder: Path) -> None:
    services.recordings[MBID] = {"id": MBID}
    ask(services, folder)
    services.musicbrainz_behaviour = lambda _request: Response(status=503)
    with session(services, folder) as opened:
        with pytest.raises(ServiceUnavailableError):
            opened.get("recording/other", {"fmt": "json"})
        asked = services.count("MusicBrainz")
        assert opened.get(f"recording/{MBID}", {"fmt": "json"}).value == {"id": MBID}
        with pytest.raises(ServiceUnavailableError, match="HTTP 503"):
            opened.get("recording/another", {"fmt": "json"})
    assert services.count("MusicBrainz") == asked


def test_a_damaged_cache_is_named_with_what_to_do(services: MusicServices, folder: Path) -> None:
    ask(services, folder)
    for file in folder.glob("MusicBrainz.sqlite*"):
        file.unlink()
    (folder / "MusicBrainz.sqlite").write_bytes(b"this is no database, and long enough to be sure of it" * 100)
    reason = refusal(services, folder)
    assert "cannot be used" in reason
    assert str(folder) in reason


def test_whose_turn_never_comes_is_told_so(
    services: MusicServices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wkmp_assets.identify.services.transport.MAX_QUEUE_S", 0.1)
    services.default_recording = lambda mbid: {"id": mbid}
    with session(services, folder, interval_ms=60_000) as opened:
        opened.get("recording/first", {})
        with pytest.raises(ServiceUnavailableError, match="no turn came up"):
            opened.get("recording/second", {})
    assert services.count("MusicBrainz") == 1
