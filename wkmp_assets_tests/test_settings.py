"""Settings of the deployment, from the environment."""

import os
import sys
from pathlib import Path

import pytest
import yaml

from wkmp_assets import settings as settings_module
from wkmp_assets.errors import SettingsError
from wkmp_assets.settings import (
    all_settings,
    describe_settings,
    find_dagster_home,
    find_library,
    load_settings,
    prepare_dagster_home,
    use_library,
)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("WKMP_", "DAGSTER_", "XDG_STATE")):
            monkeypatch.delenv(name)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {
        "WKMP_LIBRARY_ROOT": str(tmp_path / "music"), "WKMP_DATABASE": str(tmp_path / "x.db"), "WKMP_STATE_DIR": str(tmp_path / "state"),  # noqa: E501
        "WKMP_FILES_PER_RUN": "7", "WKMP_WORKERS": "3", "WKMP_PCM_CACHE_MB": "100",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = load_settings()
    assert (found.library, found.database_path, found.state_dir) == (
        tmp_path / "music",
        tmp_path / "x.db",
        tmp_path / "state",
    )
    assert (found.files_per_run, found.workers, found.pcm_cache_mb) == (7, 3, 100)
    assert found.phase_dir.is_relative_to(tmp_path / "state")
    assert found.pcm_dir.is_relative_to(tmp_path / "state")


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WKMP_WORKERS", "3")
    assert load_settings(workers=5, library_root=tmp_path).workers == 5


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Otherwise an empty WKMP_LIBRARY_ROOT would make the working folder a library."""
    before = load_settings()
    for name in all_settings():
        monkeypatch.setenv(f"WKMP_{name.upper()}", "")
    monkeypatch.chdir(tmp_path)
    assert load_settings() == before


def test_the_database_is_in_the_library_unless_told_otherwise(tmp_path: Path) -> None:
    assert load_settings(library_root=tmp_path).database_path == tmp_path / "wkmp.db"


def test_the_state_is_beside_dagster_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert load_settings().state_dir == tmp_path / "xdg" / "wkmp"
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    assert load_settings().state_dir == tmp_path / "home" / ".wkmp"


REFUSED = [
    ("WKMP_WORKERS", "0"), ("WKMP_WORKERS", "65"), ("WKMP_WORKERS", "many"), ("WKMP_FILES_PER_RUN", "0"),
    ("WKMP_FILES_PER_RUN", "10001"), ("WKMP_FILES_PER_RUN", "-3"), ("WKMP_FILES_PER_RUN", "some"),
    ("WKMP_FILES_PER_RUN", "1.5"), ("WKMP_PCM_CACHE_MB", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_value_out_of_bounds_is_refused_by_the_variable_s_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: .*{value}"):
        load_settings()


@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("10000", 10_000), ("all", "all"), ("auto", "auto")])
def test_files_per_run_is_a_number_or_all(monkeypatch: pytest.MonkeyPatch, value: str, expected: object) -> None:
    monkeypatch.setenv("WKMP_FILES_PER_RUN", value)
    assert load_settings().files_per_run == expected


def test_a_setting_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(SettingsError, match="WKMP_WROKERS"):
        load_settings(wrokers=3)


def test_without_any_music_the_message_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="WKMP_LIBRARY_ROOT"):
        _ = load_settings(library_root=None).library


def test_paths_are_absolute_but_links_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    assert load_settings(library_root=Path("x/../link")).library == tmp_path / "link"


def test_a_library_is_told_from_another_by_its_root(tmp_path: Path) -> None:
    ids = [load_settings(library_root=tmp_path / name).library_id for name in ("a", "b", "a", "a/")]
    assert ids[0] == ids[2] == ids[3] != ids[1]
    assert load_settings(library_root=Path("/music")).library_id == "d47414a7"
    assert load_settings(library_root=tmp_path / "caf\udce9").library_id not in ids


def test_the_given_library_is_the_library(tmp_path: Path) -> None:
    assert find_library(tmp_path / "a" / "b", tmp_path / "a") == tmp_path / "a"
    assert find_library(tmp_path / "a", tmp_path / "a") == tmp_path / "a"


@pytest.mark.parametrize("folder", ["b", "", "ab"])
def test_a_folder_outside_the_given_library_is_an_error(tmp_path: Path, folder: str) -> None:
    with pytest.raises(SettingsError, match="is not inside the library"):
        find_library(tmp_path / folder, tmp_path / "a")


def test_the_configured_library_counts_when_the_folder_is_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WKMP_LIBRARY_ROOT", str(tmp_path / "a"))
    assert find_library(tmp_path / "a" / "b", None) == tmp_path / "a"
    assert find_library(tmp_path / "c", None) == tmp_path / "c"


def test_the_nearest_folder_above_that_holds_a_library_counts(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    assert find_library(tmp_path / "a" / "b" / "c", None) == tmp_path / "a" / "b" / "c"
    (tmp_path / "wkmp.db").touch()
    assert find_library(tmp_path / "a" / "b" / "c", None) == tmp_path
    (tmp_path / "a" / "wkmp.db").touch()
    assert find_library(tmp_path / "a" / "b" / "c", None) == tmp_path / "a"


def test_a_folder_is_named_relative_to_its_library(tmp_path: Path) -> None:
    found = load_settings(library_root=tmp_path)
    assert [found.relative_folder(tmp_path / name) for name in ("", "a/b", "a/../c")] == ["", "a/b", "c"]


def test_dagster_home_is_taken_as_given_else_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setattr(settings_module, "_CHECKOUT", tmp_path / "checkout")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert find_dagster_home() == tmp_path / "state/wkmp"
    assert (tmp_path / "state/wkmp/dagster.yaml").is_file()
    monkeypatch.setenv("DAGSTER_HOME", "")
    (tmp_path / "dagster.yaml").touch()
    assert find_dagster_home() == Path.cwd()
    assert os.environ["DAGSTER_HOME"] == str(Path.cwd())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "elsewhere"))
    assert find_dagster_home() == tmp_path / "elsewhere"


def test_a_new_dagster_home_gets_our_dagster_yaml_from_what_starts_dagster(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With Dagster's defaults every step would be reported to its makers."""
    new, own, used = (tmp_path / name for name in ("new", "own", "used"))
    for home in (new, own, used):
        home.mkdir()
    (new / "wkmp.toml").touch()
    (own / "dagster.yaml").write_text("telemetry:\n  enabled: true\n")
    (used / "history").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(new))
    find_dagster_home()
    assert sorted(new.iterdir()) == [new / "wkmp.toml"], "reading writes nothing"
    for home in (new, own, used):
        monkeypatch.setenv("DAGSTER_HOME", str(home))
        assert prepare_dagster_home() == home
    assert yaml.safe_load((new / "dagster.yaml").read_text())["telemetry"] == {"enabled": False}
    assert "enabled: true" in (own / "dagster.yaml").read_text()
    assert not (used / "dagster.yaml").exists(), "other projects may use it, with Dagster's storage"


