"""The report on the library: not part of the import, made when somebody asks for it."""

import dagster as dg

from wkmp_assets.model.phases import ENTRY, REPORT
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.orchestration.write_report import write_report


@dg.asset(name=REPORT, group_name="pictures", deps=[ENTRY], kinds={"html"})
def library_report(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult[None]:
    """One HTML page on the whole library: counts, failures, transactions, throughput, passages, and a map by flavor.

    Materialize it when you want to know how the library is doing, and open the page that its metadata names. Reads the
    library and the receipts, changes neither. Stale with every import.
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
