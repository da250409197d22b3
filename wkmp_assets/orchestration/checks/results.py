"""What a check says to people: passed or not, how bad, one sentence with the next step, numbers, and a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.checks.findings import MOST_ROWS, Finding, Findings, Weight, plain

_SEVERITIES = {Weight.WARNING: dg.AssetCheckSeverity.WARN, Weight.ERROR: dg.AssetCheckSeverity.ERROR}
_WORDS = {Weight.NOTE: "note", Weight.WARNING: "warning", Weight.ERROR: "error"}


@dataclass(frozen=True)
class Promise:
    """One check: what it guards, and what to do when that is broken."""

    name: str
    text: str
    """Shown in the web UI under the check's name."""
    kept: str
    """Completes `50 of 50 files ...`."""
    broken: str
    """Completes `3 of 50 files ...`."""
    remedy: str
    columns: tuple[str, ...]
    """Of the table, beside file, severity and finding."""

    @property
    def spec(self) -> dg.AssetCheckSpec:
        """The check as Dagster knows it."""
        return dg.AssetCheckSpec(self.name, asset=ENTRY, description=self.text)


def evaluate(promise: Promise, findings: Findings, judged: int, numbers: Mapping[str, Any]) -> dg.AssetCheckResult:
    """Turn what was found into what Dagster shows.

    Parameters
    ----------
    promise : Promise
        The check.
    findings : Findings
        What it found.
    judged : int
        How many files it could judge.
    numbers : mapping
        Figures to show.
    """
    table = {"findings": _table(promise, findings)} if len(findings) else {}
    return dg.AssetCheckResult(
        check_name=promise.name,
        asset_key=ENTRY,
        passed=findings.passed,
        severity=_SEVERITIES.get(findings.worst, dg.AssetCheckSeverity.WARN),
        description=_describe(promise, findings, judged),
        metadata={"judged": judged, "offenders": findings.offenders, **numbers, **table},
    )


def _describe(promise: Promise, findings: Findings, judged: int) -> str:
    if not judged and findings.passed:
        return "nothing to judge: no run has written any of these files"
    if findings.passed:
        return f"{judged} of {judged} files {promise.kept}"
    first = next(iter(findings))
    if first.file is None:
        return f"{plain(first.text)}. {promise.remedy}"
    counted = f"{findings.offenders} of {max(judged, findings.offenders)} files {promise.broken}"
    return f"{counted}. First: {plain(first.file)}: {plain(first.text)}. {promise.remedy}"


def _table(promise: Promise, findings: Findings) -> dg.TableMetadataValue:
    """One line per finding, the worst first, at most a hundred."""
    lines = list(findings)[:MOST_ROWS]
    kinds = {column: _kind(column, lines) for column in promise.columns}
    schema = dg.TableSchema(
        [dg.TableColumn(name, "string") for name in ("file", "severity", "finding")]
        + [dg.TableColumn(name, kind) for name, kind in kinds.items()]
    )
    records = [
        dg.TableRecord(
            {"file": line.file or "", "severity": _WORDS[line.weight], "finding": line.text}
            | {column: line.values.get(column) for column in promise.columns}
        )
        for line in lines
    ]
    return dg.TableMetadataValue(records=records, schema=schema)


def _kind(column: str, lines: list[Finding]) -> str:
    value = next((line.values[column] for line in lines if column in line.values), "")
    return {int: "int", float: "float"}.get(type(value), "string")
