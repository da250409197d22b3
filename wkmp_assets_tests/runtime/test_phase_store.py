"""Phase values on disk are whole or absent, and no document is named after a music file."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wkmp_assets.errors import IMPORT_WITH_FORCE, StateDiskError
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.model.phases import PHASES
from wkmp_assets.model.values import Envelope
from wkmp_assets.runtime.document_files import join_documents
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.runtime.staged_outcomes import MAX_AGE_S
from wkmp_assets.settings import Settings
from wkmp_assets_tests.support.builders import phase_values
from wkmp_assets_tests.support.bundle_files import forget_phase, leave_old_document

CHANGES = LibraryChanges(("a.mp3", "Sigur Rós/ Ágætis.mp3"), (), ("caf\udce9.mp3",), ("gone.mp3",))
VALUES = {"library_scan": CHANGES, **phase_values()}
KEY = "Sigur Rós/100%25 *.flac"


def passed_on(store: PhaseStore, phase: str, outcome: Outcome[Any], run_id: str = "run-1") -> Outcome[Any]:
    store.write(phase, [(KEY, outcome)], run_id)
    return store.read(phase, KEY, run_id)


def plain(value: Any) -> Any:
    """Return a value with arrays as lists, for comparison."""
    if isinstance(value, np.ndarray):
        return value.tolist(), str(value.dtype)
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if hasattr(value, "__dataclass_fields__"):
        return type(value), {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return type(value), value


def test_there_is_a_value_for_every_phase() -> None:
    assert set(VALUES) == set(PHASE_VALUES)
    assert tuple(PHASE_VALUES) == PHASES


@pytest.mark.parametrize("phase", PHASE_VALUES)
def test_a_value_comes_back_as_it_was(store: PhaseStore, phase: str) -> None:
    back = passed_on(store, phase, Result(VALUES[phase], "hash"))
    assert isinstance(back, Result)
    assert plain(back.value) == plain(VALUES[phase])
    assert back.content_hash == "hash"


@given(levels=arrays(np.float32, st.integers(0, 50), elements=st.floats(0, 1, width=32)))
def test_an_envelope_comes_back_to_the_last_bit(tmp_path_factory: pytest.TempPathFactory, levels: Any) -> None:
    store = PhaseStore(tmp_path_factory.mktemp("phases"))
    segments = VALUES["passage_segments"]
    back = passed_on(
        store, "passage_segments", Result(replace(segments, envelope=Envelope(44_100, 441, 1, levels)), "h")
    )
    assert isinstance(back, Result)
    assert back.value.envelope.mean_square.dtype == np.float32
    assert back.value.envelope.mean_square.tobytes() == levels.tobytes()


OTHER_OUTCOMES = {
    "failed": Failed("passage_segments", "DECODE_ERROR", "Ä: \udce9"),
    "duplicate": Skipped(SkipReason.DUPLICATE, "same content as b"),
}


@pytest.mark.parametrize("outcome", OTHER_OUTCOMES.values(), ids=OTHER_OUTCOMES)
def test_what_is_no_value_comes_back_too(store: PhaseStore, outcome: Outcome[Any]) -> None:
    assert passed_on(store, "file_tags", outcome) == outcome


@pytest.mark.parametrize("reason", [SkipReason.UNCHANGED, SkipReason.INTERRUPTED])
def test_what_speaks_of_a_run_is_seen_by_that_run_only(store: PhaseStore, reason: SkipReason) -> None:
    value = Result(VALUES["file_tags"], "hash")
    store.write("file_tags", [(KEY, value)], "run-1")
    assert passed_on(store, "file_tags", Skipped(reason), "run-2") == Skipped(reason)
    assert store.read("file_tags", KEY, "run-1") == value
    assert store.read("file_tags", KEY, "run-3") == value
    store.write("file_tags", [(KEY, value)], "run-2")
    assert store.read("file_tags", KEY, "run-2") == value


def test_runs_at_the_same_time_do_not_see_each_others_marks(store: PhaseStore) -> None:
    value = Result(VALUES["file_tags"], "hash")
    store.write("file_tags", [(KEY, Skipped(SkipReason.UNCHANGED))], "run-1")
    store.write("file_tags", [(KEY, Skipped(SkipReason.ELSEWHERE))], "run-2")
    store.write("file_tags", [(KEY, value)], "run-3")
    assert store.read("file_tags", KEY, "run-1") == Skipped(SkipReason.UNCHANGED)
    assert store.read("file_tags", KEY, "run-2") == Skipped(SkipReason.ELSEWHERE)
    assert store.read("file_tags", KEY, "run-3") == value


def test_marks_of_runs_long_over_are_removed(store: PhaseStore, settings: Settings) -> None:
    store.write("file_tags", [(KEY, Skipped(SkipReason.UNCHANGED))], "run-1")
    store.write("file_tags", [(KEY, Skipped(SkipReason.UNCHANGED))], "run-2")
    old = settings.phase_dir / "marks/run-1"
    ago = time.time() - MAX_AGE_S - 60
    os.utime(old, (ago, ago))
    store.write("file_tags", [(KEY, Skipped(SkipReason.UNCHANGED))], "run-3")
    assert sorted(run.name for run in old.parent.iterdir()) == ["run-2", "run-3"]


def test_a_mark_without_a_stored_value_is_no_value(store: PhaseStore) -> None:
    store.write("file_tags", [(KEY, Skipped(SkipReason.UNCHANGED))], "run-1")
    outcome = store.read("file_tags", KEY, "run-2")
    assert isinstance(outcome, Failed)
    assert "is missing" in outcome.message


def edited(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        bundle = {name: json.dumps(document).encode() for name, document in json.loads(path.read_bytes()).items()}
        bundle["passage_segments"] = json.dumps(change(json.loads(bundle["passage_segments"]))).encode()
        path.write_bytes(join_documents(bundle))

    return edit


def with_a_hole(path: Path) -> None:
    """Write a document of the right length in which one block is missing."""
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes(100) + content[200:])


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "all zero": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "hole": with_a_hole,
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00garbage"),
    "not an object": lambda path: path.write_text("[1, 2]"),
    "other version": edited(lambda document: document | {"schema_version": 99}),
    "no version": edited(lambda document: {name: document[name] for name in document if name != "schema_version"}),
    "no value": edited(lambda document: {name: document[name] for name in document if name != "value"}),
    "wrong type": edited(lambda document: document | {"value": 3}),
    "unknown field": edited(lambda document: document | {"value": document["value"] | {"audio": None}}),
    "broken array": edited(
        lambda document: (
            document
            | {"value": document["value"] | {"envelope": document["value"]["envelope"] | {"mean_square": "AAA"}}}
        )
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_document_that_cannot_be_used_fails_the_file_and_says_what_to_run(
    store: PhaseStore, damage: Callable[[Path], Any]
) -> None:
    store.write(
        "passage_segments",
        [(KEY, Result(VALUES["passage_segments"], "h")), ("other", Failed("p", "c", "m"))],
        "r",
    )
    damage(store.bundles.path_of(KEY))
    outcome = store.read("passage_segments", KEY, "r")
    assert isinstance(outcome, Failed)
    assert (outcome.phase, outcome.code) == ("passage_segments", "PHASE_VALUE_UNUSABLE")
    assert outcome.message.startswith(f"{KEY}: ")
    assert outcome.message.endswith(IMPORT_WITH_FORCE)
    assert store.read("passage_segments", "other", "r") == Failed("p", "c", "m")


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "a" * 5000, "CON", "a/b\\c:d"])
def test_no_file_is_named_after_a_key(store: PhaseStore, settings: Settings, tmp_path: Path, key: str) -> None:
    store.write("file_tags", [(key, Result(VALUES["file_tags"], "h"))], "r")
    store.write("file_tags", [(key, Skipped(SkipReason.UNCHANGED))], "r")
    bundle, mark = sorted(path.relative_to(settings.phase_dir) for path in tmp_path.rglob("*") if path.is_file())
    assert bundle.parts[0] == "bundles"
    assert set(bundle.stem) <= set("0123456789abcdef")
    assert mark == Path("marks/r/file_tags.json")


def test_documents_are_plain_json(store: PhaseStore) -> None:
    for phase, value in VALUES.items():
        store.write(phase, [(KEY, Result(value, "h"))], "r")
        document = json.loads(store.bundles.path_of(KEY).read_text(encoding="utf-8"))[phase]
        assert (document["phase"], document["partition"]) == (phase, KEY)


def test_a_crash_before_the_rename_leaves_the_old_value(store: PhaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Result(VALUES["file_tags"], "old")
    store.write("file_tags", [(KEY, old)], "r")

    def die(_self: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        store.write("file_tags", [(KEY, Result(VALUES["file_tags"], "new"))], "r")
    monkeypatch.undo()
    assert store.read("file_tags", KEY, "r") == old
    store.write("file_tags", [(KEY, Result(VALUES["file_tags"], "new"))], "r")
    back = store.read("file_tags", KEY, "r")
    assert isinstance(back, Result)
    assert back.content_hash == "new"


@pytest.mark.slow
def test_every_beginning_of_a_document_is_refused(store: PhaseStore) -> None:
    """A power cut may leave any of them."""
    store.write("file_tags", [(KEY, Result(VALUES["file_tags"], "h"))], "r")
    path = store.bundles.path_of(KEY)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert isinstance(store.read("file_tags", KEY, "r"), Failed), length


def test_a_document_is_on_the_disk_before_it_gets_its_name(store: PhaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a power cut could leave an empty file under that name."""
    steps: list[tuple[str, object]] = []
    fsync, replace_file = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        steps.append(("synced", os.fstat(descriptor).st_ino))
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        steps.append(("renamed", path.stat().st_ino))
        return replace_file(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    store.write("file_tags", [(KEY, Result(VALUES["file_tags"], "h"))], "r")
    document = store.bundles.path_of(KEY).stat().st_ino
    assert steps[-2:] == [("synced", document), ("renamed", document)]


def test_what_a_killed_process_left_goes_with_the_next_write(
    store: PhaseStore, settings: Settings, name_of_a_dead_writer: str
) -> None:
    value = Result(VALUES["file_tags"], "h")
    store.write("file_tags", [(KEY, value)], "r")
    folder = settings.phase_dir / "unfinished"
    (folder / name_of_a_dead_writer).write_bytes(b"{")
    store.write("file_tags", [("other", value)], "r")
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "phases").write_text("a file where the folder should be")
    with pytest.raises(StateDiskError, match=r"phases failed \(Not a directory\).*then import again"):
        PhaseStore(tmp_path / "phases").write("file_tags", [(KEY, Failed("p", "c", "m"))], "r")


