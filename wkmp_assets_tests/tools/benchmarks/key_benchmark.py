"""Judge key and tempo on music made for it: `make bench-key`. Writes docs/benchmarks/key.md.

Key and tempo of the pieces are known by construction. Constants come from the calibration half (`--calibrate`), figures
from the report half, which has other styles and other chord progressions.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.flavor import pitch_classes, tonality
from wkmp_assets.audio.flavor.measure import measure_passages
from wkmp_assets.audio.flavor.spectrogram import compute_spectrogram, cut_excerpt
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ, map_pcm
from wkmp_assets.model.values import Span
from wkmp_assets_tests.tools.benchmarks.flavor_tracks import Track, held_out_tracks
from wkmp_assets_tests.tools.benchmarks.intervals import wilson_interval
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS
from wkmp_assets_tests.tools.datasets.made_music import PITCHES, MadePiece, made_pieces

OUT = Console(highlight=False)
PIECES = 120
MIN_KEY_SCORE, MIN_TEMPO_SHARE = 0.75, 0.85
TEMPO_TOLERANCE = 0.04
RESAMPLES = 2000
CENTRES, WIDTHS, HARMONIC_SHARES = (60.0, 67.0, 74.0), (8.0, 12.0, 18.0, 99.0), (0.0, 0.3, 0.5, 0.7)
KRUMHANSL = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
"""The usual profiles for librosa's chroma (Krumhansl and Kessler 1982)."""
_ASK_ESSENTIA = """
import json, sys
import essentia
essentia.log.infoActive = False
import essentia.standard as es
for path in sys.stdin.read().splitlines():
    sound = es.MonoLoader(filename=path, sampleRate=44100)()
    key, scale, _ = es.KeyExtractor()(sound)
    print(json.dumps([key, scale, es.RhythmExtractor2013(method="multifeature")(sound)[0]]))
"""
_FLATS = {"Db": "C#", "D#": "Eb", "Gb": "F#", "G#": "Ab", "A#": "Bb"}


@dataclass(frozen=True)
class Answer:
    """What one program says of a piece."""

    key: str
    scale: str
    bpm: float


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when a requirement is missed."""
    parser = argparse.ArgumentParser(description="Judge key and tempo on music made for it.")
    parser.add_argument("--out", type=Path, default=DOCS / "key.md", help="the page")
    parser.add_argument("--calibrate", action="store_true", help="print constants from the calibration half instead")
    parser.add_argument("--essentia", type=Path, help="a Python that has essentia")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        pieces = made_pieces(PIECES)
        if options.calibrate:
            _calibrate([piece for piece in pieces if piece.is_calibration], Path(folder))
            return 0
        report = [piece for piece in pieces if not piece.is_calibration]
        loads = [("before", load_now())]
        programs = {"ours": _timed(lambda: [_ours(piece, Path(folder)) for piece in report])}
        programs["librosa"] = _timed(lambda: [_librosa(piece) for piece in report])
        essentia = _essentia(report, options.essentia)
        if essentia is not None:
            programs["essentia"] = essentia
        tables = [_table(report, programs), describe_machine([*loads, ("after", load_now())], Path(folder))]
    for table in tables:
        OUT.print(table.to_rich())
    styles = len({piece.style for piece in report})
    what = (
        f"`make bench-key` writes this page. {len(report)} pieces in all keys are made for it: Debian's `mma` plays "
        f"chord progressions with a melody in {styles} styles, and FluidSynth renders them. Key and tempo are known by "
        "construction. The constants were chosen on as many pieces of other styles and progressions (`python -m "
        "wkmp_assets_tests.tools.benchmarks.key_benchmark --calibrate`)."
    )
    write_page(options.out, "Key and tempo of music made for it", [what], tables)
    return 0 if _is_good(report, programs["ours"][0]) else 1


def score_key(answer: Answer, piece: MadePiece) -> float:
    """Return MIREX' score of a key: 1 if right, 0.5 a fifth off, 0.3 for the relative, 0.2 for the parallel key."""
    apart = (PITCHES.index(answer.key) - PITCHES.index(piece.key)) % 12
    if answer.scale == piece.scale:
        return {0: 1.0, 5: 0.5, 7: 0.5}.get(apart, 0.0)
    if apart == 0:
        return 0.2
    return 0.3 if apart == (9 if piece.scale == "major" else 3) else 0.0


def is_tempo_right(answer: Answer, piece: MadePiece) -> bool:
    """Tell whether a tempo is within 4 % of the piece's, its half or its double."""
    return any(abs(answer.bpm / piece.bpm / factor - 1) <= TEMPO_TOLERANCE for factor in (0.5, 1, 2))


def _timed(ask: Callable[[], list[Answer]]) -> tuple[list[Answer], float]:
    begun = time.process_time()
    return ask(), time.process_time() - begun


def _ours(piece: MadePiece, folder: Path) -> Answer:
    pcm_path = folder / "sound.pcm"
    audio, _ = measure_file(piece.path, pcm_path=pcm_path, display_path=piece.path.name)
    whole = [Span(0, audio.total_samples)]
    (found,) = measure_passages(pcm_path, whole, sample_rate_hz=audio.sample_rate_hz, channels=audio.channels)
    return Answer(found.measures.key, found.measures.scale, found.measures.bpm)


def _librosa(piece: MadePiece) -> Answer:
    sound, rate_hz = librosa.load(piece.path, sr=None)
    chroma = librosa.feature.chroma_cqt(y=sound, sr=rate_hz, tuning=0.0).mean(axis=1)
    profiles = np.array([np.roll(profile, tonic) for profile in KRUMHANSL for tonic in range(12)])
    best = int(np.array([np.corrcoef(chroma, profile)[0, 1] for profile in profiles]).argmax())
    bpm = float(np.atleast_1d(librosa.beat.beat_track(y=sound, sr=rate_hz)[0])[0])
    return Answer(PITCHES[best % 12], "major" if best < 12 else "minor", bpm)


