"""Rules for the flavors of one file's passages: rows in, findings out."""

import math
from collections.abc import Iterator
from functools import lru_cache

from wkmp_assets.model.flavor import CLASSIFIERS, MEASURED_NAMES, classes_of, parse_flavor
from wkmp_assets.orchestration.checks.checked_file import CheckedFile
from wkmp_assets.orchestration.checks.findings import Finding, Severity

COLUMNS = ("passage", "characteristic")
MAX_SUM_ERROR = 1e-9
"""Of the values of a measured characteristic, which sum to 1."""

_read = lru_cache(maxsize=64)(parse_flavor)
"""The rules judge the passages of one file one after another, and each reads all of them."""


def judge_validity(checked: CheckedFile) -> Iterator[Finding]:
    """Judge whether every flavor can be read, and whether the values of each characteristic sum to 1.

    Measured values must, within `MAX_SUM_ERROR`. Classes from AcousticBrainz and values defined by people are used with
    any sum, and get a warning.
    """
    for passage in checked.imported_passages:
        read = _read(passage.flavor)
        for warning in read.warnings:
            is_sum = warning.startswith("the values of ")
            if not (is_sum and warning.split()[3] in MEASURED_NAMES):
                severity = Severity.WARNING if is_sum else Severity.ERROR
                yield _finding(checked, severity, passage.guid, f"has a flavor with a fault: {warning}", "")
        for name in sorted(MEASURED_NAMES & set(read.flavor)):
            total = math.fsum(read.flavor[name].values())
            if abs(total - 1) > MAX_SUM_ERROR:
                yield _finding(checked, Severity.ERROR, passage.guid, f"has values of {name} that sum to {total}", name)


def judge_completeness(checked: CheckedFile) -> Iterator[Finding]:
    """Judge whether every passage has all measured characteristics, so that it can be compared with every other."""
    for passage in checked.imported_passages:
        if passage.flavor is None:
            yield _finding(checked, Severity.WARNING, passage.guid, "has no flavor", "")
            continue
        missing = sorted(MEASURED_NAMES - set(_read(passage.flavor).flavor))
        if missing:
            yield _finding(checked, Severity.WARNING, passage.guid, f"lacks {', '.join(missing)}", missing[0])


def share_of_classes(checked: CheckedFile) -> float:
    """Return the sum, over a file's passages, of the shares of AcousticBrainz' classifiers that each has."""
    flavors = [_read(passage.flavor).flavor for passage in checked.passages]
    return sum(min(1.0, len(classes_of(flavor)) / CLASSIFIERS) for flavor in flavors)


def _finding(checked: CheckedFile, severity: Severity, guid: str, problem: str, name: str) -> Finding:
    return Finding(severity, checked.path, f"passage {guid} {problem}", {"passage": guid, "characteristic": name})
