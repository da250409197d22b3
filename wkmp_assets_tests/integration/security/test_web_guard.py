"""The web UI takes no orders from other web pages: raw requests to a real web server, as browsers send them."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import pytest
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.asset_daemon import get_auto_materialize_paused, set_auto_materialize_paused

from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.patience import wait_until

pytestmark = pytest.mark.slow

ORDER = "mutation { setAutoMaterializePaused(paused: %s) }"
BY_GET = f"/graphql?query={quote(ORDER % 'false')}"
SOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "graphql-ws"}  # fmt: skip


class WebUi:
    """A running web server, asked over a bare connection, so that any header can be sent."""

    def __init__(self, port: int, instance: DagsterInstance) -> None:
        self.port = port
        self.instance = instance
        self.host = f"127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
        """Return the status and the beginning of the answer; `_` in the name of a header stands for `-`."""
        given = {"Host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        lines += [f"Content-Length: {len(body)}"] if body else []
        lines += [] if "Upgrade" in given else ["Connection: close"]
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=60)) as connection:
            connection.sendall("\r\n".join([*lines, "", body]).encode())
            answer = b""
            while b"\r\n\r\n" not in answer or "Upgrade" not in given:
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        return int(answer.split(b" ")[1]), answer.decode("utf-8", "replace")

    def post(self, query: str, **headers: str) -> tuple[int, str]:
        return self.ask("POST", "/graphql", json.dumps({"query": query}), Content_Type="application/json", **headers)

    @property
    def has_obeyed(self) -> bool:
        return not get_auto_materialize_paused(self.instance)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUi]:
    """Dagster's web server on the instance of the repository's dagster.yaml, made as `dagster-webserver` makes it."""
    import uvicorn
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.webserver import DagsterWebserver

    from wkmp_assets_tests.support.dagster_homes import make_opened_home

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        patch.setenv("WKMP_UI_HOSTS", "music.example.org")
        patch.setattr(DagsterWebserver, "create_asgi_app", DagsterWebserver.create_asgi_app)
        make_opened_home(home)
        with DagsterInstance.get() as instance:
            instance.optimize_for_webserver(15_000, 3_600, 20)
            with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context:
                app = create_app_from_workspace_process_context(context)
                server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
                thread = threading.Thread(target=server.run)
                thread.start()
                try:
                    wait_until(lambda: server.started, lambda: "the web server has started", look_every_s=0.05)
                    yield WebUi(server.servers[0].sockets[0].getsockname()[1], instance)
                finally:
                    server.should_exit = True
                    thread.join()


@pytest.fixture
def ui(served: WebUi) -> WebUi:
    set_auto_materialize_paused(served.instance, True)
    return served


def test_the_ui_s_own_page_and_programs_are_answered(ui: WebUi) -> None:
    assert ui.ask("GET", "/server_info")[0] == 200
    assert ui.ask("GET", "/", Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")[0] == 200
    own = {"Origin": f"http://{ui.host}", "Sec_Fetch_Site": "same-origin"}
    assert ui.post("{ version }", **own)[0] == 200
    status, answer = ui.post(ORDER % "false", **own)
    assert status == 200, answer
    assert ui.has_obeyed
    assert ui.post("{ version }")[0] == 200  # a program
    assert ui.ask("GET", "/graphql", **SOCKET, **own)[0] == 101
    assert ui.ask("GET", "/graphql", **SOCKET)[0] == 101
    assert ui.ask("GET", "/graphql", Accept="text/html")[0] == 200


def test_a_link_to_the_ui_can_be_followed_and_framed_it_cannot(ui: WebUi) -> None:
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert ui.ask("GET", "/", Sec_Fetch_Dest="document", **link)[0] == 200
    assert ui.ask("GET", "/", Sec_Fetch_Dest="iframe", **link)[0] == 403


IMAGE = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}
PAGE = {"Origin": "http://127.0.0.1:8000"}
FORM = {"Content_Type": "text/plain", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}


@pytest.mark.parametrize(
    "headers",
    [{}, IMAGE, {"Sec_Fetch_Site": "same-site"}, {"Accept": "image/avif,*/*"}],
    ids=["without a word", "an image", "a page on another port", "an old browser"],
)
def test_a_mutation_in_an_address_is_refused(ui: WebUi, headers: dict[str, str]) -> None:
    status, answer = ui.ask("GET", BY_GET, **headers)
    assert (status, ui.has_obeyed) == (403, False), answer


@pytest.mark.parametrize(
    "headers",
    [
        PAGE,
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:3000", "Origin": "http://evil.example:3000", "Sec_Fetch_Site": "same-origin"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "music.example.org@evil.example"},
        {"Host": ""},
    ],
    ids=["another port", "a sandbox", "half an address", "another site", "no origin", "same site", "foreign host",
         "rebinding",
         "a name like an address", "a name before another", "no host"],
)  # fmt: skip
def test_an_order_of_another_page_is_refused(ui: WebUi, headers: dict[str, str]) -> None:
    status, answer = ui.post(ORDER % "false", **headers)
    assert (status, ui.has_obeyed) == (403, False), answer


def test_a_form_of_another_page_is_refused(ui: WebUi) -> None:
    for headers in ({**FORM, "Sec_Fetch_Site": "cross-site"}, {**FORM, **PAGE}):
        status, answer = ui.ask("POST", BY_GET, "a=b", **headers)
        assert (status, ui.has_obeyed) == (403, False), answer
    for path in ("/report_asset_materialization/library_entry", "/report_asset_check/library_entry"):
        assert ui.ask("POST", path, "{}", **PAGE)[0] == 403


@pytest.mark.parametrize("headers", [PAGE, {"Origin": "null"}, {"Host": "evil.example"}])
def test_a_web_socket_of_another_page_is_refused(ui: WebUi, headers: dict[str, str]) -> None:
    assert ui.ask("GET", "/graphql", **SOCKET, **headers)[0] == 403


def test_the_name_of_a_proxy_is_known_by_the_setting(ui: WebUi) -> None:
    proxied = {"Host": "music.example.org", "Origin": "https://music.example.org", "Sec_Fetch_Site": "same-origin"}
    assert ui.post("{ version }", **proxied)[0] == 200
    status, answer = ui.post("{ version }", Host="other.example.org")
    assert status == 403
    assert "WKMP_UI_HOSTS" in answer
    assert load_settings(ui_hosts="a.org, b.org").ui_host_names == {"a.org", "b.org"}


def test_names_of_this_machine_are_known(ui: WebUi) -> None:
    for host in (f"localhost:{ui.port}", f"wkmp.localhost:{ui.port}", f"[::1]:{ui.port}", "192.168.1.5:3000"):
        assert ui.ask("GET", "/server_info", Host=host)[0] == 200
