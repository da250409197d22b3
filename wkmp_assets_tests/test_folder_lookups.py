"""Files of one folder agree on a release, whichever run looked them up."""

from pathlib import Path

import pytest

from wkmp_assets.folder_lookups import ALBUM_FILES, explained_by_folder
from wkmp_assets.model.phases import LOOKUPS
from wkmp_assets.model.values import KnownRelease, RecordingLookups
from wkmp_assets.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.phase_store import PhaseStore
from wkmp_assets_tests.builders import known_release, mbid
from wkmp_assets_tests.identify.test_albums import looked_up

ALBUM, SINGLE = known_release("Album"), known_release("Single")
HOLDS = mbid("release Album")
Lookups = dict[str, Outcome[RecordingLookups]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("A/1.mp3", "A/2.mp3", "A/3.mp3", "A/cover.jpg", "B/1.mp3", "1.mp3"):
        (tmp_path / "music" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "music" / name).touch()
    return tmp_path / "music"


@pytest.fixture
def store(tmp_path: Path) -> PhaseStore:
    return PhaseStore(tmp_path / "phases")


def found(title: str, *releases: KnownRelease) -> Result[RecordingLookups]:
    return Result(looked_up((title, releases)), f"hash {title}")


def test_files_of_one_run_agree_within_their_folder(root: Path, store: PhaseStore) -> None:
    run: Lookups = {
        "A/1.mp3": found("1", SINGLE, ALBUM), "A/2.mp3": found("2", ALBUM), "B/1.mp3": found("3", SINGLE, ALBUM),
        "1.mp3": found("4", SINGLE, ALBUM),
    }  # fmt: skip
    assert explained_by_folder(root, store, run) == {
        "A/1.mp3": Result({HOLDS: 2}, "hash 1"), "A/2.mp3": Result({HOLDS: 2}, "hash 2"),
        "B/1.mp3": Result({}, "hash 3"), "1.mp3": Result({}, "hash 4"),
    }  # fmt: skip


def test_what_an_earlier_run_looked_up_counts_as_well(root: Path, store: PhaseStore) -> None:
    store.write(LOOKUPS, [("A/2.mp3", found("2", ALBUM)), ("A/3.mp3", found("3", ALBUM))], "earlier")
    run: Lookups = {"A/1.mp3": found("1", SINGLE, ALBUM), "A/2.mp3": Skipped(SkipReason.UNCHANGED)}
    store.write(LOOKUPS, run.items(), "now")
    outcomes = explained_by_folder(root, store, run)
    assert outcomes["A/1.mp3"] == Result({HOLDS: 3}, "hash 1")
    assert outcomes["A/2.mp3"] == Skipped(SkipReason.UNCHANGED)


def test_a_file_that_is_gone_or_failed_has_no_say(root: Path, store: PhaseStore) -> None:
    stored = [("A/2.mp3", found("2", ALBUM)), ("A/3.mp3", found("3", ALBUM)), ("A/4.mp3", found("4", ALBUM))]
    store.write(LOOKUPS, stored, "earlier")
    (root / "A/3.mp3").unlink()
    run: Lookups = {"A/1.mp3": found("1", SINGLE, ALBUM), "A/2.mp3": Failed("fingerprints", "CODE", "says why")}
    assert explained_by_folder(root, store, run)["A/1.mp3"] == Result({}, "hash 1")


def test_a_folder_that_is_gone_by_now_has_no_files(root: Path, store: PhaseStore) -> None:
    run: Lookups = {"Gone/1.mp3": found("1", SINGLE, ALBUM), "Gone/2.mp3": found("2", ALBUM)}
    assert explained_by_folder(root, store, run)["Gone/1.mp3"] == Result({}, "hash 1")


def test_a_folder_of_very_many_files_is_no_album(root: Path, store: PhaseStore) -> None:
    run: Lookups = {"A/1.mp3": found("1", SINGLE, ALBUM), "A/2.mp3": found("2", ALBUM)}
    for number in range(4, ALBUM_FILES + 1):
        (root / f"A/{number}.mp3").touch()
    assert explained_by_folder(root, store, run)["A/1.mp3"] == Result({HOLDS: 2}, "hash 1")
    (root / "A/0.flac").touch()
    assert explained_by_folder(root, store, run)["A/1.mp3"] == Result({}, "hash 1")
