"""Values that a worker has written are not written again by its run."""

import json

import pytest

from wkmp_assets.model.outcomes import Failed, Result
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.runtime.visit_store import StoredVisit
from wkmp_assets.settings import Settings
from wkmp_assets_tests.runtime.test_phase_store import KEY, VALUES, plain

PHASES = ("file_tags", "passage_segments", "flavors")
RESULTS = {phase: Result(VALUES[phase], "h") for phase in PHASES}
BASIS = {"content_hash": "h"}


@pytest.fixture
def visited(store: PhaseStore) -> PhaseStore:
    """A store whose run has staged the tags and passages of a visit, and other flavors."""
    token = store.visits.keep(KEY, BASIS, RESULTS)
    store.visits.note(KEY, StoredVisit({phase: result.value for phase, result in RESULTS.items()}, token))
    for phase in ("file_tags", "passage_segments"):
        store.stage(phase, {KEY: RESULTS[phase]}, "r")
    store.stage("flavors", {KEY: Failed("flavors", "C", "m")}, "r")
    return store


def test_a_run_refers_to_what_a_visit_found_until_it_stores_it(visited: PhaseStore, settings: Settings) -> None:
    staged = json.loads((settings.phase_dir / "marks/r/passage_segments.json").read_bytes())
    assert list(staged[KEY]) == ["visit"]
    for store in (visited, PhaseStore(settings.phase_dir)):
        back = store.read("passage_segments", KEY, "r")
        assert isinstance(back, Result)
        assert plain(back.value) == plain(VALUES["passage_segments"])
    PhaseStore(settings.phase_dir).settle("r")
    visited.visits.drop([KEY])
    for store in (visited, PhaseStore(settings.phase_dir)):
        assert store.read_stored("file_tags", KEY) == RESULTS["file_tags"]
        assert store.read_stored("flavors", KEY) == Failed("flavors", "C", "m")
    assert not list((settings.phase_dir / "visits").rglob("*.json"))
    assert not list((settings.phase_dir / "marks").rglob("*.json"))


def test_what_refers_to_a_visit_that_is_gone_is_missing_and_replaces_nothing(
    visited: PhaseStore, settings: Settings
) -> None:
    visited.visits.keep(KEY, BASIS, RESULTS)
    other = PhaseStore(settings.phase_dir)
    missing = other.read("file_tags", KEY, "r")
    assert isinstance(missing, Failed)
    assert "is missing" in missing.message
    other.settle("r")
    assert list(json.loads(other.bundles.path_of(KEY).read_bytes())) == ["flavors"]


def test_covers_of_a_file_that_was_visited_are_in_use(visited: PhaseStore, settings: Settings) -> None:
    hashes = PhaseStore(settings.phase_dir).find_hashes("file_tags")
    assert {cover.path.partition("/")[2].partition(".")[0] for cover in VALUES["file_tags"].covers} <= hashes
    assert visited.keep_only([KEY]) == 0
    assert visited.keep_only(["b.mp3"]) == 1
    assert visited.find_hashes("file_tags") == set()


def test_a_visit_with_a_damaged_value_counts_as_none(visited: PhaseStore) -> None:
    assert visited.visits.find(KEY, BASIS, PHASES) is not None
    visited.visits.keep(KEY, BASIS, {"file_tags": RESULTS["file_tags"]})
    assert visited.visits.find(KEY, BASIS, PHASES) is None
    assert visited.visits.find(KEY, BASIS, ["file_tags"]) is not None
