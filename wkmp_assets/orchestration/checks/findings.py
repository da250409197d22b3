"""What a check finds, and what that amounts to. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

MOST_ROWS = 100
"""Of each weight; a library of 50,000 files can be wrong 50,000 times, and a table of that nobody reads."""

_MARKDOWN = re.compile(r"([\\`*\[\]<>&~])")


def plain(text: str) -> str:
    """Return text so that it stays text where the web UI takes it for Markdown: a name is no link and no picture."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


class Weight(IntEnum):
    """How bad a finding is."""

    NOTE = 0
    """Worth showing, and as it should be."""
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """One line of a check's table."""

    weight: Weight
    file: str | None
    """Path; None when it is about the library and no file of it."""
    text: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)
    """What else the table shows, by column."""


class Findings:
    """All that one check found. Bounded: of many findings of one weight only the first are kept."""

    def __init__(self) -> None:
        self._kept: dict[Weight, list[Finding]] = {weight: [] for weight in Weight}
        self._counts: Counter[Weight] = Counter()
        self._seen: set[tuple[str | None, str]] = set()
        self._offenders: set[str] = set()

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in findings; one that is there already (a moved file is reached from two partitions) counts once."""
        for finding in findings:
            if (finding.file, finding.text) in self._seen:
                continue
            self._seen.add((finding.file, finding.text))
            self._counts[finding.weight] += 1
            if self._counts[finding.weight] <= MOST_ROWS:
                self._kept[finding.weight].append(finding)
            if finding.weight > Weight.NOTE and finding.file is not None:
                self._offenders.add(finding.file)

    def __iter__(self) -> Iterator[Finding]:
        """Yield what was kept, the worst first."""
        for weight in sorted(Weight, reverse=True):
            yield from self._kept[weight]

    def __len__(self) -> int:
        return sum(self._counts.values())

    @property
    def worst(self) -> Weight:
        """The greatest weight among them."""
        return max((weight for weight, count in self._counts.items() if count), default=Weight.NOTE)

    @property
    def passed(self) -> bool:
        """Whether there is nothing but notes."""
        return self.worst is Weight.NOTE

    @property
    def offenders(self) -> int:
        """How many files are not as they should be."""
        return len(self._offenders)
