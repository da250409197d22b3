"""Measure lead-outs on real music that fades out: `make bench-fades`. Writes docs/benchmarks/lead_points.md.

A minute of uninterrupted music out of every recording of the 100-file library, faded linearly over a known time. Where
it must be is found from the samples, at any 5 ms, not from the envelope that the lead points are made of.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from wkmp_assets.audio.lead_points import find_lead_points
from wkmp_assets.model.values import LeadPointParameters, Span
from wkmp_assets_tests.audio.sounds import envelope_of
from wkmp_assets_tests.tools.benchmarks.flavor_tracks import library_tracks
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS, HUNDRED_FILES
from wkmp_assets_tests.tools.datasets.pcm import NoLoudSpanError, cut, find_loud_span, read_pcm

OUT = Console(highlight=False)
FADES_S = (4.0, 6.0, 8.0, 10.0, 14.0)
MINUTE_S = 60.0
WINDOW_S = 0.1
STEP_S = 0.005
THRESHOLD = 10 ** (-12 / 20)

Samples = NDArray[np.float32]
"""shape=(channels, n), full scale = 1."""


@dataclass(frozen=True)
class Fade:
    """One piece of music, faded."""

    fade_s: float
    aligned_s: float
    """Lead-out minus the end of the last 100 ms, counted from the start, that reach -12 dB."""
    sliding_s: float
    """Lead-out minus the end of the last 100 ms, wherever they begin, that reach -12 dB."""
    even_s: float
    """The same music brought to an even level: lead-out minus where the fade itself passes -12 dB."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when there is no library to measure."""
    parser = argparse.ArgumentParser(description="Judge lead-out points on real music that fades out.")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="the 100-file library")
    parser.add_argument("--out", type=Path, default=DOCS / "lead_points.md", help="the page")
    options = parser.parse_args(arguments)
    if not (options.music / "manifest.json").is_file():
        OUT.print(f"[bold red]Error:[/] {options.music} has no manifest.json; build the library: make dataset")
        return 1
    paths = [track.path for track in library_tracks(options.music.absolute())]
    fades = [fade for path in paths for fade in _judge(path)]
    table = _table(fades)
    OUT.print(table.to_rich())
    what = (
        "`make bench-fades` writes this page. It takes a minute of uninterrupted music out of each of "
        f"{len(fades) // len(FADES_S)} recordings and fades it out linearly. The 100-file library has {len(paths)} "
        "recordings; the others have no such minute. Parameters are the defaults. Where the lead-out must be is found "
        "from the samples, not from the envelope."
    )
    write_page(options.out, "Lead-out points on real fades", [what], [table])
    OUT.print(f"Written: {options.out}")
    return 0


def _judge(path: Path) -> Iterator[Fade]:
    pcm = read_pcm(path)
    try:
        start, end = find_loud_span(pcm, from_s=0, length_s=MINUTE_S)
    except NoLoudSpanError:
        return
    music = np.ascontiguousarray(cut(pcm, start, end).samples.T)
    even = _evened(music, pcm.rate)
    for fade_s in FADES_S:
        faded = _faded(music, pcm.rate, fade_s)
        lead_out_s = _lead_out(faded, pcm.rate)
        yield Fade(
            fade_s,
            lead_out_s - _crossing(faded, pcm.rate, _window(pcm.rate)),
            lead_out_s - _crossing(faded, pcm.rate, round(STEP_S * pcm.rate)),
            _lead_out(_faded(even, pcm.rate, fade_s), pcm.rate) - (even.shape[1] / pcm.rate - THRESHOLD * fade_s),
        )


def _faded(samples: Samples, rate_hz: int, fade_s: float) -> Samples:
    fade = round(fade_s * rate_hz)
    faded = samples.copy()
    faded[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return faded


def _evened(samples: Samples, rate_hz: int) -> Samples:
    """Bring every 100 ms to the same level."""
    width = _window(rate_hz)
    starts, levels = _levels(samples, rate_hz, width)
    gains = np.repeat(0.2 / np.maximum(levels, 1e-4), width).astype(np.float32)
    return samples[:, : starts.size * width] * gains


def _lead_out(samples: Samples, rate_hz: int) -> float:
    span = Span(0, samples.shape[1])
    found = find_lead_points(envelope_of(samples, rate_hz), span, LeadPointParameters(-12.0, -12.0))
    return (span.end_sample if found.lead_out_sample is None else found.lead_out_sample) / rate_hz


def _crossing(samples: Samples, rate_hz: int, step: int) -> float:
    """Return the end of the last 100 ms that reach -12 dB below the loudest, when they may begin at every step."""
    starts, levels = _levels(samples, rate_hz, step)
    return float(starts[levels >= THRESHOLD * levels.max()][-1] + _window(rate_hz)) / rate_hz


def _window(rate_hz: int) -> int:
    """Return the length of ten hops in samples: 100 ms, but for rates at which 10 ms are no whole number of them."""
    return 10 * round(rate_hz / 100)


def _levels(samples: Samples, rate_hz: int, step: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    width = _window(rate_hz)
    starts = np.arange(0, samples.shape[1] - width + 1, step)
    energy = np.concatenate([[0.0], np.cumsum((samples.astype(np.float64) ** 2).mean(axis=0))])
    return starts, np.sqrt((energy[starts + width] - energy[starts]) / width)


def _table(fades: Sequence[Fade]) -> Table:
    rows = []
    for fade_s in (*FADES_S, None):
        of_length = [fade for fade in fades if fade_s in {None, fade.fade_s}]
        kinds = (
            [one.aligned_s for one in of_length],
            [one.sliding_s for one in of_length],
            [one.even_s for one in of_length],
        )
        figures = (text for kind in kinds for text in _figures(kind))
        rows.append(("all" if fade_s is None else f"{fade_s:g} s", str(len(of_length)), *figures))
    columns = (
        "fade", "pieces", "same windows: median", "most", "within 100 ms", "any windows: median", "most",
        "within 100 ms", "even level: median", "most", "within 100 ms",
    )  # fmt: skip
    reading = (
        "The figures say how far the lead-out is from the last 100 ms that reach -12 dB below the loudest 100 ms, in "
        "ms. Lead points count windows from the start of the passage: the first three columns, which are the promise. "
        "When windows may begin anywhere, a beat that two windows share can reach the threshold later than either. In "
        "music of even level, the length of the fade alone says where the level passes -12 dB."
    )
    return Table("Distance of the lead-out from the crossing of -12 dB", columns, rows, reading)


def _figures(distances_s: Sequence[float]) -> tuple[str, ...]:
    sizes = np.abs(distances_s)
    within = float(np.mean(sizes <= WINDOW_S + 1e-9))
    return f"{np.median(sizes) * 1000:.0f}", f"{sizes.max() * 1000:.0f}", f"{within:.0%}"


if __name__ == "__main__":
    sys.exit(main())
