"""What the asset checks see of a library."""

from pathlib import Path

import pytest

from wkmp_assets.db.read.audit import AuditedFile, LibraryAudit, audit_files, find_broken_references
from wkmp_assets.model.outcomes import Failed
from wkmp_assets_tests.support.builders import bare, column, commit, entry, file_row, in_a_row, run_sql


def audited(database: Path, *paths: str) -> dict[str, AuditedFile]:
    return audit_files(database, paths, []).by_path


def test_without_a_library_there_is_nothing_to_see(database: Path) -> None:
    assert audit_files(database, ["a.flac"], ["guid"]) == LibraryAudit()
    assert list(find_broken_references(database)) == []
    assert not database.exists()


def test_a_library_no_import_has_written_to_is_left_alone(database: Path) -> None:
    """It may lack columns, which it gets with the first write."""
    run_sql(database, "CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT)", "INSERT INTO files VALUES ('f', 'a')")
    assert audit_files(database, ["a"], ["f"]) == LibraryAudit()


def test_a_file_is_seen_with_its_passages_and_what_belongs_to_them(database: Path) -> None:
    receipt = commit(database, entry("a.flac", bounds=in_a_row(3)), run_id="run-7")["a.flac"].receipt
    assert receipt is not None
    assert receipt.written is not None
    file = audited(database, "a.flac")["a.flac"]
    assert (file.guid, file.status, file.content_hash) == (
        receipt.written.file,
        receipt.written.status,
        receipt.written.content_hash,
    )
    assert {passage.run_id for passage in file.passages} == {"run-7"}
    assert {passage.imported_at for passage in file.passages} == {receipt.written.written_at}
    assert len(file.passages) == receipt.written.passages == 3
    assert sum(passage.songs for passage in file.passages) == receipt.written.passage_songs == 3
    assert sum(passage.albums for passage in file.passages) == receipt.written.passage_albums == 3
    assert sum(passage.provenance for passage in file.passages) == receipt.written.provenance == 6
    starts = [passage.start_ticks for passage in file.passages]
    assert starts == sorted(starts)
    assert [passage.missing for passage in file.passages] == [(), (), ()]


def test_links_people_add_are_not_the_import_s(database: Path) -> None:
    commit(database, entry("a.flac"))
    run_sql(
        database,
        "INSERT INTO albums (guid, album_mbid, title) VALUES ('other', 'other', 'Other')",
        "INSERT INTO passage_albums (passage_id, album_id) SELECT guid, 'other' FROM passages",
        "INSERT INTO import_provenance (id, passage_id, source_type) SELECT 'mine', guid, 'me' FROM passages",
    )
    (passage,) = audited(database, "a.flac")["a.flac"].passages
    assert (passage.albums, passage.provenance) == (1, 2)


def test_files_are_found_by_guid_wherever_they_are(database: Path) -> None:
    commit(database, entry("a.flac"), entry("b.flac", content="b"))
    guid = file_row(database, "b.flac")["guid"]
    audit = audit_files(database, ["a.flac"], [guid, "nobody"])
    assert set(audit.by_path) == {"a.flac", "b.flac"}
    assert audit.by_guid[guid].path == "b.flac"
    assert audit.ownerless == {}


def test_a_duplicate_is_seen_with_or_without_its_original(database: Path) -> None:
    commit(database, entry("a.flac"), bare("b.flac"))
    assert audited(database, "b.flac")["b.flac"].has_original
    run_sql(database, "UPDATE files SET hash = 'other' WHERE path = 'a.flac'")
    assert not audited(database, "b.flac")["b.flac"].has_original


def test_what_passages_refer_to_in_vain_is_named(database: Path) -> None:
    commit(database, entry("a.flac"))
    run_sql(database, "PRAGMA foreign_keys = OFF", "DELETE FROM songs", "DELETE FROM albums", "DELETE FROM artists")
    (passage,) = audited(database, "a.flac")["a.flac"].passages
    assert sorted({missing.split()[0] for missing in passage.missing}) == ["album", "artist", "song"]


def test_passages_without_their_file_are_counted(database: Path) -> None:
    commit(database, entry("a.flac", bounds=in_a_row(2)))
    guid = file_row(database, "a.flac")["guid"]
    run_sql(database, "DELETE FROM files")
    audit = audit_files(database, ["a.flac"], [guid])
    assert (audit.by_path, audit.ownerless) == ({}, {guid: 2})


def test_recorded_failures_are_seen(database: Path) -> None:
    commit(database, ("a.flac", Failed("file_tags", "X", "broken")), entry("b.flac"))
    assert audit_files(database, ["a.flac", "b.flac"], []).failures == {"a.flac"}


@pytest.mark.slow
def test_any_number_of_files_can_be_asked_for(database: Path) -> None:
    commit(database, entry("a.flac"))
    many = [f"{number}.flac" for number in range(100_000)]
    assert list(audit_files(database, [*many, "a.flac"], many).by_path) == ["a.flac"]


def test_every_broken_reference_of_the_library_is_found(database: Path) -> None:
    commit(database, entry("a.flac"))
    assert list(find_broken_references(database)) == []
    run_sql(
        database,
        "PRAGMA foreign_keys = OFF",
        "INSERT INTO passage_albums (passage_id, album_id) VALUES ('nobody', 'nothing')",
        'CREATE TABLE "the ""queue"" x" (passage_id REFERENCES passages(guid))',
        'INSERT INTO "the ""queue"" x" VALUES (\'nobody\')',
    )
    found = [(broken.table, broken.refers_to) for broken in find_broken_references(database)]
    ours = [("passage_albums", "albums"), ("passage_albums", "passages")]
    assert sorted(found) == [*ours, ('the "queue" x', "passages")]


def test_a_table_whose_references_cannot_be_checked_hides_no_other(database: Path) -> None:
    """Its foreign key is declared on a column that is not unique: SQLite refuses to check it."""
    commit(database, entry("a.flac"))
    run_sql(
        database,
        "PRAGMA foreign_keys = OFF",
        "CREATE TABLE history (title REFERENCES songs(title))",
        "INSERT INTO history VALUES ('x')",
        "INSERT INTO song_works (song_id, work_id) VALUES ('nobody', 'nothing')",
    )
    found = {broken.table: broken for broken in find_broken_references(database)}
    assert found["history"].rowid is None
    assert "mismatch" in found["history"].refers_to
    assert "song_works" in found


def test_nothing_is_written(database: Path) -> None:
    commit(database, entry("a.flac"))
    before = database.read_bytes()
    audit_files(database, ["a.flac"], [])
    list(find_broken_references(database))
    assert database.read_bytes() == before
    assert column(database, "SELECT count(*) FROM passages") == [1]