def kept(store: PhaseStore, key: str, phase: str = "file_tags") -> str | None:
    """Return the content hash of a stored value."""
    outcome = store.read_stored(phase, key)
    return outcome.content_hash if isinstance(outcome, Result) else None


def test_values_follow_files_that_moved_or_changed_places(store: PhaseStore) -> None:
    for key in ("a.mp3", "b.mp3", "c.mp3"):
        for phase in ("file_identity", "file_tags", "lead_points"):
            store.write(phase, [(key, Result(VALUES[phase], f"hash of {key}"))], "run-1")
    store.carry(
        {
            "b.mp3": ("a.mp3", "hash of a.mp3"),
            "a.mp3": ("b.mp3", "hash of b.mp3"),
            "d.mp3": ("c.mp3", "another content by now"),
            "e.mp3": ("nobody.mp3", "hash"),
        }
    )
    assert (kept(store, "a.mp3"), kept(store, "b.mp3")) == ("hash of b.mp3", "hash of a.mp3")
    assert kept(store, "b.mp3", "lead_points") == "hash of a.mp3"
    assert kept(store, "b.mp3", "file_identity") == "hash of b.mp3", "which file it is, is never carried"
    assert (kept(store, "c.mp3"), kept(store, "d.mp3"), kept(store, "e.mp3")) == ("hash of c.mp3", None, None)
    assert list((store.bundles.path_of("a.mp3").parents[2] / "unfinished").iterdir()) == []


