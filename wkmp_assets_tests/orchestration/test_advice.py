"""Doing what a message says ends the problem: each is provoked for real, its advice followed, and looked for again."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.errors import IMPORT_WITH_FORCE, NotImportedError
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.outcomes import Failed, Result
from wkmp_assets.model.phases import ENTRY, FLAVORS, IDENTITY, LEAD_POINTS, MATCHES
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.prune import PruneOptions, plan_prune
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.bundle_files import forget_phase
from wkmp_assets_tests.support.checked_library import CheckedLibrary, checked_library
from wkmp_assets_tests.support.tones import break_file, tone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    with checked_library(tmp_path_factory.mktemp("advised"), workers) as library:
        for number in range(2):
            tone(library.music / f"{number}.wav", 300 + 50 * number)
        library.import_all()
        yield library


def failures(library: CheckedLibrary) -> dict[str, str]:
    """What the library records of failed files: path -> code and message."""
    return {failure.path: f"{failure.code}: {failure.message}" for failure in read_failures(library.database)}


def alone(library: CheckedLibrary, *phases: str) -> dict[str, str]:
    """Materialize phases of all files without an import; return the messages of the failed ones, by partition."""
    library.run_assets(*phases, first=library.keys[0], last=library.keys[-1])
    store = Library(library.settings).phases
    found = {key: store.read_stored(phases[-1], key) for key in library.keys}
    return {key: outcome.message for key, outcome in found.items() if isinstance(outcome, Failed)}


def elsewhere(library: CheckedLibrary) -> CheckedLibrary:
    """The library with another state folder."""
    return library.with_settings(state_dir=library.music.parent / "new state")


def moved(library: CheckedLibrary) -> CheckedLibrary:
    """The library in another folder, with its database."""
    copy = library.music.parent / "moved"
    shutil.copytree(library.music, copy)
    there = CheckedLibrary(copy, library.instance, library._workers)
    there.scan()
    return there


JUDGE_VALUES = ("lookups_complete", "passages_identified", "classes_complete")


@pytest.mark.parametrize("move", [elsewhere, moved])
def test_values_that_did_not_move_along_are_there_after_an_import_with_force(
    library: CheckedLibrary, move: Callable[[CheckedLibrary], CheckedLibrary]
) -> None:
    """`materialize file_identity for it again` said that the files are unchanged, and stored nothing."""
    there = move(library)
    failed = alone(there, FLAVORS)
    assert list(failed) == there.keys
    assert all("is missing" in message and message.endswith(IMPORT_WITH_FORCE) for message in failed.values())
    blind = there.check(*JUDGE_VALUES)
    assert {(one.passed, str(one.description).endswith(f"{IMPORT_WITH_FORCE}.")) for one in blind.values()} == {
        (False, True)
    }
    there.import_range(there.keys[0], there.keys[-1], force=True)
    assert alone(there, FLAVORS) == {}
    assert not any("nothing to judge" in str(one.description) for one in there.check(*JUDGE_VALUES).values())


def test_a_picture_is_there_after_an_import_with_force(library: CheckedLibrary) -> None:
    """`Import it first: wkmp import FOLDER` found the file unchanged."""
    store = Library(library.settings).phases
    forget_phase(store, MATCHES, "0.wav")
    (failed,) = alone_picture(library)
    assert failed.endswith(IMPORT_WITH_FORCE)
    library.import_range("0.wav", "0.wav", force=True)
    assert alone_picture(library) == []


def alone_picture(library: CheckedLibrary) -> list[str]:
    """Draw a file as `wkmp picture` does; return what it says when it cannot."""
    environment = {"WKMP_STATE_DIR": str(library.settings.state_dir), "DAGSTER_HOME": str(library.music.parent)}
    result = CliRunner().invoke(
        main,
        ["picture", "--level-only", str(library.music / "0.wav"), "--output", str(library.music.parent / "0.png")],
        env=environment,
    )  # fmt: skip
    return [] if result.exit_code == 0 else [result.output.strip()]


def test_contents_that_were_mixed_are_one_after_an_import_with_force(library: CheckedLibrary) -> None:
    """The file was replaced, looked at, and put back with its time: nothing says that it has changed."""
    song, away = library.music / "1.wav", library.music.parent / "1.wav"
    shutil.copy2(song, away)
    tone(song, 999)
    assert alone(library, IDENTITY) == {}
    shutil.copy2(away, song)
    failed = alone(library, FLAVORS)
    assert list(failed) == ["1.wav"]
    assert "have read different contents" in failed["1.wav"]
    assert failed["1.wav"].endswith(IMPORT_WITH_FORCE)
    library.import_all(force=True)
    assert alone(library, FLAVORS) == {}


LATIN1 = os.fsdecode(b"caf\xe9.wav")


def test_failed_files_are_imported_when_their_messages_were_followed(library: CheckedLibrary) -> None:
    """One file of each kind: broken, a copy of it, named in Latin-1, and one behind a link whose key somebody typed."""
    music, outside = library.music, library.music.parent / "outside"
    break_file(music / "a.wav")
    shutil.copy(music / "a.wav", music / "b.wav")
    tone(music / LATIN1, 800)
    outside.mkdir()
    tone(outside / "c.wav", 850)
    (music / "link").symlink_to(outside)
    library.instance.add_dynamic_partitions(partitions_name(library.settings), [encode_key("link/c.wav")])
    library.import_all()
    advice = {text.partition(":")[0]: text.rpartition("; ")[2] for text in failures(library).values()}
    assert advice == {
        "DECODE_ERROR": "if it is damaged, replace it, then import again",
        "ORIGINAL_FAILED": "repair or replace the other file, then import both again",
        "NAME_NOT_UTF8": "rename it (for example with convmv), then import again",
        "SYMBOLIC_LINK": "import the file where it is, or move it into the library",
    }
    tone(music / "a.wav", 700)
    tone(music / "b.wav", 750)
    (music / LATIN1).rename(music / "café.wav")
    (music / "link").unlink()
    shutil.move(outside, music / "link")
    assert library.import_all()["files_imported"].passed
    assert failures(library) == {}


def test_a_failure_that_was_recorded_is_mended_by_any_import(library: CheckedLibrary) -> None:
    """Raising a limit changes no file, and neither does freeing memory."""
    forget_phase(Library(library.settings).phases, LEAD_POINTS, "0.wav")
    alone(library, ENTRY)
    assert list(failures(library)) == ["0.wav"]
    library.import_all()
    assert failures(library) == {}
    assert isinstance(Library(library.settings).phases.read_stored(LEAD_POINTS, "0.wav"), Result)


def test_a_prune_goes_on_after_the_import_that_it_asks_for(library: CheckedLibrary) -> None:
    (library.music / "1.wav").unlink()
    tone(library.music / "new.wav", 900)
    with pytest.raises(NotImportedError, match="Import first, then prune"):
        plan_prune(library.settings, "", PruneOptions())
    library.import_all()
    assert [file.file.path for file in plan_prune(library.settings, "", PruneOptions()).removable] == ["1.wav"]
