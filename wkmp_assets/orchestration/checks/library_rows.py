"""The checks on what the library holds of the files: all or nothing, passages and points in place, flavors."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from wkmp_assets.db.read.audit import audit_files, find_broken_references
from wkmp_assets.orchestration.checks import flavor_rules as flavors
from wkmp_assets.orchestration.checks import row_rules as rules
from wkmp_assets.orchestration.checks.audited_file import Subject, subject_of
from wkmp_assets.orchestration.checks.findings import Findings
from wkmp_assets.orchestration.checks.results import Promise, evaluate
from wkmp_assets.orchestration.checks.scope import Scope, scope_of
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.orchestration.resources import Library

_IMPORT_AGAIN = (
    "Import it again: `wkmp import FOLDER --force` with its folder, or materialize its partitions with "
    "`force: true` for file_identity."
)
WHOLE = Promise(
    "file_is_all_or_nothing",
    "Of every file the library holds what its receipt claims and no more, nothing refers to what is not there, and its "
    "status agrees with its rows. Run alone, it lets SQLite check every foreign key of the library too.",
    kept="in the library wholly, or not at all",
    broken="are not as their import left them",
    remedy=f"Something changed the library behind the import's back. {_IMPORT_AGAIN}",
    columns=rules.WHOLE_COLUMNS,
)
INSIDE = Promise(
    "passages_inside_file",
    "Passages lie inside their file, are not empty, and do not overlap each other. Those that people shaped or kept "
    "are shown where they do, and do not count.",
    kept="with their passages inside, side by side",
    broken="have passages that overlap or lie outside",
    remedy=f"The player would play them wrongly. {_IMPORT_AGAIN}",
    columns=rules.PASSAGE_COLUMNS,
)
ORDERED = Promise(
    "lead_points_ordered",
    "In every passage start, lead-in, lead-out and end come in this order, and so do its fades.",
    kept="with their lead and fade points in order",
    broken="have lead or fade points out of order",
    remedy=f"The player cannot crossfade there. {_IMPORT_AGAIN} Fades are people's: correct them in the player.",
    columns=rules.POINT_COLUMNS,
)
_REFLAVOR = "Materialize flavors and library_entry for its partitions (job `reflavor`)."
VALID = Promise(
    "flavors_valid",
    "The flavor of every passage can be read, and each of its characteristics is a distribution: values from 0 to 1 "
    "whose sum is 1. What AcousticBrainz gives with another sum is used, and shown.",
    kept="with flavors that are distributions",
    broken="have flavors that are not distributions",
    remedy=f"They cannot be compared as they should. {_REFLAVOR}",
    columns=flavors.COLUMNS,
)
COMPLETE = Promise(
    "flavors_complete",
    "Every passage has all characteristics that are measured from sound, so that it can be compared with every other.",
    kept="with flavors for every passage",
    broken="have passages without their whole flavor",
    remedy=f"The player cannot choose them by what they are like. {_REFLAVOR}",
    columns=flavors.COLUMNS,
)
PROMISES = (WHOLE, INSIDE, ORDERED, VALID, COMPLETE)


@dg.multi_asset_check(specs=[promise.spec for promise in PROMISES], can_subset=True)
def stored_rows(
    context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]
) -> Iterator[dg.AssetCheckResult]:
    """Judge what the library holds of the run's files; of all its files when run without any."""
    scope = scope_of(context, library)
    whole, inside, ordered, valid, complete = (Findings() for _ in PROMISES)
    standings: Counter[str] = Counter()
    passages = 0
    classes = 0.0
    for subjects in _subjects(context, library, scope):
        standings += rules.count_standings(subjects)
        passages += sum(len(subject.passages) for subject in subjects)
        for subject in subjects:
            whole.add(rules.judge_wholeness(subject))
            inside.add(rules.judge_bounds(subject))
            ordered.add(rules.judge_points(subject))
            valid.add(flavors.judge_validity(subject))
            complete.add(flavors.judge_completeness(subject))
            classes += sum(passage.completeness or 0 for passage in subject.passages)
    if scope.is_whole_library:
        whole.add(map(rules.judge_reference, find_broken_references(library.database)))
    judged = standings.total() - standings[rules.NOTHING_TO_JUDGE]
    with_rows = judged - standings[rules.RECORDED_AS_FAILED]
    files = {"files": len(scope.keys), "passages": passages}
    results = (
        evaluate(WHOLE, whole, judged, {**files, "judged_how": dict(standings)}),
        evaluate(INSIDE, inside, with_rows, files),
        evaluate(ORDERED, ordered, with_rows, files),
        evaluate(VALID, valid, with_rows, files),
        evaluate(COMPLETE, complete, with_rows, {**files, "share_of_classes": round(classes / max(passages, 1), 4)}),
    )
    selected = {key.name for key in context.selected_asset_check_keys}
    yield from (result for result in results if result.check_name in selected)


def _subjects(context: dg.AssetCheckExecutionContext, library: Library, scope: Scope) -> Iterator[list[Subject]]:
    for portion in scope.portions():
        commits = recorded_commits(context.instance, portion)
        receipts = [commit.receipt for commit in commits.values() if commit.receipt]
        guids = [receipt.written.file for receipt in receipts if receipt.written]
        audit = audit_files(library.database, portion.values(), guids)
        yield [subject_of(path, commits.get(key), audit) for key, path in portion.items()]
