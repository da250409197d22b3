"""The results of checks as CI services read them."""

from xml.etree.ElementTree import fromstring

from wkmp_assets.report.check_results import CheckOutcome, to_junit


def test_failures_are_failures_and_warnings_are_output() -> None:
    outcomes = [
        CheckOutcome("library_entry", "good", passed=True, is_error=False, finding="all 3 files <are> in"),
        CheckOutcome("library_entry", "bad", passed=False, is_error=True, finding='a "file" \x1b[2J\x00 & more'),
        CheckOutcome("flavors", "doubtful", passed=False, is_error=False, finding="2 files wait"),
        CheckOutcome("flavors", "silent", passed=True, is_error=True, finding=""),
    ]
    (suite,) = fromstring(to_junit(outcomes))  # noqa: S314 - our own text
    assert suite.attrib == {"name": "wkmp checks", "tests": "4", "failures": "1", "errors": "0"}
    good, bad, doubtful, silent = suite
    assert (good.attrib, good.findtext("system-out")) == (
        {"classname": "library_entry", "name": "good"},
        "passed: all 3 files <are> in",
    )
    failure = bad.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == 'a "file" \\x1b[2J\\x00 & more'
    assert (doubtful.find("failure"), doubtful.findtext("system-out")) == (None, "warning: 2 files wait")
    assert list(silent) == []
