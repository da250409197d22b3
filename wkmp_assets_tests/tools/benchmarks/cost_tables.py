"""The costs of an import, compared with the budgets. Every sentence is made from the figures."""

from collections.abc import Sequence
from statistics import median

from wkmp_assets.model.phases import FLAVORS
from wkmp_assets.report.text import percentile
from wkmp_assets_tests.tools.benchmarks.budgets import budgets, judged
from wkmp_assets_tests.tools.benchmarks.file_costs import BARE, PHASES, RESAMPLER, WITHOUT_LOUDNESS, FileCost
from wkmp_assets_tests.tools.benchmarks.import_run import decodes
from wkmp_assets_tests.tools.benchmarks.markdown import Table
from wkmp_assets_tests.tools.benchmarks.results import Results, milliseconds, reads_in_transactions

MAX_PHASES, AIM_PHASES = 1.30, 1.20
MAX_LOUDNESS, AIM_LOUDNESS = 0.50, 0.25
MAX_FLAVORS, AIM_FLAVORS = 0.50, 0.35
MAX_WALL, AIM_WALL = 1.6, 1.4
_FORM = "{:.2f}"


def budget_table(results: Results) -> Table:
    """Compare with the budgets."""
    first, again = results.library.first, results.library.again
    locks = [receipt.write_locks for receipt in first.receipts]
    holds = [receipt.hold_ms for receipt in first.receipts]
    phases, loudness, flavors = results.ratio(), _loudness_ratio(results.costs), _flavor_ratio(results.costs)
    most = MAX_PHASES + MAX_LOUDNESS + MAX_FLAVORS * MAX_PHASES
    aim = AIM_PHASES + AIM_LOUDNESS + AIM_FLAVORS * AIM_PHASES
    rows = [
        judged("CPU of all phases but flavors and loudness / one bare decode", phases, MAX_PHASES, AIM_PHASES, _FORM),
        judged("CPU of loudness / one bare decode", loudness, MAX_LOUDNESS, AIM_LOUDNESS, _FORM),
        judged(
            "CPU of flavors, without loudness / all phases of the first row", flavors, MAX_FLAVORS, AIM_FLAVORS, _FORM
        ),
        judged("the same, highest of a file", max(_flavor_ratio([cost]) for cost in results.costs), 1, 1, _FORM),
        judged("CPU of all three together / one bare decode", phases + loudness + flavors * phases, most, aim, _FORM),
        judged("wall of the first import / wall of a bare decode", _wall_ratio(results), MAX_WALL, AIM_WALL, _FORM),
        judged(
            "the same, less the CPU of loudness and flavors (calculated)",
            _wall_ratio(results) - loudness - flavors * phases,
            MAX_WALL,
            AIM_WALL,
            _FORM,
        ),
        judged("orchestration per file in range runs, s", first.orchestration_s, 0.15, 0.08, "{:.3f}"),
        judged("peak memory of a worker, MB", max(results.library.worker_peaks_mb), 500, 300, "{:.0f}"),
        judged("decodes per file with content of its own", _decodes_per_file(results), 1, 1, "{:.2f}"),
        judged("write locks per file, highest", max(locks), 2, 1, "{:.0f}"),
        judged("write transaction held, p99, ms", percentile(holds, 99), 100, 10, "{:.1f}"),
        judged("reads inside a transaction, all files", reads_in_transactions(first), 0, 0, "{:.0f}"),
        judged("second import: files decoded", decodes(again), 0, 0, "{:.0f}"),
        judged("second import: writes", len(again.receipts), 0, 0, "{:.0f}"),
        judged("second import: ms per file", 1000 * again.scan_s / first.files, 0.5, 0.1, "{:.2f}"),
    ]
    return budgets(rows)


def format_table(results: Results) -> Table:
    """CPU per file, by format."""
    formats = sorted({cost.format for cost in results.costs})
    groups = [(name, [cost for cost in results.costs if cost.format == name]) for name in formats]
    rows = [_format_row(name, costs, results.ratio(costs)) for name, costs in [*groups, ("all", list(results.costs))]]
    ratios = {name: results.ratio(costs) for name, costs in groups}
    worst, best = max(ratios, key=lambda name: ratios[name]), min(ratios, key=lambda name: ratios[name])
    reading = (
        f"Everything but orchestration, loudness and flavors costs {results.ratio():.2f} times one bare decode. By "
        f"that measure, {worst} costs most ({ratios[worst]:.2f}) and {best} least ({ratios[best]:.2f}). Loudness adds "
        f"{_loudness_ratio(results.costs):.2f}: it belongs to flavors, and is measured in the decode. Its cost is the "
        "difference to the same decode without it. Ratios are ratios of sums. "
        f"Each file's figures are medians of {results.rounds} rounds, in which decode and phases take turns in one "
        "worker."
    )
    columns = (
        "format",
        "files",
        "median length, min",
        "bare decode, CPU ms",
        "all phases but flavors and loudness, CPU ms",
        "/ bare decode",
        "highest of a file",
        "loudness, CPU ms",
        "/ bare decode",
        "flavors, CPU ms",
        "/ all phases but loudness",
        "highest of a file",
    )
    return Table("CPU per file, by format (medians)", columns, rows, reading)


