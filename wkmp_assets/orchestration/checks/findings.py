"""What a check finds, and how bad that is."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

MAX_FINDINGS = 100
"""Kept of each severity. A library of 50,000 files can be wrong 50,000 times, which is too long for a table."""

_MARKDOWN = re.compile(r"([\\`*\[\]<>&~])")


def escape_markdown(text: str) -> str:
    """Return one line that stays text where the web UI shows Markdown, so that no file name becomes a link."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


class Severity(IntEnum):
    """How bad a finding is."""

    NOTE = 0
    """Worth showing, and as it should be."""
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """One row of a check's table."""

    severity: Severity
    file: str | None
    """Path; None for a finding about the whole library."""
    text: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)
    """Further cells of the row, by column."""


class Findings:
    """All findings of one check: the first `MAX_FINDINGS` of each severity, and the count of all."""

    def __init__(self) -> None:
        self._kept: dict[Severity, list[Finding]] = {severity: [] for severity in Severity}
        self._counts: Counter[Severity] = Counter()
        self._seen: set[tuple[str | None, str]] = set()
        self._offenders: set[str] = set()

    def add(self, findings: Iterable[Finding]) -> None:
        """Add findings. A repeated one counts once: a moved file is reached from two partitions."""
        for finding in findings:
            if (finding.file, finding.text) in self._seen:
                continue
            self._seen.add((finding.file, finding.text))
            self._counts[finding.severity] += 1
            if self._counts[finding.severity] <= MAX_FINDINGS:
                self._kept[finding.severity].append(finding)
            if finding.severity > Severity.NOTE and finding.file is not None:
                self._offenders.add(finding.file)

    def __iter__(self) -> Iterator[Finding]:
        """Yield the kept findings, the worst first."""
        for severity in sorted(Severity, reverse=True):
            yield from self._kept[severity]

    def __len__(self) -> int:
        return sum(self._counts.values())

    @property
    def worst(self) -> Severity:
        """The greatest severity among them."""
        return max((severity for severity, count in self._counts.items() if count), default=Severity.NOTE)

    @property
    def passed(self) -> bool:
        """Whether there are only notes."""
        return self.worst is Severity.NOTE

    @property
    def offenders(self) -> int:
        """Number of files with a warning or an error."""
        return len(self._offenders)
