"""What the flavors of one file's passages must be. Pure: rows in, findings out."""

import math
from collections.abc import Iterator

from wkmp_assets.model.flavor import MEASURED_NAMES, parse_flavor
from wkmp_assets.orchestration.checks.audited_file import Subject
from wkmp_assets.orchestration.checks.findings import Finding, Weight

COLUMNS = ("passage", "characteristic")
EXACT = 1e-9


def judge_validity(subject: Subject) -> Iterator[Finding]:
    """Judge whether every flavor can be read and its distributions are some.

    What was measured sums to 1 within 1e-9. Classes that AcousticBrainz itself gives with another sum are used, with a
    warning, and so is what people defined.
    """
    for passage in subject.imported_passages:
        read = parse_flavor(passage.flavor)
        for warning in read.warnings:
            is_sum = warning.startswith("the values of ")
            if not (is_sum and warning.split()[3] in MEASURED_NAMES):
                weight = Weight.WARNING if is_sum else Weight.ERROR
                yield _finding(subject, weight, passage.guid, f"has a flavor of which not all is right: {warning}", "")
        for name in sorted(MEASURED_NAMES & set(read.flavor)):
            total = math.fsum(read.flavor[name].values())
            if abs(total - 1) > EXACT:
                yield _finding(subject, Weight.ERROR, passage.guid, f"has values of {name} that sum to {total}", name)


def judge_completeness(subject: Subject) -> Iterator[Finding]:
    """Judge whether every passage has been measured in full, so that it can be compared with every other."""
    for passage in subject.imported_passages:
        if passage.flavor is None:
            yield _finding(subject, Weight.WARNING, passage.guid, "has no flavor", "")
            continue
        missing = sorted(MEASURED_NAMES - set(parse_flavor(passage.flavor).flavor))
        if missing:
            yield _finding(subject, Weight.WARNING, passage.guid, f"lacks {', '.join(missing)}", missing[0])


def _finding(subject: Subject, weight: Weight, guid: str, problem: str, name: str) -> Finding:
    return Finding(weight, subject.path, f"passage {guid} {problem}", {"passage": guid, "characteristic": name})
