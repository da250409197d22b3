"""A file that holds a whole disc is cut by the track list of its release; real runs, and a server for MusicBrainz."""

import mutagen
import numpy as np
import pytest
import soundfile

from wkmp_assets.db.read.file_warnings import read_warnings
from wkmp_assets_tests.identify.test_release_sheet import RELEASE, release
from wkmp_assets_tests.support.builders import mbid, rows
from wkmp_assets_tests.support.checked_library import CheckedLibrary
from wkmp_assets_tests.support.music_services import MusicServices

pytestmark = pytest.mark.slow

RATE_HZ = 8_000
PASSAGES = """
SELECT CAST(round(start_time_ticks / 28224000.0) AS INTEGER) AS start_s, title, title_source, recording_mbid, album
FROM passages ORDER BY start_time_ticks"""


def write_disc(library: CheckedLibrary) -> None:
    """Write three songs of 8, 7 and 9 s, with a breath of 0.3 s between them, which is no silence."""
    times = np.arange(8 * RATE_HZ) / RATE_HZ
    song = 0.4 * np.sin(2 * np.pi * 300 * times)
    breath = np.zeros(int(0.3 * RATE_HZ))
    path = library.music / "Live.flac"
    soundfile.write(path, np.concatenate([song, breath, song[: 7 * RATE_HZ], breath, song, song[:RATE_HZ]]), RATE_HZ)
    tags = mutagen.File(path)
    tags["album"], tags["musicbrainz_albumid"] = ["Live"], [RELEASE]
    tags.save()


def test_the_first_import_finds_the_list_and_the_second_one_cuts_by_it(
    library: CheckedLibrary, services: MusicServices
) -> None:
    write_disc(library)
    services.releases[RELEASE] = release([8, 8, 9])
    online = library.with_settings(**services.settings)
    online.import_all()
    (before,) = rows(library.database, PASSAGES)
    assert before["start_s"] == 0
    (warning,) = read_warnings(library.database)
    assert "cut it where these tracks begin" in warning.message
    online.import_all(force=True)
    tracks = [
        {"start_s": start, "title": f"Song 1-{number}", "title_source": "MusicBrainz", "album": "Live",
         "recording_mbid": mbid(f"1-{number}")}
        for number, start in enumerate((0, 8, 16), 1)
    ]  # fmt: skip
    assert rows(library.database, PASSAGES) == tracks
    assert read_warnings(library.database) == []
    library.import_all(force=True)
    assert rows(library.database, PASSAGES) == tracks
