"""Compare measurements with budgets; the verdict can be red."""

from collections.abc import Sequence

from wkmp_assets_tests.tools.benchmarks.markdown import Table

MISSED = "MISSED"
_SHORT = "short of the aim"


def judged(name: str, value: float, budget: float | None, aim: float, form: str) -> tuple[str, ...]:
    """Return one row of the table of budgets."""
    missed = _SHORT if budget is None or value <= budget else MISSED
    verdict = "within the aim" if value <= aim else missed
    share = f"{value / budget:.2f}" if budget else "-"
    return name, "-" if budget is None else f"{budget:g}", f"{aim:g}", form.format(value), share, verdict


def budgets(rows: Sequence[tuple[str, ...]]) -> Table:
    """Tabulate rows made by `judged`."""
    missed = [row[0] for row in rows if row[-1] == MISSED]
    unaimed = [row[0] for row in rows if row[-1] == _SHORT]
    reading = f"Budgets missed: {'; '.join(missed) or 'none'}. Short of the aim only: {'; '.join(unaimed) or 'none'}."
    return Table("Budgets", ("what", "budget", "aim", "measured", "measured / budget", "verdict"), rows, reading)
