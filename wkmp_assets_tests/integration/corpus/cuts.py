"""Sound that is easily cut in the wrong places: offsets, one channel of eight, pauses, clicks and hidden tracks."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
import numpy as np

from wkmp_assets_tests.audio.sounds import Samples, joined, melody, silence, write_sound
from wkmp_assets_tests.integration.corpus.case import IMPORTED, SILENT, Case, Make

RATE_HZ = 8_000
_OFFSET = np.float32(0.005)
_ONE_STEP = np.float32(-1 / 128)
"""A zero of 127 in 8 bits."""
TITLE = "Real Title"
PASSAGES: dict[str, list[tuple[float, float, str | None]]] = {
    "cuts/offset.flac": [(0, 3, None), (5.5, 8.5, None)],
    "cuts/zero of 127.wav": [(0, 3, None), (5.5, 8.5, None)],
    "cuts/one of 8 channels.wav": [(0, 3, None)],
    "cuts/pause.flac": [(0, 8.5, TITLE)],
    "cuts/click after the music.flac": [(0, 3, TITLE)],
    "cuts/click before the music.flac": [(2.7, 5.7, TITLE)],
    "cuts/hidden track.flac": [(0, 3, TITLE), (24, 27, None)],
}
"""Path -> start and end of each passage in seconds, and its title."""


def cuts() -> Iterator[Case]:
    """Each file with the sound that `PASSAGES` describes, and one with an offset and nothing else."""
    two, pause = (3, 2.5, 3), (0, 2.5)
    yield Case("cuts/offset.flac", _written(*two, offset=_OFFSET), IMPORTED)
    yield Case("cuts/zero of 127.wav", _written(*two, offset=_ONE_STEP, subtype="PCM_U8"), IMPORTED)
    yield Case("cuts/nothing but an offset.wav", _written(*pause, offset=_OFFSET), SILENT)
    yield Case("cuts/one of 8 channels.wav", _one_channel, IMPORTED)
    yield Case("cuts/pause.flac", _tagged(*two), IMPORTED)
    yield Case("cuts/click after the music.flac", _tagged(3, 2.5, 0.15), IMPORTED)
    yield Case("cuts/click before the music.flac", _tagged(0.2, 2.5, 3), IMPORTED)
    yield Case("cuts/hidden track.flac", _tagged(3, 21, 3), IMPORTED)


def recording(path: str) -> str:
    """Return the recording that a file's tags name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, Path(path).name))


def _sound(seed: int, *seconds: float) -> Samples:
    """Return music and silence in turn, music first."""
    parts = [
        silence(length, RATE_HZ) if index % 2 else melody(length, RATE_HZ, channels=1, seed=seed + index)
        for index, length in enumerate(seconds)
    ]
    return joined(*parts)


def _written(*seconds: float, offset: np.float32, subtype: str = "PCM_16") -> Make:
    return lambda path, seed: write_sound(path, _sound(seed, *seconds) + offset, RATE_HZ, subtype=subtype)


def _one_channel(path: Path, seed: int) -> None:
    """The music is so quiet that a mean over all channels would be silence."""
    music = _sound(seed, 3) * np.float32(0.0035)
    write_sound(path, np.concatenate([np.zeros((7, music.shape[1]), np.float32), music]), RATE_HZ, subtype="PCM_24")


def _tagged(*seconds: float) -> Make:
    def make(path: Path, seed: int) -> None:
        write_sound(path, _sound(seed, *seconds), RATE_HZ)
        flac: Any = mutagen.File(path)
        flac.update({"title": TITLE, "artist": "Real Artist", "album": "Real Album", "tracknumber": "12/12"})
        flac["musicbrainz_trackid"] = recording(path.name)
        flac.save()

    return make
