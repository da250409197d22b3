"""What the web UI shows of a check: passed or not, how bad, one sentence with the next step, figures and a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.checks.findings import Findings, Severity, escape_markdown
from wkmp_assets.orchestration.dagster_values import to_table

_SEVERITIES = {Severity.WARNING: dg.AssetCheckSeverity.WARN, Severity.ERROR: dg.AssetCheckSeverity.ERROR}


@dataclass(frozen=True)
class CheckDefinition:
    """A check on the files of `library_entry`: what it guards, and what to do when it fails."""

    name: str
    description: str
    """Shown in the web UI under the check's name."""
    when_passed: str
    """Completes `50 of 50 files ...`."""
    when_failed: str
    """Completes `3 of 50 files ...`."""
    remedy: str
    columns: tuple[str, ...]
    """Of the table, beside file, severity and finding."""

    @property
    def spec(self) -> dg.AssetCheckSpec:
        """The check as Dagster knows it."""
        return dg.AssetCheckSpec(self.name, asset=ENTRY, description=self.description)


def build_result(
    check: CheckDefinition, findings: Findings, judged: int, figures: Mapping[str, Any]
) -> dg.AssetCheckResult:
    """Return the result of a check.

    Parameters
    ----------
    check : CheckDefinition
        The check.
    findings : Findings
        What it found.
    judged : int
        How many files it could judge.
    figures : mapping
        Metadata to show beside the table of findings.
    """
    table = {"findings": _tabulate(check, findings)} if len(findings) else {}
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=ENTRY,
        passed=findings.passed,
        severity=_SEVERITIES.get(findings.worst, dg.AssetCheckSeverity.WARN),
        description=_describe(check, findings, judged),
        metadata={"judged": judged, "offenders": findings.offenders, **figures, **table},
    )


def warn_unless(passed: bool, description: str, metadata: Mapping[str, Any]) -> dg.AssetCheckResult:
    """Return the result of a check that warns and never fails with an error."""
    return dg.AssetCheckResult(
        passed=passed, severity=dg.AssetCheckSeverity.WARN, description=description, metadata=metadata
    )


def _describe(check: CheckDefinition, findings: Findings, judged: int) -> str:
    if not judged and findings.passed:
        return "nothing to judge: no run has written these files"
    if findings.passed:
        return f"{judged} of {judged} files {check.when_passed}"
    first = next(iter(findings))
    if first.file is None:
        return f"{escape_markdown(first.text)}. {check.remedy}"
    counted = f"{findings.offenders} of {max(judged, findings.offenders)} files {check.when_failed}"
    return f"{counted}. First: {escape_markdown(first.file)}: {escape_markdown(first.text)}. {check.remedy}"


def _tabulate(check: CheckDefinition, findings: Findings) -> dg.TableMetadataValue:
    """Return one row per finding, the worst first."""
    rows = [
        {**found.values, "file": found.file or "", "severity": found.severity.name.lower(), "finding": found.text}
        for found in findings
    ]
    return to_table(("file", "severity", "finding", *check.columns), rows)
