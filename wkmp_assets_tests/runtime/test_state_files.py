"""The state folder is for its user alone: modes, links in place of files, other owners, and JSON without end."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wkmp_assets.audio.pcm_store import PcmStore, pcm_file
from wkmp_assets.errors import SettingsError
from wkmp_assets.identify.services.outage import OutageFile
from wkmp_assets.model.json_text import parse_json
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Failed, Skipped, SkipReason
from wkmp_assets.model.phases import IDENTITY, TAGS
from wkmp_assets.orchestration.better_copies import read_waits
from wkmp_assets.orchestration.found_library import read_accepted_key, use_library
from wkmp_assets.runtime.atomic_files import temporary_name, write_atomically
from wkmp_assets.runtime.file_locks import hold_lock
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.runtime.state_files import SHARED, prepare_state_folder, read_state_file
from wkmp_assets.settings import Settings
from wkmp_assets_tests.support.builders import commit, entry, run_sql

NESTED = b"[" * 200_000 + b"]" * 200_000
SKIPPED = Skipped(SkipReason.DUPLICATE, "b.mp3")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_state_folder_and_its_files_are_for_the_user_alone(settings: Settings, store: PhaseStore) -> None:
    before = os.umask(0o022)
    try:
        use_library(settings)
        store.write(TAGS, [("a.mp3", SKIPPED)], "run")
        with pcm_file(PcmStore(settings.pcm_dir, 0).path_for("0" * 64)) as pcm:
            pcm.write(b"sound")
        write_atomically(settings.picture_path("a.mp3"), b"picture")
        write_atomically(settings.library / "report.html", b"page", SHARED)
    finally:
        os.umask(before)
    assert mode(settings.state_dir) == 0o700
    files = [path for path in settings.state_dir.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert {path.name: mode(path) for path in files} == {path.name: 0o600 for path in files}
    assert mode(settings.library / "report.html") == 0o644


def test_a_state_folder_in_which_others_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    prepare_state_folder(folder)
    folder.chmod(0o777)
    with pytest.raises(SettingsError, match=r"every user may write .*chmod o-w"):
        prepare_state_folder(folder)


def test_a_state_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give folders away")
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 12345, 12345)
    with pytest.raises(SettingsError, match="WKMP_STATE_DIR"):
        prepare_state_folder(tmp_path / "state")


def link_to(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def test_a_link_is_neither_written_through_nor_read(tmp_path: Path, settings: Settings, store: PhaseStore) -> None:
    target = tmp_path / "diary"
    target.write_bytes(b"dear diary")
    store.write(TAGS, [("a.mp3", SKIPPED)], "run")
    (document,) = settings.phase_dir.rglob("*.json")
    link_to(document, target)
    assert isinstance(store.read_stored(TAGS, "a.mp3"), Failed)
    store.write(TAGS, [("a.mp3", SKIPPED)], "run")
    assert not document.is_symlink()
    assert store.read_stored(TAGS, "a.mp3") == SKIPPED
    picture = settings.picture_path("a.mp3")
    link_to(picture.with_name(temporary_name(picture.name)), target)
    write_atomically(picture, b"picture")
    pcm = PcmStore(settings.pcm_dir, 0)
    link_to(pcm.path_for("0" * 64), target)
    assert pcm.get("0" * 64) is None
    link_to(settings.claims_dir / "lock", target)
    with pytest.raises(OSError, match="symbolic links"), hold_lock(settings.claims_dir / "lock"):
        pass
    assert target.read_bytes() == b"dear diary"


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    assert read_state_file(tmp_path / "a.json") == b""


def plant_document(settings: Settings) -> None:
    store = PhaseStore(settings.phase_dir)
    store.write(IDENTITY, [("a.mp3", SKIPPED)], "run")
    (document,) = settings.phase_dir.rglob("*.json")
    document.write_bytes(b'{\n"%s": %s\n}\n' % (IDENTITY.encode(), NESTED))
    found = store.read_stored(IDENTITY, "a.mp3")
    assert isinstance(found, Failed)
    assert "is damaged" in found.message


def plant_name(settings: Settings) -> None:
    store = PhaseStore(settings.phase_dir)
    store.write(IDENTITY, [("a.mp3", SKIPPED)], "run")
    (document,) = settings.phase_dir.rglob("*.json")
    document.write_bytes(b"{\n" + NESTED + b"\n}\n")
    assert isinstance(store.read_stored(IDENTITY, "a.mp3"), Failed)


def plant_waits(settings: Settings) -> None:
    settings.waits_dir.mkdir(parents=True)
    for number, content in enumerate((NESTED, b"{", b"[1]")):
        (settings.waits_dir / f"{number}.json").write_bytes(content)
    assert read_waits(settings, LibraryChanges((), (), (), ())) == {}


def plant_outage(settings: Settings) -> None:
    settings.state_dir.mkdir()
    (settings.state_dir / "outage.json").write_bytes(NESTED)
    assert OutageFile(settings.state_dir / "outage.json").read() is None


def plant_accepted_keys(settings: Settings) -> None:
    commit(settings.database_path, entry())
    run_sql(settings.database_path, "INSERT INTO settings (key, value) VALUES ('acoustid_api_key', 'theirs')")
    settings.accepted_keys_path.parent.mkdir(parents=True)
    settings.accepted_keys_path.write_bytes(NESTED)
    assert read_accepted_key(settings) is None


PLANTED = [plant_document, plant_name, plant_waits, plant_outage, plant_accepted_keys]


@pytest.mark.parametrize("plant", PLANTED)
def test_json_that_is_nested_without_end_is_a_damaged_file(
    settings: Settings, plant: Callable[[Settings], None]
) -> None:
    plant(settings)


def test_json_that_is_nested_without_end_is_no_json() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(NESTED)
