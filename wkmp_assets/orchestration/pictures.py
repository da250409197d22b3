"""Draw the picture of a file from what the import keeps: phase values, and its PCM while that is in the store."""

import subprocess
from pathlib import Path

from wkmp_assets.audio.pcm_store import PCM_RATE_HZ, PcmStore, map_pcm
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Result
from wkmp_assets.model.phases import FLAVORS
from wkmp_assets.model.values import LeadPoints, PassageSegments, SongMatches
from wkmp_assets.report.file_picture import draw_picture
from wkmp_assets.report.sound_images import Sound, SoundImages, column_middles, frames_around, make_images
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.settings import Settings

_EVICTED = "no spectrogram: the decoded sound is no longer kept"
_NOT_COMPILED = "no spectrogram: librosa could not be compiled"


def draw_file(
    settings: Settings,
    key: str,
    content_hash: str,
    segments: PassageSegments,
    matches: SongMatches,
    leads: LeadPoints,
    *,
    has_sound: bool = True,
) -> bytes:
    """Draw the file of a partition, as a PNG.

    Its spectrogram and chromagram are there while its PCM is, because the music file is not opened.

    Parameters
    ----------
    settings : Settings
        Of its library.
    key, content_hash : str
        Of the file.
    segments, matches, leads
        Values of its phases.
    has_sound : bool
        False: draw the level alone, which loads no librosa.
    """
    pcm_path = PcmStore(settings.pcm_dir, settings.pcm_cache_mb * 1_000_000).get(content_hash) if has_sound else None
    images, note = None, _EVICTED if has_sound else ""
    if pcm_path is not None and pcm_path.stat().st_size > 1:
        try:
            images, note = _images(settings, key, content_hash, segments, pcm_path), ""
        except (OSError, subprocess.SubprocessError):
            note = _NOT_COMPILED
    return draw_picture(decode_key(key), segments, matches, leads, images, note)


def _images(settings: Settings, key: str, content_hash: str, segments: PassageSegments, pcm_path: Path) -> SoundImages:
    from wkmp_assets.audio.flavor.pitch_classes import FRAME, compute_chroma  # loads SciPy

    stored = PhaseStore(settings.phase_dir).read_stored(FLAVORS, key)
    flavors = stored.value.passages if isinstance(stored, Result) and stored.content_hash == content_hash else ()
    sound = Sound(map_pcm(pcm_path), PCM_RATE_HZ, flavors, segments.audio.sample_rate_hz)
    frames = frames_around(sound.samples, column_middles(sound.samples.size), FRAME)
    return make_images(sound, compute_chroma(frames), settings.compiled_dir)
