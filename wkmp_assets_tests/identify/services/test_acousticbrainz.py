"""Classes from AcousticBrainz: a real HTTP server that knows nothing, gives wrong answers, or is down."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.identify.flavor_classes import ServiceClassLookup, add_classes
from wkmp_assets.identify.open_lookups import ServiceSettings, open_class_lookup
from wkmp_assets.identify.services.acousticbrainz import (
    MAX_FAILURES_IN_A_ROW,
    AcousticBrainzClient,
    describe_service,
    judge,
)
from wkmp_assets.identify.services.outage import OutageFile
from wkmp_assets.identify.services.session import ServiceSession
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.model.values import ClassesOutcome, Flavors, PassageFlavor, SongMatches
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets_tests.support.builders import NOW, entry, flavor, in_a_row, mbid
from wkmp_assets_tests.support.music_services import KEY, MusicServices

ENTRY = entry(bounds=in_a_row(2))
MATCHES = SongMatches(tuple(passage.match for passage in ENTRY.passages))
MBIDS = [match.song.recording_mbid for match in MATCHES.passages if match.song]
MEASURED = Flavors(tuple(flavor(match.span) for match in MATCHES.passages))
HAPPY = {"happy": 0.75, "not_happy": 0.25}
HIGH_LEVEL = {
    "highlevel": {
        "mood_happy": {"all": HAPPY, "probability": 0.75, "value": "happy", "version": {"models": "1"}},
        "timbre": {"all": {"bright": 0.5, "dark": 0.4}, "probability": 0.5, "value": "bright"},
        "broken": {"all": {"a": 2.0, "b": -1.0}},
        "empty": {"probability": 0.5},
        "user.christmas": {"all": {"christmasy": 1.0, "not_christmasy": 0.0}},
    },
    "metadata": {"audio_properties": {}},
}


def ask(
    services: MusicServices, folder: Path, now: datetime = NOW, *, is_probe: bool = False
) -> tuple[PassageFlavor, ...]:
    """Look up classes as a run at `now` does, but with shorter pauses."""
    described = describe_service(services.acousticbrainz_url, 0)
    outages = OutageFile(folder / "outage.json", lambda: now)
    with ServiceSession(described, folder, "test/1 (nobody)", judge, pauses_s=(0.01, 0.01)) as session:
        lookup = ServiceClassLookup(AcousticBrainzClient(session, outages, is_probe=is_probe))
        return add_classes(MEASURED, MATCHES, lookup).passages


def ask_with_key(
    services: MusicServices, folder: Path, key: Secret | None, *, is_off: bool = False
) -> tuple[PassageFlavor, ...]:
    settings = ServiceSettings(
        folder, services.acoustid_url, 0, services.musicbrainz_url, 0,
        "off" if is_off else services.acousticbrainz_url, 0, "test/1 (nobody)",
    )  # fmt: skip
    with open_class_lookup(settings, key) as source:
        return add_classes(MEASURED, MATCHES, source).passages


def test_a_stop_defers_the_classes_and_is_no_outage(services: MusicServices, tmp_path: Path) -> None:
    control = RunControl()
    control.request_stop()
    described = ServiceSettings(tmp_path, "", 0, "", 0, services.acousticbrainz_url, 0, "test/1 (nobody)")
    with open_class_lookup(described, Secret(KEY), control=control) as source:
        first, _ = add_classes(MEASURED, MATCHES, source).passages
    assert (first.outcome, first.detail) == (ClassesOutcome.DEFERRED, "AcousticBrainz: the import was stopped")
    services.classes[MBIDS[0]] = HIGH_LEVEL
    assert ask_with_key(services, tmp_path, Secret(KEY))[0].outcome is ClassesOutcome.MATCH


def test_the_classes_of_a_known_recording_are_taken_each_judged_by_itself(
    services: MusicServices, tmp_path: Path
) -> None:
    services.classes[MBIDS[0]] = HIGH_LEVEL
    first, second = ask(services, tmp_path)
    assert first.classes == {"mood_happy": HAPPY, "timbre": {"bright": 0.5, "dark": 0.4}}
    assert len(first.warnings) == 3
    assert all(MBIDS[0] in warning.text for warning in first.warnings)
    assert second.classes == {}
    assert second.detail == "AcousticBrainz does not know the recording"
    assert [first.outcome, second.outcome] == [ClassesOutcome.MATCH, ClassesOutcome.NO_MATCH]


def test_an_answer_and_its_absence_are_asked_for_once_and_for_ever(services: MusicServices, tmp_path: Path) -> None:
    services.classes[MBIDS[0]] = HIGH_LEVEL
    first = ask(services, tmp_path)
    assert services.count("AcousticBrainz") == 2
    assert ask(services, tmp_path) == first
    assert services.count("AcousticBrainz") == 2


def test_without_a_key_nothing_is_sent(services: MusicServices, tmp_path: Path) -> None:
    services.classes[MBIDS[0]] = HIGH_LEVEL
    flavors = ask_with_key(services, tmp_path, None)
    assert services.asked == []
    assert ask_with_key(services, tmp_path, Secret(KEY))[0].classes
    assert "no AcoustID key" in flavors[0].detail
    assert flavors[0].outcome is ClassesOutcome.SKIPPED


def test_switched_off_nothing_is_sent_and_nothing_waits(services: MusicServices, tmp_path: Path) -> None:
    flavors = ask_with_key(services, tmp_path, Secret(KEY), is_off=True)
    assert services.asked == []
    assert {(one.outcome, "switched off" in one.detail) for one in flavors} == {(ClassesOutcome.SKIPPED, True)}


def text(body: str, status: int = 200) -> Callable[[Request], Response]:
    return lambda _request: Response(body, status, content_type="application/json")


TROUBLE: dict[str, Callable[[Request], Response]] = {
    "web page after the JSON": text(json.dumps(HIGH_LEVEL) + "<html>"),
    "web page": text("<html>moved</html>"),
    "no object": text("[]"),
    "other shape": text('{"lowlevel": {}}'),
    "classes are a list": text('{"highlevel": []}'),
    "bad request": text('{"message": "bad"}', 400),
    "endless": text('{"highlevel": {"x": "' + "y" * 1_100_000 + '"}}'),
    "deep": text("[" * 100_000),
}


@pytest.mark.parametrize("told", TROUBLE.values(), ids=TROUBLE)
def test_what_cannot_be_used_changes_only_the_classes_and_is_asked_for_again(
    told: Callable[[Request], Response], services: MusicServices, tmp_path: Path
) -> None:
    services.classes = dict.fromkeys(MBIDS, HIGH_LEVEL)
    services.acousticbrainz_behaviour = told
    flavors = ask(services, tmp_path)
    assert [one.measured for one in flavors] == [one.measured for one in MEASURED.passages]
    assert [one.classes for one in flavors] == [{}, {}]
    assert all(one.detail.startswith("AcousticBrainz: ") for one in flavors)
    assert {one.outcome for one in flavors} == {ClassesOutcome.DEFERRED}
    services.acousticbrainz_behaviour = lambda _request: None
    assert all(one.classes for one in ask(services, tmp_path, NOW + timedelta(hours=1)))


def test_a_service_that_is_gone_is_given_up_for_the_run(services: MusicServices, tmp_path: Path) -> None:
    services.acousticbrainz_behaviour = text("", 503)
    flavors = ask(services, tmp_path)
    assert services.count("AcousticBrainz") == 3, "three attempts for the first recording, none for the second"
    assert [one.detail for one in flavors] == ["AcousticBrainz: HTTP 503"] * 2


def test_a_service_that_is_gone_is_not_tried_by_every_run(services: MusicServices, tmp_path: Path) -> None:
    services.acousticbrainz_behaviour = text("", 503)
    ask(services, tmp_path)
    services.asked.clear()
    flavors = ask(services, tmp_path, NOW + timedelta(seconds=59))
    assert services.asked == []
    assert {one.outcome for one in flavors} == {ClassesOutcome.DEFERRED}
    assert flavors[0].detail == "AcousticBrainz: no answer since 2026-03-01 12:00 UTC (HTTP 503)"
    services.acousticbrainz_behaviour = lambda _request: None
    assert ask(services, tmp_path, NOW + timedelta(seconds=61))[0].outcome is ClassesOutcome.NO_MATCH
    assert OutageFile(tmp_path / "outage.json").read() is None


def test_what_was_answered_before_is_known_while_it_is_gone(services: MusicServices, tmp_path: Path) -> None:
    services.classes[MBIDS[0]] = HIGH_LEVEL
    first = ask(services, tmp_path)
    OutageFile(tmp_path / "outage.json", lambda: NOW).note("HTTP 503")
    assert ask(services, tmp_path) == first


def test_a_probe_asks_whatever_was_and_ends_the_outage(services: MusicServices, tmp_path: Path) -> None:
    OutageFile(tmp_path / "outage.json", lambda: NOW).note("HTTP 503")
    assert ask(services, tmp_path, is_probe=True)[0].outcome is ClassesOutcome.NO_MATCH
    assert OutageFile(tmp_path / "outage.json").read() is None


def test_after_a_week_it_is_taken_to_be_gone_and_asked_all_the_same(services: MusicServices, tmp_path: Path) -> None:
    services.acousticbrainz_behaviour = text("", 503)
    assert ask(services, tmp_path)[0].outcome is ClassesOutcome.DEFERRED
    services.asked.clear()
    late = ask(services, tmp_path, NOW + timedelta(days=7))
    assert services.count("AcousticBrainz") == 3
    assert {one.outcome for one in late} == {ClassesOutcome.GONE}
    assert late[0].detail == "AcousticBrainz: no answer since 2026-03-01 12:00 UTC (HTTP 503)"


def test_a_web_page_in_its_place_is_not_asked_for_every_recording(services: MusicServices, tmp_path: Path) -> None:
    services.acousticbrainz_behaviour = text("<html>this domain is for sale</html>")
    with ServiceSession(
        describe_service(services.acousticbrainz_url, 0), tmp_path, "test/1 (nobody)", judge
    ) as session:
        client = AcousticBrainzClient(session, OutageFile(tmp_path / "outage.json"))
        for number in range(MAX_FAILURES_IN_A_ROW + 3):
            with pytest.raises(ServiceUnavailableError, match="no usable JSON"):
                client.high_level(mbid(f"recording {number}"))
    assert services.count("AcousticBrainz") == MAX_FAILURES_IN_A_ROW


def test_values_that_are_no_numbers_leave_the_rest(services: MusicServices, tmp_path: Path) -> None:
    broken: dict[str, Any] = {name: {"all": value} for name, value in enumerate_bad()}
    services.classes = {MBIDS[0]: {"highlevel": {**broken, "mood_happy": {"all": HAPPY}}}}
    first, _ = ask(services, tmp_path)
    assert first.classes == {"mood_happy": HAPPY}
    assert len(first.warnings) == len(broken)


def enumerate_bad() -> list[tuple[str, Any]]:
    return [("a", None), ("b", {"x": "1"}), ("c", {"x": 0.5, "y": None}), ("d", {"x": 1.0}), ("e", [0.5, 0.5])]
