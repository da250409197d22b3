"""The report on the library, written on request and not by the import."""

import dagster as dg

from wkmp_assets.model.phases import ENTRY, REPORT
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.orchestration.write_report import write_report


@dg.asset(name=REPORT, group_name="pictures", deps=[ENTRY], kinds={"html"})
def library_report(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult[None]:
    """A report on the whole library as one HTML page: counts, failures, transactions, throughput, passages, flavors.

    Materialize it to see how the library is doing, then open the page that the metadata links. It reads the library and
    the receipts, and changes neither. Stale after every import.
    """
    output = library.settings.report_path
    figures = write_report(library.settings, context.instance, output)
    receipts = figures.commits.files if figures.commits else 0
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.url(output.as_uri()),
            "path": dg.MetadataValue.path(output),
            "failed": figures.failed,
            "receipts": receipts,
            **figures.counts,
        }
    )
