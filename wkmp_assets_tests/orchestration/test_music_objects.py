"""A library whose music is behind an address: scans, imports, cuts, and what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from wkmp_assets.errors import LibraryRootError, UnreadableFileError
from wkmp_assets.files.ignore import IgnoreRules
from wkmp_assets.files.stand_ins import MARKER
from wkmp_assets.orchestration.cut_measures import measure_cuts
from wkmp_assets.orchestration.music_objects import at_hand, scan_library
from wkmp_assets.orchestration.preview import preview_import
from wkmp_assets.orchestration.workers import open_workers
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.checked_library import CheckedLibrary
from wkmp_assets_tests.support.library_rows import Rows, library_rows
from wkmp_assets_tests.support.tones import tone

CUE = 'FILE "album.wav" WAVE\n TRACK 01 AUDIO\n  TITLE "One"\n  INDEX 01 00:00:00\n'


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two tones and an album, with a sheet, a cover, and a copy of the first tone."""
    folder = tmp_path / "store"
    (folder / "album").mkdir(parents=True)
    tone(folder / "tone.wav", 300)
    tone(folder / "album/album.wav", 350)
    shutil.copy2(folder / "tone.wav", folder / "copy of tone.wav")
    (folder / "album/album.cue").write_text(CUE)
    Image.new("RGB", (300, 300), "red").save(folder / "album/cover.png")
    return folder


@pytest.fixture
def settings(store: Path, tmp_path: Path) -> Settings:
    (tmp_path / "stand-ins").mkdir()
    return load_settings(
        library_root=tmp_path / "stand-ins", state_dir=tmp_path / "far", music_url=store.as_uri(), workers=1
    )


def scan(settings: Settings) -> tuple[str, ...]:
    changes, _ = scan_library(settings, "", [], IgnoreRules(settings.library))
    return changes.new


def rows_of(library: CheckedLibrary) -> Rows:
    """Return all rows; covers by the name of their content, because each library has a folder for them."""
    rows = library_rows(library.database)
    return rows | {"images": [(row[0], Path(str(row[1])).name, *row[2:]) for row in rows["images"]]}


@pytest.mark.long
def test_music_behind_an_address_is_imported_as_from_a_folder(
    library: CheckedLibrary, store: Path, settings: Settings
) -> None:
    shutil.copytree(store, library.music, dirs_exist_ok=True)
    library.import_all()
    control = RunControl()
    workers = open_workers(settings, control)
    try:
        far = CheckedLibrary(
            settings.library,
            library.instance,
            workers,
            state_dir=settings.state_dir,
            music_url=settings.music_url,
        )
        far.import_all()
    finally:
        workers.shut_down()
    local = rows_of(library)
    assert rows_of(far) == local
    assert len(local["images"]) == 1
    (path,) = [one for one in scan(settings) if one.startswith("album")]
    content_hash = next(row[2] for row in local["files"] if path in row)
    edit = measure_cuts(settings, path, str(content_hash), [], [])
    assert edit.content_hash == content_hash


def read(path: Path) -> tuple[bytes, list[str]]:
    return path.read_bytes(), sorted(one.name for one in path.parent.iterdir())


@pytest.mark.slow
def test_the_workers_of_this_machine_read_the_objects(settings: Settings, store: Path) -> None:
    scan(settings)
    workers = open_workers(settings, RunControl())
    try:
        found = dict(workers.map_files("tags", read, {"key": (settings.library / "album/album.wav",)}))
    finally:
        workers.shut_down()
    assert found == {"key": ((store / "album/album.wav").read_bytes(), ["album.cue", "album.wav", "cover.png"])}


def test_a_scan_finds_what_is_listed(settings: Settings, store: Path) -> None:
    assert scan(settings) == ("album/album.wav", "copy of tone.wav", "tone.wav")
    assert preview_import(settings, "", force=False, complete=False).imported == scan(settings)
    (store / "tone.wav").unlink()
    assert scan(settings) == ("album/album.wav", "copy of tone.wav")


def test_a_name_that_cannot_be_kept_is_told(
    settings: Settings, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (settings.library / "album").symlink_to(tmp_path / "elsewhere")
    assert scan(settings) == ("copy of tone.wav", "tone.wav")
    assert "1 objects are not imported, because no folder can hold their names: album/album.wav" in caplog.text


def test_an_address_without_objects_changes_nothing(settings: Settings, store: Path) -> None:
    scan(settings)
    shutil.rmtree(store)
    store.mkdir()
    with pytest.raises(LibraryRootError, match=r"there is no object at file:///.*; check the address\. Nothing was"):
        scan(settings)
    assert (settings.library / "tone.wav").exists()


def test_stand_ins_are_not_taken_for_music(settings: Settings) -> None:
    scan(settings)
    without = replace(settings, music_url=None)
    for use in (scan, lambda settings: open_workers(settings, RunControl())):
        with pytest.raises(
            LibraryRootError, match=r"holds only stand-ins for the music at file:///.*set WKMP_MUSIC_URL"
        ):
            use(without)
    (settings.library / MARKER).unlink()
    assert len(scan(without)) == 3, "a folder of music needs no address"


def test_a_file_is_at_hand_from_either_place(settings: Settings, store: Path) -> None:
    content = (store / "tone.wav").read_bytes()
    with at_hand(settings, "tone.wav") as file:
        assert file.read_bytes() == content
    assert not file.exists()
    with pytest.raises(UnreadableFileError, match=r"gone\.wav is gone"), at_hand(settings, "gone.wav"):
        pass
    local = load_settings(library_root=store, state_dir=settings.state_dir)
    with at_hand(local, "tone.wav") as file:
        assert file == store / "tone.wav"
