"""Settings kept in the library itself."""
# ruff: noqa: S608 - identifiers from the tables of this module

from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets.db.read.library_settings import (
    ALL_SETTINGS,
    SILENCE_MIN,
    LockSettings,
    SettingRange,
    read_library_settings,
)
from wkmp_assets.errors import SettingsError
from wkmp_assets.model.lead_presets import LEAD_PRESETS, LeadPreset
from wkmp_assets_tests.support.builders import dump, opened, run_sql


def store(database: Path, **values: object) -> None:
    run_sql(database, "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT)")
    with opened(database) as connection:
        connection.executemany("INSERT INTO settings VALUES (?, ?)", values.items())


def test_a_library_that_does_not_exist_has_the_defaults(database: Path) -> None:
    found = read_library_settings(database)
    assert found.segmentation.silence_threshold_db == ALL_SETTINGS[0].default
    assert found.segmentation.min_silence_ticks == SILENCE_MIN.default
    assert found.segmentation.min_passage_ticks == 2_822_400
    assert (found.lead_points.lead_in_threshold_db, found.lead_points.lead_out_threshold_db) == (-12.0, -12.0)
    assert found.locks == LockSettings(250, 5000)
    assert not database.exists()


@pytest.mark.parametrize("value", [None, "", "  "], ids=["NULL", "empty", "blank"])
def test_an_empty_value_means_the_default_and_is_not_written_back(database: Path, value: str | None) -> None:
    store(database, **{setting.key: value for setting in ALL_SETTINGS})
    before = dump(database)
    assert read_library_settings(database) == read_library_settings(database.with_name("none.db"))
    assert dump(database) == before


def test_a_database_without_settings_has_the_defaults(database: Path) -> None:
    run_sql(database, "CREATE TABLE files (a)")
    assert read_library_settings(database).locks == LockSettings()


def test_stored_values_win(database: Path) -> None:
    store(
        database, silence_threshold_dB="35.5", silence_min_duration_ticks="1000", minimum_passage_audio_duration_ticks=" 7 ",  # noqa: E501
        lead_in_threshold_dB="-18", lead_out_threshold_dB="-8.5", ai_database_lock_retry_ms="100",
        ai_database_max_lock_wait_ms="700", volume_level="loud",
    )  # fmt: skip
    found = read_library_settings(database)
    assert found.segmentation.silence_threshold_db == 35.5
    assert (found.segmentation.min_silence_ticks, found.segmentation.min_passage_ticks) == (1000, 7)
    assert (found.lead_points.lead_in_threshold_db, found.lead_points.lead_out_threshold_db) == (-18.0, -8.5)
    assert found.locks == LockSettings(100, 700)


OUT_OF_RANGE = [
    *((setting, setting.low - 1) for setting in ALL_SETTINGS),
    *((setting, setting.high + 1) for setting in ALL_SETTINGS),
    *((ALL_SETTINGS[0], text) for text in ("loud", "nan", "inf", "60 dB")),
]


@pytest.mark.parametrize(("setting", "value"), OUT_OF_RANGE, ids=[f"{one.key}={value}" for one, value in OUT_OF_RANGE])
def test_a_value_out_of_range_is_refused_by_name(database: Path, setting: SettingRange, value: object) -> None:
    store(database, **{setting.key: str(value)})
    with pytest.raises(SettingsError, match=setting.key) as raised:
        read_library_settings(database)
    assert f"from {setting.low:g} to {setting.high:g}" in str(raised.value)


@pytest.mark.parametrize("setting", ALL_SETTINGS, ids=lambda setting: setting.key)
def test_the_bounds_themselves_and_the_default_are_allowed(database: Path, setting: SettingRange) -> None:
    assert setting.low <= setting.default <= setting.high
    store(database, **{setting.key: str(setting.low)})
    read_library_settings(database)
    run_sql(database, f"UPDATE settings SET value = '{setting.high}'")
    read_library_settings(database)


def test_the_defaults_of_the_replaced_system_mean_not_set(database: Path) -> None:
    """+45 and +40 dB above the peak: no window can reach them."""
    store(database, lead_in_threshold_dB="45.0", lead_out_threshold_dB="40")
    found = read_library_settings(database).lead_points
    assert (found.lead_in_threshold_db, found.lead_out_threshold_db) == (-12.0, -12.0)


def test_a_legacy_number_means_itself_under_the_other_name(database: Path) -> None:
    store(database, lead_in_threshold_dB="40", lead_out_threshold_dB="45")
    found = read_library_settings(database).lead_points
    assert (found.lead_in_threshold_db, found.lead_out_threshold_db) == (40.0, 45.0)


@pytest.mark.parametrize("preset", LeadPreset)
def test_a_preset_sets_all_parameters_of_the_lead_points(database: Path, preset: LeadPreset) -> None:
    store(database, import_lead_preset=preset, lead_in_threshold_dB="45", lead_out_threshold_dB="")
    assert read_library_settings(database).lead_points == LEAD_PRESETS[preset]


def test_a_threshold_that_is_set_wins_over_the_preset(database: Path) -> None:
    store(database, import_lead_preset=" classical ", lead_out_threshold_dB="-20")
    expected = replace(LEAD_PRESETS[LeadPreset.CLASSICAL], lead_out_threshold_db=-20.0)
    assert read_library_settings(database).lead_points == expected


def test_a_preset_that_does_not_exist_is_refused_with_those_that_do(database: Path) -> None:
    store(database, import_lead_preset="polka")
    with pytest.raises(SettingsError, match=r"import_lead_preset.*'polka'.*default, classical, rock-pop, electronic"):
        read_library_settings(database)
