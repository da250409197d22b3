"""Lead points of a whole library that are implausible for music."""

from pathlib import Path

import dagster as dg
import pytest

from wkmp_assets.orchestration.checks.lead_points import USUAL_SHARE, lead_points_plausible
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.builders import commit, entry, in_a_row, run_sql

AT_THE_EDGES = "UPDATE passages SET lead_in_start_ticks = start_time_ticks, lead_out_start_ticks = end_time_ticks"


def check(database: Path) -> dg.AssetCheckResult:
    result = lead_points_plausible(library=Library(load_settings(library_root=database.parent, database=database)))
    assert isinstance(result, dg.AssetCheckResult)
    return result


@pytest.fixture
def sixty(database: Path) -> Path:
    """60 passages with leads of a quarter each."""
    commit(database, *(entry(f"{number}.flac", str(number), in_a_row(20)) for number in range(3)))
    return database


def set_thresholds(database: Path, decibels: float) -> None:
    for name in ("lead_in_threshold_dB", "lead_out_threshold_dB"):
        run_sql(database, f"INSERT INTO settings (key, value) VALUES ('{name}', '{decibels}')")  # noqa: S608 - a test's


@pytest.mark.slow
def test_music_that_always_fades_is_ordinary_with_the_thresholds_we_ship(sixty: Path) -> None:
    """A collection of chamber music: the thresholds are right, and nothing begins at full level."""
    assert check(sixty).passed
    run_sql(sixty, "INSERT INTO settings (key, value) VALUES ('import_lead_preset', 'classical')")
    assert check(sixty).passed


def test_the_share_is_never_rounded_into_what_is_usual(sixty: Path) -> None:
    set_thresholds(sixty, -1)
    run_sql(sixty, f"{AT_THE_EDGES} WHERE rowid <= 1")
    result = check(sixty)
    assert not result.passed
    assert "1.7% of 60 passages" in (result.description or "")


def test_a_library_in_which_no_passage_is_without_leads_is_a_warning(sixty: Path) -> None:
    set_thresholds(sixty, -1)
    result = check(sixty)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "0% of 60 passages" in (result.description or "")
    assert "import_lead_preset" in (result.description or "")


def test_a_library_in_which_every_passage_is_without_leads_is_a_warning(sixty: Path) -> None:
    run_sql(sixty, AT_THE_EDGES)
    assert not check(sixty).passed


@pytest.mark.parametrize("without", [2, 16, 57])
def test_some_without_leads_are_as_it_should_be(sixty: Path, without: int) -> None:
    run_sql(sixty, f"{AT_THE_EDGES} WHERE rowid <= {without}")
    result = check(sixty)
    assert result.passed
    assert USUAL_SHARE[0] <= without / 60 <= USUAL_SHARE[1]
    assert result.metadata["zero_at_both_ends"].value == without


def test_unknown_points_are_not_counted_and_few_passages_not_judged(sixty: Path) -> None:
    run_sql(sixty, "UPDATE passages SET lead_in_start_ticks = NULL, lead_out_start_ticks = NULL WHERE rowid <= 11")
    result = check(sixty)
    assert result.passed
    assert "49 passages" in (result.description or "")
    assert result.metadata["without_points"].value == 11


def test_a_library_that_does_not_exist_is_not_judged(database: Path) -> None:
    assert check(database).passed
