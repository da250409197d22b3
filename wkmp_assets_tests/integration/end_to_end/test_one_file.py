"""After every kind of import, `wkmp.db` alone is the library: a copy of it needs no other file.

All tests continue one library, and a player has it open meanwhile. So an import never closes the last connection, and
SQLite never empties the write-ahead log by itself. Signals are in faults/test_stops.py.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug import Response

from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import reflavor_job
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.builders import column, run_sql
from wkmp_assets_tests.support.checked_library import QUIET
from wkmp_assets_tests.support.library_rows import a_player, library_rows, paths_in, rows_of_a_copy
from wkmp_assets_tests.support.music_services import know_everything, music_services
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.sensor_tick import run_tick
from wkmp_assets_tests.support.tones import tone
from wkmp_assets_tests.support.workplace import Workplace, make_workplace

pytestmark = pytest.mark.slow

SONGS = ("azrael1322/azrael1.mp3", "Maxstack/Сингулярность/03 Пробуждение.ogg")
SPARE = ("seen to be gone.wav", "pruned.wav")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Two songs and two short files, imported."""
    folder = tmp_path_factory.mktemp("one file")
    (folder / "some").mkdir()
    for number, name in enumerate(SPARE):
        tone(folder / "some" / name, 300 + number)
    for path in SONGS:
        shutil.copy(SAMPLE_LIBRARY / path, folder / "some")
    made = make_workplace(folder, folder / "some")
    made.extra = {"WKMP_WORKERS": "1", "WKMP_WATCH_SETTLE_S": "0"}
    assert made.wkmp("import", made.music).returncode == 0
    assert rows_of_a_copy(made.database) == library_rows(made.database)
    return made


def settings_of(place: Workplace) -> Settings:
    return load_settings(library_root=place.music, state_dir=place.home / ".wkmp", workers=1, watch_settle_s=0)


def import_more(place: Workplace, *names: str) -> None:
    for name in names:
        add(place, name)
    assert place.wkmp("import", place.music).returncode == 0


def add(place: Workplace, name: str) -> None:
    tone(place.music / name, 500 + len(list(place.music.iterdir())))


def second_import(place: Workplace) -> None:
    import_more(place, "second.wav")


def several_runs(place: Workplace) -> None:
    place.extra["WKMP_FILES_PER_RUN"] = "1"
    import_more(place, "several 1.wav", "several 2.wav")
    del place.extra["WKMP_FILES_PER_RUN"]


def one_partition(place: Workplace) -> None:
    add(place, "one.wav")
    assert place.materialize("--select", "library_scan").returncode == 0
    assert place.materialize("--select", "group:import", "--partition", "one.wav").returncode == 0


def the_sensor(place: Workplace) -> None:
    add(place, "seen.wav")
    with place.instance() as instance:
        assert run_tick(settings_of(place), instance).run_requests


def top_up(place: Workplace) -> None:
    """The service is down during the import and answers the top-up."""
    with music_services() as services:
        know_everything(services)
        place.extra |= services.environment
        services.acoustid_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "3600"})
        shutil.copy(SAMPLE_LIBRARY / "Maxstack/Endgame Singularity/02 Coherence.opus", place.music)
        assert place.wkmp("import", place.music).returncode == 0
        services.acoustid_behaviour = lambda _request: None
        before = column(place.database, "SELECT count(*) FROM passage_songs")
        assert place.wkmp("import", place.music, "--retry-deferred").returncode == 0
        for name in services.environment:
            del place.extra[name]
    assert column(place.database, "SELECT count(*) FROM passage_songs") != before


def reflavor(place: Workplace) -> None:
    run_sql(place.database, "UPDATE passages SET musical_flavor_vector = NULL")
    job = build_definitions(settings_of(place)).resolve_job_def(reflavor_job.name)
    with place.instance() as instance:
        key = encode_key(Path(SONGS[0]).name)
        assert job.execute_in_process(QUIET, instance=instance, partition_key=key).success
    assert column(place.database, "SELECT 1 FROM passages WHERE musical_flavor_vector NOT NULL") == [1]


def marks_of_a_scan(place: Workplace) -> None:
    (place.music / SPARE[0]).unlink()
    assert place.materialize("--select", "library_scan").returncode == 0
    assert SPARE[0] in column(place.database, "SELECT path FROM missing_files")


def prune(place: Workplace) -> None:
    (place.music / SPARE[1]).unlink()
    assert place.wkmp("prune", place.music, "--yes").returncode == 0
    assert SPARE[1] not in paths_in(place.database)


def nothing_to_do_after_one_that_was_killed(place: Workplace) -> None:
    """Another program left its log; this import finds every file unchanged, and writes nothing."""
    assert place.wkmp("import", place.music).returncode == 0
    run_sql(place.database, "UPDATE passages SET user_title = 'as it was when the power went'")
    assert rows_of_a_copy(place.database) != library_rows(place.database), "or there is nothing to be brought to rest"
    assert "0 to import" in place.wkmp("import", place.music).stdout


def side_by_side(place: Workplace) -> None:
    """Two processes import at once; the last one empties the log."""
    folders = [place.music / "one", place.music / "other"]
    for folder in folders:
        folder.mkdir()
        add(place, f"{folder.name}/{folder.name}.wav")
    imports = [place.start("import", folder) for folder in folders]
    said = [process.communicate() for process in imports]
    assert [process.returncode for process in imports] == [0, 0], said
    assert {"one/one.wav", "other/other.wav"} <= paths_in(place.database)


WAYS: dict[str, Callable[[Workplace], None]] = {
    way.__name__: way
    for way in (
        second_import,
        several_runs,
        one_partition,
        the_sensor,
        top_up,
        reflavor,
        marks_of_a_scan,
        prune,
        nothing_to_do_after_one_that_was_killed,
        side_by_side,
    )
}


LONG_WAYS = (several_runs, top_up, side_by_side)
"""They end as `second_import` does: with the command."""


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, id=name, marks=[pytest.mark.long] if way in LONG_WAYS else []) for name, way in WAYS.items()],
)
def test_the_database_alone_is_the_library(place: Workplace, way: Callable[[Workplace], None]) -> None:
    before = library_rows(place.database)
    with a_player(place.database):
        way(place)
        assert library_rows(place.database) != before, "there was something to be brought to rest"
        assert rows_of_a_copy(place.database) == library_rows(place.database)


def test_a_reader_in_the_middle_of_something_fails_no_import(place: Workplace) -> None:
    with a_player(place.database) as player:
        player.execute("BEGIN")
        player.execute("SELECT count(*) FROM files").fetchone()
        import_more(place, "read.wav")
        assert rows_of_a_copy(place.database) != library_rows(place.database), "the log is what it reads"
        player.execute("COMMIT")
        assert place.wkmp("import", place.music).returncode == 0
        assert rows_of_a_copy(place.database) == library_rows(place.database)
