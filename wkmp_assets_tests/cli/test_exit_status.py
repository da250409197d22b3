"""Every exit status and every JSON that the help and docs promise is tested: here, or in a test that is named here."""

import json
import re
from dataclasses import replace
from pathlib import Path
from shutil import copy

import click
import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets_tests.support.builders import commit, entry, flavor, run_sql
from wkmp_assets_tests.support.documented_json import undocumented_names
from wkmp_assets_tests.support.paths import ROOT

CONTEXT = click.Context(main)
COMMANDS = {name: main.get_command(CONTEXT, name) for name in main.list_commands(CONTEXT)}
NOT_HERE = {"cluster", "config", "help", "scheduler", "ui", "worker"}
"""These open no library; `ui` would give this process to Dagster."""
SUCCEEDING = {
    "status": ["."], "list": ["."], "search": ["wav", "."], "show": ["a.wav"], "similar": ["a.wav"],
    "playlist": ["--like", "a.wav", "."], "export": ["--format", "csv", "."], "failures": ["."], "undo": ["."],
    "warnings": ["."], "duplicates": ["."], "missing": ["."], "config": [], "accept-key": ["."], "help": [],
}  # fmt: skip
"""Exit status 0, with a library of two files."""
DAMAGED = {
    **{name: ["."] for name in COMMANDS.keys() - NOT_HERE},
    "search": ["song", "."], "show": ["a.wav"], "similar": ["a.wav"], "playlist": ["--like", "a.wav", "."],
    "export": ["--format", "csv", "."], "identify": ["a.wav", "--recording", "none"], "accept": ["a.wav"],
    "reject": ["a.wav"], "split": ["a.wav", "1:00"], "join": ["a.wav", "1", "2"], "picture": ["a.wav"],
}  # fmt: skip
"""Exit status 1, because wkmp.db is no database."""
FAILING = {
    "search": ["nothing", "."], "show": ["gone.wav", "."], "similar": ["nobody", "."],
    "playlist": ["--like", "nobody", "."], "export": ["--format", "csv", "--output", "a.wav/passages.csv", "."],
}  # fmt: skip
"""Exit status 1, with a library of two files."""
WRONG = {
    "export": ["--format", "sqlite", "--output", "wkmp.db", "."], "identify": ["gone.wav", "--recording", "none"],
    "accept": ["gone.wav"], "reject": ["gone.wav"], "split": ["gone.wav", "1:00"], "join": ["gone.wav", "1", "2"],
    "undo": ["nothing", "."], "help": ["nothing"],
}  # fmt: skip
"""Exit status 2, with a library of two files."""
ELSEWHERE = {
    ("import", 0): "integration/end_to_end/test_wkmp_command.py::test_the_summary_says_what_happened",
    ("import", 2): "cli/test_wrong_settings.py::test_a_wrong_cron_expression_is_named",
    ("failures", 1): "integration/end_to_end/test_wkmp_command.py::test_status_counts_and_failures_lists",
    ("identify", 0): "cli/test_by_hand.py::test_without_a_key_no_service_is_asked",
    ("accept", 0): "cli/test_by_hand.py::test_an_accepted_match_stays_as_it_is_and_is_sure",
    ("reject", 0): "cli/test_by_hand.py::test_a_passage_without_song_loses_the_names_of_the_wrong_one",
    ("split", 0): "cli/test_cut.py::test_a_file_is_split_measured_and_joined_again",
    ("join", 0): "cli/test_cut.py::test_a_file_is_split_measured_and_joined_again",
    ("prune", 0): "cli/test_missing.py::test_a_prune_in_a_script_removes_and_says_so",
    ("tidy", 0): "orchestration/test_tidy.py::test_the_command_says_what_it_did",
    ("checks", 0): "cli/test_checks.py::test_a_library_without_a_fault_passes",
    ("checks", 1): "cli/test_checks.py::test_the_whole_library_is_judged",
    ("report", 0): "integration/end_to_end/test_library_report.py::test_the_command_writes_the_page_and_says_where",
    ("picture", 0): "integration/end_to_end/test_file_picture.py::test_the_command_draws_a_file",
    ("browse", 0): "cli/test_browse.py::test_the_page_is_served_until_ctrl_c",
    ("ui", 0): "integration/end_to_end/test_wheel.py::test_the_web_ui_opens",
    ("ui", 1): "cli/test_address_space.py::test_a_service_with_too_little_address_space_says_so_and_starts_nothing",
    ("ui", 2): "cli/test_wrong_settings.py::test_a_dagster_home_that_does_not_exist_is_named",
    ("cluster", 0): "runtime/cluster/test_dask_executor.py::test_who_has_what_in_hand_is_shown",
    ("cluster", 1): "runtime/cluster/test_dask_executor.py::test_a_cluster_without_workers_is_said",
    ("scheduler", 0): "runtime/cluster/test_dask_executor.py::test_the_commands_of_a_cluster_end_when_they_are_asked",
    ("scheduler", 1): "runtime/cluster/test_dask_executor.py::test_a_port_that_is_taken_is_named",
    ("scheduler", 2): "cli/test_cluster_commands.py::test_an_address_that_others_reach_needs_tls",
    ("worker", 0): "runtime/cluster/test_dask_executor.py::test_the_commands_of_a_cluster_end_when_they_are_asked",
    ("worker", 1): "cli/test_address_space.py::test_a_service_with_too_little_address_space_says_so_and_starts_nothing",
    ("worker", 2): "cli/test_cluster_commands.py::test_a_worker_must_know_where_the_music_is",
    ("accept-key", 2): "integration/security/test_found_library.py::test_a_key_with_spaces_inside_is_not_accepted",
    ("config", 2): "cli/test_home.py::test_a_wrong_config_file_is_named",
}
"""What needs sound, Dagster or a server has tests of its own."""
PRINTING = (
    ("guide/ci.md", ("status", "--json", ".")),
    ("guide/ci.md", ("failures", "--json", ".")),
    ("guide/ci.md", ("missing", "--json", ".")),
    ("guide/library.md", ("list", "--json", ".")),
    ("guide/library.md", ("search", "--json", "wav", ".")),
    ("guide/library.md", ("show", "--json", "a.wav")),
    ("guide/library.md", ("similar", "--json", "b.wav")),
    ("guide/library.md", ("export", "--format", "json", ".")),
    ("guide/by_hand.md", ("identify", "--json", "b.wav", "--passage", "1", "--recording", "none")),
    ("guide/by_hand.md", ("undo", "--json", ".")),
    ("guide/by_hand.md", ("undo", "--json", "run-2", ".")),
    ("reference/cli.md", ("config", "--json")),
)
"""The page that documents what a command prints as JSON, and the command."""
SAME_AS_IDENTIFY = {"accept", "reject"}
DOCUMENTED_ELSEWHERE = {
    "warnings": "cli/test_file_warnings.py::test_programs_get_them_as_documented",
    "duplicates": "cli/test_duplicates.py::test_programs_get_them_as_documented",
    "checks": "cli/test_checks.py::test_the_whole_library_is_judged",
    "split": "cli/test_cut.py::test_a_cut_can_be_undone",
    "join": "cli/test_cut.py::test_a_file_is_split_measured_and_joined_again",
    "cluster": "runtime/cluster/test_dask_executor.py::test_who_has_what_in_hand_is_shown",
}


