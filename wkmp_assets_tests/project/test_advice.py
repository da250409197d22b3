"""What messages tell people to type and to set is there, and can be typed like that."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from wkmp_assets.cli.main import main
from wkmp_assets.settings import all_settings
from wkmp_assets_tests.support.package_code import SOURCES, TREES

COMMAND = re.compile(
    rf"wkmp ((?:{'|'.join(main.list_commands(click.Context(main)))})(?![\w-])(?: FOLDER| FILE| WORDS| --[a-z-]+)*)"
)
EXAMPLE = "Example: "
SETTING = re.compile(r"WKMP_(?!FOLDER)[A-Z_]+")
"""Without those whose name is computed, such as `WKMP_{name}`."""


def texts(tree: ast.AST) -> Iterator[str]:
    """The texts of a module that are not docstrings; a value in an f-string reads `FOLDER`."""
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    read_elsewhere = documented | parts
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "FOLDER" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in read_elsewhere:
            yield node.value


ADVISING = [module for module, source in SOURCES.items() if "wkmp " in source or "WKMP_" in source]
"""Their trees are made in the tests: every process that collects tests imports this module."""


@cache
def advice(module: str) -> list[str]:
    """The messages of a module; examples have their own test."""
    return [text for text in texts(TREES[module]) if not text.startswith(EXAMPLE)]


def found(pattern: re.Pattern[str], modules: list[str] = ADVISING) -> set[tuple[str, str]]:
    """What messages name, with the module."""
    return {(module, name) for module in modules for text in advice(module) for name in pattern.findall(text)}


def test_there_are_messages_with_advice() -> None:
    assert len(found(COMMAND)) > 10
    assert len(found(SETTING)) > 5


@pytest.mark.parametrize("module", ADVISING)
def test_the_commands_in_messages_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """With a folder in place of FOLDER. `wkmp import --retry-deferred` was refused: it lacks one."""
    file = tmp_path / "a.mp3"
    file.touch()
    monkeypatch.setenv("WKMP_LIBRARY_ROOT", str(tmp_path))  # so a message may leave out the folder
    for _, advised in sorted(found(COMMAND, [module])):
        typed = [{"FOLDER": str(tmp_path), "FILE": str(file)}.get(word, word) for word in shlex.split(advised)]
        with click.Context(main) as context:
            command = main.get_command(context, typed[0])
            assert command is not None, advised
            command.make_context(typed[0], typed[1:])


@pytest.mark.parametrize("name", main.list_commands(click.Context(main)))
def test_the_example_of_a_command_can_be_typed(tmp_path: Path, name: str) -> None:
    (tmp_path / "Bach").mkdir()
    (tmp_path / "Bach/Air.flac").touch()
    with click.Context(main) as context:
        command = main.get_command(context, name)
        assert command is not None
        example = (command.epilog or "").replace("~/Music", str(tmp_path))
        assert example.startswith(f"{EXAMPLE}wkmp {name} ")
        command.make_context(name, shlex.split(example.removeprefix(EXAMPLE))[2:])


def test_a_variable_in_a_message_is_a_setting() -> None:
    known = {f"WKMP_{name.upper()}" for name in all_settings()}
    assert {(module, name) for module, name in found(SETTING) if name not in known} == set()
