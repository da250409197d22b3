"""The checks on the rows of the library: files whole, passages and points in place, flavors valid and complete."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from wkmp_assets.db.read.audit import audit_files, find_broken_references
from wkmp_assets.orchestration.checks import flavor_rules as flavors
from wkmp_assets.orchestration.checks import row_rules as rules
from wkmp_assets.orchestration.checks.checked_file import CheckedFile, match_receipt
from wkmp_assets.orchestration.checks.findings import Findings
from wkmp_assets.orchestration.checks.results import CheckDefinition, build_result
from wkmp_assets.orchestration.checks.scope import Scope, find_scope
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.orchestration.resources import Library

_IMPORT_AGAIN = (
    "Import the file again: run `wkmp import FOLDER --force` with its folder, or materialize its partition with "
    "`force: true` for file_identity."
)
WHOLE = CheckDefinition(
    "file_is_all_or_nothing",
    "The library holds exactly the rows that each file's receipt claims. No row refers to a missing one, and each "
    "file's status agrees with its rows. Executed without a run of files, the check also makes SQLite check every "
    "foreign key of the library.",
    when_passed="are whole, or not in the library at all",
    when_failed="are not as their import left them",
    remedy=f"Another program has changed the library since. {_IMPORT_AGAIN}",
    columns=rules.WHOLE_COLUMNS,
)
INSIDE = CheckDefinition(
    "passages_inside_file",
    "Passages lie inside their file, are not empty and do not overlap. Those that people edited or kept may overlap: "
    "the table shows them, and they do not fail the check.",
    when_passed="have all passages inside the file, without overlaps",
    when_failed="have passages that overlap or lie outside",
    remedy=f"The player would play them wrongly. {_IMPORT_AGAIN}",
    columns=rules.PASSAGE_COLUMNS,
)
ORDERED = CheckDefinition(
    "lead_points_ordered",
    "In every passage, start, lead-in, lead-out and end are in this order. So are start, fade-in, fade-out and end.",
    when_passed="have their lead and fade points in order",
    when_failed="have lead or fade points out of order",
    remedy=f"The player cannot crossfade there. {_IMPORT_AGAIN} Correct fade points in the player: an import keeps "
    "them.",
    columns=rules.POINT_COLUMNS,
)
_REFLAVOR = "Run the job `reflavor` for the file's partition."
VALID = CheckDefinition(
    "flavors_valid",
    "The flavor of every passage can be read, and the values of each characteristic lie between 0 and 1 and sum to 1. "
    "Classes from AcousticBrainz with another sum are used as they are, with a warning.",
    when_passed="have valid flavors",
    when_failed="have invalid flavors",
    remedy=f"The player cannot compare them reliably. {_REFLAVOR}",
    columns=flavors.COLUMNS,
)
COMPLETE = CheckDefinition(
    "flavors_complete",
    "Every passage has all characteristics that are measured from its sound, so that it can be compared with every "
    "other passage.",
    when_passed="have a complete flavor for every passage",
    when_failed="have passages with an incomplete flavor",
    remedy=f"The player cannot choose them by flavor. {_REFLAVOR}",
    columns=flavors.COLUMNS,
)
CHECKS = (WHOLE, INSIDE, ORDERED, VALID, COMPLETE)


@dg.multi_asset_check(specs=[check.spec for check in CHECKS], can_subset=True)
def stored_rows(
    context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the rows of the run's files, or of all files of the library when the run has no partitions."""
    scope = find_scope(context, library)
    whole, inside, ordered, valid, complete = (Findings() for _ in CHECKS)
    receipt_states: Counter[str] = Counter()
    passages = 0
    classes = 0.0
    for portion in _read_files(context, library, scope):
        receipt_states += rules.count_receipt_states(portion)
        passages += sum(len(checked.passages) for checked in portion)
        for checked in portion:
            whole.add(rules.judge_wholeness(checked))
            inside.add(rules.judge_bounds(checked))
            ordered.add(rules.judge_points(checked))
            valid.add(flavors.judge_validity(checked))
            complete.add(flavors.judge_completeness(checked))
            classes += flavors.share_of_classes(checked)
    if scope.is_whole_library:
        whole.add(map(rules.judge_reference, find_broken_references(library.database)))
    judged = receipt_states.total() - receipt_states[rules.NOTHING_TO_JUDGE]
    share = round(classes / max(passages, 1), 4)
    with_rows = judged - receipt_states[rules.RECORDED_AS_FAILED]
    files = {"files": len(scope.keys), "passages": passages}
    results = (
        build_result(WHOLE, whole, judged, {**files, "judged_how": dict(receipt_states)}),
        build_result(INSIDE, inside, with_rows, files),
        build_result(ORDERED, ordered, with_rows, files),
        build_result(VALID, valid, with_rows, files),
        build_result(COMPLETE, complete, with_rows, {**files, "share_of_classes": share}),
    )
    selected = {key.name for key in context.selected_asset_check_keys}
    yield from (result for result in results if result.check_name in selected)


def _read_files(context: dg.AssetCheckExecutionContext, library: Library, scope: Scope) -> Iterator[list[CheckedFile]]:
    for portion in scope.portions():
        commits = recorded_commits(context.instance, library.settings, portion)
        receipts = [commit.receipt for commit in commits.values() if commit.receipt]
        guids = [receipt.written.file for receipt in receipts if receipt.written]
        audit = audit_files(library.database, portion.values(), guids)
        yield [match_receipt(path, commits.get(key), audit) for key, path in portion.items()]
