"""`lookups_complete`, `passages_identified`, `classes_complete`, green and red in an instance, beside real services."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from werkzeug import Response

from wkmp_assets.identify.services.outage import GONE_AFTER, OutageFile
from wkmp_assets.model.phases import FLAVORS, LOOKUPS, MATCHES
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.checked_library import CheckedLibrary, last_evaluation
from wkmp_assets_tests.support.memory_instance import memory_instance
from wkmp_assets_tests.support.music_services import MusicServices

pytestmark = pytest.mark.slow


def import_and_check(
    music: Path, workers: WorkerPool, services: MusicServices | None
) -> dict[str, dg.AssetCheckEvaluation]:
    beside = {} if services is None else services.settings
    checks = {"lookups_complete": LOOKUPS, "passages_identified": MATCHES, "classes_complete": FLAVORS}
    with memory_instance() as instance:
        CheckedLibrary(music, instance, workers, **beside).import_all()
        return {check: last_evaluation(instance, asset, check) for check, asset in checks.items()}


def test_they_pass_and_count_when_everything_is_known(
    music: Path, workers: WorkerPool, services: MusicServices
) -> None:
    found = import_and_check(music, workers, services)
    complete, identified = found["lookups_complete"], found["passages_identified"]
    assert complete.passed
    assert complete.metadata["requests_sent"].value == services.count("AcoustID") + services.count("MusicBrainz") == 4
    assert complete.metadata["answers_from_cache"].value == 0
    assert identified.passed
    assert identified.metadata["share_identified"].value == 1.0
    assert identified.description == "2 of 2 passages have a song"


def test_a_passage_that_waits_turns_the_first_red(music: Path, workers: WorkerPool, services: MusicServices) -> None:
    services.musicbrainz_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "9999"})
    complete = import_and_check(music, workers, services)["lookups_complete"]
    assert not complete.passed
    assert complete.severity == dg.AssetCheckSeverity.WARN
    assert "2 lookups of passages are deferred" in str(complete.description)
    table = complete.metadata["deferred"]
    assert isinstance(table, dg.TableMetadataValue)
    assert table.records[0].data == {"file": "song.mp3", "reason": "MusicBrainz: HTTP 503, come back in 9999 s"}


def test_classes_that_wait_turn_the_third_red_until_the_service_is_taken_to_be_gone(
    music: Path, workers: WorkerPool, services: MusicServices
) -> None:
    services.acousticbrainz_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "9999"})
    found = import_and_check(music, workers, services)
    assert found["lookups_complete"].passed
    waiting = found["classes_complete"]
    assert (waiting.passed, waiting.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "2 lookups of AcousticBrainz' classes are deferred" in str(waiting.description)
    table = waiting.metadata["deferred"]
    assert isinstance(table, dg.TableMetadataValue)
    assert table.records[0].data == {"file": "song.mp3", "reason": "AcousticBrainz: HTTP 503, come back in 9999 s"}
    (music / "wkmp.db").unlink()
    week_ago = datetime.now(tz=UTC) - GONE_AFTER
    outages = music.parent / "state/services/AcousticBrainz-outage.json"
    outages.unlink()
    OutageFile(outages, lambda: week_ago).note("HTTP 503")
    gone = import_and_check(music, workers, services)["classes_complete"]
    assert gone.passed
    assert str(gone.description).startswith("2 passages have no classes. AcousticBrainz: no answer since")
    assert gone.metadata["passages"].value == {"gone": 2}


def test_ten_passages_of_which_none_is_known_turn_the_second_red(
    music: Path, workers: WorkerPool, services: MusicServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.default_results = lambda _fingerprint: []
    assert import_and_check(music, workers, services)["passages_identified"].passed  # two are too few to tell
    monkeypatch.setattr("wkmp_assets.orchestration.checks.identification.MIN_ASKED", 2)
    shutil.rmtree(music.parent / "state")
    (music / "wkmp.db").unlink()
    identified = import_and_check(music, workers, services)["passages_identified"]
    assert not identified.passed
    assert "AcoustID knows none of 2 passages" in str(identified.description)


def test_without_a_key_nothing_waits(music: Path, workers: WorkerPool) -> None:
    found = import_and_check(music, workers, None)
    assert all(evaluation.passed for evaluation in found.values())
    assert found["lookups_complete"].metadata["passages"].value == {"skipped": 2}
    assert found["classes_complete"].metadata["passages"].value == {"skipped": 2}
