"""The checks on what the commits cost: locks taken, reads inside, time held. They read the recorded receipts."""

from collections.abc import Iterator

import dagster as dg

from wkmp_assets.orchestration.checks import receipt_rules as rules
from wkmp_assets.orchestration.checks.findings import Findings
from wkmp_assets.orchestration.checks.results import Promise, evaluate
from wkmp_assets.orchestration.checks.scope import scope_of
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.orchestration.resources import Library

ONE_TRANSACTION = Promise(
    "one_transaction_per_file",
    "Every file was written with one acquisition of SQLite's write lock: its transaction. Two are a warning, more an "
    "error. Files computed again, because the library changed meanwhile, are shown and do not count.",
    kept="written in one transaction each",
    broken="took the write lock more often than once",
    remedy="Every acquisition keeps other writers waiting: something writes outside the file's one transaction "
    "(wkmp_assets/db/write/writer.py).",
    columns=rules.LOCK_COLUMNS,
)
NO_READS = Promise(
    "no_reads_inside_transaction",
    "No file's transaction read anything: all reading comes before BEGIN, while others can still write.",
    kept="written without a read inside the transaction",
    broken="were read from while the write lock was held",
    remedy="Move the reading before the transaction: into read_state (wkmp_assets/db/read/file_state.py).",
    columns=rules.READ_COLUMNS,
)
WITHIN_BUDGET = Promise(
    "transaction_within_budget",
    "No file's transaction held the write lock longer than WKMP_HOLD_BUDGET_MS; ten times that is an error.",
    kept="released the write lock within the budget",
    broken="held the write lock longer than the budget",
    remedy="Others had to wait that long. Look for a slow or network disk below the library, a busy machine, or "
    "triggers another program has added; WKMP_HOLD_BUDGET_MS sets the budget.",
    columns=rules.HOLD_COLUMNS,
)
PROMISES = (ONE_TRANSACTION, NO_READS, WITHIN_BUDGET)


@dg.multi_asset_check(specs=[promise.spec for promise in PROMISES], can_subset=True)
def commit_receipts(
    context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the receipts of the run's files; of all files of the library when run without any."""
    scope, budget_ms = scope_of(context, library), library.settings.hold_budget_ms
    locks, reads, holds = Findings(), Findings(), Findings()
    numbers = rules.ReceiptNumbers()
    for portion in scope.portions():
        commits = recorded_commits(context.instance, portion)
        for key, file in portion.items():
            receipt = commits[key].receipt if key in commits else None
            if receipt is None:
                continue
            numbers.add(receipt)
            locks.add(rules.judge_locks(file, receipt))
            reads.add(rules.judge_reads(file, receipt))
            holds.add(rules.judge_hold(file, receipt, budget_ms))
    judged = numbers.judged
    files = {"files": len(scope.keys), "without_receipt": len(scope.keys) - judged}
    results = (
        evaluate(ONE_TRANSACTION, locks, judged, {**files, **numbers.of_locks()}),
        evaluate(NO_READS, reads, judged, {**files, **numbers.of_reads()}),
        evaluate(WITHIN_BUDGET, holds, judged, {**files, **numbers.of_holds(budget_ms)}),
    )
    selected = {key.name for key in context.selected_asset_check_keys}
    yield from (result for result in results if result.check_name in selected)
