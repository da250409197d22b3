"""The measurements of one run of `import_benchmark`, and sums that several tables need."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wkmp_assets_tests.tools.benchmarks.event_clock import Spent
from wkmp_assets_tests.tools.benchmarks.file_costs import FileCost
from wkmp_assets_tests.tools.benchmarks.import_run import Import, Measured


@dataclass(frozen=True)
class Results:
    """Everything one run of the benchmark measured."""

    workers: int
    rounds: int
    costs: Sequence[FileCost]
    bare_walls_s: Sequence[float]
    """Wall time of a bare decode of the library, before and after the import."""
    library: Measured
    own: Sequence[Measured]
    """The sample library with this project's storage class."""
    plain: Sequence[Measured]
    """The same with Dagster's."""

    def ratio(self, costs: Sequence[FileCost] | None = None) -> float:
        """Return CPU of all phases but flavors and loudness over CPU of bare decodes."""
        costs = self.costs if costs is None else costs
        return sum(cost.phases_s for cost in costs) / sum(cost.bare_s for cost in costs)


def reads_in_transactions(seen: Import) -> int:
    """Count SELECTs that ran while the write lock was held."""
    return sum(receipt.selects_in_transaction for receipt in seen.receipts)


def add_up(parts: Iterable[Spent]) -> Spent:
    """Return the sum of intervals."""
    total = Spent()
    for part in parts:
        total.add(part.wall_s, part.cpu_s)
    return total


def milliseconds(seconds: float) -> str:
    """Return seconds as milliseconds with one decimal."""
    return f"{1000 * seconds:.1f}"