def phase_table(results: Results) -> Table:
    """CPU and wall time, by phase."""
    bare_s = sum(cost.bare_s for cost in results.costs)
    minutes = sum(cost.seconds for cost in results.costs) / 60
    steps = results.library.first.breakdown.computing
    rows = []
    for name in (BARE, RESAMPLER, *PHASES, WITHOUT_LOUDNESS, FLAVORS):
        cpu = [cost.cpu_s[name] for cost in results.costs]
        wall = f"{steps[name].wall_s:.2f}" if name in steps else "-"
        rows.append(
            (
                name,
                milliseconds(median(cpu)),
                milliseconds(max(cpu)),
                milliseconds(sum(cpu) / minutes),
                f"{sum(cpu) / bare_s:.3f}",
                wall,
            )
        )
    cpu_of = {name: sum(cost.cpu_s[name] for cost in results.costs) for name in (*PHASES, FLAVORS)}
    dearest = max(cpu_of, key=lambda name: cpu_of[name])
    share = cpu_of[dearest] / sum(cpu_of.values())
    reading = (
        f"{dearest} takes {share:.0%} of the phases' CPU. The last column is the wall time of the asset's function in "
        f"the import, with {results.workers} worker processes. The first phase that uses workers includes their start."
    )
    columns = (
        "phase",
        "CPU ms per file, median",
        "highest",
        "CPU ms per minute of audio",
        "/ bare decode",
        "wall s in the import",
    )
    return Table("CPU per file, by phase", columns, rows, reading)


def whole_table(results: Results) -> Table:
    """Compare the import as a whole with a bare decode of the library."""
    library, first = results.library, results.library.first
    bare_wall, bare_cpu = median(results.bare_walls_s), sum(cost.bare_s for cost in results.costs)
    cpu = first.main_cpu_s + library.worker_cpu_s
    wall = first.scan_s + first.runs_s
    sound_cpu = sum(cost.cpu_s[FLAVORS] + cost.loudness_s for cost in results.costs)
    rows = [
        ("bare decode of all files", f"{bare_wall:.1f}", f"{bare_cpu:.1f}", "1.00", "1.00"),
        ("first import", f"{wall:.1f}", f"{cpu:.1f}", f"{_wall_ratio(results):.2f}", f"{cpu / bare_cpu:.2f}"),
        (
            "- its worker processes, their start included",
            "-",
            f"{library.worker_cpu_s:.1f}",
            "-",
            f"{library.worker_cpu_s / bare_cpu:.2f}",
        ),
        ("- its main process", "-", f"{first.main_cpu_s:.1f}", "-", f"{first.main_cpu_s / bare_cpu:.2f}"),
    ]
    reading = (
        f"{first.files} files ({len(results.costs)} with content of their own), {first.passages} passages, in "
        f"{first.ranges} range runs with {results.workers} workers. Peak memory: main process "
        f"{library.main_peak_mb:.0f} MB, workers {_least_to_most(library.worker_peaks_mb)} MB. Python's resource "
        f"tracker counts among the workers. Flavors and loudness take {sound_cpu / bare_cpu:.2f} of a bare decode; all "
        f"else that an import does takes {(cpu - sound_cpu) / bare_cpu:.2f} of it."
    )
    return Table("The import as a whole", ("", "wall s", "CPU s", "wall / bare", "CPU / bare"), rows, reading)


def _wall_ratio(results: Results) -> float:
    first = results.library.first
    return (first.scan_s + first.runs_s) / median(results.bare_walls_s)


def _format_row(name: str, costs: Sequence[FileCost], ratio: float) -> tuple[str, ...]:
    return (
        name,
        str(len(costs)),
        f"{median(cost.seconds for cost in costs) / 60:.1f}",
        milliseconds(median(cost.bare_s for cost in costs)),
        milliseconds(median(cost.phases_s for cost in costs)),
        f"{ratio:.2f}",
        f"{max(cost.phases_s / cost.bare_s for cost in costs):.2f}",
        milliseconds(median(cost.loudness_s for cost in costs)),
        f"{_loudness_ratio(costs):.2f}",
        milliseconds(median(cost.flavors_s for cost in costs)),
        f"{_flavor_ratio(costs):.2f}",
        f"{max(_flavor_ratio([cost]) for cost in costs):.2f}",
    )


def _flavor_ratio(costs: Sequence[FileCost]) -> float:
    """Return what flavors cost, as a multiple of all other phases without loudness."""
    return sum(cost.flavors_s for cost in costs) / sum(cost.phases_s for cost in costs)


def _loudness_ratio(costs: Sequence[FileCost]) -> float:
    """Return what loudness costs, as a multiple of bare decodes."""
    return sum(cost.loudness_s for cost in costs) / sum(cost.bare_s for cost in costs)


def _decodes_per_file(results: Results) -> float:
    """Return the larger of two counts: decodes of a file by the phases here, files decoded in the import."""
    here = max(cost.decodes for cost in results.costs)
    return max(here, decodes(results.library.first) / len(results.costs))


def _least_to_most(values: Sequence[float]) -> str:
    return f"{min(values):.0f} to {max(values):.0f}"