def test_values_of_the_longest_name_are_recognised(store: PhaseStore) -> None:
    key = encode_key("/".join(["\udce9" * 250] * 15))
    store.write("file_tags", [(key, Result(VALUES["file_tags"], "hash"))], "run-1")
    store.carry({"b.mp3": (key, "hash")})
    assert kept(store, "b.mp3") == "hash"


def test_only_the_values_of_the_files_that_are_named_are_kept(store: PhaseStore) -> None:
    for key in ("a.mp3", "b.mp3"):
        store.write("file_tags", [(key, Result(VALUES["file_tags"], "hash"))], "run-1")
    assert (store.keep_only(["b.mp3", "c.mp3"]), store.keep_only(["b.mp3"])) == (1, 0)
    assert (kept(store, "a.mp3"), kept(store, "b.mp3")) == (None, "hash")


def test_a_document_of_an_earlier_version_counts_until_its_phase_is_stored(
    store: PhaseStore, settings: Settings
) -> None:
    old = Result(VALUES["file_tags"], "old")
    path = leave_old_document(settings, "file_tags", KEY, old)
    leave_old_document(settings, "lead_points", KEY, Result(VALUES["lead_points"], "old"))
    assert store.read_stored("file_tags", KEY) == old
    store.carry({"moved.mp3": (KEY, "old")})
    assert kept(store, "moved.mp3") == "old"
    store.write("file_tags", [(KEY, Result(VALUES["file_tags"], "new"))], "r")
    assert kept(store, KEY) == "new"
    assert not path.exists()
    forget_phase(store, "file_tags", KEY)
    assert kept(store, KEY) is None, "an old value does not come back"
    assert kept(store, KEY, "lead_points") == "old"
    assert store.keep_only([]) == 3


