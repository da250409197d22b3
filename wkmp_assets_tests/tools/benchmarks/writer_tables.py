"""The costs of both writers' locks, compared. Every sentence is made from the figures."""

from collections.abc import Callable, Iterable, Sequence
from statistics import mean, median

from wkmp_assets.report.text import percentile
from wkmp_assets_tests.tools.benchmarks.budgets import budgets, judged
from wkmp_assets_tests.tools.benchmarks.markdown import Table
from wkmp_assets_tests.tools.benchmarks.writer_figures import Cell, FileFigures, Pair, Series, WriterResults

_FIGURES: Sequence[tuple[str, Callable[[Series], float], str]] = (
    ("write locks per file", lambda series: _mean(file.locks for file in series.complete), "{:.2f}"),
    ("write statements per file", lambda series: _mean(file.writes for file in series.complete), "{:.1f}"),
    ("reads inside a transaction, per file", lambda series: _mean(f.reads_in_transaction for f in series.complete), "{:.1f}"),  # noqa: E501
    ("attempts that met a lock", lambda series: _sum(series, "refused"), "{:.0f}"),
    ("retries", lambda series: _sum(series, "retries"), "{:.0f}"),
    ("operations that failed in the end", lambda series: _sum(series, "failed_operations"), "{:.0f}"),
    ("files left incomplete", lambda series: len(series.files) - len(series.complete), "{:.0f}"),
    ("waited for a lock, p50, ms", lambda series: _rank(series.waits_ms, 50), "{:.2f}"),
    ("- p99", lambda series: _rank(series.waits_ms, 99), "{:.1f}"),
    ("- longest", lambda series: max(series.waits_ms, default=0), "{:.1f}"),
    ("lock held, p50, ms", lambda series: _rank(series.holds_ms, 50), "{:.2f}"),
    ("- p99", lambda series: _rank(series.holds_ms, 99), "{:.1f}"),
    ("- longest", lambda series: max(series.holds_ms, default=0), "{:.1f}"),
    ("waited per file, all its locks, mean, ms", lambda series: _mean(sum(f.waits_ms) for f in series.files), "{:.1f}"),
    ("locks held per file, mean, ms", lambda series: _mean(sum(f.holds_ms) for f in series.files), "{:.2f}"),
    ("complete files per second", lambda series: median(series.rates), "{:.1f}"),
)  # fmt: skip


def budget_table(results: WriterResults) -> Table:
    """Judge the batch writer, as the package uses it, in all of its cells."""
    pairs = list(results.shipped())
    files = [file for pair in pairs for file in pair.batch.files]
    many = max(pair.cell.processes for pair in pairs)
    rows = [
        judged(f"write locks per file, {_passages(size)}, highest", max(_locks(pairs, size)), 1, 1, "{:.0f}")
        for size in sorted({pair.cell.passages for pair in pairs})
    ]
    rows.append(_none("reads inside a transaction, all files", files, "reads_in_transaction"))
    rows += [
        judged(
            f"lock held, {_name(pair.cell)}, p99, ms", _rank(pair.batch.holds_ms, 99), 10, 10, "{:.1f}"
        )
        for pair in pairs
        if pair.cell.passages > 1
    ]  # fmt: skip
    rows += [
        judged(f"waited for the lock, {_name(pair.cell)}, longest, ms", max(pair.batch.waits_ms), 100, 60, "{:.1f}")
        for pair in pairs
        if pair.cell.processes == many
    ]
    rows.append(_none("attempts that met a lock", files, "refused"))
    rows.append(_none("retries", files, "retries"))
    rows.append(_none("operations that failed", files, "failed_operations"))
    return budgets(rows)


def cell_tables(results: WriterResults) -> list[Table]:
    """Compare both writers, one table for each number of passages and processes, FULL beside NORMAL."""
    full = {_without_synchronous(pair.cell): pair for pair in results.pairs if pair.cell.synchronous == "FULL"}
    return [_cell_table(pair, full.get(_without_synchronous(pair.cell))) for pair in results.shipped()]


def meaning(results: WriterResults) -> str:
    """Say what the figures mean for an import."""
    pairs = [pair for pair in results.shipped() if not pair.cell.pause_s]
    calm = min(pairs, key=lambda pair: (pair.cell.processes, pair.cell.passages))
    busy = max(pairs, key=lambda pair: (pair.cell.processes, pair.cell.passages))
    old_ms, new_ms = (1000 / median(series.rates) for series in (calm.unbatched, calm.batch))
    held_ms = _mean(sum(file.holds_ms) for file in calm.batch.files)
    said = (
        f"For an import: reading, planning and writing a file with {_passages(calm.cell.passages)} takes {new_ms:.1f} "
        f"ms while nobody else writes, unbatched {old_ms:.1f} ms."
    )
    if results.import_s is not None:
        import_ms = 1000 * results.import_s
        said += (
            f" An import takes {import_ms:.0f} ms of wall clock per file, decoding included, and writing is "
            f"{new_ms / import_ms:.1%} of it, unbatched {old_ms / import_ms:.1%}. So batching alone changes the length "
            f"of a lone import by {(new_ms - old_ms) / import_ms:+.1%}. The lock is held {held_ms / import_ms:.2%} of "
            f"the time: {import_ms / held_ms:.0f} such imports at once would keep it busy."
        )
    lost = [len(series.files) - len(series.complete) for series in (busy.unbatched, busy.batch)]
    return (
        f"{said} In company ({_name(busy.cell)}), {lost[0]} of {len(busy.unbatched.files)} files stayed incomplete "
        f"unbatched, {lost[1]} of {len(busy.batch.files)} batched."
    )


