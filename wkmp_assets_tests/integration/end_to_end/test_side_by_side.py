"""Two imports of overlapping folders at once, while a player reads and writes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets_tests.integration.end_to_end import player
from wkmp_assets_tests.integration.end_to_end.test_wkmp_command import library_rows
from wkmp_assets_tests.support.builders import column, problems, rows, run_sql
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.workplace import Imported, Workplace

pytestmark = pytest.mark.long  # test_one_file.py imports side by side, too

ORIGINAL = "Destructavator/UFO Alien Invasion/01 David01, First Movement.mp3"
COPY = "Unsorted/Copy of David01.mp3"


@contextmanager
def playing(database: Path) -> Iterator[dict[str, Any]]:
    """Let a player use the library during the block; the dictionary then holds its summary."""
    seen: dict[str, Any] = {}
    command = [sys.executable, player.__file__, str(database)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield seen
        out, err = process.communicate()
    assert process.returncode == 0, err
    seen |= json.loads(out)


def import_at_once(place: Workplace, *folders: Path, force: bool = False) -> list[str]:
    """Start an import of each folder at the same moment; return their outputs."""
    options = ["--force"] if force else []
    processes = [place.start("import", *options, folder) for folder in folders]
    finished = [process.communicate() for process in processes]
    for process, (out, err) in zip(processes, finished, strict=True):
        assert process.returncode == 0, out + err
        assert "Traceback" not in err
    return [out for out, _ in finished]


def rows_by_content(database: Path) -> dict[str, list[str]]:
    """Everything in a library, except which of two copies is the original.

    The rows of both copies are left out, and their names are replaced by their content.
    """
    pair = rows(database, "SELECT guid, path, hash FROM files WHERE path IN (?, ?)", ORIGINAL, COPY)
    names = {row[name]: row["hash"] for row in pair for name in ("guid", "path")}
    names |= {
        guid: f"passage of {row['hash']}"
        for row in pair
        for guid in column(database, "SELECT guid FROM passages WHERE file_id = ?", row["guid"])
    }
    dump = library_rows(database)
    provenance = [(*line[1:],) for line in dump["import_provenance"]]  # its ids are derived from the passages' guids
    others = [line for line in dump["files"] if line[0] not in names]
    return {
        table: sorted(_renamed(repr(line), names) for line in content)
        for table, content in {**dump, "import_provenance": provenance, "files": others}.items()
    }


def _renamed(line: str, names: dict[str, str]) -> str:
    for name, replacement in names.items():
        line = line.replace(name, replacement)
    return line


def assert_linked_both_ways(database: Path) -> None:
    pair = rows(database, "SELECT * FROM files WHERE path IN (?, ?) ORDER BY status", ORIGINAL, COPY)
    assert [row["status"] for row in pair] == ["DUPLICATE HASH", "INGEST COMPLETE"]
    duplicate, complete = pair
    assert json.loads(duplicate["matching_hashes"]) == [complete["guid"]]
    assert json.loads(complete["matching_hashes"]) == [duplicate["guid"]]
    assert column(database, "SELECT count(*) FROM passages WHERE file_id = ?", complete["guid"]) == [1]
    assert column(database, "SELECT count(*) FROM passages WHERE file_id = ?", duplicate["guid"]) == [0]


@pytest.mark.parametrize("second", ["", "Unsorted"])
def test_two_imports_at_once_with_a_player_beside_them_end_like_one_alone(
    workplace: Workplace, imported_sample: Imported, second: str
) -> None:
    workplace.extra = {"WKMP_FILES_PER_RUN": "5", "WKMP_WORKERS": "2"}
    database = workplace.database
    with playing(database) as seen:
        import_at_once(workplace, workplace.music, workplace.music / second)
    assert seen["unfinished"] == []
    assert seen["done"]["reads"] > 20
    assert problems(database) == []
    assert_linked_both_ways(database)
    # Every row of the player is there, and the other rows equal those of a single import.
    for table in ("play_history", "queue"):
        assert column(database, f"SELECT count(*) FROM {table}") == [seen["done"][table]]  # noqa: S608 - literals only
        run_sql(database, f"DROP TABLE {table}")
    titles = column(database, "SELECT DISTINCT user_title FROM passages WHERE user_title IS NOT NULL")
    assert titles == ["mine"] * ("user_title" in seen["done"])
    run_sql(database, "UPDATE passages SET user_title = NULL")
    assert rows_by_content(database) == rows_by_content(imported_sample.place.database)


def test_two_forced_imports_with_other_settings_lose_nothing_the_player_refers_to(workplace: Workplace) -> None:
    """With another cut, passages are deleted and inserted while the player uses them."""
    assert workplace.wkmp("import", workplace.music).returncode == 0
    database = workplace.database
    before = column(database, "SELECT count(*) FROM passages")
    run_sql(
        database,
        "INSERT OR REPLACE INTO settings (key, value) VALUES ('silence_threshold_dB', '30'), "
        "('silence_min_duration_ticks', '8467200')",
    )
    with playing(database) as seen:
        import_at_once(workplace, workplace.music, workplace.music, force=True)
    assert seen["unfinished"] == []
    assert seen["done"]["play_history"] > 5
    assert column(database, "SELECT count(*) FROM passages") > before
    assert problems(database) == []
    assert column(database, "SELECT count(*) FROM play_history") == [seen["done"]["play_history"]]
    lost = "SELECT count(*) FROM queue WHERE passage_guid NOT IN (SELECT guid FROM passages)"
    assert column(database, lost) == [0]
