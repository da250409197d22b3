"""The number of passages without a song, its meaning and the advice, wherever a person reads it."""

import json
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.db.read.counts import read_counts
from wkmp_assets.db.read.overview import read_overview
from wkmp_assets.orchestration.checks.songs import MIN_PASSAGES, passages_have_songs
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.report.figures import compute_figures
from wkmp_assets.report.library_page import render_page
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.cli.test_summary import shown, summary_of, written
from wkmp_assets_tests.support.builders import NOW, commit, entry, in_a_row, run_sql, song

MEANING = "have no song, so WKMP never selects them by itself"
WAYS = ("WKMP_ACOUSTID_API_KEY", "--force", "MusicBrainz ids", "--retry-deferred")


def check(database: Path) -> dg.AssetCheckResult:
    result = passages_have_songs(library=Library(load_settings(library_root=database.parent, database=database)))
    assert isinstance(result, dg.AssetCheckResult)
    return result


@pytest.fixture
def nameless(database: Path) -> Path:
    """Twenty passages, one of them with a song."""
    commit(database, entry("mix.flac", bounds=in_a_row(20), songs=[song("One"), *[None] * 19]))
    return database


def is_explained(text: str, counted: str = "19 of 20 passages") -> bool:
    words = " ".join(text.split())
    return all(one in words for one in (f"{counted} {MEANING}", *WAYS))


def test_a_library_of_unknown_music_is_a_warning(nameless: Path) -> None:
    result = check(nameless)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert is_explained(result.description or "")
    assert result.metadata["without_song"].value == 19


def test_half_of_the_music_known_is_no_warning_and_is_counted(database: Path) -> None:
    commit(database, entry("mix.flac", bounds=in_a_row(20), songs=[*map(song, "ABCDEFGHIJ"), *[None] * 10]))
    result = check(database)
    assert result.passed
    assert "10 of 20 passages have no song" in (result.description or "")


def test_few_passages_are_not_judged_and_neither_is_no_library(database: Path) -> None:
    assert check(database).passed
    commit(database, entry("mix.flac", bounds=in_a_row(MIN_PASSAGES - 1), songs=[None] * (MIN_PASSAGES - 1)))
    assert check(database).passed


def test_a_song_that_only_the_links_know_counts(nameless: Path) -> None:
    run_sql(nameless, "UPDATE passages SET song_id = NULL")
    assert check(nameless).metadata["without_song"].value == 19


def test_the_summary_explains_it() -> None:
    text = shown(summary_of(written(entry(bounds=in_a_row(2), songs=[None, None]))).render(1), 400)
    assert is_explained(text, "2 of 2 passages")
    assert MEANING not in shown(summary_of(written(entry(bounds=in_a_row(2)))).render(1), 400)


def test_status_explains_it(nameless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DAGSTER_HOME": nameless.parent, "WKMP_DATABASE": nameless, "COLUMNS": 400}.items():
        monkeypatch.setenv(name, str(value))
    assert is_explained(CliRunner().invoke(main, ["status", str(nameless.parent)]).stdout)
    found = json.loads(CliRunner().invoke(main, ["status", "--json", str(nameless.parent)]).stdout)
    assert found["without_song"] == 19


def test_the_report_explains_it(nameless: Path) -> None:
    counts = read_counts(nameless)
    assert counts is not None
    figures = compute_figures(counts, (), read_overview(nameless), ())
    assert is_explained(render_page(figures, "library", NOW))
