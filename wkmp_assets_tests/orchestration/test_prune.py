"""What `wkmp prune` removes and what it keeps, with a real library, real files and a real Dagster instance."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus

from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.errors import LibraryChangedError, LibraryRootError, NotImportedError
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Failed, Result
from wkmp_assets.model.values import Cover, CoverKind, CoverSource, FileTags
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import import_job, retry_job
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.prune import PruneOptions, PrunePlan, PruneResult, clean_up, plan_prune, remove_files
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.claims import open_claims
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.builders import (
    LATER,
    NOW,
    bare,
    column,
    commit,
    dump,
    entry,
    file_row,
    in_a_row,
    problems,
    rows,
    run_sql,
    sha,
    write_lock_held,
)

pytestmark = pytest.mark.slow

PLAYER = (
    "CREATE TABLE play_history (guid TEXT PRIMARY KEY, passage_id TEXT REFERENCES passages(guid) ON DELETE CASCADE)",
    "CREATE TABLE queue (guid TEXT PRIMARY KEY, passage_guid TEXT)",
    "CREATE TABLE song_plays (guid TEXT PRIMARY KEY, passage_id TEXT REFERENCES passages(guid) ON DELETE SET NULL)",
    "CREATE TABLE temp_file_songs (file_id TEXT PRIMARY KEY REFERENCES files(guid) ON DELETE CASCADE)",
)
"""As other WKMP programs make them: three ways to refer to a passage, one to refer to a file."""


def add(settings: Settings, *paths: str) -> None:
    """Put files on disk and into the library, each with two passages."""
    for path in paths:
        file = settings.library / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())
        stat = read_stat(file)
        known = {"size_bytes": stat.size_bytes, "modified_at": stat.modified_at}
        commit(settings.database_path, entry(path, path, in_a_row(2), **known))


def plan(settings: Settings, folder: str = "", **also: bool) -> PrunePlan:
    return plan_prune(settings, folder, PruneOptions(**also))


def prune(settings: Settings, what: PrunePlan, *, with_history: bool = False) -> list[PruneResult]:
    return list(remove_files(settings, what, LATER, with_history=with_history))


def paths(files: tuple[object, ...]) -> list[str]:
    return [file.file.path for file in files]  # type: ignore[attr-defined] # both kinds have it


def in_library(settings: Settings) -> list[str]:
    return column(settings.database_path, "SELECT path FROM files ORDER BY path")


def play(settings: Settings, path: str, table: str = "play_history", column_name: str = "passage_id") -> None:
    query = "SELECT p.guid FROM passages AS p JOIN files AS f ON f.guid = p.file_id WHERE f.path = ?"
    guid = column(settings.database_path, query, path)[0]
    run_sql(settings.database_path, f"INSERT INTO {table} (guid, {column_name}) VALUES ('{path}', '{guid}')")  # noqa: S608 - names of this test


def test_a_missing_file_goes_with_its_passages_and_links_and_nothing_else_does(settings: Settings) -> None:
    add(settings, "A/1.mp3", "A/2.mp3")
    run_sql(
        settings.database_path,
        "INSERT INTO images (guid, file_path, image_type, entity_id) SELECT guid, 'x', 'passage', guid FROM passages",
    )
    before = dump(settings.database_path)
    (settings.library / "A/1.mp3").unlink()
    mark_missing(settings.database_path, LibraryChanges((), (), (), ("A/1.mp3",)), NOW)
    what = plan(settings)
    assert (paths(what.removable), what.referenced, what.emptied) == (["A/1.mp3"], (), ())
    (pruned,) = prune(settings, what)
    assert pruned.receipt is not None
    assert (pruned.receipt.write_locks, pruned.receipt.selects_in_transaction) == (1, 0)
    assert pruned.receipt.rows["passages"] == 2
    assert in_library(settings) == ["A/2.mp3"]
    assert read_missing(settings.database_path) == []
    assert column(settings.database_path, "SELECT count(*) FROM missing_files") == [0]
    assert set(dump(settings.database_path)) < set(before), "rows went, none was added or changed"
    for table in ("passages", "passage_songs", "import_provenance", "images"):
        left = column(settings.database_path, f"SELECT count(*) FROM {table}")[0]  # noqa: S608 - names of this test
        assert left == sum(line.startswith(f'INSERT INTO "{table}"') for line in before) / 2, table
    assert len(column(settings.database_path, "SELECT guid FROM songs")) == 4, "songs stay"
    assert problems(settings.database_path) == []


def test_what_play_history_queue_or_a_file_table_refers_to_stays_without_the_option(settings: Settings) -> None:
    names = ("history.mp3", "queue.mp3", "songs.mp3", "file.mp3", "free.mp3")
    add(settings, *names, "there.mp3")
    run_sql(settings.database_path, *PLAYER)
    play(settings, "history.mp3")
    play(settings, "queue.mp3", "queue", "passage_guid")
    play(settings, "songs.mp3", "song_plays")
    guid = file_row(settings.database_path, "file.mp3")["guid"]
    run_sql(settings.database_path, f"INSERT INTO temp_file_songs VALUES ('{guid}')")  # noqa: S608 - names of this test
    for name in names:
        (settings.library / name).unlink()
    what = plan(settings)
    assert (paths(what.removable), len(what.referenced)) == (["free.mp3"], 4)
    assert {file.file.path: file.references for file in what.referenced} == {
        "history.mp3": {"play_history": 1},
        "queue.mp3": {"queue": 1},
        "songs.mp3": {"song_plays": 1},
        "file.mp3": {"temp_file_songs": 1},
    }
    prune(settings, what)
    assert in_library(settings) == ["file.mp3", "history.mp3", "queue.mp3", "songs.mp3", "there.mp3"]
    prune(settings, plan(settings, with_history=True), with_history=True)
    assert in_library(settings) == ["there.mp3"]
    for table in ("play_history", "queue", "temp_file_songs"):
        assert column(settings.database_path, f"SELECT count(*) FROM {table}") == [0]  # noqa: S608 - names of this test
    kept = rows(settings.database_path, "SELECT * FROM song_plays")
    assert kept == [{"guid": "songs.mp3", "passage_id": None}], "that table keeps its rows by itself"
    assert problems(settings.database_path) == []


def test_what_is_played_between_looking_and_removing_stays(settings: Settings) -> None:
    add(settings, "a.mp3", "b.mp3", "there.mp3")
    run_sql(settings.database_path, *PLAYER)
    for name in ("a.mp3", "b.mp3"):
        (settings.library / name).unlink()
    what = plan(settings)
    play(settings, "a.mp3")
    first, second = prune(settings, what)
    assert (first.receipt, "what refers to it" in first.reason) == (None, True)
    assert second.receipt is not None
    assert in_library(settings) == ["a.mp3", "there.mp3"]


def test_what_is_played_between_reading_and_the_write_lock_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The DELETE statements themselves look for references."""
    from wkmp_assets.db import commit as committing

    add(settings, "a.mp3", "there.mp3")
    run_sql(settings.database_path, *PLAYER)
    (settings.library / "a.mp3").unlink()
    what, read = plan(settings), committing.read_removable

    def read_and_play(database: Path, wanted: list[str]) -> object:
        found = read(database, wanted)
        if not rows(database, "SELECT * FROM queue"):
            play(settings, "a.mp3", "queue", "passage_guid")
        return found

    monkeypatch.setattr(committing, "read_removable", read_and_play)
    (pruned,) = prune(settings, what)
    assert pruned.receipt is None
    assert in_library(settings) == ["a.mp3", "there.mp3"]


