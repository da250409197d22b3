"""Write the library report: read the library and Dagster's records, and write one HTML file."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from dagster import DagsterInstance, RunsFilter

from wkmp_assets.db.read.counts import LibraryCounts, read_counts, read_failures
from wkmp_assets.db.read.file_warnings import read_warnings
from wkmp_assets.db.read.overview import read_overview
from wkmp_assets.db.write.receipt_list import ReceiptRow, make_receipt_list
from wkmp_assets.model.batch import Receipt
from wkmp_assets.model.file_key import storable_path
from wkmp_assets.orchestration.found_library import use_library
from wkmp_assets.orchestration.partitions import library_keys
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.report.commits import TimedReceipt
from wkmp_assets.report.figures import ReportFigures, compute_figures
from wkmp_assets.report.library_page import render_page
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.state_files import SHARED
from wkmp_assets.settings import Settings

_PORTION = 500


def write_report(settings: Settings, instance: DagsterInstance, output: Path) -> ReportFigures:
    """Write the report of a library, and beside it the list of receipts that `wkmp browse` shows.

    Parameters
    ----------
    settings : Settings
        Of the library.
    instance : DagsterInstance
        Keeps the receipts.
    output : Path
        Path of the page. Its folder is made if needed. The page is replaced as a whole or not at all.

    Raises
    ------
    StateDiskError
        The page cannot be written.
    """
    database = use_library(settings)
    library = read_counts(database) or LibraryCounts({}, {}, 0)
    receipts = list(_receipts(settings, instance))
    commits = _with_run_times(instance, [(run_id, receipt) for _, run_id, receipt in receipts])
    figures = compute_figures(
        library, read_failures(database), read_overview(database), commits, read_warnings(database)
    )
    page = render_page(figures, str(settings.library), datetime.now(tz=UTC))
    write_atomically(output, page.encode("utf-8"), SHARED)
    write_atomically(settings.receipts_path, make_receipt_list(_list_receipt(*one) for one in receipts))
    return figures


def _receipts(settings: Settings, instance: DagsterInstance) -> Iterator[tuple[str, str, Receipt]]:
    """Yield the partition key, run id and receipt of every recorded commit."""
    keys = iter(library_keys(settings, instance))
    while portion := list(islice(keys, _PORTION)):
        for key, commit in recorded_commits(instance, settings, portion).items():
            if commit.receipt is not None:
                yield key, commit.run_id, commit.receipt


def _list_receipt(key: str, run_id: str, receipt: Receipt) -> ReceiptRow:
    written = receipt.written
    return ReceiptRow(
        path=storable_path(key),
        file_id=written.file if written else None,
        run_id=run_id,
        written_at=written.written_at if written else None,
        status=written.status if written else None,
        passages=written.passages if written else None,
        write_locks=receipt.write_locks,
        transactions=receipt.transactions,
        statements=receipt.statements,
        hold_ms=receipt.hold_ms,
        wait_ms=receipt.wait_ms,
        retries=receipt.retries,
        conflicts=receipt.conflicts,
    )


def _with_run_times(instance: DagsterInstance, receipts: Sequence[tuple[str, Receipt]]) -> list[TimedReceipt]:
    """Add the start of each run: a run commits at its end, so its duration needs both times."""
    began: dict[str, datetime] = {}
    runs = iter({run_id for run_id, _ in receipts})
    while portion := list(islice(runs, _PORTION)):
        for record in instance.get_run_records(RunsFilter(run_ids=portion)):
            if record.start_time is not None:
                began[record.dagster_run.run_id] = datetime.fromtimestamp(record.start_time, UTC).replace(tzinfo=None)
    return [TimedReceipt(receipt, began.get(run_id)) for run_id, receipt in receipts]
