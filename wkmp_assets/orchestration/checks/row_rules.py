"""Rules for the rows of one file: rows and receipt in, findings out.

Rows that an import wrote must be right. Rows that people edited or kept are noted where they are odd.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from wkmp_assets.db.read.audit import AuditedFile, AuditedPassage, BrokenReference
from wkmp_assets.model import ticks
from wkmp_assets.model.batch import WrittenRows
from wkmp_assets.model.statuses import FINISHED, FileStatus, PassageStatus
from wkmp_assets.orchestration.checks.checked_file import CheckedFile
from wkmp_assets.orchestration.checks.findings import Finding, Severity
from wkmp_assets.report.partition_metadata import FAILED

WHOLE_COLUMNS = ("status", "passages", "claimed")
PASSAGE_COLUMNS = ("passage", "start_s", "end_s")
POINT_COLUMNS = ("passage", "start_s", "fade_in_s", "lead_in_s", "lead_out_s", "fade_out_s", "end_s")

NOTHING_TO_JUDGE = "not in the library"
RECORDED_AS_FAILED = "recorded as failed"


def judge_wholeness(checked: CheckedFile) -> Iterator[Finding]:
    """Judge whether a file has exactly the rows that its receipt claims, and whether its status fits them."""
    if checked.commit and checked.commit.result == FAILED:
        yield from _judge_failure(checked)
    if checked.file is None:
        if checked.written:
            yield _error(checked, f"its row {checked.written.file} is gone{_left_behind(checked)}")
        return
    if checked.written:
        yield from _judge_written(checked, checked.written, checked.file)
    yield from _judge_status(checked, checked.file)
    for passage in checked.passages:
        for missing in passage.missing:
            yield _error(checked, f"passage {passage.guid} refers to {missing}, which does not exist")


def _judge_failure(checked: CheckedFile) -> Iterator[Finding]:
    """Judge a failed import: it writes the reason and no other row, and the reason stays until the file is imported.

    Only older versions left such a receipt.
    """
    receipt = checked.commit.receipt if checked.commit else None
    beyond = sorted(set(receipt.rows) - {"import_failures"}) if receipt else []
    if beyond:
        yield _error(checked, f"its import failed but wrote rows to {', '.join(beyond)}")
    is_in_library = checked.file is not None and checked.file.status in FINISHED
    if receipt and not checked.is_recorded_as_failed and not is_in_library:
        yield _error(checked, "its import failed, and the row in import_failures with the reason is gone")


def _left_behind(checked: CheckedFile) -> str:
    count = checked.ownerless_passages
    return f", and {count} of its passages are left without a file" if count else ""


def _judge_written(checked: CheckedFile, written: WrittenRows, file: AuditedFile) -> Iterator[Finding]:
    if file.status != written.status:
        yield _error(checked, f"its status is {file.status}; the import wrote {written.status}")
    # By the run, not by `imported_passages`: when nothing was written those are an earlier import's.
    run_id = checked.commit.run_id if checked.commit else ""
    found = [passage for passage in file.passages if passage.run_id == run_id]
    counted = {
        "passages": (len(found), written.passages),
        "links to songs": (sum(passage.songs for passage in found), written.passage_songs),
        "links to albums": (sum(passage.albums for passage in found), written.passage_albums),
        "provenance rows": (sum(passage.provenance for passage in found), written.provenance),
    }
    for what, (there, claimed) in counted.items():
        if there < claimed:
            yield _error(checked, f"{claimed - there} of {claimed} {what} are gone")
        elif there > claimed:
            yield _error(checked, f"it has {there - claimed} {what} more than the {claimed} that the import wrote")
    others = [passage for passage in file.passages if passage.run_id != run_id]
    left_over = sum(passage.run_id is not None for passage in others) - written.kept_passages
    if left_over > 0:
        yield _error(checked, f"{left_over} passages of earlier imports are left over")
    if len(others) < written.kept_passages:
        gone = written.kept_passages - len(others)
        yield _finding(checked, Severity.WARNING, f"{gone} passages are gone that were kept because people use them")


def _judge_status(checked: CheckedFile, file: AuditedFile) -> Iterator[Finding]:
    if file.status == FileStatus.INGEST_COMPLETE:
        unfinished = sum(passage.status != PassageStatus.INGEST_COMPLETE for passage in checked.imported_passages)
        if not file.passages:
            yield _error(checked, f"its status is {FileStatus.INGEST_COMPLETE}, and it has no passages")
        if unfinished:
            yield _error(checked, f"{unfinished} of its passages are not {FileStatus.INGEST_COMPLETE}, as the file is")
    elif file.status == FileStatus.DUPLICATE_HASH:
        if not file.has_original:
            # A warning only: after a change of the original its copies stay like this until the next scan.
            text = "it is a duplicate, and none of its matching_hashes is a complete file with the same content"
            yield _finding(checked, Severity.WARNING, text)
    elif file.status != FileStatus.NO_AUDIO and any(passage.run_id for passage in file.passages):
        yield _error(checked, f"its status is {file.status}, and it has passages that an import wrote")


def judge_bounds(checked: CheckedFile) -> Iterator[Finding]:
    """Judge whether passages lie inside their file, are not empty and do not overlap."""
    duration = checked.file.duration_ticks if checked.file else None
    free = {passage.guid for passage in checked.imported_passages if not _is_shaped_by_people(passage)}
    for passage in checked.passages:
        severity = Severity.ERROR if passage.guid in free else Severity.NOTE
        for problem in _out_of_bounds(passage, duration):
            yield _of_passage(checked, severity, passage, problem)
    sounding: list[AuditedPassage] = []
    for passage in checked.passages:
        sounding = [before for before in sounding if before.end_ticks > passage.start_ticks]
        for before in sounding:
            severity = Severity.ERROR if {before.guid, passage.guid} <= free else Severity.NOTE
            shared = _seconds(min(before.end_ticks, passage.end_ticks) - passage.start_ticks)
            yield _of_passage(checked, severity, passage, f"overlaps passage {before.guid} by {shared} s")
        sounding.append(passage)


def _is_shaped_by_people(passage: AuditedPassage) -> bool:
    """Tell whether a passage has fade points: it then keeps its boundaries even if they do not fit a changed file."""
    return passage.fade_in_ticks is not None or passage.fade_out_ticks is not None


def _out_of_bounds(passage: AuditedPassage, duration_ticks: int | None) -> Iterator[str]:
    if passage.start_ticks < 0:
        yield "starts before its file"
    if passage.end_ticks <= passage.start_ticks:
        yield "ends where it starts, or before"
    if duration_ticks is not None and passage.end_ticks > duration_ticks:
        yield f"ends {_seconds(passage.end_ticks - duration_ticks)} s after its file"


def judge_points(checked: CheckedFile) -> Iterator[Finding]:
    """Judge the order of start, lead-in, lead-out and end, and of start, fade-in, fade-out and end."""
    for passage in checked.passages:
        for kind in ("lead", "fade"):
            points = (getattr(passage, f"{kind}_in_ticks"), getattr(passage, f"{kind}_out_ticks"))
            known = [point for point in (passage.start_ticks, *points, passage.end_ticks) if point is not None]
            if known != sorted(known):
                yield _of_passage(
                    checked, Severity.ERROR, passage, f"has its {kind} points out of order", POINT_COLUMNS
                )


def judge_reference(broken: BrokenReference) -> Finding:
    """Return the finding for a broken foreign key."""
    if broken.rowid is None:
        text = f"the references of table {broken.table} cannot be checked ({broken.refers_to})"
    else:
        text = f"row {broken.rowid} of table {broken.table} refers to a missing row of {broken.refers_to}: delete it"
    return Finding(Severity.ERROR, None, text)


def count_receipt_states(files: Iterable[CheckedFile]) -> Counter[str]:
    """Count the files by how they are judged: by their receipt, or by their rows alone, with the reason."""
    return Counter(map(_receipt_state, files))


def _receipt_state(checked: CheckedFile) -> str:
    if checked.file is None and not checked.written:
        return RECORDED_AS_FAILED if checked.is_recorded_as_failed else NOTHING_TO_JUDGE
    return str(checked.receipt_state)


def _error(checked: CheckedFile, text: str) -> Finding:
    return _finding(checked, Severity.ERROR, text)


def _finding(checked: CheckedFile, severity: Severity, text: str) -> Finding:
    values: dict[str, str | int | float] = {"passages": len(checked.passages)}
    if checked.file:
        values["status"] = str(checked.file.status)
    if checked.written:
        values["claimed"] = checked.written.passages + checked.written.kept_passages
    return Finding(severity, checked.path, text, values)


def _of_passage(
    checked: CheckedFile,
    severity: Severity,
    passage: AuditedPassage,
    problem: str,
    columns: tuple[str, ...] = PASSAGE_COLUMNS,
) -> Finding:
    known = {name: getattr(passage, name.removesuffix("_s") + "_ticks") for name in columns if name.endswith("_s")}
    values = {name: _seconds(point) for name, point in known.items() if point is not None}
    kept = " (kept, because people use or edit it)" if severity is Severity.NOTE else ""
    return Finding(
        severity, checked.path, f"passage {passage.guid} {problem}{kept}", {"passage": passage.guid, **values}
    )


def _seconds(length_ticks: int) -> float:
    return round(length_ticks / ticks.TICKS_PER_SECOND, 3)
