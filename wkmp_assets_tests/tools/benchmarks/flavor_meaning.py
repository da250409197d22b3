"""Judge what flavors mean, on music that decided nothing: writes docs/benchmarks/flavor_meaning.md.

Part of `make bench-flavor`. The report half of the corpus alone gives the figures.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.flavor.measure import measure_passages
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ
from wkmp_assets.model.flavor import Flavor, distance, sound_of, tags_of
from wkmp_assets.model.likeness import Heard as Likened
from wkmp_assets.model.values import Span
from wkmp_assets.runtime.worker_queue import ONE_THREAD
from wkmp_assets_tests.support.rankings import rank
from wkmp_assets_tests.tools.benchmarks.album_scores import interval, score_albums, score_halves
from wkmp_assets_tests.tools.benchmarks.essentia_baseline import essentia_distances
from wkmp_assets_tests.tools.benchmarks.flavor_benchmark import measure_tracks
from wkmp_assets_tests.tools.benchmarks.flavor_corpus import CorpusTrack, Half, corpus_pcm, corpus_tracks
from wkmp_assets_tests.tools.benchmarks.flavor_scores import standardised_distances
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS
from wkmp_assets_tests.tools.datasets.debian_music import PackageUnavailableError
from wkmp_assets_tests.tools.datasets.encode import FORMATS, encode
from wkmp_assets_tests.tools.datasets.pcm import Pcm, read_pcm, resample

OUT = Console(highlight=False)
CODECS = ("FLAC", "MP3", "OGG Vorbis", "AAC", "Opus")
OPUS_RATE_HZ = 48_000
ENCODED_TRACKS = 30
ENCODED_S = 20
COST_TRACKS = 30
CLASSED_SHARE = 0.25
"""Share of the passages of a mixed library that have AcousticBrainz' classes."""
MIN_GAIN = 0.06
EARLIER_PRECISION = 0.244
"""Mean average precision of the flavor that had no tags, on the report half, measured on 28 November 2026. Since then
the scales of key and mode are other ones."""
MIN_HALVES = 0.75
MAX_COST = 0.5


