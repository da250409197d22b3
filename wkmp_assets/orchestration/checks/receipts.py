"""The checks on the receipts of commits: locks taken, reads inside, time holding the lock and waiting for it."""

from collections.abc import Iterator

import dagster as dg

from wkmp_assets.orchestration.checks import receipt_rules as rules
from wkmp_assets.orchestration.checks.findings import Findings
from wkmp_assets.orchestration.checks.results import CheckDefinition, build_result
from wkmp_assets.orchestration.checks.scope import find_scope
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.orchestration.resources import Library

ONE_TRANSACTION = CheckDefinition(
    "one_transaction_per_file",
    "Every file took SQLite's write lock once, for its transaction. Two locks are a warning, more are an error. A file "
    "takes the lock again when the library changed meanwhile: such conflicts are shown and do not count.",
    when_passed="were written in one transaction each",
    when_failed="took the write lock more than once",
    remedy="Each lock keeps other writers waiting. Find the statement outside the transaction, starting at "
    "wkmp_assets/db/write/writer.py.",
    columns=rules.LOCK_COLUMNS,
)
NO_READS = CheckDefinition(
    "no_reads_inside_transaction",
    "No file's transaction reads anything. All reads come before BEGIN, while other programs can still write.",
    when_passed="were written without a read inside the transaction",
    when_failed="made reads while they held the write lock",
    remedy="Move the read before the transaction, into wkmp_assets/db/read/file_state.py.",
    columns=rules.READ_COLUMNS,
)
WITHIN_BUDGET = CheckDefinition(
    "transaction_within_budget",
    "No file's transaction held the write lock longer than WKMP_HOLD_BUDGET_MS. Longer is a warning, ten times as long "
    "an error.",
    when_passed="released the write lock within the budget",
    when_failed="held the write lock longer than the budget",
    remedy="Other writers had to wait that long. Look for a slow or network disk, a busy machine, or triggers that "
    "another program has added. WKMP_HOLD_BUDGET_MS sets the budget.",
    columns=rules.HOLD_COLUMNS,
)
WAITED_WITHIN_BUDGET = CheckDefinition(
    "waited_within_budget",
    "No file waited longer than WKMP_WAIT_BUDGET_MS for SQLite's write lock, all attempts together. Longer is a "
    "warning, longer than WKMP_WAIT_LIMIT_MS an error. Retries are shown.",
    when_passed="got the write lock within the budget",
    when_failed="waited for the write lock longer than the budget",
    remedy="Another program held the library's write lock. If there were retries, it was not an import: close the "
    "player or database browser that has an open transaction, or let it commit. If there were none, too many imports "
    "run side by side, or transaction_within_budget says why they are slow. WKMP_WAIT_BUDGET_MS and "
    "WKMP_WAIT_LIMIT_MS set the bounds.",
    columns=rules.WAIT_COLUMNS,
)
CHECKS = (ONE_TRANSACTION, NO_READS, WITHIN_BUDGET, WAITED_WITHIN_BUDGET)


@dg.multi_asset_check(specs=[check.spec for check in CHECKS], can_subset=True)
def commit_receipts(
    context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the receipts of the run's files, or of all files of the library when the run has no partitions."""
    scope, budget_ms = find_scope(context, library), library.settings.hold_budget_ms
    bounds = library.settings.wait_budget_ms, library.settings.wait_limit_ms
    locks, reads, holds, waits = Findings(), Findings(), Findings(), Findings()
    figures = rules.ReceiptFigures()
    of_earlier_runs = 0
    for portion in scope.portions():
        commits = recorded_commits(context.instance, library.settings, portion)
        for key, file in portion.items():
            receipt = commits[key].receipt if key in commits else None
            if receipt is None:
                continue
            figures.add(receipt)
            of_earlier_runs += commits[key].run_id != context.run.run_id
            locks.add(rules.judge_locks(file, receipt))
            reads.add(rules.judge_reads(file, receipt))
            holds.add(rules.judge_hold(file, receipt, budget_ms))
            waits.add(rules.judge_wait(file, receipt, *bounds))
    judged = figures.judged
    files = {
        "files": len(scope.keys),
        "without_receipt": len(scope.keys) - judged,
        "receipts_of_earlier_runs": of_earlier_runs,
    }
    results = (
        build_result(ONE_TRANSACTION, locks, judged, {**files, **figures.describe_locks()}),
        build_result(NO_READS, reads, judged, {**files, **figures.describe_reads()}),
        build_result(WITHIN_BUDGET, holds, judged, {**files, **figures.describe_holds(budget_ms)}),
        build_result(WAITED_WITHIN_BUDGET, waits, judged, {**files, **figures.describe_waits(*bounds)}),
    )
    selected = {key.name for key in context.selected_asset_check_keys}
    yield from (result for result in results if result.check_name in selected)
