"""File names, tags and messages stay text in the web UI's Markdown, on a terminal, and in a shell."""

import ast
import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from wkmp_assets.cli.main import main
from wkmp_assets.db.read.counts import StoredFailure
from wkmp_assets.orchestration.checks import failures as imported
from wkmp_assets.orchestration.checks.findings import Finding, Findings, Severity
from wkmp_assets.orchestration.checks.results import CheckDefinition, build_result
from wkmp_assets_tests.integration.corpus.names import NAMES
from wkmp_assets_tests.integration.corpus.tags import HOSTILE
from wkmp_assets_tests.support.package_code import TREES, users_of
from wkmp_assets_tests.support.paths import ROOT

TEXTS = [
    *HOSTILE.values(),
    *NAMES,
    "a\n\n| a | b |\n|---|---|\n| c | d |",
    "`code` <b>bold</b> &lt;i&gt; ~~gone~~ **x**",
]
CHECK = CheckDefinition("promise", "what is guarded", "are right", "are wrong", "Mend them", ())
TEXT_ONLY = {"paragraph_open", "paragraph_close", "inline", "text"}
FOLDERS = [b"[bold] [link=x]y[blink]", b"caf\xe9", b"\x1b[31mred", b"it's; $(id)"]


def in_markdown(text: str) -> set[str]:
    """Return the kinds of Markdown, including raw HTML, that the web UI would see in a text."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return {token.type for outer in tokens for token in (outer, *(outer.children or ()))}


@pytest.mark.parametrize("text", TEXTS)
def test_a_name_is_no_markup_in_what_a_check_says(text: str) -> None:
    """The web UI shows Markdown, and would fetch a picture from the address in a name."""
    findings = Findings()
    findings.add([Finding(Severity.ERROR, text, f"its title is {text}")])
    said = build_result(CHECK, findings, 1, {}).description
    assert in_markdown(said or "") <= TEXT_ONLY
    failure = StoredFailure(text, "file_tags", "CODE", f"{text}: cannot be read", 1, "2026-01-01 00:00:00")
    assert in_markdown(imported._describe([failure], {}, 1)) <= TEXT_ONLY


def test_ordinary_names_are_said_as_they_are() -> None:
    findings = Findings()
    findings.add([Finding(Severity.ERROR, "An Artist/01_a #1 (live) - x!.mp3", "has no passages")])
    said = build_result(CHECK, findings, 1, {}).description
    assert said == "1 of 1 files are wrong. First: An Artist/01_a #1 (live) - x!.mp3: has no passages. Mend them"


def test_markdown_that_is_not_escaped_would_be_seen() -> None:
    """The test above could fail: hostile texts are seen as Markdown."""
    assert "image" in in_markdown(HOSTILE["markdown"])
    assert "html_inline" in in_markdown("a <img src=x>")
    assert "table_open" in in_markdown("| a | b |\n|---|---|\n| c | d |")


def test_only_the_picture_of_a_file_is_markdown() -> None:
    """The image address holds only the bytes of the PNG."""
    assert users_of("md") == ["orchestration/io_managers.py::handle_output"]
    source = ast.unparse(TREES["orchestration/io_managers.py"])
    (inline,) = re.findall(r"inline = (.*)", source)
    assert set(re.findall(r"\{(.*?)\}", inline)) == {"PICTURE", "b64encode(outcome.value).decode('ascii')"}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_s_name_is_no_markup_on_a_terminal_and_one_word_in_a_shell(tmp_path: Path, name: bytes) -> None:
    folder = tmp_path / os.fsdecode(name)
    folder.mkdir()
    (tmp_path / "dagster.yaml").touch()
    result = CliRunner().invoke(main, ["status", str(folder)], env={"DAGSTER_HOME": str(tmp_path), "COLUMNS": "1000"})
    assert result.exit_code == 0, result.output
    assert all(character.isprintable() or character == "\n" for character in result.output)
    (command,) = re.findall("make one with: wkmp import (.*)", result.output)
    if b"\xe9" in name:
        assert r"caf\udce9" in command
    elif b"\x1b" in name:
        assert r"\x1b[31mred" in command
    else:
        assert shlex.split(command) == [str(folder)]


def test_an_error_that_names_a_folder_is_no_markup_either(tmp_path: Path) -> None:
    folder = tmp_path / "[bold] [link=x]y[blink]"
    folder.mkdir()
    (folder / "wkmp.db").write_bytes(b"no database at all " * 100)
    result = CliRunner().invoke(main, ["status", str(folder)], env={"DAGSTER_HOME": str(tmp_path), "COLUMNS": "1000"})
    assert result.exit_code == 1
    assert f"{folder}/wkmp.db is not a usable SQLite database" in result.output


def test_nothing_is_run_or_unpickled() -> None:
    """The package starts no shell, no programs but its own and the owner's hook, and runs no code from a file.

    A cluster's tasks are unpickled, as Dask itself does with all that its scheduler sends: hence TLS.
    """
    allowed = {"execv": ["cli/ui.py::ui"]}
    with_a_reason = {
        "runtime/cluster/parcels.py": {"pickle"},
        "runtime/alert_hook.py": {"subprocess"},  # the command that the owner's settings name
        "report/compiled_librosa.py": {"subprocess"},  # Python itself, which compiles librosa
        "orchestration/pictures.py": {"subprocess"},  # its exceptions
    }
    forbidden = {"subprocess", "pickle", "shelve", "marshal", "pty", "commands"}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules = {name.split(".")[0] for name in names} - with_a_reason.get(module, set())
            assert not forbidden & modules, module
    for name in ("system", "popen", "exec", "eval", "execv", "execvp", "spawnv", "posix_spawn"):
        assert users_of(name) == allowed.get(name, []), name


def test_the_web_server_listens_to_this_machine_only_unless_told_otherwise() -> None:
    from dagster_webserver.cli import dagster_webserver

    (host,) = [option for option in dagster_webserver.params if option.name == "host"]
    assert host.default == "127.0.0.1"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (started,) = re.findall(r"^.*dagster dev.*$", makefile, re.MULTILINE)
    assert "--host 127.0.0.1" in started
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        text = document.read_text(encoding="utf-8").replace(
            "tls://0.0.0.0", ""
        )  # a scheduler that asks for certificates
        assert "0.0.0.0" not in text, document  # noqa: S104 - looked for, not bound to
