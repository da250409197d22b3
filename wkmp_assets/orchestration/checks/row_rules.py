"""What the library must hold of one file. Pure: rows and receipt in, findings out.

What an import wrote must be right. What people made or kept is shown where it is odd, and left to them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from wkmp_assets.db.read.audit import AuditedFile, AuditedPassage, BrokenReference
from wkmp_assets.model import ticks
from wkmp_assets.model.batch import WrittenRows
from wkmp_assets.model.statuses import FINISHED, FileStatus, PassageStatus
from wkmp_assets.orchestration.checks.audited_file import Subject
from wkmp_assets.orchestration.checks.findings import Finding, Weight
from wkmp_assets.report.partition_metadata import FAILED

WHOLE_COLUMNS = ("status", "passages", "claimed")
PASSAGE_COLUMNS = ("passage", "start_s", "end_s")
POINT_COLUMNS = ("passage", "start_s", "fade_in_s", "lead_in_s", "lead_out_s", "fade_out_s", "end_s")

NOTHING_TO_JUDGE = "not in the library"
RECORDED_AS_FAILED = "recorded as failed"


def judge_wholeness(subject: Subject) -> Iterator[Finding]:
    """Judge whether all of a file is there: what its receipt claims and no more, nothing dangling, its status right."""
    if subject.commit and subject.commit.result == FAILED:
        yield from _judge_failure(subject)
    if subject.file is None:
        if subject.written:
            yield _error(subject, f"its row {subject.written.file} is gone{_left_behind(subject)}")
        return
    if subject.written:
        yield from _judge_written(subject, subject.written, subject.file)
    yield from _judge_status(subject, subject.file)
    for passage in subject.passages:
        for missing in passage.missing:
            yield _error(subject, f"passage {passage.guid} refers to {missing}, which is not there")


def _judge_failure(subject: Subject) -> Iterator[Finding]:
    """Judge a failed import: it writes the reason and nothing else, and that stays until the file is imported."""
    receipt = subject.commit.receipt if subject.commit else None
    beyond = sorted(set(receipt.rows) - {"import_failures"}) if receipt else []
    if beyond:
        yield _error(subject, f"its import failed, and yet rows were written to {', '.join(beyond)}")
    is_in_library = subject.file is not None and subject.file.status in FINISHED
    if receipt and not subject.is_recorded_as_failed and not is_in_library:
        yield _error(subject, "its import failed, but the row in import_failures that says why is gone")


def _left_behind(subject: Subject) -> str:
    count = subject.ownerless_passages
    return f", and {count} passages without a file are left of it" if count else ""


def _judge_written(subject: Subject, written: WrittenRows, file: AuditedFile) -> Iterator[Finding]:
    if file.status != written.status:
        yield _error(subject, f"its status is {file.status}, but {written.status} was written")
    # By the run, not by `imported_passages`: when nothing was written those are an earlier import's.
    run_id = subject.commit.run_id if subject.commit else ""
    found = [passage for passage in file.passages if passage.run_id == run_id]
    counted = {
        "passages": (len(found), written.passages),
        "links to songs": (sum(passage.songs for passage in found), written.passage_songs),
        "links to albums": (sum(passage.albums for passage in found), written.passage_albums),
        "provenance rows": (sum(passage.provenance for passage in found), written.provenance),
    }
    for what, (there, claimed) in counted.items():
        if there < claimed:
            yield _error(subject, f"{claimed - there} of {claimed} {what} are gone")
        elif there > claimed:
            yield _error(subject, f"{there - claimed} {what} more than the {claimed} that were written")
    others = [passage for passage in file.passages if passage.run_id != run_id]
    left_over = sum(passage.run_id is not None for passage in others) - written.kept_passages
    if left_over > 0:
        yield _error(subject, f"{left_over} passages of earlier imports are left over that were not kept on purpose")
    if len(others) < written.kept_passages:
        gone = written.kept_passages - len(others)
        yield _finding(subject, Weight.WARNING, f"{gone} passages that were kept, because people needed them, are gone")


def _judge_status(subject: Subject, file: AuditedFile) -> Iterator[Finding]:
    if file.status == FileStatus.INGEST_COMPLETE:
        unfinished = sum(passage.status != PassageStatus.INGEST_COMPLETE for passage in subject.imported_passages)
        if not file.passages:
            yield _error(subject, f"its status is {FileStatus.INGEST_COMPLETE}, but it has no passages")
        if unfinished:
            yield _error(subject, f"it is {FileStatus.INGEST_COMPLETE}, but {unfinished} of its passages are not")
    elif file.status == FileStatus.DUPLICATE_HASH:
        if not file.has_original:
            # Not an error: a changed original leaves its copies like this until the next scan imports one of them.
            text = "it is a duplicate, but no complete file with the same content is among its matching_hashes"
            yield _finding(subject, Weight.WARNING, text)
    elif file.status != FileStatus.NO_AUDIO and any(passage.run_id for passage in file.passages):
        yield _error(subject, f"its status is {file.status}, but an import has written passages of it")


def judge_bounds(subject: Subject) -> Iterator[Finding]:
    """Judge whether passages lie inside their file, are not empty, and do not overlap each other."""
    duration = subject.file.duration_ticks if subject.file else None
    free = {passage.guid for passage in subject.imported_passages if not _is_shaped_by_people(passage)}
    for passage in subject.passages:
        weight = Weight.ERROR if passage.guid in free else Weight.NOTE
        for problem in _out_of_bounds(passage, duration):
            yield _of_passage(subject, weight, passage, problem)
    sounding: list[AuditedPassage] = []
    for passage in subject.passages:
        sounding = [before for before in sounding if before.end_ticks > passage.start_ticks]
        for before in sounding:
            weight = Weight.ERROR if {before.guid, passage.guid} <= free else Weight.NOTE
            shared = _seconds(min(before.end_ticks, passage.end_ticks) - passage.start_ticks)
            yield _of_passage(subject, weight, passage, f"overlaps passage {before.guid} by {shared} s")
        sounding.append(passage)


def _is_shaped_by_people(passage: AuditedPassage) -> bool:
    """Tell whether a passage has fade points: it then keeps its boundaries where they do not fit a changed file."""
    return passage.fade_in_ticks is not None or passage.fade_out_ticks is not None


def _out_of_bounds(passage: AuditedPassage, duration_ticks: int | None) -> Iterator[str]:
    if passage.start_ticks < 0:
        yield "starts before its file"
    if passage.end_ticks <= passage.start_ticks:
        yield "ends where it starts, or before"
    if duration_ticks is not None and passage.end_ticks > duration_ticks:
        yield f"ends {_seconds(passage.end_ticks - duration_ticks)} s after its file"


def judge_points(subject: Subject) -> Iterator[Finding]:
    """Judge the order of start, lead-in, lead-out and end, and of start, fade-in, fade-out and end."""
    for passage in subject.passages:
        for kind in ("lead", "fade"):
            points = (getattr(passage, f"{kind}_in_ticks"), getattr(passage, f"{kind}_out_ticks"))
            known = [point for point in (passage.start_ticks, *points, passage.end_ticks) if point is not None]
            if known != sorted(known):
                yield _of_passage(subject, Weight.ERROR, passage, f"has its {kind} points out of order", POINT_COLUMNS)


def judge_reference(broken: BrokenReference) -> Finding:
    """Word what SQLite says about a foreign key."""
    if broken.rowid is None:
        text = f"what table {broken.table} refers to cannot be checked ({broken.refers_to})"
    else:
        text = (
            f"row {broken.rowid} of table {broken.table} refers to a row of {broken.refers_to} that is gone: delete it"
        )
    return Finding(Weight.ERROR, None, text)


def count_standings(subjects: Iterable[Subject]) -> Counter[str]:
    """Count what the files were judged by: their receipt, or for some reason their rows alone."""
    return Counter(map(_standing, subjects))


def _standing(subject: Subject) -> str:
    if subject.file is None and not subject.written:
        return RECORDED_AS_FAILED if subject.is_recorded_as_failed else NOTHING_TO_JUDGE
    return str(subject.standing)


def _error(subject: Subject, text: str) -> Finding:
    return _finding(subject, Weight.ERROR, text)


def _finding(subject: Subject, weight: Weight, text: str) -> Finding:
    values: dict[str, str | int | float] = {"passages": len(subject.passages)}
    if subject.file:
        values["status"] = str(subject.file.status)
    if subject.written:
        values["claimed"] = subject.written.passages + subject.written.kept_passages
    return Finding(weight, subject.path, text, values)


def _of_passage(
    subject: Subject, weight: Weight, passage: AuditedPassage, problem: str, columns: tuple[str, ...] = PASSAGE_COLUMNS
) -> Finding:
    known = {name: getattr(passage, name.removesuffix("_s") + "_ticks") for name in columns if name.endswith("_s")}
    values = {name: _seconds(point) for name, point in known.items() if point is not None}
    kept = " (kept for people, who may change it)" if weight is Weight.NOTE else ""
    return Finding(weight, subject.path, f"passage {passage.guid} {problem}{kept}", {"passage": passage.guid, **values})


def _seconds(length_ticks: int) -> float:
    return round(length_ticks / ticks.TICKS_PER_SECOND, 3)
