"""The track list of a release, for a file that holds one of its discs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from wkmp_assets.identify.earlier_answers import keep_earlier_answers
from wkmp_assets.identify.lookup import NoRecordingLookup, RecordingLookup
from wkmp_assets.identify.match import match_passages
from wkmp_assets.identify.open_lookups import open_recording_lookup
from wkmp_assets.model.boundary_evidence import BoundaryEvidence, BoundarySource, PieceClaim, SheetTrack
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets.model.values import FileTags, PassageSegments, RecordingLookups, TagDetails
from wkmp_assets_tests.identify.test_lookup import fingerprints, segments, settings
from wkmp_assets_tests.support.builders import RATE_HZ, mbid
from wkmp_assets_tests.support.music_services import KEY, MusicServices

RELEASE = mbid("release")
TAGS = FileTags(album="Live", details=TagDetails(release_mbid=RELEASE))


def release(*media: list[int | None]) -> dict[str, Any]:
    """MusicBrainz' answer about a release whose tracks have these lengths, in seconds."""
    return {
        "id": RELEASE,
        "title": "Live",
        "media": [
            {
                "position": disc,
                "tracks": [
                    {
                        "position": number,
                        "title": f"Song {disc}-{number}",
                        "length": length and length * 1_000,
                        "recording": {"id": mbid(f"{disc}-{number}")},
                        "artist-credit": [{"name": "Ann", "joinphrase": " & "}, {"artist": {"name": "Bob"}}],
                    }
                    for number, length in enumerate(lengths, 1)
                ],
            }
            for disc, lengths in enumerate(media, 1)
        ],
    }


def file_of(seconds: float, decided_by: BoundarySource = BoundarySource.SILENCE) -> PassageSegments:
    one = segments(1)
    return replace(one, audio=replace(one.audio, total_samples=int(seconds * RATE_HZ)), decided_by=decided_by)


@pytest.fixture
def lookup(services: MusicServices, tmp_path: Path) -> Iterator[RecordingLookup]:
    with open_recording_lookup(settings(services, tmp_path), Secret(KEY)) as opened:
        yield opened


def look_up(
    services: MusicServices,
    lookup: RecordingLookup,
    answer: dict[str, Any],
    file: PassageSegments,
    tags: FileTags = TAGS,
) -> RecordingLookups:
    services.releases[RELEASE] = answer
    return lookup.look_up(tags, file, fingerprints(1))


def asked_for_releases(services: MusicServices) -> int:
    return sum("/release/" in asked.path for asked in services.asked)


def test_a_track_list_as_long_as_the_file_is_found_and_advised(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    found = look_up(services, lookup, release([100, 200], [150, 180]), file_of(303))
    assert found.sheet is not None
    assert (found.sheet.source, found.sheet.length_ticks) == (BoundarySource.RELEASE, 300 * TICKS_PER_SECOND)
    first = SheetTrack(0, 1, "Song 1-1", "Ann & Bob", "Live", recording_mbid=mbid("1-1"), release_mbid=RELEASE)
    assert found.sheet.tracks[0] == first
    assert found.sheet.tracks[1].start_ticks == 100 * TICKS_PER_SECOND
    (warning,) = match_passages(TAGS, file_of(303), found, {}).warnings
    assert warning.kind is WarningKind.UNUSED_SHEET
    assert "2 tracks" in warning.text
    assert "--force" in warning.text


@pytest.mark.parametrize(
    ("media", "disc", "tracks"),
    [
        (([100, 199], [100, 200]), 2, 2),
        (([100, 199], [100, 200]), None, None),
        (([100, 210],), None, None),
        (([300],), None, None),
        (([100, None, 200],), None, None),
        (([100, 100, 100], [100, 210]), 2, 3),
    ],
    ids=[
        "the disc of the tags",
        "two that fit",
        "too long",
        "one track",
        "an unknown length",
        "the only one that fits",
    ],
)
def test_only_a_list_that_is_sure_is_used(
    services: MusicServices, lookup: RecordingLookup, media: tuple[list[int | None], ...], disc: int | None, tracks: int
) -> None:
    tags = replace(TAGS, details=replace(TAGS.details, disc_number=disc))
    found = look_up(services, lookup, release(*media), file_of(300), tags)
    assert (found.sheet and len(found.sheet.tracks)) == tracks


def test_a_file_that_is_cut_so_already_keeps_its_list_and_needs_no_advice(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    found = look_up(services, lookup, release([100, 200]), file_of(300, BoundarySource.RELEASE))
    assert found.sheet is not None
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("claim", "decided_by"),
    [
        (PieceClaim.TRACK, BoundarySource.SILENCE),
        (PieceClaim.RECORDING, BoundarySource.SILENCE),
        (PieceClaim.NONE, BoundarySource.CUE_FILE),
        (PieceClaim.NAME, BoundarySource.ONE_PIECE),
    ],
)
def test_a_file_that_something_explains_is_not_asked_for(
    services: MusicServices, lookup: RecordingLookup, claim: PieceClaim, decided_by: BoundarySource
) -> None:
    explained = replace(file_of(300, decided_by), evidence=BoundaryEvidence(claim=claim))
    assert look_up(services, lookup, release([100, 200]), explained).sheet is None
    assert asked_for_releases(services) == 0


def test_an_unknown_release_and_a_service_that_is_down_leave_no_list(
    services: MusicServices, lookup: RecordingLookup
) -> None:
    assert lookup.look_up(TAGS, file_of(300), fingerprints(1)).sheet is None
    services.musicbrainz_behaviour = lambda _request: Response(status=503)
    assert look_up(services, lookup, release([100, 200]), file_of(300), TAGS).sheet is None


def test_an_import_without_services_keeps_the_list(services: MusicServices, lookup: RecordingLookup) -> None:
    earlier = look_up(services, lookup, release([100, 200]), file_of(300))
    now = NoRecordingLookup("no key").look_up(TAGS, file_of(300), fingerprints(1))
    assert keep_earlier_answers(now, earlier).sheet == earlier.sheet