def promised(name: str) -> set[int]:
    """Return the exit statuses in the help of a command."""
    command = COMMANDS[name]
    assert command is not None
    _, _, said = " ".join((command.help or "").split()).rpartition("xit status ")
    return {int(status) for status in re.findall(r"\b([0-2]): ", said)}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of two files."""
    database = tmp_path_factory.mktemp("made") / "wkmp.db"
    for number, name in enumerate(("a.wav", "b.wav")):
        one = entry(name, name)
        heard = tuple(replace(part, flavor=flavor(part.match.span, number / 10)) for part in one.passages)
        commit(database, replace(one, passages=heard))
    return database


@pytest.fixture
def music(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with such a library, which is the working folder."""
    folder = tmp_path / "music"
    for made in (folder, tmp_path / "home"):
        made.mkdir()
    for name in ("a.wav", "b.wav"):
        (folder / name).touch()
    copy(library, folder)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    monkeypatch.chdir(folder)
    return folder


def end(name: str, *arguments: str) -> tuple[int, str]:
    """Run a command in this process; return its exit status and all that it printed."""
    result = CliRunner().invoke(main, [name, *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_statuses_of_a_command_are_in_its_help_and_tested(name: str) -> None:
    tested = {
        *(status for command, status in ELSEWHERE if command == name),
        *({0} if name in SUCCEEDING else ()), *({1} if name in {*DAMAGED, *FAILING} else ()),
        *({2} if name in WRONG else ()),
    }  # fmt: skip
    assert promised(name) == tested


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_what_is_tested_elsewhere_is_there(test: str) -> None:
    path, _, function = test.partition("::")
    assert f"\ndef {function}(" in (ROOT / "wkmp_assets_tests" / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SUCCEEDING)
def test_status_0(music: Path, name: str) -> None:
    assert end(name, *SUCCEEDING[name])[0] == 0
    assert (music / "wkmp.db").is_file()


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_status_1_with_a_damaged_library(music: Path, name: str) -> None:
    (music / "wkmp.db").write_bytes(b"This is no database." * 500)
    status, said = end(name, *DAMAGED[name])
    assert (status, "not a usable SQLite database" in " ".join(said.split())) == (1, True), said


@pytest.mark.parametrize("name", FAILING)
def test_status_1_with_a_library(music: Path, name: str) -> None:
    status, said = end(name, *FAILING[name])
    assert (status, "Traceback" in said) == (1, False), said
    assert (music / "wkmp.db").is_file()


@pytest.mark.parametrize("name", WRONG)
def test_status_2(music: Path, name: str) -> None:
    status, said = end(name, *WRONG[name])
    assert (status, "Traceback" in said) == (2, False), said
    assert (music / "wkmp.db").is_file()


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_status_2(name: str) -> None:
    status, said = end(name, "--no-such-option")
    assert (status, "No such option" in said) == (2, True), said


@pytest.mark.parametrize(("page", "command"), PRINTING)
def test_every_name_in_json_is_documented(music: Path, page: str, command: tuple[str, ...]) -> None:
    commit(music / "wkmp.db", entry("a.wav", "changed"), run_id="run-2")
    run_sql(
        music / "wkmp.db",
        "INSERT INTO import_failures (path, phase, code, message, attempts, failed_at) "
        "VALUES ('c.wav', 'file_tags', 'UNREADABLE', 'what to do', 2, '2026-01-01 00:00:00')",
        "INSERT INTO missing_files (path) VALUES ('b.wav')",
    )
    status, said = end(*command)
    told = json.loads(said)
    assert (status, told["schema"]) == (1 if command[0] == "failures" else 0, 1)
    assert undocumented_names(told, page) == set()


def test_every_command_with_json_has_a_test_of_its_names() -> None:
    with_json = {
        name
        for name, command in COMMANDS.items()
        if command is not None and any("--json" in parameter.opts for parameter in command.params)
    }
    assert with_json - {command[0] for _, command in PRINTING} - SAME_AS_IDENTIFY == set(DOCUMENTED_ELSEWHERE)


@pytest.mark.parametrize("test", sorted(set(DOCUMENTED_ELSEWHERE.values())))
def test_names_that_are_tested_elsewhere(test: str) -> None:
    test_what_is_tested_elsewhere_is_there(test)
