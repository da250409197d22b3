"""The costs of a writer's locks, file by file, in the same form for both writers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from wkmp_assets.errors import LibraryLockedError
from wkmp_assets.model.batch import Receipt


@dataclass
class FileFigures:
    """Costs of writing one file."""

    is_complete: bool = False
    """False when the writer gave the file up."""
    locks: int = 0
    """Acquisitions of SQLite's write lock."""
    writes: int = 0
    """INSERT, UPDATE and DELETE statements, those that met a lock left out."""
    reads_in_transaction: int = 0
    refused: int = 0
    """Attempts that met a lock."""
    retries: int = 0
    failed_operations: int = 0
    """Operations given up because of a lock."""
    waits_ms: list[float] = field(default_factory=list)
    """For each lock wanted: until it was taken, or given up."""
    holds_ms: list[float] = field(default_factory=list)
    """For each lock taken: until the end of the COMMIT, the automatic one included."""


def of_receipt(receipt: Receipt) -> FileFigures:
    """Return the figures of a file that the batch writer wrote."""
    return FileFigures(
        is_complete=True,
        locks=receipt.write_locks,
        writes=receipt.statements - receipt.selects_in_transaction,
        reads_in_transaction=receipt.selects_in_transaction,
        refused=receipt.retries,
        retries=receipt.retries,
        waits_ms=[receipt.wait_ms],
        holds_ms=[receipt.hold_ms],
    )


def of_failure(error: LibraryLockedError) -> FileFigures:
    """Return the figures of a file that the batch writer gave up."""
    return FileFigures(
        refused=error.attempts, retries=error.attempts - 1, failed_operations=1, waits_ms=[error.waited_ms]
    )


@dataclass(frozen=True)
class Cell:
    """One combination that is measured with both writers."""

    passages: int
    """Per file."""
    processes: int
    synchronous: str = "NORMAL"
    """Or FULL, which the package does not use."""
    pause_s: float = 0.0
    """Mean pause of every process before each file, as if it had to listen to it first; else without a break."""


@dataclass
class Series:
    """Figures of one writer in one cell, over all rounds."""

    files: list[FileFigures] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    """Complete files per second, one figure per round."""

    @property
    def complete(self) -> list[FileFigures]:
        """The files that were written completely."""
        return [file for file in self.files if file.is_complete]

    @property
    def waits_ms(self) -> list[float]:
        """Every wait for the lock."""
        return [wait for file in self.files for wait in file.waits_ms]

    @property
    def holds_ms(self) -> list[float]:
        """Every time the lock was held."""
        return [hold for file in self.files for hold in file.holds_ms]


@dataclass(frozen=True)
class Pair:
    """Baseline and batch writer in one cell."""

    cell: Cell
    unbatched: Series = field(default_factory=Series)
    batch: Series = field(default_factory=Series)


@dataclass(frozen=True)
class WriterResults:
    """Everything one run of `writer_benchmark` measured."""

    files: int
    """Per run, of all processes together."""
    rounds: int
    pairs: Sequence[Pair]
    import_s: float | None = None
    """Wall time per file of a real import, decoding and all; None when it is not known."""

    def shipped(self) -> Iterable[Pair]:
        """Yield the cells with the setting that the package uses."""
        return (pair for pair in self.pairs if pair.cell.synchronous == "NORMAL")
