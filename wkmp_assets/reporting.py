"""Make the library report: read the library and Dagster's records, write one HTML file."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from dagster import DagsterInstance

from wkmp_assets.db.overview import read_overview
from wkmp_assets.db.report import LibraryReport, read_failures, read_report
from wkmp_assets.model.batch import Receipt
from wkmp_assets.partitions import partitions_name
from wkmp_assets.recorded import recorded_commits
from wkmp_assets.report.figures import ReportFigures, report_figures
from wkmp_assets.report.page import render_page
from wkmp_assets.settings import Settings
from wkmp_assets.unfinished import write_whole

_PORTION = 500


def write_report(settings: Settings, instance: DagsterInstance, output: Path) -> ReportFigures:
    """Write the report of a library.

    Parameters
    ----------
    settings : Settings
        Which library.
    instance : DagsterInstance
        Keeps the receipts.
    output : Path
        The page; its folder is made if needed. There is the whole new page, or the old one.

    Raises
    ------
    StateDiskError
        The file cannot be written.
    """
    database = settings.database_path
    library = read_report(database) or LibraryReport({}, {}, 0)
    receipts = list(_receipts(settings, instance))
    figures = report_figures(library, read_failures(database), read_overview(database), receipts)
    page = render_page(figures, str(settings.library), datetime.now(tz=UTC))
    write_whole(output, page.encode("utf-8"))
    return figures


def _receipts(settings: Settings, instance: DagsterInstance) -> Iterator[Receipt]:
    keys = iter(instance.get_dynamic_partitions(partitions_name(settings)))
    while portion := list(islice(keys, _PORTION)):
        for commit in recorded_commits(instance, portion).values():
            if commit.receipt is not None:
                yield commit.receipt