def introduction(results: WriterResults, command: str) -> list[str]:
    """Return the paragraphs before the tables."""
    what = (
        f"`{command}` (`make bench-writer`) writes this page. Every figure comes from that one run: {results.rounds} "
        f"rounds of {results.files} files, in which both writers take turns. Do not edit the page: run the command "
        "again."
    )
    writers = (
        "*Batch* is what the package does: `FileCommitter`, with its reads, its gate and its one transaction per file. "
        "*Unbatched* writes the same rows in 8 to 77 transactions per file, with the connection settings and retries "
        "of [the reference writer](../origins.md#the-unbatched-writer). A test compares the two "
        "databases row by row."
    )
    modes = (
        "All processes start at the same moment, each with files of its own, on one database on one disk. *Without a "
        "break*, every process writes one file after the other, which no import does. The best that a fair queue can "
        "give then is a wait for the holds of all other processes in a row. *Paused*, every process pauses before each "
        "file, for a random time with the given mean."
    )
    words = (
        "*Waited* is the time from wanting a lock to having it or giving it up, with one figure for every lock. *Held* "
        "is the time from having it to the end of COMMIT, also of the automatic COMMIT of a lone statement. Unbatched, "
        "checkpoints happen inside COMMIT. The batch writer makes them after COMMIT, when it has opened the gate. When "
        "the log is long, it makes them before that, and then they count as waits of the others. Ratios are unbatched "
        "/ batch. FULL is `PRAGMA synchronous=FULL`, an fsync with every commit. The package uses NORMAL."
    )
    return [what, writers, modes, words, meaning(results)]


def _cell_table(normal: Pair, full: Pair | None) -> Table:
    sides = [normal] if full is None else [normal, full]
    rows = [
        (name, *[text for side in sides for text in _compared(figure, side, form)]) for name, figure, form in _FIGURES
    ]
    columns = ["", "unbatched", "batch", "ratio"]
    if full is not None:
        columns += ["FULL: unbatched", "FULL: batch", "FULL: ratio"]
    name = _name(normal.cell)
    return Table(name[0].upper() + name[1:], columns, rows, _reading(normal))


def _compared(figure: Callable[[Series], float], pair: Pair, form: str) -> tuple[str, str, str]:
    old, new = figure(pair.unbatched), figure(pair.batch)
    return form.format(old), form.format(new), f"{old / new:.2f}" if new else "-"


def _reading(pair: Pair) -> str:
    old, new = pair.unbatched, pair.batch
    locks = [_mean(file.locks for file in series.complete) for series in (old, new)]
    rate = median(new.rates) / median(old.rates) if median(old.rates) else float("inf")
    lost = len(old.files) - len(old.complete)
    return (
        f"{locks[0]:.4g} locks per file against {locks[1]:.4g}, and {rate:.2f} times as many files per second. "
        f"Unbatched, {_sum(old, 'refused')} attempts met a lock and {lost} of {len(old.files)} files stayed "
        f"incomplete; batched, {_sum(new, 'refused')} and {len(new.files) - len(new.complete)} of {len(new.files)}."
    )


def _name(cell: Cell) -> str:
    processes = "1 process" if cell.processes == 1 else f"{cell.processes} processes"
    pace = f"paused {1000 * cell.pause_s:.0f} ms" if cell.pause_s else "without a break"
    return f"{_passages(cell.passages)}, {processes}, {pace}"


def _passages(count: int) -> str:
    return "1 passage" if count == 1 else f"{count} passages"


def _without_synchronous(cell: Cell) -> tuple[int, int, float]:
    return cell.passages, cell.processes, cell.pause_s


def _locks(pairs: Iterable[Pair], passages: int) -> list[int]:
    return [file.locks for pair in pairs if pair.cell.passages == passages for file in pair.batch.files]


def _none(name: str, files: Sequence[FileFigures], field: str) -> tuple[str, ...]:
    return judged(name, sum(getattr(file, field) for file in files), 0, 0, "{:.0f}")


def _sum(series: Series, field: str) -> int:
    return sum(getattr(file, field) for file in series.files)


def _rank(values: Sequence[float], percent: float) -> float:
    """Return a percentile; 0 when there is nothing, which happens when every file was given up."""
    return percentile(values, percent) if values else 0.0


def _mean(values: Iterable[float]) -> float:
    """Return the mean; 0 when there is nothing, for the same reason."""
    listed = list(values)
    return mean(listed) if listed else 0.0
