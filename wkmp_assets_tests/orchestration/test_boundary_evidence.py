"""Real imports of files whose passages and names come from sheets, or from tags of one recording."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
import pytest

from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.model.phases import ENTRY, FINGERPRINTS, FLAVORS, LEAD_POINTS, LOOKUPS, MATCHES, SEGMENTS, TAGS
from wkmp_assets.model.ticks import to_seconds
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.audio.sounds import Samples, joined, melody, silence, tone, write_sound
from wkmp_assets_tests.support.builders import mbid, rows
from wkmp_assets_tests.support.checked_library import CheckedLibrary, checked_library

pytestmark = pytest.mark.slow

RATE_HZ = 8_000
PASSAGES = """
SELECT p.start_time_ticks, p.end_time_ticks, p.title, p.artist, p.album, p.recording_mbid, p.song_id, p.title_source,
       p.import_metadata, p.guid
FROM passages p JOIN files f ON f.guid = p.file_id WHERE f.path = ? ORDER BY p.start_time_ticks
"""
SAID = "SELECT data_extracted FROM import_provenance WHERE passage_id = ? AND source_type = 'CUE'"


def pause(seconds: float) -> Samples:
    return silence(seconds, RATE_HZ, channels=2)


def music(seconds: float, seed: int = 7) -> Samples:
    return melody(seconds, RATE_HZ, seed=seed)


def cue(*tracks: tuple[str, str], file: str) -> str:
    lines = [
        f'  TRACK {number:02} AUDIO\n    TITLE "{title}"\n    INDEX 01 {place}\n'
        for number, (title, place) in enumerate(tracks, 1)
    ]
    return (
        f'REM MUSICBRAINZ_ALBUMID {mbid("live")}\nPERFORMER "Band"\nTITLE "Live"\nFILE "{file}" WAVE\n{"".join(lines)}'
    )


def write(path: Path, samples: Samples, **tags: str) -> None:
    write_sound(path, samples, RATE_HZ)
    flac: Any = mutagen.File(path)
    flac.update(tags)
    flac.save()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    with checked_library(tmp_path_factory.mktemp("evidence"), workers) as library:
        folder = library.music
        track = {"title": "Real Title", "artist": "Real Artist", "album": "Real Album", "tracknumber": "12/12"}
        write(folder / "pause.flac", joined(music(3), pause(2.5), music(3, 8)), **track, musicbrainz_trackid=mbid("p"))
        write(
            folder / "hidden.flac",
            joined(music(4), pause(2.5), tone(0.15, RATE_HZ, channels=2), pause(21), music(3, 9)),
            **track,
            musicbrainz_trackid=mbid("h"),
        )
        write(folder / "Live.flac", music(9), title="Live", artist="Band", album="Live")
        (folder / "Live.cue").write_text(
            cue(("One", "00:00:00"), ("Two", "00:03:01"), ("Three", "00:06:00"), file="Live.wav")
        )
        write(folder / "wrong.flac", joined(music(3), pause(2.5), music(3, 8)))
        (folder / "wrong.cue").write_text(cue(("One", "00:00:00"), ("Two", "50:00:00"), file="wrong.flac"))
        library.import_all()
        yield library


def passages(library: CheckedLibrary, file: str) -> list[dict[str, Any]]:
    return rows(library.database, PASSAGES, file)


def spans(found: list[dict[str, Any]]) -> list[tuple[float, float]]:
    return [(to_seconds(row["start_time_ticks"]), to_seconds(row["end_time_ticks"])) for row in found]


def sources(found: list[dict[str, Any]]) -> set[str]:
    return {json.loads(row["import_metadata"])["boundaries"] for row in found}


def test_a_recording_with_a_pause_is_one_passage_with_its_song(library: CheckedLibrary) -> None:
    found = passages(library, "pause.flac")
    assert spans(found) == [pytest.approx((0, 8.5), abs=0.02)]
    assert (found[0]["title"], found[0]["recording_mbid"]) == ("Real Title", mbid("p"))
    assert found[0]["song_id"] is not None
    assert sources(found) == {"tags of one piece"}


def test_a_recording_keeps_its_song_beside_a_hidden_track(library: CheckedLibrary) -> None:
    main, hidden = passages(library, "hidden.flac")
    assert (main["title"], main["recording_mbid"], main["song_id"] is None) == ("Real Title", mbid("h"), False)
    assert (hidden["title"], hidden["recording_mbid"], hidden["song_id"]) == (None, None, None)
    assert (hidden["artist"], hidden["album"]) == ("Real Artist", "Real Album")
    assert spans([hidden]) == [pytest.approx((27.65, 30.65), abs=0.02)]


def test_a_file_with_a_sheet_becomes_its_tracks(library: CheckedLibrary) -> None:
    found = passages(library, "Live.flac")
    assert spans(found) == [(0, 24_107 / RATE_HZ), (24_107 / RATE_HZ, 6), (6, 9)]
    assert [(row["title"], row["artist"], row["album"], row["title_source"]) for row in found] == [
        (title, "Band", "Live", "CUE") for title in ("One", "Two", "Three")
    ]
    assert sources(found) == {"CUE sheet beside the file"}
    (said,) = rows(library.database, SAID, found[1]["guid"])
    assert json.loads(said["data_extracted"])["track_number"] == 2
    (file,) = rows(library.database, "SELECT title FROM files WHERE path = 'Live.flac'")
    assert file["title"] == "Live"


def test_a_sheet_that_does_not_fit_breaks_nothing_and_is_named(library: CheckedLibrary) -> None:
    found = passages(library, "wrong.flac")
    assert spans(found) == [pytest.approx((0, 3), abs=0.02), pytest.approx((5.5, 8.5), abs=0.02)]
    assert sources(found) == {"silence"}
    (warning,) = rows(library.database, "SELECT message FROM import_warnings WHERE kind = 'unused sheet'")
    assert warning["message"].startswith('The CUE sheet "wrong.cue" does not fit the sound: its last track begins')


def test_a_changed_sheet_is_never_combined_with_passages_of_the_old_one(library: CheckedLibrary) -> None:
    def run(*assets: str) -> dict[str, str]:
        assert library.run_assets(*assets, first=library.keys[0], last=library.keys[-1]).success
        return {failure.path: failure.message for failure in read_failures(library.database)}

    before = passages(library, "Live.flac")
    (library.music / "Live.cue").write_text(cue(("Uno", "00:00:00"), ("Dos", "00:04:00"), file="Live.wav"))
    assert run(TAGS) == {}
    cause = "passage_segments was computed from other sheets or tags than file_tags has now"
    assert run(ENTRY) == {"Live.flac": f"Live.flac: {cause}; materialize its partition again, from passage_segments on"}
    assert passages(library, "Live.flac") == before
    assert run(SEGMENTS, FINGERPRINTS, LOOKUPS, MATCHES, LEAD_POINTS, FLAVORS, ENTRY) == {}
    found = passages(library, "Live.flac")
    assert [row["title"] for row in found] == ["Uno", "Dos"]
    assert spans(found) == [(0, 4), (4, 9)]