def test_what_a_run_has_staged_is_its_own_until_it_is_settled(store: PhaseStore, settings: Settings) -> None:
    """Another process of the run sees it as well."""
    old, new = Result(VALUES["file_tags"], "old"), Result(VALUES["file_tags"], "new")
    store.write("file_tags", [(KEY, old)], "run-1")
    store.stage("file_tags", {KEY: new, "other.mp3": Skipped(SkipReason.WAITS, "for a better one")}, "run-2")
    for one in (store, PhaseStore(settings.phase_dir)):
        assert one.read("file_tags", KEY, "run-2") == new
        assert one.read("file_tags", KEY, "run-3") == one.read_stored("file_tags", KEY) == old
        assert one.read("file_tags", "other.mp3", "run-2") == Skipped(SkipReason.WAITS)
    PhaseStore(settings.phase_dir).settle("run-2")
    for one in (store, PhaseStore(settings.phase_dir)):
        assert one.read("file_tags", KEY, "run-2") == one.read("file_tags", KEY, "run-3") == new
        assert one.read("file_tags", "other.mp3", "run-2") == Skipped(SkipReason.WAITS)
        assert kept(one, "other.mp3") is None


def test_a_value_that_another_process_has_stored_since_is_seen(store: PhaseStore, settings: Settings) -> None:
    store.write("file_tags", [(KEY, Result(VALUES["file_tags"], "old"))], "run-1")
    assert kept(store, KEY) == "old"
    PhaseStore(settings.phase_dir).write("file_tags", [(KEY, Result(VALUES["file_tags"], "new"))], "run-2")
    assert kept(store, KEY) == "new"


def test_phases_of_a_file_are_stored_beside_each_other(store: PhaseStore) -> None:
    for phase in PHASE_VALUES:
        store.stage(phase, {KEY: Result(VALUES[phase], "h")}, "r")
    store.settle("r")
    store.write("file_tags", [(KEY, Failed("file_tags", "C", "m"))], "r")
    assert list(json.loads(store.bundles.path_of(KEY).read_bytes())) == list(PHASE_VALUES)
    assert store.read_stored("file_tags", KEY) == Failed("file_tags", "C", "m")
    assert kept(store, KEY, "flavors") == "h"
    assert store.find_hashes("file_tags") == set()