def test_a_file_that_comes_back_meanwhile_stays(settings: Settings) -> None:
    add(settings, "a.mp3", "there.mp3")
    (settings.library / "a.mp3").rename(settings.library / "elsewhere.txt")
    what = plan(settings)
    (settings.library / "elsewhere.txt").rename(settings.library / "a.mp3")
    (pruned,) = prune(settings, what)
    assert (pruned.receipt, pruned.reason) == (None, "it is on disk again")
    assert in_library(settings) == ["a.mp3", "there.mp3"]


def test_nothing_goes_while_a_file_on_disk_may_be_a_missing_one_that_moved(settings: Settings) -> None:
    add(settings, "a.mp3", "there.mp3")
    (settings.library / "a.mp3").rename(settings.library / "b.mp3")
    with pytest.raises(NotImportedError, match=r"^b\.mp3 not imported yet"):
        plan(settings)
    broken = ("b.mp3", Failed("passage_segments", "DECODE_ERROR", "m"))
    commit(settings.database_path, broken, now=datetime.now(UTC) + timedelta(seconds=1))
    assert paths(plan(settings).removable) == ["a.mp3"], "a file that failed would wait for ever"
    run_sql(settings.database_path, "UPDATE import_failures SET failed_at = '2026-01-01 00:00:00'")
    with pytest.raises(NotImportedError):
        plan(settings)  # moved over the broken file after its failure