def _essentia(pieces: Sequence[MadePiece], python: Path | None) -> tuple[list[Answer], float] | None:
    """Ask essentia in its own environment; None where it was not installed."""
    if python is None or not python.exists():
        return None
    paths = "\n".join(str(piece.path) for piece in pieces)
    begun = time.monotonic()
    done = subprocess.run(
        [str(python), "-c", _ASK_ESSENTIA], input=paths, capture_output=True, text=True, check=True, timeout=3600
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [Answer(_FLATS.get(key, key), scale, bpm) for key, scale, bpm in answers], time.monotonic() - begun


def _is_good(pieces: Sequence[MadePiece], answers: Sequence[Answer]) -> bool:
    pairs = list(zip(answers, pieces, strict=True))
    key = sum(score_key(*pair) for pair in pairs) / len(pairs)
    return key >= MIN_KEY_SCORE and sum(is_tempo_right(*pair) for pair in pairs) >= MIN_TEMPO_SHARE * len(pairs)


def _table(pieces: Sequence[MadePiece], programs: dict[str, tuple[list[Answer], float]]) -> Table:
    rows = []
    for name, (answers, cpu_s) in programs.items():
        pairs = list(zip(answers, pieces, strict=True))
        scores = np.array([score_key(*pair) for pair in pairs])
        low, high = _bootstrap(scores)
        right, tempos = int((scores == 1).sum()), sum(is_tempo_right(*pair) for pair in pairs)
        rows.append(
            (name, f"{scores.mean():.2f} ({low:.2f} to {high:.2f})", _share(right, len(pairs)),
             _share(tempos, len(pairs)), f"{cpu_s / len(pairs):.2f} s")
        )  # fmt: skip
    verdict = "Met" if _is_good(pieces, programs["ours"][0]) else "MISSED"
    reading = (
        f"Required: a key score of {MIN_KEY_SCORE}, and {MIN_TEMPO_SHARE:.0%} of the tempos within "
        f"{TEMPO_TOLERANCE:.0%} of the right one, its half or its double. {verdict}. Ranges are 95 % intervals. The "
        "time of essentia is by the clock, that of the others CPU with their decode."
    )
    columns = ("", "MIREX key score", "key right", "tempo right", "time a piece")
    return Table("Report half", columns, rows, reading)


def _share(count: int, of: int) -> str:
    low, high = wilson_interval(count, of)
    return f"{count} of {of} ({low:.0%} to {high:.0%})"


def _bootstrap(scores: NDArray[np.float64]) -> tuple[float, float]:
    chance = np.random.default_rng(1)
    means = chance.choice(scores, (RESAMPLES, scores.size)).mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _calibrate(pieces: Sequence[MadePiece], folder: Path) -> None:
    """Print the constants with the best score on made music, and the curves over real music that they lead to."""
    excerpts = [_excerpt(piece.path, folder) for piece in pieces]
    for centre, width in itertools.product(CENTRES, WIDTHS):
        pitch_classes.CENTRE_NOTE, pitch_classes.WIDTH_NOTES = centre, width
        heard = [pitch_classes.measure_pitch_classes(excerpt) for excerpt in excerpts]
        for share in HARMONIC_SHARES:
            tonality.HARMONIC_SHARE = share
            tonality.key_profiles.cache_clear()
            answers = [_answer(classes) for classes in heard]
            score = np.mean([score_key(*pair) for pair in zip(answers, pieces, strict=True)])
            OUT.print(f"centre {centre:.0f}, width {width:.0f}, harmonics {share:.1f}: {score:.3f}")
    OUT.print("Curves, with the constants of the code:")
    done = subprocess.run(  # a new process, because the constants above were changed
        [sys.executable, "-c", f"from {__spec__.name} import print_curves; print_curves()"], check=False
    )
    done.check_returncode()


def print_curves() -> None:
    """Print middle and width of the curves over real music: every other package of the held-out music."""
    packages = sorted({track.package for track in held_out_tracks()})[::2]
    tracks = [track for track in held_out_tracks() if track.package in packages]
    with tempfile.TemporaryDirectory() as folder:
        found = [_tonality(track, Path(folder)) for track in tracks]
    for name, values in (
        ("KEY_CLARITY", [one.clarity for one in found]),
        ("MODE", [one.major_lead for one in found]),
    ):
        low, middle, high = np.percentile(values, (25, 50, 75))
        OUT.print(
            f"{name} = Scale({middle:.3f}, {(high - low) / 2:.3f}) from {len(values)} of {len(packages)} packages"
        )


def _tonality(track: Track, folder: Path) -> tonality.Tonality:
    excerpt = _excerpt(track.path, folder)
    return tonality.measure_tonality(compute_spectrogram(excerpt), pitch_classes.measure_pitch_classes(excerpt))


def _excerpt(path: Path, folder: Path) -> list[NDArray[np.int16]]:
    pcm_path = folder / "sound.pcm"
    measure_file(path, pcm_path=pcm_path, display_path=path.name)
    return [piece.copy() for piece in cut_excerpt(map_pcm(pcm_path))]


def _answer(classes: NDArray[np.float64]) -> Answer:
    silence = compute_spectrogram([np.zeros(PCM_RATE_HZ, np.int16)])
    found = tonality.measure_tonality(silence, classes)
    return Answer(found.key, found.scale, 0.0)


if __name__ == "__main__":
    sys.exit(main())
