"""`wkmp help`, and what each command's own help says."""

import re
import tomllib
from importlib.resources import files

import click
import pytest
from click.testing import CliRunner

from wkmp_assets.cli.help_topics import read_topics
from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.paths import ROOT

MAX_LINES = 15
TOPICS = read_topics()
COMMANDS = {name: main.get_command(click.Context(main), name) for name in main.list_commands(click.Context(main))}


def test_topics_are_listed_with_their_titles() -> None:
    listed = CliRunner().invoke(main, ["help"]).output
    assert {"import", "identify", "flavor", "cluster", "state", "exit-status"} <= set(TOPICS)
    for name, text in TOPICS.items():
        assert re.search(rf"^  {name} +{re.escape(text.splitlines()[0])}$", listed, re.MULTILINE)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_short_and_points_to_a_page_that_exists(topic: str) -> None:
    text = CliRunner().invoke(main, ["help", topic]).output
    assert text == TOPICS[topic]
    assert len(text.splitlines()) <= MAX_LINES
    assert max(map(len, text.splitlines())) <= 100
    pages = re.findall(r"docs/\S+\.md", text.splitlines()[-1])
    assert pages
    assert all((ROOT / page).is_file() for page in pages)


@pytest.mark.parametrize("topic", TOPICS)
def test_commands_and_options_of_a_topic_exist(topic: str) -> None:
    text = re.sub(r"(?<=wkmp )(--verbose|--log-file \S+) ", "", TOPICS[topic])
    named = re.findall(r"\bwkmp ([a-z][a-z-]*)(.*)", text)
    assert named
    for name, rest in named:
        command = COMMANDS[name]
        assert command is not None
        options = {option for one in command.params for option in one.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= {*options, "--help"}, name


def test_the_statuses_are_those_of_the_page_and_one_of_them_is_stopped() -> None:
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    _, _, table = page.partition("### Exit status\n")
    documented = re.findall(r"^\| ([0-2]) \| (.+) \|$", table, re.MULTILINE)
    assert re.findall(r"^  ([0-2])   (.+)$", TOPICS["exit-status"], re.MULTILINE) == documented
    assert [status for status, meaning in documented if "stopped" in meaning] == ["1"]


def test_topics_are_in_the_wheel() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["wkmp_assets"]
    packaged = {path for pattern in patterns for path in (ROOT / "wkmp_assets").glob(pattern)}
    assert {ROOT / "wkmp_assets/cli/topics" / f"{name}.txt" for name in TOPICS} <= packaged
    assert files("wkmp_assets.cli").joinpath("topics").is_dir()


def test_help_of_a_command_that_is_no_topic_is_its_own() -> None:
    asked, own = CliRunner().invoke(main, ["help", "undo"]), CliRunner().invoke(main, ["undo", "--help"])
    assert asked.output == own.output


def test_an_unknown_topic_is_refused_with_a_list() -> None:
    result = CliRunner().invoke(main, ["help", "no-such"])
    assert result.exit_code == 2
    assert "exit-status" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_its_exit_status(name: str) -> None:
    command = COMMANDS[name]
    assert command is not None
    assert re.match(rf"Examples?: (\w+=\S+ )?wkmp {name}\b", command.epilog or ""), "an example"
    described = " ".join((command.help or "").split())
    assert re.search(r"Exit status.* \d|[Ee]xit status \d", described), "exit status"
