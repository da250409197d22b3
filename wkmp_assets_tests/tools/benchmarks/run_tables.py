"""The costs of Dagster, its storage and the library's commits. Every sentence is made from the figures."""

from collections.abc import Callable, Sequence
from statistics import median

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.report.text import percentile
from wkmp_assets_tests.tools.benchmarks.event_clock import Spent
from wkmp_assets_tests.tools.benchmarks.import_run import Import, Measured, decodes
from wkmp_assets_tests.tools.benchmarks.markdown import Table
from wkmp_assets_tests.tools.benchmarks.results import Results, add_up, milliseconds, reads_in_transactions


def orchestration_table(results: Results) -> Table:
    """Split the runs' time by what the main process was doing."""
    first, rerun = results.library.first, results.library.rerun
    names: list[tuple[str, Callable[[Import], Spent]]] = [
        ("asset functions, waiting for workers included", lambda seen: add_up(seen.breakdown.computing.values())),
        ("Dagster's storage: events", lambda seen: seen.breakdown.recording),
        (
            "phase values written",
            lambda seen: add_up(spent for step, spent in seen.breakdown.storing.items() if step != ENTRY),
        ),
        ("commits to the library", lambda seen: seen.breakdown.storing[ENTRY]),
        ("phase values read", lambda seen: add_up(seen.breakdown.loading.values())),
    ]
    rows = [(name, *_per_file(first, part(first)), *_per_file(rerun, part(rerun))) for name, part in names]
    rest = [_rest(seen, [part(seen) for _, part in names]) for seen in (first, rerun)]
    rows.append(("the rest of Dagster", *_per_file(first, rest[0]), *_per_file(rerun, rest[1])))
    rows.append(("orchestration: all but the asset functions", *_orchestration(first), *_orchestration(rerun)))
    events = first.breakdown.events / first.files
    recording = first.breakdown.recording.wall_s / (first.runs_s - first.computing_s)
    reading = (
        f"Orchestration takes {1000 * first.orchestration_s:.0f} ms of wall time per file in the first import. "
        f"Dagster's storage takes {recording:.0%} of that, with {events:.1f} events per file."
    )
    columns = (
        "per file, main process",
        "first import: wall ms",
        "CPU ms",
        "job over unchanged files: wall ms",
        "CPU ms",
    )
    return Table("Orchestration in range runs", columns, rows, reading)


def storage_table(results: Results) -> Table:
    """Compare this project's event storage with Dagster's."""
    rows, ratios = [], []
    kinds: list[tuple[str, Callable[[Measured], float]]] = [
        ("first import: orchestration, wall ms per file", lambda measured: measured.first.orchestration_s),
        (
            "- of that in Dagster's storage",
            lambda measured: measured.first.breakdown.recording.wall_s / measured.first.files,
        ),
        ("- CPU of the main process, ms per file", lambda measured: measured.first.main_cpu_s / measured.first.files),
        ("job over unchanged files: orchestration, wall ms per file", lambda measured: measured.rerun.orchestration_s),
    ]
    for name, figure in kinds:
        own, plain = ([figure(measured) for measured in side] for side in (results.own, results.plain))
        ratios.append(median(plain) / median(own))
        rows.append((name, _spread(plain), _spread(own), f"{ratios[-1]:.2f}"))
    reading = (
        f"With Dagster's own class, orchestration takes {ratios[0]:.1f} times as long. Both classes import "
        f"{results.own[0].first.files} short files (the sample library) in one range run, {len(results.own)} times "
        "each, taking turns. Figures are medians, with the lowest and highest in brackets."
    )
    columns = ("", "Dagster's class", "KeptOpenSqliteStorage", "ratio")
    return Table(
        "Event storage: Dagster's class and wkmp_assets/orchestration/instance/event_log.py", columns, rows, reading
    )


def lock_table(results: Results) -> Table:
    """Write locks, as SQLite reported them in the receipts."""
    receipts = results.library.first.receipts
    kinds = [
        ("write locks per file", [float(receipt.write_locks) for receipt in receipts], "{:.0f}"),
        ("lock held, ms", [receipt.hold_ms for receipt in receipts], "{:.2f}"),
        ("waited for the lock, ms", [receipt.wait_ms for receipt in receipts], "{:.2f}"),
        ("statements in the transaction", [float(receipt.statements) for receipt in receipts], "{:.0f}"),
    ]
    rows = [
        (name, *[form.format(value) for value in (percentile(values, 50), percentile(values, 99), max(values))])
        for name, values, form in kinds
    ]
    locks = sum(receipt.write_locks for receipt in receipts)
    reading = (
        f"{locks} write locks for {len(receipts)} files, {locks / len(receipts):.2f} per file. "
        f"{reads_in_transactions(results.library.first)} reads inside transactions, "
        f"{sum(receipt.retries for receipt in receipts)} retries. No other process had the library open."
    )
    return Table("Write locks", ("", "p50", "p99", "highest"), rows, reading)


def again_table(results: Results) -> Table:
    """What importing an unchanged library costs."""
    first = results.library.first
    sides = [
        ("second import, as `wkmp import` does it", results.library.again),
        ("the import job over unchanged files", results.library.rerun),
    ]
    rows = [
        (
            name,
            f"{seen.scan_s + seen.runs_s:.2f}",
            f"{1000 * seen.scan_computing_s:.1f}",
            f"{1000 * (seen.scan_s + seen.runs_s) / first.files:.2f}",
            str(decodes(seen)),
            str(sum(seen.tasks.values())),
            str(len(seen.receipts)),
            "yes" if seen.database_unchanged else "NO",
        )
        for name, seen in sides
    ]
    again = results.library.again
    reading = (
        f"A second import is one scan of the folder. It takes {again.scan_s:.3f} s for {first.files} files: "
        f"{again.scan_computing_s:.3f} s to look at the folder, the rest for one Dagster run. The second row is what "
        "materializing everything in the web UI costs. The start of the process is left out."
    )
    columns = (
        "",
        "wall s",
        "of that in the scan's function, ms",
        "ms per file",
        "decoded",
        "sent to a worker",
        "writes",
        "database bytes unchanged",
    )
    return Table("Unchanged library", columns, rows, reading)


def _rest(seen: Import, parts: Sequence[Spent]) -> Spent:
    known = add_up(parts)
    return Spent(seen.runs_s - known.wall_s, seen.main_cpu_s - known.cpu_s)


def _orchestration(seen: Import) -> tuple[str, str]:
    return _per_file(seen, _rest(seen, [add_up(seen.breakdown.computing.values())]))


def _per_file(seen: Import, spent: Spent) -> tuple[str, str]:
    return milliseconds(spent.wall_s / seen.files), milliseconds(spent.cpu_s / seen.files)


def _spread(values: Sequence[float]) -> str:
    return f"{milliseconds(median(values))} ({milliseconds(min(values))} - {milliseconds(max(values))})"
