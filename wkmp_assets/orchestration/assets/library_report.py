"""The report on the library, written on request and not by the import."""

import dagster as dg

from wkmp_assets.db.read.described_tables import count_rows
from wkmp_assets.db.read.measures import read_median_measures
from wkmp_assets.model.phases import ENTRY, REPORT
from wkmp_assets.orchestration.dagster_values import to_metadata
from wkmp_assets.orchestration.library_tables import counted_tables
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.report.report_tables import number_report, tabulate_report
from wkmp_assets.runtime.served_page import find_page


@dg.asset(name=REPORT, group_name="pictures", deps=[ENTRY], kinds={"report"})
def library_report(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult[None]:
    """A report on the whole library: counts, failures, doubtful files, transactions, throughput, passages, flavors.

    Materialize it to see how the library is doing. The metadata shows the counts and tables, and plots
    the numbers over time. The rows of the library's tables are counted too. The same with charts and
    the map is one HTML page under `path`, to be opened on this machine. It reads the library and the receipts, and
    changes neither. Stale after every import.
    """
    from wkmp_assets.orchestration.write_report import write_report  # loads Jinja, which no import needs

    output = library.settings.report_path
    figures = write_report(library.settings, context.instance, output)
    receipts = figures.commits.files if figures.commits else 0
    for counted in counted_tables(count_rows(library.database)):
        context.log_event(counted)
    address = find_page(library.settings.browse_path)
    return dg.MaterializeResult(
        metadata={
            **({"look_and_listen": dg.MetadataValue.url(address)} if address else {}),
            # Named and not linked: a browser opens no file:// link of a page that comes over HTTP.
            "path": dg.MetadataValue.path(output),
            "failed": figures.failed,
            "receipts": receipts,
            **figures.counts,
            **number_report(figures, read_median_measures(library.database)),
            **to_metadata(tabulate_report(figures)),
        }
    )