def test_nothing_goes_with_an_emptied_root(settings: Settings) -> None:
    add(settings, "A/a.mp3")
    (settings.library / "A/a.mp3").unlink()
    with pytest.raises(LibraryRootError, match="check that its disk is mounted"):
        plan(settings, with_history=True, emptied=True)
    assert in_library(settings) == ["A/a.mp3"]


def test_nothing_goes_once_the_disk_is_unmounted_in_the_middle(settings: Settings) -> None:
    add(settings, "A/a.mp3", "A/b.mp3", "A/there.mp3")
    for name in ("A/a.mp3", "A/b.mp3"):
        (settings.library / name).unlink()
    removal = remove_files(settings, plan(settings), LATER, with_history=False)
    assert next(removal).receipt is not None
    (settings.library / "A").rename(settings.state_dir.parent / "unplugged")
    with pytest.raises(LibraryRootError, match="mounted"):
        next(removal)
    assert in_library(settings) == ["A/b.mp3", "A/there.mp3"]


def test_files_of_an_empty_folder_stay_unless_asked_for(settings: Settings) -> None:
    """A disk is mounted inside the library, and is not there at the moment."""
    add(settings, "usb/Artist/a.mp3", "there.mp3")
    (settings.library / "usb/Artist/a.mp3").unlink()
    (settings.library / "usb/Artist").rmdir()
    assert paths(plan(settings).emptied) == ["usb/Artist/a.mp3"]
    assert paths(plan(settings, emptied=True).removable) == ["usb/Artist/a.mp3"]


@pytest.fixture
def locked(public_folder: Path) -> Settings:
    """A library with a folder, and a file in it, that only root can read."""
    settings = load_settings(library_root=public_folder, state_dir=public_folder / "state", workers=1)
    add(settings, "A/a.mp3", "there.mp3", "gone.mp3")
    (settings.library / "A").chmod(0)
    public_folder.chmod(0o777)
    settings.database_path.chmod(0o666)
    return settings


