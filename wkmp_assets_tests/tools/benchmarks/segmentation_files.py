"""Make the file of a case, and know what must be found in it."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import mutagen
import numpy as np
import soundfile

from wkmp_assets_tests.tools.benchmarks import segmentation_sounds as sounds
from wkmp_assets_tests.tools.benchmarks.segmentation_cases import Case
from wkmp_assets_tests.tools.benchmarks.segmentation_sounds import RATE_HZ, Sound

CUE_FRAMES_PER_SECOND = 75
CHAPTERS_PER_SECOND = 1000
FADE_S = 5.0


@dataclass
class Made:
    """A file and the truth about it."""

    path: Path
    gaps_s: list[tuple[float, float]] = field(default_factory=list)
    """Where one track ends and the next one begins."""
    starts: list[int] = field(default_factory=list)
    """unit=samples: of each track of a sheet."""
    is_untagged: bool = True
    """Whether tags and name are withheld from the code."""


def make_file(case: Case, folder: Path) -> Made:
    """Make the file of a case."""
    return _RECIPES[case.kind](case, folder, np.random.default_rng([case.seed, len(case.kind)]))


def _untagged_single(case: Case, _folder: Path, _rng: np.random.Generator) -> Made:
    return Made(case.tracks[0])


def _tagged_single(case: Case, folder: Path, _rng: np.random.Generator) -> Made:
    path = folder / f"single{case.tracks[0].suffix}"
    shutil.copyfile(case.tracks[0], path)
    _tag(path)
    return Made(path, is_untagged=False)


def _tag(path: Path) -> None:
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file.update({"title": "The Title", "artist": "The Artist", "album": "The Album", "tracknumber": "3"})
    file.save()


def _mix(case: Case, rng: np.random.Generator, between: Callable[[], Sound]) -> tuple[Sound, list[tuple[float, float]]]:
    """Join whole tracks with something between them."""
    parts: list[Sound] = []
    gaps: list[tuple[float, float]] = []
    position = 0
    for number, track in enumerate(case.tracks):
        if number:
            gap = between()
            gaps.append((position / RATE_HZ, (position + gap.size) / RATE_HZ))
            parts.append(gap)
            position += gap.size
        parts.append(sounds.read_track(track))
        position += parts[-1].size
    mix = np.concatenate(parts)
    if case.floor_db is not None:
        mix = sounds.with_noise(mix, case.floor_db, rng, is_dark=bool(case.seed % 2))
    return mix, gaps


def _long_file(case: Case, folder: Path, rng: np.random.Generator) -> Made:
    mix, gaps = _mix(case, rng, lambda: sounds.silence(rng.uniform(2, 5)))
    return Made(_write(folder / "mix.wav", mix), gaps)


def _record(case: Case, folder: Path, rng: np.random.Generator) -> Made:
    mix, gaps = _mix(case, rng, lambda: sounds.silence(rng.uniform(2, 5)))
    return Made(_write(folder / "mix.wav", sounds.with_clicks(mix, rng)), gaps)


def _concert(case: Case, folder: Path, rng: np.random.Generator) -> Made:
    mix, gaps = _mix(case, rng, lambda: sounds.applause(rng.uniform(5, 12), rng))
    return Made(_write(folder / "mix.wav", mix), gaps)


def _cross_fades(case: Case, folder: Path, _rng: np.random.Generator) -> Made:
    mix, gaps = sounds.read_track(case.tracks[0]), []
    for track in case.tracks[1:]:
        gaps.append((mix.size / RATE_HZ - FADE_S, mix.size / RATE_HZ))
        mix = sounds.cross_faded(mix, sounds.read_track(track), FADE_S)
    return Made(_write(folder / "mix.wav", mix), gaps)


def _image(case: Case) -> tuple[Sound, list[int]]:
    """Join whole tracks without any gap; return where each one begins."""
    tracks = [sounds.read_track(track) for track in case.tracks]
    return np.concatenate(tracks), [0, *np.cumsum([track.size for track in tracks])[:-1].tolist()]


def _cue_image(case: Case, folder: Path, _rng: np.random.Generator) -> Made:
    mix, starts = _image(case)
    frames = [round(start * CUE_FRAMES_PER_SECOND / RATE_HZ) for start in starts]
    lines = ['FILE "image.wav" WAVE']
    for number, frame in enumerate(frames, 1):
        minutes, rest = divmod(frame, 60 * CUE_FRAMES_PER_SECOND)
        seconds, frame_of_second = divmod(rest, CUE_FRAMES_PER_SECOND)
        lines += [f"  TRACK {number:02d} AUDIO", f'    TITLE "Track {number}"']
        lines += [f"    INDEX 01 {minutes:02d}:{seconds:02d}:{frame_of_second:02d}"]
    (folder / "image.cue").write_text("\n".join(lines) + "\n", encoding="utf-8")
    exact = [round(Fraction(frame * RATE_HZ, CUE_FRAMES_PER_SECOND)) for frame in frames]
    return Made(_write(folder / "image.wav", mix), starts=exact, is_untagged=False)


def _chapters(case: Case, folder: Path, _rng: np.random.Generator) -> Made:
    mix, starts = _image(case)
    marks = [round(start * CHAPTERS_PER_SECOND / RATE_HZ) for start in starts]
    ends = [*marks[1:], mix.size * CHAPTERS_PER_SECOND // RATE_HZ]
    path = folder / "chapters.mka"
    with av.open(path, "w") as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono")
        container.set_chapters(
            [
                {
                    "id": number,
                    "start": start,
                    "end": end,
                    "time_base": Fraction(1, CHAPTERS_PER_SECOND),
                    "metadata": {"title": f"Track {number}"},
                }
                for number, (start, end) in enumerate(zip(marks, ends, strict=True), 1)
            ]
        )
        frame = av.AudioFrame.from_ndarray(_to_pcm16(mix)[np.newaxis], "s16", "mono")
        frame.sample_rate = RATE_HZ
        frame.time_base = Fraction(1, RATE_HZ)
        frame.pts = 0
        resampler = av.AudioResampler("s16", "mono", RATE_HZ, 4096)
        for piece in resampler.resample(frame):
            container.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return Made(
        path, starts=[round(Fraction(mark * RATE_HZ, CHAPTERS_PER_SECOND)) for mark in marks], is_untagged=False
    )


def _hidden_track(case: Case, folder: Path, rng: np.random.Generator) -> Made:
    first, second = (sounds.read_track(track) for track in case.tracks)
    pause_s = rng.uniform(30, 90)
    mix = [first, sounds.silence(pause_s), second[: round(rng.uniform(20, 60) * RATE_HZ)]]
    end_s = first.size / RATE_HZ
    return _maybe_tagged(case, folder, mix, [(end_s, end_s + pause_s)])


def _stray_sound(case: Case, folder: Path, rng: np.random.Generator) -> Made:
    first, second = (sounds.read_track(track) for track in case.tracks)
    stray = second[: round(rng.uniform(0.1, 1.5) * RATE_HZ)]
    return _maybe_tagged(case, folder, [first, sounds.silence(rng.uniform(2, 4)), stray], [])


def _pause(case: Case, folder: Path, rng: np.random.Generator) -> Made:
    music = sounds.read_track(case.tracks[0])
    cut = round(rng.uniform(0.2, 0.8) * music.size)
    return _maybe_tagged(case, folder, [music[:cut], sounds.silence(rng.uniform(2, 4)), music[cut:]], [])


def _maybe_tagged(case: Case, folder: Path, parts: Sequence[Sound], gaps: list[tuple[float, float]]) -> Made:
    path = _write(folder / "file.flac", np.concatenate(parts))
    is_tagged = case.kind.startswith("tagged")
    if is_tagged:
        _tag(path)
    return Made(path, gaps, is_untagged=not is_tagged)


def _spoken_word(case: Case, folder: Path, rng: np.random.Generator) -> Made:
    speech = sounds.read_prompts(case.tracks, rng) if case.tracks else sounds.read_aloud(case.voice, rng)
    if case.floor_db is not None:
        speech = sounds.with_noise(speech, case.floor_db, rng, is_dark=False)
    return Made(_write(folder / "speech.wav", speech))


def _write(path: Path, sound: Sound) -> Path:
    soundfile.write(path, _to_pcm16(sound), RATE_HZ)
    return path


def _to_pcm16(sound: Sound) -> np.ndarray:
    return np.clip(np.round(sound * 32768), -32768, 32767).astype(np.int16)


_RECIPES: dict[str, Callable[[Case, Path, np.random.Generator], Made]] = {
    "untagged single": _untagged_single,
    "tagged single": _tagged_single,
    "gaps in a long file": _long_file,
    "gaps of a record with clicks": _record,
    "applause between tracks": _concert,
    "cross-fades": _cross_fades,
    "CUE image": _cue_image,
    "chapters": _chapters,
    "hidden track": _hidden_track,
    "tagged hidden track": _hidden_track,
    "stray sound after a track": _stray_sound,
    "tagged pause": _pause,
    "spoken word": _spoken_word,
}
