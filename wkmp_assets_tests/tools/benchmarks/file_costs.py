"""CPU time per file: the phases' own functions beside a bare decode of the same file, in the same worker."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from wkmp_assets.audio import worker_tasks
from wkmp_assets.audio.lead_points import find_lead_points
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.tags import read_tags
from wkmp_assets.audio.worker_tasks import fingerprint_file, measure_flavors, segment_file
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.identity import look_at
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.identify.lookup import NoRecordingLookup
from wkmp_assets.identify.match import match_passages
from wkmp_assets.model.phases import FINGERPRINTS, FLAVORS, IDENTITY, LEAD_POINTS, MATCHES, SEGMENTS, TAGS
from wkmp_assets.model.values import FileIdentity, FileState, FileTags, Fingerprints, PassageSegments, SongMatches
from wkmp_assets.runtime.worker_queue import KEPT_MEMORY, ONE_THREAD
from wkmp_assets_tests.tools.benchmarks.bare_decode import RATE_HZ, decode_bare, decode_with_resampler
from wkmp_assets_tests.tools.benchmarks.music_library import MusicFile
from wkmp_assets_tests.tools.benchmarks.without_loudness import without_loudness

BARE = "bare decode"
RESAMPLER = "(decode with AudioResampler)"
WITHOUT_LOUDNESS = "(passage_segments without loudness)"
PHASES = (IDENTITY, TAGS, SEGMENTS, FINGERPRINTS, MATCHES, LEAD_POINTS)
"""All but flavors. The loudness is measured in the decode of `SEGMENTS`, and belongs to flavors."""
_PCM_BYTES = 2**40
_DEFAULTS = read_library_settings(Path(__file__).with_suffix(".db"))  # no library, so the defaults


@dataclass(frozen=True)
class FileCost:
    """CPU seconds of one file, medians over the rounds."""

    format: str
    seconds: float
    cpu_s: dict[str, float]
    """By phase, `FLAVORS` among them, and `BARE`, `RESAMPLER` and `WITHOUT_LOUDNESS`."""
    decodes: int
    """How often the phases decoded the file."""

    @property
    def bare_s(self) -> float:
        """CPU of one bare decode."""
        return self.cpu_s[BARE]

    @property
    def loudness_s(self) -> float:
        """CPU that measuring the loudness adds to the decode."""
        return self.cpu_s[SEGMENTS] - self.cpu_s[WITHOUT_LOUDNESS]

    @property
    def phases_s(self) -> float:
        """CPU of all phases but flavors together, without loudness."""
        return sum(self.cpu_s[phase] for phase in PHASES) - self.loudness_s

    @property
    def flavors_s(self) -> float:
        """CPU of flavors."""
        return self.cpu_s[FLAVORS]


def measure_costs(files: Sequence[MusicFile], workers: int, rounds: int, scratch: Path) -> list[FileCost]:
    """Measure each file `rounds` times.

    The decode goes first in one round and last in the next, so that warm caches favour neither.
    """
    jobs = [(file, number) for number in range(rounds) for file in files]
    with _pool(workers, files[0]) as pool:
        done = list(pool.map(partial(_measure, scratch), *zip(*jobs, strict=True)))
    return [_medians(file, done[index :: len(files)]) for index, file in enumerate(files)]


def bare_pass(files: Sequence[MusicFile], workers: int) -> float:
    """Decode all files once in worker processes; return the wall seconds, start of the processes left out."""
    with _pool(workers, files[0]) as pool:
        list(pool.map(_warm_up, [files[0].path] * workers))
        started = time.perf_counter()
        list(pool.map(decode_bare, [file.path for file in files]))
        return time.perf_counter() - started


def _pool(workers: int, first: MusicFile) -> ProcessPoolExecutor:
    """Start processes like those that import files."""
    os.environ.update({**ONE_THREAD, **KEPT_MEMORY})
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_warm_up, initargs=(first.path,))


def _warm_up(path: Path) -> None:
    decode_bare(path)
    time.sleep(0.2)  # long enough that each worker takes one of these tasks


def _medians(file: MusicFile, measured: Sequence[tuple[dict[str, float], float, int]]) -> FileCost:
    names = measured[0][0]
    cpu_s = {name: median(cpu[name] for cpu, _, _ in measured) for name in names}
    return FileCost(file.format, measured[0][1], cpu_s, max(decodes for _, _, decodes in measured))


def _measure(scratch: Path, file: MusicFile, number: int) -> tuple[dict[str, float], float, int]:
    """Return CPU seconds by name, the file's length in seconds, and how often the phases decoded it."""
    cpu_s: dict[str, float] = {}
    pcm = PcmStore(scratch, _PCM_BYTES)
    samples = _run_decodes(cpu_s, file, pcm) if number % 2 == 0 else 0
    with _counting_decodes() as decoded:
        _run_phases(cpu_s, file, pcm)
    if number % 2:
        samples = _run_decodes(cpu_s, file, pcm)
    return cpu_s, samples / RATE_HZ, len(decoded)


