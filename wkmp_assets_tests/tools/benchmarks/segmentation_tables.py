"""The results of `segmentation_benchmark`, as tables and sentences made from the figures."""

from collections.abc import Sequence

from wkmp_assets_tests.tools.benchmarks.markdown import Table
from wkmp_assets_tests.tools.benchmarks.segmentation_scores import MAX_ERROR_MS, SINGLES_SHARE, Heard, Score, Split

Cell = tuple[float, float]


def introduction(heard: Sequence[Heard], scores: Sequence[Score], default: Cell, module: str) -> list[str]:
    """Say what was measured, on what, and what it does not show."""
    multi = [file for file in heard if file.kind == "multi"]
    gaps = [end - start for file in multi for start, end in file.gaps_s]
    singles = [file for file in heard if file.kind != "multi"]
    minutes = sum(file.envelope.total_samples / file.envelope.sample_rate_hz for file in heard) / 60
    return [
        (
            f"`python -m {module}` writes this page. Every figure comes from that one run. Do not edit the page: run "
            "the command again."
        ),
        (
            "**This is the music that served to choose the settings**, so its figures are better than those of other "
            "music. [How files are cut](segmentation.md) has figures on music that nothing was chosen on."
        ),
        (
            "A window of 100 ms is silent when its RMS is below the threshold (dB below full scale). A silence of at "
            "least the shortest length separates two passages (`wkmp_assets/audio/silence.py`). Each pair of settings "
            f"was tried on the envelopes of {len(heard)} files, {minutes:.0f} minutes of real music. {len(singles)} "
            f"files are whole single tracks. {len(multi)} files hold several tracks, with {len(gaps)} gaps of digital "
            f"silence ({min(gaps):.2f} to {max(gaps):.2f} s) planted between them before encoding."
        ),
        (
            f"**Targets:** at least {SINGLES_SHARE:.0%} of the single tracks stay one passage, and every planted gap "
            f"is found, with both edges within {MAX_ERROR_MS:.0f} ms."
        ),
        (
            "**What this does not show:** the gaps lie between excerpts that sound up to their ends, so finding them "
            "is the optimistic case. They are digital silence, so a low threshold costs nothing here."
        ),
        (
            f"**The default** is {default[0]:g} dB and {default[1]:g} s (`wkmp_assets/db/read/library_settings.py`). "
            f"{_why(scores, default)}"
        ),
    ]


def result_tables(scores: Sequence[Score], default: Cell) -> list[Table]:
    """Tabulate the grid and the splits at the default."""
    chosen = _chosen(scores, default)
    louder = _neighbour(scores, chosen, 1)
    return [
        _grid_table(scores, default),
        _split_table(chosen, "the default"),
        *([_split_table(louder, "the next louder threshold")] if louder else []),
    ]


def _neighbour(scores: Sequence[Score], chosen: Score, direction: int) -> Score | None:
    """Return the cell one threshold louder (1) or quieter (-1) with the same shortest silence, if there is one."""
    column = [cell for cell in scores if cell.min_silence_s == chosen.min_silence_s]
    beyond = [cell for cell in column if (chosen.threshold_db - cell.threshold_db) * direction > 0]
    return min(beyond, key=lambda cell: abs(chosen.threshold_db - cell.threshold_db), default=None)


def _chosen(scores: Sequence[Score], default: Cell) -> Score:
    return next(cell for cell in scores if (cell.threshold_db, cell.min_silence_s) == default)


def _why(scores: Sequence[Score], default: Cell) -> str:
    chosen = _chosen(scores, default)
    keeping = [cell for cell in scores if cell.keeps_targets]
    verdict = (
        f"It {'meets' if chosen.keeps_targets else '**misses**'} the targets: {_percent(chosen.whole_share)} of the "
        f"singles stay whole, {chosen.exact} of {chosen.gaps} gaps are found within {MAX_ERROR_MS:.0f} ms."
    )
    beside = [cell for cell in (_neighbour(scores, chosen, 1), _neighbour(scores, chosen, -1)) if cell]
    margins = "; ".join(
        f"at {_name(cell)}, {cell.whole} of {cell.singles} singles stay whole and {cell.exact} of {cell.gaps} gaps are "
        "found in time"
        for cell in beside
    )
    others = ", ".join(_name(cell) for cell in keeping if cell is not chosen) or "none"
    better = [cell for cell in scores if _is_better(cell, chosen)]
    compared = (
        "Better in one respect and worse in none (singles whole, gaps found in time, extra cuts): "
        f"{', '.join(map(_name, better))}."
        if better
        else "No other pair is better in one respect (singles whole, gaps found in time, extra cuts) and worse in none."
    )
    return (
        f"{verdict} The largest error of an edge is {_error(chosen.largest_error_ms)} ms. Its neighbours: {margins}. "
        f"Other pairs that meet the targets: {others}. {compared}"
    )


def _is_better(cell: Score, than: Score) -> bool:
    ours, theirs = ((one.whole, one.exact, -one.extra_cuts) for one in (cell, than))
    return ours != theirs and all(mine >= other for mine, other in zip(ours, theirs, strict=True))


def _grid_table(scores: Sequence[Score], default: Cell) -> Table:
    rows = []
    for cell in scores:
        mark = " **default**" if (cell.threshold_db, cell.min_silence_s) == default else ""
        rows.append(
            (
                f"{cell.threshold_db:g} dB, {cell.min_silence_s:g} s{mark}",
                f"{_percent(cell.whole_share)} ({cell.singles - cell.whole} split or lost)",
                f"{_percent(cell.found / cell.gaps)} ({cell.found}/{cell.gaps})",
                f"{cell.exact}/{cell.gaps}",
                _error(cell.largest_error_ms),
                _error(cell.median_error_ms),
                str(cell.extra_cuts),
                "yes" if cell.keeps_targets else "no",
            )
        )
    keeping = [cell for cell in scores if cell.keeps_targets]
    reading = f"{len(keeping)} of {len(scores)} pairs meet both targets."
    columns = (
        "threshold, shortest silence",
        "singles whole",
        "gaps found",
        "within 100 ms",
        "largest error, ms",
        "median error, ms",
        "extra cuts in multi-track files",
        "targets met",
    )
    return Table("The grid", columns, rows, reading)


def _split_table(chosen: Score, which: str) -> Table:
    rows = [_split_row(split) for split in chosen.splits]
    files = len({split.relative for split in chosen.splits})
    reading = (
        f"{files} of {chosen.singles} single tracks are cut at {which}, and {chosen.lost} have no passage at all."
        f"{' To judge, listen at the time given.' if rows else ''}"
    )
    columns = ("file", "gap starts at", "length, s", "level of the gap, dB", "music after it, s")
    return Table(f"Single tracks cut at {which} ({_name(chosen)})", columns, rows, reading)


def _split_row(split: Split) -> tuple[str, ...]:
    minutes, seconds = divmod(split.start_s, 60)
    return (
        split.relative,
        f"{minutes:.0f}:{seconds:05.2f}",
        f"{split.end_s - split.start_s:.2f}",
        f"{split.level_db:.0f}",
        f"{split.file_s - split.end_s:.1f}",
    )


def _name(cell: Score) -> str:
    return f"{cell.threshold_db:g} dB / {cell.min_silence_s:g} s"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _error(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.1f}"
