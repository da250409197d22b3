"""The decision tables of phases 1 and 2."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.db.missing_files import MarkChanges, compare_marks
from wkmp_assets.files.changes import HashedFile, compare_library, identify_contents, is_unchanged
from wkmp_assets.model.known_files import FileStat, KnownFile
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.timestamps import normalise_timestamp
from wkmp_assets.model.values import FileIdentity, FileState
from wkmp_assets_tests.support.builders import sha

ON_DISK = FileStat(1000, "2026-02-01 10:00:00")


def known(path: str = "a.mp3", content: str = "a", status: str = "INGEST COMPLETE", **other: object) -> KnownFile:
    fields = {"modified_at": ON_DISK.modified_at, "size_bytes": ON_DISK.size_bytes} | other
    return KnownFile(f"guid of {path}", path, sha(content), status, **fields)  # type: ignore[arg-type] # by name


PHASE_ONE = {
    "no row": (None, False),
    "complete, same": (known(), True),
    "complete, other size": (known(size_bytes=999), False),
    "complete, size unknown": (known(size_bytes=None), False),
    "complete, other time": (known(modified_at="2026-02-01 10:00:01"), False),
    "duplicate, original complete": (known(status="DUPLICATE HASH", original_is_complete=True), True),
    "duplicate, original not complete": (known(status="DUPLICATE HASH", original_is_complete=False), False),
    "duplicate, other time": (known(status="DUPLICATE HASH", modified_at="2000-01-01 00:00:00"), False),
    "no audio, same": (known(status="NO AUDIO"), True),
    "no audio, other size": (known(status="NO AUDIO", size_bytes=1), False),
    "pending, same": (known(status="PENDING"), False),
    "processing, same": (known(status="PROCESSING"), False),
    "pending, changed": (known(status="PENDING", size_bytes=1), False),
    "no status": (known(status=None), False),  # type: ignore[arg-type] # as older libraries have it
}


@pytest.mark.parametrize(("row", "skipped"), PHASE_ONE.values(), ids=PHASE_ONE)
def test_a_file_is_skipped_only_when_the_decision_table_says_so(row: KnownFile | None, skipped: bool) -> None:
    assert is_unchanged(row, ON_DISK) is skipped


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("2026-02-01 10:00:00", True),
        ("2026-02-01T10:00:00Z", True),
        ("2026-02-01T10:00:00+00:00", True),
        ("2026-02-01T12:00:00+02:00", True),
        ("2026-02-01T10:00:00.987654321+00:00", True),
        ("2026-02-01T10:00:01Z", False),
        ("1769940000", False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_both_forms_of_time_in_wkmp_databases_are_understood(stored: str, expected: bool) -> None:
    assert is_unchanged(known(modified_at=stored), ON_DISK) is expected


def test_text_in_no_known_form_stays_as_it_is() -> None:
    assert normalise_timestamp("yesterday") == "yesterday"


PATHS = st.lists(st.sampled_from(["a", "b/c", "b/d", "bc", "e"]), unique=True)


@given(on_disk=PATHS, rows=PATHS)
def test_every_path_ends_in_exactly_one_list(on_disk: list[str], rows: list[str]) -> None:
    changes = compare_library(dict.fromkeys(on_disk, ON_DISK), [known(path) for path in rows])
    lists = [changes.new, changes.changed, changes.unchanged, changes.missing]
    assert sorted(path for one in lists for path in one) == sorted({*on_disk, *rows})
    assert all(list(one) == sorted(one) for one in lists)
    assert set(changes.missing) == set(rows) - set(on_disk)


def hashed(path: str, content: str = "a", row: KnownFile | None = None) -> HashedFile:
    return HashedFile(path, ON_DISK, sha(content), row)


def identify(
    files: Sequence[HashedFile], rows: Sequence[KnownFile] = (), gone: Sequence[str] = ()
) -> dict[str, FileIdentity]:
    same: dict[str, list[KnownFile]] = {}
    for row in rows:
        same.setdefault(row.content_hash, []).append(row)
    return identify_contents(files, same, lambda path: path not in gone)


def test_a_file_nobody_knows_is_new() -> None:
    found = identify([hashed("a.mp3")])["a.mp3"]
    assert (found.state, found.moved_from, found.duplicate_of) == (FileState.NEW, None, None)
    assert (found.content_hash, found.size_bytes, found.modified_at) == (sha("a"), 1000, ON_DISK.modified_at)


@pytest.mark.parametrize("status", ["INGEST COMPLETE", "NO AUDIO", "DUPLICATE HASH"])
def test_the_same_bytes_with_another_time_are_touched(status: str) -> None:
    row = known(status=status, modified_at="2000-01-01 00:00:00")
    rows = [row, known("original.mp3")] if status == "DUPLICATE HASH" else [row]
    assert identify([hashed("a.mp3", row=row)], rows)["a.mp3"].state is FileState.TOUCHED


def test_force_makes_a_file_changed_but_leaves_a_duplicate_one() -> None:
    original, copy = known("a.mp3"), known("b.mp3", status="DUPLICATE HASH")
    files = [hashed("a.mp3", row=original), hashed("b.mp3", row=copy)]
    found = identify_contents(files, {sha("a"): [original, copy]}, lambda _path: True, force=True)
    assert (found["a.mp3"].state, found["a.mp3"].duplicate_of) == (FileState.CHANGED, None)
    assert (found["b.mp3"].state, found["b.mp3"].duplicate_of) == (FileState.DUPLICATE, "a.mp3")


def test_of_two_imported_copies_the_first_stays() -> None:
    """WKMP may have imported both."""
    rows = [known("a.mp3"), known("b.mp3")]
    files = [hashed(row.path, row=row) for row in rows]
    found = identify_contents(files, {sha("a"): rows}, lambda _path: True, forced={"a.mp3", "b.mp3"})
    assert (found["a.mp3"].state, found["a.mp3"].duplicate_of) == (FileState.CHANGED, None)
    assert (found["b.mp3"].state, found["b.mp3"].duplicate_of) == (FileState.DUPLICATE, "a.mp3")


def test_other_bytes_under_a_known_path_are_changed() -> None:
    row = known(content="old")
    assert identify([hashed("a.mp3", "new", row)], [row])["a.mp3"].state is FileState.CHANGED


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING"])
def test_an_import_that_never_finished_is_taken_up_again(status: str) -> None:
    row = known(status=status)
    assert identify([hashed("a.mp3", row=row)], [row])["a.mp3"].state is FileState.CHANGED


def test_a_duplicate_without_its_original_is_imported() -> None:
    row = known(status="DUPLICATE HASH", original_is_complete=False)
    assert identify([hashed("a.mp3", row=row)], [row])["a.mp3"].state is FileState.CHANGED


def test_a_copy_of_an_imported_file_is_its_duplicate() -> None:
    found = identify([hashed("b.mp3")], [known("z.mp3")])["b.mp3"]
    assert (found.state, found.duplicate_of) == (FileState.DUPLICATE, "z.mp3")


def test_a_file_replaced_by_a_copy_of_another_is_its_duplicate() -> None:
    row, original = known("b.mp3", "old"), known("z.mp3")
    assert identify([hashed("b.mp3", row=row)], [row, original])["b.mp3"].state is FileState.DUPLICATE


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "DUPLICATE HASH"])
def test_a_copy_that_is_not_imported_stands_for_nobody(status: str) -> None:
    """The original that crashed must not lose its content to a copy that waits for it."""
    assert identify([hashed("b.mp3")], [known("z.mp3", status=status)])["b.mp3"].state is FileState.NEW


def test_a_file_whose_old_path_is_gone_was_moved() -> None:
    found = identify([hashed("new.mp3")], [known("old.mp3")], gone=["old.mp3"])["new.mp3"]
    assert (found.state, found.moved_from, found.duplicate_of) == (FileState.MOVED, "old.mp3", None)


def test_of_two_copies_of_a_moved_file_one_is_moved_and_the_other_its_duplicate() -> None:
    found = identify([hashed("y.mp3"), hashed("x.mp3")], [known("old.mp3")], gone=["old.mp3"])
    assert (found["x.mp3"].state, found["x.mp3"].moved_from) == (FileState.MOVED, "old.mp3")
    assert (found["y.mp3"].state, found["y.mp3"].duplicate_of) == (FileState.DUPLICATE, "x.mp3")


def test_a_copy_is_a_duplicate_of_what_is_there_not_of_what_is_gone() -> None:
    found = identify([hashed("c.mp3")], [known("a.mp3"), known("b.mp3")], gone=["a.mp3"])["c.mp3"]
    assert (found.state, found.duplicate_of) == (FileState.DUPLICATE, "b.mp3")


def test_two_files_that_swapped_names_are_both_moved() -> None:
    a, b = known("a.mp3", "a"), known("b.mp3", "b")
    found = identify([hashed("a.mp3", "b", a), hashed("b.mp3", "a", b)], [a, b])
    assert [found[path].state for path in ("a.mp3", "b.mp3")] == [FileState.MOVED, FileState.MOVED]
    assert [found[path].moved_guid for path in ("a.mp3", "b.mp3")] == [b.guid, a.guid]


def test_names_that_went_round_in_a_ring_or_up_by_one_are_all_moved() -> None:
    rows = [known(f"{number}.mp3", str(number)) for number in range(3)]
    ring = identify([hashed(f"{n}.mp3", str((n + 1) % 3), rows[n]) for n in range(3)], rows)
    assert [ring[f"{n}.mp3"].moved_from for n in range(3)] == ["1.mp3", "2.mp3", "0.mp3"]
    up = identify([hashed(f"{n + 1}.mp3", str(n), rows[n + 1] if n < 2 else None) for n in range(3)], rows, ["0.mp3"])
    assert [up[f"{n + 1}.mp3"].moved_from for n in range(3)] == ["0.mp3", "1.mp3", "2.mp3"]


def test_a_swap_is_seen_when_the_other_file_is_of_another_run() -> None:
    a, b = known("a.mp3", "a"), known("b.mp3", "b")
    same = {sha("b"): [b], sha("a"): [a]}
    found = identify_contents([hashed("a.mp3", "b", a)], same, lambda _path: True, content_now={"b.mp3": sha("a")})
    assert (found["a.mp3"].state, found["a.mp3"].moved_guid) == (FileState.MOVED, b.guid)


def test_a_file_moved_over_another_is_moved() -> None:
    a, b = known("a.mp3", "a"), known("b.mp3", "b")
    found = identify([hashed("b.mp3", "a", b)], [a], gone=["a.mp3"])["b.mp3"]
    assert (found.state, found.moved_from, found.replaces) == (FileState.MOVED, "a.mp3", sha("b"))


def test_a_copy_takes_the_place_of_its_original_that_is_gone() -> None:
    original, copy = known("a.mp3"), known("b.mp3", status="DUPLICATE HASH")
    other = known("c.mp3", status="DUPLICATE HASH")
    files = [hashed("b.mp3", row=copy), hashed("c.mp3", row=other)]
    found = identify(files, [original, copy, other], gone=["a.mp3"])
    assert (found["b.mp3"].state, found["b.mp3"].moved_from) == (FileState.MOVED, "a.mp3")
    assert found["c.mp3"].state is FileState.TOUCHED, "still a copy, now of the other one"


@pytest.mark.parametrize("row", [None, known("b.mp3", status="DUPLICATE HASH")], ids=["new", "known"])
def test_a_retagged_original_keeps_its_row_and_its_copy_becomes_an_original(row: KnownFile | None) -> None:
    """New content belongs to its path: the play history of `a.mp3` must not go to its copy."""
    original = known("a.mp3", "a")
    found = identify([hashed("a.mp3", "retagged", original), hashed("b.mp3", "a", row)], [original])
    assert (found["a.mp3"].state, found["a.mp3"].replaces) == (FileState.CHANGED, sha("a"))
    assert found["b.mp3"].state is (FileState.CHANGED if row else FileState.NEW)


def test_force_leaves_a_file_its_own_row_though_an_older_library_has_another() -> None:
    mine, lost = known("b.mp3"), known("a.mp3")
    found = identify_contents(
        [hashed("b.mp3", row=mine)], {sha("a"): [lost, mine]}, lambda path: path == "b.mp3", force=True
    )
    assert found["b.mp3"].state is FileState.CHANGED


def test_a_copy_without_its_original_on_disk_is_no_unchanged_file() -> None:
    original, copy = known("a.mp3"), known("b.mp3", status="DUPLICATE HASH")
    assert compare_library({"b.mp3": ON_DISK}, [original, copy]).changed == ("b.mp3",)
    assert compare_library({"a.mp3": ON_DISK, "b.mp3": ON_DISK}, [original, copy]).changed == ()
    assert compare_library({"b.mp3": ON_DISK}, [original, copy], unseen=["a.mp3"]).changed == ()
    assert compare_library({"B/b.mp3": ON_DISK}, [original, copy], within="B").missing == ()


def test_what_an_unreadable_folder_holds_is_unknown_and_not_missing() -> None:
    rows = [known("A/1.mp3"), known("AB/2.mp3"), known("B/3.mp3"), known("C/4.mp3")]
    changes = compare_library({}, rows, unreadable=["A"], unseen=["C/4.mp3"])
    assert (changes.unknown, changes.missing) == (("A/1.mp3", "C/4.mp3"), ("AB/2.mp3", "B/3.mp3"))


def test_a_copy_that_moved_keeps_its_row() -> None:
    original, copy = known("a.mp3"), known("old/b.mp3", status="DUPLICATE HASH")
    found = identify([hashed("new/b.mp3"), hashed("new/c.mp3")], [original, copy], gone=["old/b.mp3"])
    assert (found["new/b.mp3"].state, found["new/b.mp3"].moved_guid) == (FileState.MOVED, copy.guid)
    assert (found["new/c.mp3"].state, found["new/c.mp3"].duplicate_of) == (FileState.DUPLICATE, "a.mp3")


def test_original_and_copy_that_moved_together_each_keep_their_row() -> None:
    rows = [known("old/a.mp3"), known("old/b.mp3", status="DUPLICATE HASH")]
    found = identify([hashed("new/a.mp3"), hashed("new/b.mp3")], rows, gone=["old/a.mp3", "old/b.mp3"])
    assert [found[f"new/{name}.mp3"].moved_from for name in "ab"] == ["old/a.mp3", "old/b.mp3"]


def test_a_copy_alone_stands_for_nothing() -> None:
    copy = known("old/b.mp3", status="DUPLICATE HASH")
    assert identify([hashed("new/b.mp3")], [copy], gone=["old/b.mp3"])["new/b.mp3"].state is FileState.NEW


def test_a_file_without_audio_that_moved_keeps_its_row() -> None:
    silent = known("old.mp3", status="NO AUDIO")
    assert identify([hashed("new.mp3")], [silent], gone=["old.mp3"])["new.mp3"].moved_guid == silent.guid


def test_the_work_for_one_content_is_done_once_and_not_for_each_pair_of_copies() -> None:
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return True

    rows = [known("0.mp3"), *(known(f"{number}.mp3", status="DUPLICATE HASH") for number in range(1, 300))]
    new = [hashed(f"{number}.mp3") for number in range(300, 600)]
    found = identify_contents(new, {sha("a"): rows}, exists)
    assert {(one.state, one.duplicate_of) for one in found.values()} == {(FileState.DUPLICATE, "0.mp3")}
    assert len(asked) <= len(rows) + 1


def changes_of(**found: tuple[str, ...] | str) -> LibraryChanges:
    lists = dict.fromkeys(("new", "changed", "unchanged", "missing"), ()) | found
    return LibraryChanges(**lists)  # type: ignore[arg-type] # by name


def test_a_scan_notes_only_what_is_news() -> None:
    changes = changes_of(unchanged=("back.mp3",), missing=("gone.mp3", "long gone.mp3"), unknown=("unseen.mp3",))
    noted = compare_marks(changes, ["back.mp3", "long gone.mp3", "moved away.mp3", "unseen.mp3"], [])
    assert noted == MarkChanges(("gone.mp3",), ("back.mp3", "moved away.mp3"), ())
    assert not compare_marks(changes_of(missing=("a",)), ["a"], [])


def test_a_scan_of_a_part_says_nothing_about_the_rest() -> None:
    changes = changes_of(unchanged=("A/1.mp3",), folder="A")
    assert not compare_marks(changes, ["B/1.mp3", "AB/2.mp3"], ["B/2.mp3"])


def test_a_failure_is_forgotten_only_when_its_file_is_known_to_be_gone() -> None:
    changes = changes_of(new=("a.mp3", "caf\udce9.mp3"), unreadable=("locked",))
    failed = ["a.mp3", "caf%E9.mp3", "gone.mp3", "locked/b.mp3"]
    assert compare_marks(changes, [], failed).forgotten == ("gone.mp3",)


CONTENTS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("xyz"), min_size=1)


@given(contents=CONTENTS, imported=CONTENTS, gone=st.sets(st.sampled_from("abcdefgh")), data=st.data())
def test_of_all_files_with_the_same_bytes_exactly_one_stands_for_all(
    contents: dict[str, str], imported: dict[str, str], gone: set[str], data: st.DataObject
) -> None:
    """Two copies in one run: exactly one gets passages, in either order."""
    one_each = {content: path for path, content in imported.items()}
    rows = {path: known(path, content) for content, path in one_each.items()}
    files = [
        hashed(path, content, rows.get(path)) for path, content in data.draw(st.permutations(sorted(contents.items())))
    ]
    absent = gone - set(contents)
    found = identify(files, list(rows.values()), gone=list(absent))
    for content in set(contents.values()):
        paths = [path for path in contents if contents[path] == content]
        standing = [path for path in paths if found[path].state is not FileState.DUPLICATE]
        original = one_each.get(content)
        elsewhere = original is not None and original not in contents and original not in absent
        assert len(standing) == (0 if elsewhere else 1)
        moved = [found[path].moved_guid for path in paths if found[path].moved_guid]
        assert moved in ([], [rows[str(original)].guid] if original else [])
        assert all(found[path].duplicate_of is not None for path in paths if path not in standing)