@dataclass(frozen=True)
class Heard:
    """One track as each method hears it."""

    whole: Flavor
    halves: tuple[Flavor, Flavor]
    usual: NDArray[np.float64]
    """librosa's features, means and deviations over time."""
    flavor_s: float
    usual_s: float
    """CPU seconds."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when the music is not to be had."""
    parser = argparse.ArgumentParser(description="Judge what flavors mean.")
    parser.add_argument("--essentia", type=Path, help="a Python that has essentia")
    parser.add_argument("--out", type=Path, default=DOCS / "flavor_meaning.md", help="the page")
    options = parser.parse_args(arguments)
    os.environ.update(ONE_THREAD)
    loads = [("at the start", load_now())]
    try:
        tracks = corpus_tracks()
    except PackageUnavailableError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    judged = [track for track in tracks if track.half is Half.REPORT]
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        scratch = Path(folder)
        heard = list(pool.map(listen, [track.path for track in judged]))
        found = [
            neighbour_table(judged, heard, options.essentia, scratch),
            codec_table(judged[:: max(1, len(judged) // ENCODED_TRACKS)][:ENCODED_TRACKS], pool, scratch),
            mixed_table(heard),
            cost_table(judged[:: max(1, len(judged) // COST_TRACKS)][:COST_TRACKS], heard, scratch),
            corpus_table(tracks),
        ]
    loads.append(("at the end", load_now()))
    found.append(describe_machine(loads, Path(tempfile.gettempdir())))
    introduction = (
        f"`make bench-flavor` writes this page, from {len(judged)} tracks of "
        f"{len({track.album for track in judged})} albums that decided nothing: all constants come from other albums. "
        "Intervals are 95 %, over albums. The labels are albums: tracks of one soundtrack are more alike than others. "
        "[Flavor](../reference/flavor.md) says what is measured, [another page](flavor.md) what it costs in an import."
    )
    write_page(options.out, "What flavors mean", [introduction], found)
    for table in found:
        OUT.print(table.to_rich())
    return 0


def listen(path: Path) -> Heard:
    """Measure a track and its halves."""
    pcm = corpus_pcm(path)
    started = time.process_time()
    whole = flavor_of(pcm)
    measured = time.process_time()
    usual = usual_features(pcm)
    ended = time.process_time()
    middle = pcm.size // 2
    halves = (flavor_of(pcm[:middle]), flavor_of(pcm[middle:]))
    return Heard(whole, halves, usual, measured - started, ended - measured)


def flavor_of(pcm: NDArray[np.int16]) -> Flavor:
    """Return the flavor of PCM as an import measures it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.pcm"
        path.write_bytes(pcm.tobytes())
        (found,) = measure_passages(path, [Span(0, pcm.size)], sample_rate_hz=PCM_RATE_HZ, channels=2)
    return found.measured


def usual_features(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return what is usually taken from librosa, of the middle minute: MFCC, chroma, spectral shape, level."""
    middle, reach = pcm.size // 2, 30 * PCM_RATE_HZ
    samples = pcm[max(0, middle - reach) : middle + reach].astype(np.float32) / 32768
    magnitude = np.abs(librosa.stft(samples, n_fft=2048, hop_length=1024))
    rate = PCM_RATE_HZ
    mel = librosa.feature.melspectrogram(S=np.square(magnitude), sr=rate)
    rows = [
        librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20),
        librosa.feature.chroma_stft(S=np.square(magnitude), sr=rate, tuning=0.0),
        librosa.feature.spectral_centroid(S=magnitude, sr=rate),
        librosa.feature.spectral_bandwidth(S=magnitude, sr=rate),
        librosa.feature.spectral_rolloff(S=magnitude, sr=rate),
        librosa.feature.spectral_flatness(S=magnitude),
        librosa.feature.rms(S=magnitude),
    ]
    stacked = np.concatenate(rows)
    return np.concatenate([stacked.mean(axis=1), stacked.std(axis=1)]).astype(np.float64)


def distances(ones: Sequence[Flavor], others: Sequence[Flavor]) -> NDArray[np.float64]:
    """Return WKMP's distance of each pair."""
    return np.array([[distance(one, other) for other in others] for one in ones])


def neighbour_table(
    tracks: Sequence[CorpusTrack], heard: Sequence[Heard], essentia: Path | None, scratch: Path
) -> Table:
    """Tabulate neighbours and halves, method by method."""
    albums = [track.album for track in tracks]
    flavors = [one.whole for one in heard]
    parts = {"flavor": dict, "flavor without tags": sound_of, "MusiCNN's tags alone": tags_of}
    matrices = {
        name: distances([part(flavor) for flavor in flavors], [part(flavor) for flavor in flavors])
        for name, part in parts.items()
    }
    matrices["librosa's usual features"] = standardised_distances(np.stack([one.usual for one in heard]))
    matrices["random"] = np.random.default_rng(0).random((len(tracks), len(tracks)))
    halves = {
        name: score_halves(distances([part(one.halves[0]) for one in heard], [part(one.halves[1]) for one in heard]))
        for name, part in parts.items()
    }
    scores = {name: score_albums(matrix, albums) for name, matrix in matrices.items()}
    rows = [
        (
            name,
            str(len(tracks)),
            _said(interval(score.precision, albums)),
            _said(interval(score.nearest, albums)),
            _said(interval(halves[name], albums)) if name in halves else "",
        )
        for name, score in scores.items()
    ]
    theirs, readable, why = essentia_distances([track.path for track in tracks], essentia, scratch)
    verdicts = []
    if theirs is not None:
        same = [albums[index] for index in readable]
        ours = score_albums(matrices["flavor"][np.ix_(readable, readable)], same)
        beside = score_albums(theirs, same)
        for name, score in (("flavor, files essentia reads", ours), ("essentia, all features", beside)):
            figures = (_said(interval(score.precision, same)), _said(interval(score.nearest, same)))
            rows.append((name, str(len(same)), *figures, ""))
        lead = interval(ours.precision - beside.precision, same)
        verdicts.append(f"Ahead of essentia by {_said(lead)}: {_verdict_of(lead, 0)}.")
    else:
        verdicts.append("Ahead of essentia: MISSED, because it was not measured in this run.")
    gain = interval(scores["flavor"].precision - scores["flavor without tags"].precision, albums)
    share = halves["flavor"].mean()
    since = float(scores["flavor"].precision.mean()) - EARLIER_PRECISION
    reason = "" if since >= MIN_GAIN else ", because the scales of key and mode of today tell albums apart less well"
    verdicts[:0] = [
        f"The tags add {_said(gain)} of mean average precision, {MIN_GAIN} wanted: {_verdict_of(gain, MIN_GAIN)}.",
        (
            f"Beside the {EARLIER_PRECISION} that the flavor had before there were tags it is {since:.3f}: "
            f"{_verdict(since >= MIN_GAIN)}{reason}."
        ),
    ]
    verdicts.append(f"A half finds the other half of its track in {share:.0%}, {MIN_HALVES:.0%} wanted: "
                    f"{_verdict(share >= MIN_HALVES)}.")  # fmt: skip
    columns = ("distance by", "tracks", "mean average precision", "nearest is of the album", "half finds half")
    return Table("Neighbours", columns, rows, f"{' '.join(verdicts)} {why}")


def codec_table(tracks: Sequence[CorpusTrack], pool: ProcessPoolExecutor, scratch: Path) -> Table:
    """Tabulate how often an encoded excerpt finds its own recording among all excerpts."""
    excerpts = list(pool.map(_excerpt, [track.path for track in tracks]))
    originals = list(pool.map(_decoded, *zip(*[(one, "WAV", scratch) for one in excerpts], strict=True)))
    rows = []
    for codec in CODECS:
        copies = list(pool.map(_decoded, excerpts, repeat(codec), repeat(scratch)))
        apart = distances(copies, originals)
        own = np.diag(apart)
        hits = int((apart.argmin(axis=1) == np.arange(len(apart))).sum())
        rows.append((codec, f"{hits} of {len(own)}", f"{np.median(own):.5f}", f"{own.max():.5f}"))
    nearest = [np.delete(row, number).min() for number, row in enumerate(distances(originals, originals))]
    rows.append(("nearest other recording", "", f"{np.median(nearest):.5f}", f"{max(nearest):.5f}"))
    columns = ("encoded as", "finds its recording", "distance, median", "most")
    is_whole = all(row[1].split(" of ")[0] == row[1].split(" of ")[-1] for row in rows)
    reading = f"Excerpts of {ENCODED_S} s. All find their recording: {_verdict(is_whole)}."
    return Table("The same recording in other encodings", columns, rows, reading)


def _excerpt(path: Path) -> Pcm:
    pcm = read_pcm(path)
    middle, reach = len(pcm.samples) // 2, ENCODED_S * pcm.rate // 2
    return Pcm(pcm.samples[max(0, middle - reach) : middle + reach], pcm.rate)


def _decoded(pcm: Pcm, codec: str, scratch: Path) -> Flavor:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / f"copy{FORMATS[codec].suffix}"
        encode(resample(pcm, OPUS_RATE_HZ) if codec == "Opus" else pcm, path, FORMATS[codec])
        target = Path(folder) / "copy.pcm"
        measure_file(path, pcm_path=target, display_path=path.name)
        return flavor_of(np.fromfile(target, "<i2"))


def mixed_table(heard: Sequence[Heard]) -> Table:
    """Tabulate whether neighbours in a mixed library are decided by which passages have classes."""
    rng = np.random.default_rng(0)
    flavors = [one.whole for one in heard]
    has = rng.random(len(flavors)) < CLASSED_SHARE
    # No classes are to be had any more, so they are made up, sure of themselves and without meaning.
    mixed = [
        flavor | ({f"class_{n:02}": _class(rng) for n in range(18)} if is_classed else {})
        for flavor, is_classed in zip(flavors, has, strict=True)
    ]
    chance = (has.sum() - 1) / (len(has) - 1)
    rows = []
    heard_ones = [Likened(str(number), str(number), 0.0, flavor) for number, flavor in enumerate(mixed)]
    apart = distances(mixed, mixed) + np.diag(np.full(len(mixed), np.inf))
    ranked = [
        next(int(one.passage) for _, one in rank(like.flavor, heard_ones) if one is not like) for like in heard_ones
    ]
    for name, nearest in (("WKMP's, of whole flavors", apart.argmin(axis=1)), ("as `wkmp similar` ranks", ranked)):
        rows.append((name, f"{has[nearest][has].mean():.0%}", f"{chance:.0%}"))
    columns = ("distance", "passages with classes whose nearest has classes", "chance")
    reading = (
        f"{has.sum()} of {len(has)} passages have 18 made-up binary classes beside their flavor, the others none. "
        "Above chance, neighbours are decided by which classes exist. Far below it, the classes keep them apart."
    )
    return Table("Mixed libraries", columns, rows, reading)


def _class(rng: np.random.Generator) -> dict[str, float]:
    sure = float(rng.beta(0.5, 0.5))
    return {"is": sure, "is_not": 1 - sure}


def cost_table(tracks: Sequence[CorpusTrack], heard: Sequence[Heard], scratch: Path) -> Table:
    """Tabulate CPU per track."""
    measured = measure_tracks([track.path for track in tracks], scratch)
    ratio = sum(one.flavor_s for one in measured) / sum(one.others_s for one in measured)
    figures = {
        f"flavors, {len(measured)} tracks": [one.flavor_s for one in measured],
        "all other phases, the same tracks": [one.others_s for one in measured],
        "a flavor from PCM": [one.flavor_s for one in heard],
        "librosa's usual features from PCM": [one.usual_s for one in heard],
    }
    rows = [
        (name, f"{np.median(values) * 1000:.0f}", f"{np.percentile(values, 90) * 1000:.0f}")
        for name, values in figures.items()
    ]
    reading = (
        f"All tracks together: flavors take {ratio:.2f} of the CPU of all other phases, {MAX_COST} allowed: "
        f"{_verdict(ratio <= MAX_COST)}."
    )
    return Table("Cost", ("CPU ms per track", "median", "90 %"), rows, reading)


def corpus_table(tracks: Sequence[CorpusTrack]) -> Table:
    """Tabulate the albums, their halves and where the licence stands."""
    rows = []
    for album in sorted({track.album for track in tracks}):
        own = [track for track in tracks if track.album == album]
        rows.append((album, str(len(own)), own[0].half, f"/usr/share/doc/{album}/copyright"))
    return Table("Music", ("Debian package", "tracks", "half", "licence"), rows, is_text=True)


def _said(found: tuple[float, float, float]) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*found)


def _verdict_of(found: tuple[float, float, float], wanted: float) -> str:
    """Judge a mean with its interval."""
    is_sure = found[1] >= wanted or found[0] < wanted
    return _verdict(found[0] >= wanted) + ("" if is_sure else ", by the mean and not by the whole interval")


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
