"""A web page on another port of this machine, open in the same browser, gives the web UI no orders."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import requests

from wkmp_assets_tests.integration.browser.browser import full_form
from wkmp_assets_tests.integration.browser.conftest import Visit
from wkmp_assets_tests.support.paths import TEST_DATA
from wkmp_assets_tests.support.workplace import make_workplace

ORDER = "mutation { setAutoMaterializePaused(paused: false) }"
PAGE = """<!doctype html><title>waiting</title>
<img src="UI/graphql?query=QUERY" onload="tell('image')" onerror="tell('image')">
<iframe name="sink"></iframe>
<form id="form" method="post" target="sink" enctype="text/plain" action="UI/graphql?query=QUERY">
<input name="a" value="b"></form>
<script>
let left = 4;
function tell(what) { if (--left == 0) document.title = "done"; }
window.addEventListener("load", () => {
  document.getElementsByName("sink")[0].addEventListener("load", () => tell("form"), {once: true});
  document.getElementById("form").submit();
  fetch("UI/graphql?query=QUERY", {method: "POST", mode: "no-cors", body: "x"})
    .then(() => tell("fetch"), () => tell("fetch"));
  const socket = new WebSocket("UI/graphql".replace("http", "ws"), "graphql-ws");
  socket.onopen = () => { document.body.append("socket open"); tell("socket"); };
  socket.onerror = () => tell("socket");
});
</script>
"""


@contextmanager
def other_page(folder: Path, ui: str) -> Iterator[str]:
    """Serve the page on a port of its own."""
    folder.mkdir()
    page = PAGE.replace("UI", ui).replace("QUERY", quote(ORDER))
    (folder / "index.html").write_text(page, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(ui: str, query: str) -> str:
    return requests.post(f"{ui}/graphql", json={"query": query}, timeout=60).text


@full_form
def test_no_way_of_another_page_to_the_ui_has_an_effect(tmp_path: Path, visit: Visit) -> None:
    place = make_workplace(tmp_path, TEST_DATA / "broken_files")
    with visit(place) as person:
        person.open("/server_info")
        ui = str(person.page.evaluate("location.origin"))
        ask(ui, ORDER.replace("false", "true"))
        with other_page(tmp_path / "other", ui) as address:
            person.page.goto(address)
            person.page.wait_for_function("document.title == 'done'")
            assert "socket open" not in person.page.inner_text("body")
        assert "true" in ask(ui, "{ instance { autoMaterializePaused } }")
        person.open("/assets")  # its own pages work
        person.sees("library_entry")
        ask(ui, ORDER)
        assert "false" in ask(ui, "{ instance { autoMaterializePaused } }")
