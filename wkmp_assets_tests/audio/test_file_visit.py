"""One visit to a file finds what the tasks of the single phases find, and names the phase that fails."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.audio import file_visit
from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.audio.lead_points import measure_lead_points
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.sent_tasks import visit_file
from wkmp_assets.audio.visit import Visit
from wkmp_assets.audio.worker_tasks import fingerprint_file, measure_flavors, segment_file, tag_file
from wkmp_assets.errors import UnreadableFileError
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.identity import look_at
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.findings import Findings
from wkmp_assets.model.outcomes import Failed, Result
from wkmp_assets.model.phases import FINGERPRINTS, FLAVORS, LEAD_POINTS, SEGMENTS, TAGS
from wkmp_assets.model.values import LeadPointParameters, PathNames, SegmentationParameters
from wkmp_assets.runtime.visit_store import VisitStore
from wkmp_assets_tests.audio.sounds import joined, melody, silence, write_sound
from wkmp_assets_tests.runtime.test_phase_store import plain

pytestmark = pytest.mark.slow  # they decode much

PARAMETERS = SegmentationParameters(60.0, 28_224_000, 2_822_400)
LEADS = LeadPointParameters(-45.0, -40.0)
SHEET = """FILE "mix.wav" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Two"
    INDEX 01 00:12:00
"""


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    """A file of two passages."""
    return write_sound(
        tmp_path / "mix.wav", joined(melody(11, 8_000), silence(2, 8_000, channels=2), melody(2, 8_000)), 8_000
    )


def visit_of(path: Path, **fields: Any) -> Visit:
    state = path.parent / "state"
    visit = Visit(
        key=path.name,
        display_path=path.name,
        names=PathNames((path.stem,)),
        on_disk=look_at(path.parent, path.name),
        segmentation=PARAMETERS,
        lead_points=LEADS,
        pcm=PcmStore(state / "pcm", 10**9),
        covers=CoverStore(state / "covers", state / "notes"),
        visits=VisitStore(state / "phases"),
    )
    return replace(visit, **fields)


def test_a_visit_finds_what_the_single_tasks_find(mix: Path) -> None:
    visit = visit_of(mix)
    found = visit_file(mix, visit)
    assert found.content_hash == hash_file(mix, "mix.wav")
    file = (mix, "mix.wav", ExpectedContent(found.content_hash, visit.on_disk))
    tags = replace(tag_file(*file, visit.covers), names=visit.names)
    segments = segment_file(*file, visit.pcm, PARAMETERS, tags.evidence)
    assert len(segments.passages) == 2
    values = {
        TAGS: tags,
        SEGMENTS: segments,
        FINGERPRINTS: fingerprint_file(*file, visit.pcm, segments),
        LEAD_POINTS: measure_lead_points(segments, segments.passages, LEADS),
        FLAVORS: measure_flavors(*file, visit.pcm, segments, segments.passages),
    }
    assert list(found.outcomes) == list(values)
    for phase, value in values.items():
        outcome = found.outcomes[phase]
        assert isinstance(outcome, Result)
        assert plain(outcome.value) == plain(value)
        assert outcome.content_hash == found.content_hash
    assert visit.pcm.get(found.content_hash) is not None, "a joined passage needs it"


@pytest.mark.parametrize("why", ["others may have the same content", "the library has the content"])
def test_a_visit_ends_after_the_hash_when_the_content_may_be_known(mix: Path, why: str) -> None:
    content_hash = hash_file(mix, "mix.wav")
    fields = {"is_hash_only": True} if why.startswith("others") else {"known_hashes": frozenset({content_hash})}
    visit = visit_of(mix, **fields)
    assert visit_file(mix, visit) == Findings(content_hash)
    assert visit.pcm.get(content_hash) is None, "it was not decoded"


def test_a_file_that_the_run_has_hashed_is_not_hashed_again(mix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content_hash = hash_file(mix, "mix.wav")
    monkeypatch.setattr(file_visit, "hash_file", lambda *_: pytest.fail("a second full read"))
    assert list(visit_file(mix, visit_of(mix, content_hash=content_hash)).outcomes)[-1] == FLAVORS


def test_a_file_that_cannot_be_decoded_fails_in_its_phase_and_keeps_its_tags(tmp_path: Path) -> None:
    (path := tmp_path / "text.mp3").write_text("no sound")
    found = visit_file(path, visit_of(path))
    assert list(found.outcomes) == [TAGS, SEGMENTS]
    assert isinstance(found.outcomes[TAGS], Result)
    failed = found.outcomes[SEGMENTS]
    assert isinstance(failed, Failed)
    assert (failed.phase, failed.code) == (SEGMENTS, "DECODE_ERROR")
    assert failed.message.startswith("text.mp3: ")


def test_a_file_that_is_written_to_after_its_hash_fails_in_the_phase_that_sees_it(mix: Path) -> None:
    visit = visit_of(mix)
    with mix.open("ab") as file:
        file.write(b"more")
    found = visit_file(mix, visit)
    (failed,) = found.outcomes.values()
    assert isinstance(failed, Failed)
    assert (failed.phase, failed.code) == (TAGS, "FILE_CHANGED")


def test_a_file_that_cannot_be_hashed_is_an_error_about_the_file(mix: Path) -> None:
    visit = visit_of(mix)
    mix.unlink()
    with pytest.raises(UnreadableFileError):
        visit_file(mix, visit)


def test_visits_are_equal_when_they_find_the_same(mix: Path) -> None:
    """What the library holds may change between the request for a visit and its use."""
    visit = visit_of(mix)
    assert visit == replace(visit_of(mix), known_hashes=frozenset({"ab" * 32}), is_hash_only=True)
    assert visit != replace(visit, lead_points=LeadPointParameters(-30.0, -40.0))
    assert visit != replace(visit, on_disk=replace(visit.on_disk, size_bytes=1))


def test_what_an_interrupted_run_found_is_taken_over(mix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[Path] = []
    monkeypatch.setattr(
        file_visit, "segment_file", lambda file, *rest: decoded.append(file) or segment_file(file, *rest)
    )
    first, second = (visit_file(mix, visit_of(mix)) for _ in range(2))
    assert len(decoded) == 1
    assert second.token == first.token
    assert plain(tuple(second.values.values())) == plain(tuple(first.values.values()))
    visit_file(mix, visit_of(mix, lead_points=LeadPointParameters(-30.0, -40.0)))
    assert len(decoded) == 2, "computed with other parameters"
    (mix.parent / "mix.cue").write_text(SHEET)
    with_sheet = visit_file(mix, visit_of(mix))
    assert len(decoded) == 3, "a sheet was added"
    assert with_sheet.token != first.token
    visit = visit_of(mix)
    visit.visits.drop(["mix.wav"])
    assert visit_file(mix, visit).token not in {first.token, with_sheet.token}
    assert len(decoded) == 4, "it was stored and committed"


def test_a_visit_that_is_damaged_on_disk_is_made_again(mix: Path) -> None:
    first = visit_file(mix, visit_of(mix))
    (kept,) = (mix.parent / "state/phases/visits").rglob("*.json")
    content = kept.read_bytes()
    for damaged in (b"", content[:-40], bytes(len(content)), content[:200] + bytes(len(content) - 203) + content[-3:]):
        kept.write_bytes(damaged)
        again = visit_file(mix, visit_of(mix))
        assert again.token != first.token
        assert plain(tuple(again.values.values())) == plain(tuple(first.values.values()))
