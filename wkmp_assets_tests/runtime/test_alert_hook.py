"""A command and an address of the owner's get a message, or say in time why not."""

import json
import os
import socket
import sys
import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from wkmp_assets.errors import AlertError
from wkmp_assets.runtime.alert_hook import AlertHook

MESSAGE = {"kind": "run failed", "text": "Ärger"}


def command_that(folder: Path, code: str) -> str:
    script = folder / "a hook.py"
    script.write_text(f"import json, os, subprocess, sys, time\n{code}\n", encoding="utf-8")
    return f"{sys.executable} '{script}'"


def test_both_get_the_message(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/hook", method="POST", json=MESSAGE).respond_with_data("ok")
    seen = tmp_path / "seen.json"
    command = command_that(
        tmp_path, f"open({str(seen)!r}, 'w').write(json.dumps([json.load(sys.stdin), dict(os.environ)]))"
    )
    AlertHook(command, httpserver.url_for("/hook"), environment={"PATH": os.environ["PATH"], "MINE": "1"}).send(MESSAGE)
    httpserver.check()
    message, environment = json.loads(seen.read_text(encoding="utf-8"))
    assert message == MESSAGE
    assert environment["MINE"] == "1"
    assert set(environment) <= {"PATH", "MINE", "LC_CTYPE"}


def test_a_command_that_fails_or_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AlertError, match=r"ended with exit status 3$"):
        AlertHook(command_that(tmp_path, "sys.exit(3)")).send(MESSAGE)
    with pytest.raises(AlertError, match=r"cannot be run: No such file or directory"):
        AlertHook("/nowhere/hook --now").send(MESSAGE)
    with pytest.raises(AlertError, match="cannot be run: No closing quotation"):
        AlertHook("hook 'open").send(MESSAGE)
    AlertHook(command_that(tmp_path, "sys.stdin.close()")).send({"text": "x" * 1_000_000})  # it need not read


@pytest.mark.slow
def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = (
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(child)!r}, 'w').write(str(p.pid))\ntime.sleep(600)"
    )
    with pytest.raises(AlertError, match="took longer than"):
        AlertHook(command_that(tmp_path, code), timeout_s=2).send(MESSAGE)
    pid = int(child.read_text(encoding="utf-8"))
    for _ in range(600):
        if not Path(f"/proc/{pid}").exists() or "zombie" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8"):
            return
        time.sleep(0.1)
    pytest.fail("the child lives")


def test_an_address_that_does_not_take_it_is_told_without_its_name(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/secret-500").respond_with_data("no", status=500)
    httpserver.expect_request("/secret-away").respond_with_response(
        Response(status=302, headers={"Location": httpserver.url_for("/elsewhere")})
    )
    httpserver.expect_request("/elsewhere").respond_with_data("ok")
    for path, said in {"/secret-500": "HTTP status 500", "/secret-away": "HTTP status 302"}.items():
        with pytest.raises(AlertError, match=said) as told:
            AlertHook(address=httpserver.url_for(path)).send(MESSAGE)
        assert "secret" not in str(told.value)
    assert [request.path for request, _ in httpserver.log] == ["/secret-500", "/secret-away"]


def test_an_address_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/secret"
        with pytest.raises(AlertError, match="did not take it: TimeoutError") as told:
            AlertHook(address=address, timeout_s=0.2).send(MESSAGE)
    assert "secret" not in str(told.value)


def test_what_one_of_them_does_not_take_the_other_gets(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook", json=MESSAGE).respond_with_data("ok")
    with pytest.raises(AlertError, match="the alert command ended with exit status 1"):
        AlertHook(command_that(tmp_path, "sys.exit(1)"), httpserver.url_for("/hook")).send(MESSAGE)
    assert len(httpserver.log) == 1