def _run_decodes(cpu_s: dict[str, float], file: MusicFile, pcm: PcmStore) -> int:
    """Measure what the phases are compared with: bare decodes, and the decode of `SEGMENTS` without loudness."""
    samples: int = _timed(cpu_s, BARE, decode_bare, file.path)
    _timed(cpu_s, RESAMPLER, decode_with_resampler, file.path)
    expected = ExpectedContent.of(_identify(file.path, file.relative), is_just_hashed=True)
    with without_loudness():
        _timed(cpu_s, WITHOUT_LOUDNESS, segment_file, file.path, file.relative, expected, pcm, _DEFAULTS.segmentation)
    pcm.forget(expected.content_hash)
    return samples


def _run_phases(cpu_s: dict[str, float], file: MusicFile, pcm: PcmStore) -> None:
    settings, path, name = _DEFAULTS, file.path, file.relative
    identity = _timed(cpu_s, IDENTITY, _identify, path, name)
    tags = _timed(cpu_s, TAGS, read_tags, path)
    expected = ExpectedContent.of(identity, is_just_hashed=True)
    segments = _timed(cpu_s, SEGMENTS, segment_file, path, name, expected, pcm, settings.segmentation)
    prints = _timed(cpu_s, FINGERPRINTS, fingerprint_file, path, name, expected, pcm, segments)
    matches = _timed(cpu_s, MATCHES, _match, tags, segments, prints)
    spans = tuple(match.span for match in matches.passages)
    _timed(
        cpu_s,
        LEAD_POINTS,
        lambda: [find_lead_points(segments.envelope, span, settings.lead_points) for span in spans],
    )
    _timed(cpu_s, FLAVORS, measure_flavors, path, name, expected, pcm, segments, spans)
    pcm.forget(identity.content_hash)


def _match(tags: FileTags, segments: PassageSegments, prints: Fingerprints) -> SongMatches:
    """Match as without a key, because services cost none of our CPU time."""
    return match_passages(tags, segments, NoRecordingLookup("benchmark").look_up(tags, segments, prints), {})


def _identify(path: Path, name: str) -> FileIdentity:
    stat = look_at(path.parent, path.name)
    return FileIdentity(FileState.NEW, hash_file(path, name), stat.size_bytes, stat.modified_at)


def _timed(cpu_s: dict[str, float], name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    started = time.process_time()
    value = function(*arguments)
    cpu_s[name] = time.process_time() - started
    return value


@contextmanager
def _counting_decodes() -> Iterator[list[object]]:
    """Count the decodes of the block."""
    decoded: list[object] = []
    original = worker_tasks.measure_file

    def counted(path: Path, **options: Any) -> Any:
        decoded.append(path)
        return original(path, **options)

    worker_tasks.measure_file = counted
    try:
        yield decoded
    finally:
        worker_tasks.measure_file = original
