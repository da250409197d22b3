"""Score `find_passages` with one pair of settings, on files with known passages. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import numpy as np

from wkmp_assets.audio.silence import find_passages
from wkmp_assets.model import ticks
from wkmp_assets.model.values import Envelope, Span

MAX_ERROR_MS = 100.0
SINGLES_SHARE = 0.98


@dataclass(frozen=True)
class Heard:
    """One decoded file and what is known of it."""

    relative: str
    kind: str
    gaps_s: tuple[tuple[float, float], ...]
    envelope: Envelope


@dataclass(frozen=True)
class Split:
    """A cut in a single-track file."""

    relative: str
    start_s: float
    end_s: float
    file_s: float
    level_db: float
    """RMS of the whole gap, dB below full scale as a negative number."""


@dataclass
class Score:
    """One cell of the grid."""

    threshold_db: float
    min_silence_s: float
    singles: int = 0
    whole: int = 0
    """Singles that stay one passage."""
    lost: int = 0
    """Singles without any passage."""
    gaps: int = 0
    found: int = 0
    """Planted gaps with a cut in them."""
    exact: int = 0
    """Of those, with both edges within 100 ms."""
    errors_ms: list[float] = field(default_factory=list)
    """Of both edges of every found gap."""
    extra_cuts: int = 0
    """Cuts in multi-track files where no gap was planted."""
    splits: list[Split] = field(default_factory=list)

    @property
    def whole_share(self) -> float:
        """Share of singles that stay one passage."""
        return self.whole / self.singles

    @property
    def keeps_targets(self) -> bool:
        """Whether both targets are met."""
        return self.whole_share >= SINGLES_SHARE and self.exact == self.gaps

    @property
    def largest_error_ms(self) -> float | None:
        """Largest error of an edge; None when no gap was found."""
        return max(self.errors_ms, default=None)

    @property
    def median_error_ms(self) -> float | None:
        """Median error of an edge; None when no gap was found."""
        return median(self.errors_ms) if self.errors_ms else None


def score(files: Sequence[Heard], threshold_db: float, min_silence_s: float, min_passage_ticks: int) -> Score:
    """Judge one pair of settings."""
    result = Score(threshold_db, min_silence_s)
    for file in files:
        passages = find_passages(
            file.envelope,
            silence_threshold_db=threshold_db,
            min_silence_ticks=round(min_silence_s * ticks.TICKS_PER_SECOND),
            min_passage_ticks=min_passage_ticks,
        )
        if file.kind == "multi":
            _judge_gaps(result, file, passages)
        else:
            _judge_single(result, file, passages)
    return result


def _judge_single(result: Score, file: Heard, passages: Sequence[Span]) -> None:
    result.singles += 1
    result.whole += len(passages) == 1
    result.lost += not passages
    rate = file.envelope.sample_rate_hz
    file_s = file.envelope.total_samples / rate
    for start, end in _cuts(passages):
        result.splits.append(
            Split(file.relative, start / rate, end / rate, file_s, _level_db(file.envelope, start, end))
        )


def _judge_gaps(result: Score, file: Heard, passages: Sequence[Span]) -> None:
    rate = file.envelope.sample_rate_hz
    cuts = [(start / rate, end / rate) for start, end in _cuts(passages)]
    found = [gap for gap in file.gaps_s if any(start < gap[1] and end > gap[0] for start, end in cuts)]
    result.gaps += len(file.gaps_s)
    result.found += len(found)
    result.extra_cuts += len(cuts) - len(found)
    for gap_start, gap_end in found:
        errors_ms = [
            1000 * min(abs(start - gap_start) for start, _ in cuts),
            1000 * min(abs(end - gap_end) for _, end in cuts),
        ]
        result.errors_ms += errors_ms
        result.exact += max(errors_ms) <= MAX_ERROR_MS


def _cuts(passages: Sequence[Span]) -> list[tuple[int, int]]:
    """Return end and start of neighbouring passages, in samples."""
    return [(one.end_sample, other.start_sample) for one, other in pairwise(passages)]


def _level_db(envelope: Envelope, start: int, end: int) -> float:
    hop = envelope.hop_samples
    power = float(np.mean(envelope.mean_square[start // hop : max(end // hop, start // hop + 1)]))
    return 10 * float(np.log10(max(power, 1e-15)))
