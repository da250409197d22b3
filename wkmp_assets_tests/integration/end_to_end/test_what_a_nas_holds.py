"""One import of a folder as it lies on a NAS: thumbnails, snapshots, copies and own patterns."""

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from wkmp_assets_tests.audio.sounds import tone, write_sound
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.workplace import Workplace

pytestmark = pytest.mark.slow

SONG = "Zed/Album/01 Song.wav"
BEFORE_IT = (
    "#snapshot/Album/01 Song.wav",
    "Downloads/01 Song.wav",
    "@eaDir/01 Song.wav",
    "01 Song.wav",
    "._01 Song.wav",
)


class Nas(NamedTuple):
    place: Workplace
    first: subprocess.CompletedProcess[str]
    status: dict[str, object]
    duplicates: dict[str, object]

    def rows(self) -> dict[str, tuple[str, str]]:
        """Path -> status and guid."""
        with closing(sqlite3.connect(self.place.database)) as library:
            return {
                path: (status, guid) for path, status, guid in library.execute("SELECT path, status, guid FROM files")
            }


@pytest.fixture(scope="module")
def nas(tmp_path_factory: pytest.TempPathFactory) -> Nas:
    folder = tmp_path_factory.mktemp("nas")
    music, home = folder / "music", folder / "home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    (music / SONG).parent.mkdir(parents=True)
    write_sound(music / SONG, tone(1.0, 8_000), 8_000)
    for path in BEFORE_IT:
        (music / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(music / SONG, music / path)
    (music / "Demos").mkdir()
    shutil.copy(music / SONG, music / "Demos/demo.wav")
    (music / ".wkmpignore").write_text("Demos/\n")
    (music / "tune.mod").write_bytes(b"M.K.")
    # Two files a run: both copies come before the file that must be the original.
    place = Workplace(home, music, {"WKMP_FILES_PER_RUN": "2", "WKMP_IGNORE": "*.tmp.wav"})
    first = place.wkmp("import", music)
    status = json.loads(place.wkmp("status", "--json", music).stdout)
    return Nas(place, first, status, json.loads(place.wkmp("duplicates", "--json", music).stdout))


@pytest.mark.long
def test_the_file_in_the_album_is_the_original_although_others_were_imported_before(nas: Nas) -> None:
    assert nas.first.returncode == 0, nas.first.stderr
    assert {path: status for path, (status, _) in nas.rows().items()} == {
        SONG: "INGEST COMPLETE",
        "01 Song.wav": "DUPLICATE HASH",
        "Downloads/01 Song.wav": "DUPLICATE HASH",
    }
    (group,) = nas.duplicates["groups"]  # type: ignore[attr-defined] # JSON
    assert (group["original"], [copy["path"] for copy in group["copies"]]) == (
        SONG,
        ["01 Song.wav", "Downloads/01 Song.wav"],
    )


def test_the_summary_says_what_was_passed_over(nas: Nas) -> None:
    said = " ".join(nas.first.stdout.split())
    assert "1 imported, 2 duplicate" in said
    assert "Passed over 1 folder '#snapshot', 1 file '._*', 1 folder '@eaDir', 1 by .wkmpignore, 1 .mod" in said
    assert {(one["pattern"], one["source"]) for one in nas.status["passed_over"]} == {  # type: ignore[attr-defined] # JSON
        ("#snapshot", ""), ("@eaDir", ""), ("._*", ""), ("Demos/", ".wkmpignore"),
    }  # fmt: skip
    assert (nas.status["unread_formats"], nas.status["ignored"]) == ({".mod": 1}, [])


def test_a_pattern_that_comes_later_makes_the_copy_the_original_with_its_history(nas: Nas) -> None:
    """The last test: it changes the library."""
    before = nas.rows()
    Path(nas.place.music, ".wkmpignore").write_text("Demos/\nZed/\n")
    result = nas.place.wkmp("import", nas.place.music)
    assert result.returncode == 0, result.stderr
    after = nas.rows()
    assert after["01 Song.wav"] == before[SONG], "the row went to the copy"
    assert after[SONG][0] == "DUPLICATE HASH"
    status = json.loads(nas.place.wkmp("status", "--json", nas.place.music).stdout)
    assert [one["path"] for one in status["missing"]] == [SONG]
    assert "1 file of the library matches a pattern by now, and counts as missing: " + SONG in " ".join(
        result.stdout.split()
    )