def test_what_lies_in_an_unreadable_folder_is_not_missing(
    locked: Settings, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    with unprivileged():
        what = plan(locked, with_history=True, emptied=True, unreadable=True)
    assert (what.removable, what.scan.unknown, what.scan.unreadable) == ((), ("A/a.mp3",), ("A",))


def test_what_may_have_been_moved_into_an_unreadable_folder_stays_unless_asked_for(
    locked: Settings, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    (locked.library / "gone.mp3").rename(locked.library / "A/moved.mp3")
    with unprivileged():
        careful, bold = plan(locked, with_history=True, emptied=True), plan(locked, unreadable=True)
    assert (paths(careful.removable), paths(careful.hidden)) == ([], ["gone.mp3"])
    assert (paths(bold.removable), paths(bold.hidden)) == (["gone.mp3"], [])


def test_only_what_lies_in_the_folder_is_removed(settings: Settings) -> None:
    add(settings, "A/1.mp3", "A/2.mp3", "AB/1.mp3", "AB/2.mp3")
    for name in ("A/1.mp3", "AB/1.mp3"):
        (settings.library / name).unlink()
    prune(settings, plan(settings, "A"))
    assert in_library(settings) == ["A/2.mp3", "AB/1.mp3", "AB/2.mp3"]


def test_a_copy_that_is_gone_is_taken_off_the_list_of_its_original(settings: Settings) -> None:
    add(settings, "a.mp3")
    commit(settings.database_path, bare("b.mp3", "a.mp3"), bare("c.mp3", "a.mp3"))
    guids = {path: file_row(settings.database_path, path)["guid"] for path in ("b.mp3", "c.mp3")}
    prune(settings, plan(settings))
    assert in_library(settings) == ["a.mp3"]
    listed = file_row(settings.database_path, "a.mp3")["matching_hashes"]
    assert [path for path, guid in guids.items() if guid in listed] == []


def test_a_locked_library_keeps_the_file(settings: Settings) -> None:
    add(settings, "a.mp3", "there.mp3")
    run_sql(settings.database_path, "INSERT INTO settings (key, value) VALUES ('ai_database_max_lock_wait_ms', '500')")
    (settings.library / "a.mp3").unlink()
    what = plan(settings)
    with write_lock_held(settings.database_path), pytest.raises(Exception, match="stayed locked"):
        prune(settings, what)
    assert in_library(settings) == ["a.mp3", "there.mp3"]


def registered(settings: Settings, instance: DagsterInstance) -> list[str]:
    return list(instance.get_dynamic_partitions(partitions_name(settings)))


@pytest.fixture
def left_over(settings: Settings, instance: DagsterInstance) -> PrunePlan:
    """One file is there, one missing, one was moved away, one failed and was deleted; all left partitions behind."""
    add(settings, "there.mp3", "gone, really.mp3")
    (settings.library / "gone, really.mp3").unlink()
    keys = [encode_key(path) for path in ("there.mp3", "gone, really.mp3", "moved away.mp3", "broken.mp3")]
    instance.add_dynamic_partitions(partitions_name(settings), keys)
    store = PhaseStore(settings.phase_dir)
    for key in keys:
        store.write("file_identity", [(key, Result(bare(key).identity, "h"))], "run")
        settings.picture_path(key).parent.mkdir(parents=True, exist_ok=True)
        settings.picture_path(key).touch()
    pcm = PcmStore(settings.pcm_dir, 0)
    for content in ("there.mp3", "gone, really.mp3"):
        pcm.path_for(sha(content)).touch()
    return plan(settings)


def test_partitions_values_pictures_and_sound_of_what_is_gone_are_dropped(
    settings: Settings, instance: DagsterInstance, left_over: PrunePlan
) -> None:
    done = clean_up(settings, instance, left_over, prune(settings, left_over))
    assert (done.partition_count, done.value_count, done.is_postponed) == (3, 3, False)
    assert registered(settings, instance) == ["there.mp3"]
    assert isinstance(PhaseStore(settings.phase_dir).read_stored("file_identity", "there.mp3"), Result)
    assert len(list(settings.phase_dir.rglob("*.json"))) == 1
    assert settings.picture_path("there.mp3").exists()
    assert not settings.picture_path("broken.mp3").exists()
    assert [path.name.partition(".")[0] for path in settings.pcm_dir.iterdir()] == [sha("there.mp3")]


def test_the_partition_of_a_missing_file_that_stays_in_the_library_stays(
    settings: Settings, instance: DagsterInstance, left_over: PrunePlan
) -> None:
    clean_up(settings, instance, left_over, [])
    assert registered(settings, instance) == ["there.mp3", encode_key("gone, really.mp3")]


@pytest.mark.parametrize("job_name", [import_job.name, retry_job.name])
def test_no_partition_goes_while_a_run_runs_or_waits(
    settings: Settings, instance: DagsterInstance, left_over: PrunePlan, job_name: str
) -> None:
    pruned = prune(settings, left_over)
    with open_claims(settings.claims_dir, "a run") as claims:
        claims.claim(["there.mp3"])
        assert clean_up(settings, instance, left_over, pruned).is_postponed
    job = build_definitions(settings).resolve_job_def(job_name)
    tags = {"dagster/asset_partition_range_start": "there.mp3", "dagster/asset_partition_range_end": "broken.mp3"}
    run = instance.create_run_for_job(job, tags=tags, status=DagsterRunStatus.NOT_STARTED)
    assert clean_up(settings, instance, left_over, pruned).is_postponed
    assert len(registered(settings, instance)) == 4
    instance.delete_run(run.run_id)
    assert clean_up(settings, instance, left_over, pruned).partition_count == 3


def test_covers_that_nothing_names_go(settings: Settings, store: PhaseStore, instance: DagsterInstance) -> None:
    add(settings, "a.mp3")
    covers = Library(settings).covers
    in_a_row_of_people, in_a_value, unused = (covers.keep(data, ".jpg") for data in (b"a", b"b", b"c"))
    row = f"VALUES ('g', 'covers/{in_a_row_of_people}', 'logo', 'e')"
    run_sql(settings.database_path, f"INSERT INTO images (guid, file_path, image_type, entity_id) {row}")
    tags = FileTags(covers=(Cover(CoverKind.FRONT, in_a_value, 9, 9, CoverSource.EMBEDDED),))
    store.write("file_tags", [("a.mp3", Result(tags, sha("a")))], "a run")
    for path in (in_a_row_of_people, in_a_value, unused):
        os.utime(covers.root / path, (0, 0))
    with open_claims(settings.claims_dir, "a run") as claims:
        claims.claim(["a.mp3"])
        assert clean_up(settings, instance, plan(settings), []).cover_count == 0, "a file is being imported"
    database = settings.database_path.rename(settings.database_path.with_suffix(".elsewhere"))
    assert clean_up(settings, instance, plan(settings), []).cover_count == 0, "the disk of the library is not there"
    database.rename(settings.database_path)
    assert clean_up(settings, instance, plan(settings), []).cover_count == 1
    assert [covers.has(path) for path in (in_a_row_of_people, in_a_value, unused)] == [True, True, False]


def test_an_empty_folder_without_a_library_may_be_a_mount_point(settings: Settings) -> None:
    with pytest.raises(LibraryRootError, match="is empty; check that its disk is mounted"):
        plan(settings)


def test_partitions_and_values_stay_when_the_library_is_gone_with_its_disk(
    settings: Settings, instance: DagsterInstance, left_over: PrunePlan
) -> None:
    assert left_over.removable
    settings.library.rename(settings.state_dir.parent / "unplugged")
    settings.library.mkdir()
    (settings.library / "lost+found").mkdir()
    with pytest.raises(LibraryRootError, match="4 were found in it before"):
        clean_up(settings, instance, plan(settings), [])
    assert len(registered(settings, instance)) == 4
    assert len(list(settings.phase_dir.rglob("*.json"))) == 4


def test_a_library_without_missing_files_has_nothing_to_remove(settings: Settings) -> None:
    add(settings, "a.mp3")
    before = dump(settings.database_path)
    assert prune(settings, plan(settings, with_history=True)) == []
    assert dump(settings.database_path) == before


def test_why_a_file_stays_is_said_with_its_name() -> None:
    assert str(LibraryChangedError("a.mp3", "its row")).startswith("a.mp3: its row changed in the library")


def test_no_value_goes_while_a_folder_cannot_be_read(
    settings: Settings, instance: DagsterInstance, left_over: PrunePlan
) -> None:
    hidden = replace(left_over, scan=replace(left_over.scan, unreadable=("locked",)))
    assert clean_up(settings, instance, hidden, []).value_count == 0
    assert len(list(settings.phase_dir.rglob("*.json"))) == 4