def test_the_limit_of_waiting_is_not_below_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WKMP_WAIT_BUDGET_MS", "2000")
    with pytest.raises(SettingsError, match=r"WKMP_WAIT_LIMIT_MS.*at least WKMP_WAIT_BUDGET_MS \(2000\)"):
        load_settings(wait_limit_ms=1500)
    with pytest.raises(
        SettingsError, match=r"^the default of WKMP_WAIT_LIMIT_MS: must be at least WKMP_WAIT_BUDGET_MS"
    ):
        load_settings()
    assert load_settings(wait_limit_ms=2000).wait_limit_ms == 2000


def test_what_a_scan_passes_over_is_a_list_of_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WKMP_IGNORE", "*.wav; Demos/\n!keep.wav;")
    assert load_settings().ignore_patterns == ("*.wav", "Demos/", "!keep.wav")
    monkeypatch.setenv("WKMP_IGNORE", "*.wav;!")
    with pytest.raises(SettingsError, match=r"WKMP_IGNORE.*'!' is no pattern"):
        load_settings()


def test_a_check_that_does_not_exist_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"WKMP_TRUST_DATABASE: .*'everything' is none of "):
        load_settings(trust_database="everything")


def test_processes_that_are_started_work_on_the_library_in_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WKMP_LIBRARY_ROOT", "WKMP_DATABASE", "WKMP_WATCH"):
        monkeypatch.setenv(name, "")  # so that they are as before after the test
        monkeypatch.delenv(name)
    use_library(tmp_path / "music", None)
    assert (load_settings().library, os.environ["WKMP_WATCH"]) == (tmp_path / "music", "1")
    monkeypatch.setenv("WKMP_WATCH", "0")
    use_library(tmp_path / "music", tmp_path / "x.db")
    assert (load_settings().database_path, os.environ["WKMP_WATCH"]) == (tmp_path / "x.db", "0")


@pytest.mark.parametrize(
    ("zone", "is_known"),
    [("UTC", True), ("Europe/Berlin", True), ("EST5EDT", True), ("Europe", False), ("", False), ("Mars/Base", False),
     ("/etc/localtime", False), ("../zoneinfo/UTC", False), ("posix/UTC", False), ("right/UTC", False),
     ("posixrules", False), ("zone.tab", False), ("a\0b", False), ("Europe/Zürich", False)],
)  # fmt: skip
def test_a_time_zone_is_one_of_the_iana_database(zone: str, is_known: bool) -> None:
    if is_known:
        assert load_settings(time_zone=zone).time_zone == zone
    else:
        with pytest.raises(SettingsError, match="WKMP_TIME_ZONE"):
            load_settings(time_zone=zone)


def test_no_other_time_zone_is_read() -> None:
    """Reading all of them took a twentieth of a second of every command."""
    opened: list[str] = []
    is_watched = True

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if (
            is_watched
            and event == "open"
            and "zoneinfo" in str(arguments[0])
            and not str(arguments[0]).endswith(".pyc")
        ):
            opened.append(str(arguments[0]))

    sys.addaudithook(note)  # for the life of the process
    try:
        load_settings()
        assert opened == []
        load_settings(time_zone="Asia/Tokyo")
        assert len(opened) <= 1
    finally:
        is_watched = False


def test_passwords_in_addresses_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WKMP_MUSIC_URL", "s3://me:hush@host/music")
    shown = {one.name: one.value for one in describe_settings()}
    assert shown["music_url"] == "s3://**********@host/music"
    assert load_settings().music_url == "s3://me:hush@host/music"
    monkeypatch.setenv("WKMP_REPOSITORY_URL", "https://me:hush@host/x")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert "hush" not in str(raised.value)


def test_a_config_file_of_windows_editor_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "wkmp.toml").write_text("workers = 7\n", encoding="utf-8-sig")
    assert load_settings().workers == 7
