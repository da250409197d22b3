"""What the checks of a library say, as text and as JUnit's XML for CI services."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from wkmp_assets.report.text import printable


@dataclass(frozen=True)
class CheckOutcome:
    """What one check says of the whole library."""

    asset: str
    check: str
    passed: bool
    is_error: bool
    """Whether a check that does not pass is an error; otherwise a warning."""
    finding: str
    """One sentence, with the next step where one is needed."""

    @property
    def result(self) -> str:
        """`passed`, `warning` or `failed`."""
        if self.passed:
            return "passed"
        return "failed" if self.is_error else "warning"


def to_junit(outcomes: Sequence[CheckOutcome]) -> bytes:
    """Return a file in JUnit's format.

    A check is a test case. One that warns passes, and its sentence is the output of the case: CI services know no
    warnings. Characters that XML does not have are escaped.
    """
    failed = sum(one.result == "failed" for one in outcomes)
    suite = Element("testsuite", name="wkmp checks", tests=str(len(outcomes)), failures=str(failed), errors="0")
    for one in outcomes:
        case = SubElement(suite, "testcase", classname=one.asset, name=one.check)
        said = printable(one.finding)
        if one.result == "failed":
            SubElement(case, "failure", message=said)
        elif said:
            SubElement(case, "system-out").text = f"{one.result}: {said}"
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
