"""Findings from receipts."""

import pytest

from wkmp_assets.model.batch import Receipt
from wkmp_assets.orchestration.checks.findings import MAX_FINDINGS, Finding, Findings, Severity
from wkmp_assets.orchestration.checks.receipt_rules import (
    ReceiptFigures,
    judge_hold,
    judge_locks,
    judge_reads,
    judge_wait,
)

NOTE, WARNING, ERROR = Severity


def severities(findings: object) -> list[Severity]:
    return [finding.severity for finding in findings]  # type: ignore[attr-defined] # every finding here has one


@pytest.mark.parametrize(
    ("write_locks", "transactions", "conflicts", "expected"),
    [
        (1, 1, 0, []),
        (2, 2, 0, [WARNING]),
        (2, 1, 0, [WARNING]),  # a statement outside the transaction
        (3, 3, 0, [ERROR]),
        (77, 77, 0, [ERROR]),
        (0, 0, 0, [ERROR]),  # nothing was reported, so nothing is proven
        (2, 2, 1, [NOTE]),  # planned again after a conflict, which takes the lock again
        (9, 9, 8, [NOTE]),
        (3, 3, 1, [WARNING, NOTE]),
        (4, 4, 1, [ERROR, NOTE]),
        (1, 1, 1, [ERROR, NOTE]),
    ],
)
def test_one_lock_is_right_two_are_a_warning_and_conflicts_do_not_count(
    write_locks: int, transactions: int, conflicts: int, expected: list[Severity]
) -> None:
    receipt = Receipt(write_locks, transactions, 9, 0, conflicts=conflicts)
    assert severities(judge_locks("a.flac", receipt)) == expected


def test_a_statement_outside_the_transaction_is_told_from_a_second_transaction() -> None:
    (stray,) = judge_locks("a.flac", Receipt(2, 1, 9, 0))
    (second,) = judge_locks("a.flac", Receipt(2, 2, 9, 0))
    assert "1 transactions and 1 statements outside" in stray.text
    assert second.text.endswith("2 transactions")
    assert second.values == {"write_locks": 2, "transactions": 2, "conflicts": 0, "retries": 0}


@pytest.mark.parametrize(("reads", "expected"), [(0, []), (1, [ERROR]), (12, [ERROR])])
def test_any_read_inside_the_transaction_is_an_error(reads: int, expected: list[Severity]) -> None:
    assert severities(judge_reads("a.flac", Receipt(1, 1, 9, reads))) == expected


@pytest.mark.parametrize(
    ("hold_ms", "expected"), [(0.4, []), (100.0, []), (100.1, [WARNING]), (1000.0, [WARNING]), (1000.1, [ERROR])]
)
def test_more_than_the_budget_is_a_warning_and_ten_times_as_much_an_error(
    hold_ms: float, expected: list[Severity]
) -> None:
    assert severities(judge_hold("a.flac", Receipt(1, 1, 9, 0, hold_ms=hold_ms), 100)) == expected


def test_the_budget_is_the_setting_s() -> None:
    assert severities(judge_hold("a.flac", Receipt(1, 1, 9, 0, hold_ms=6), 5)) == [WARNING]
    assert severities(judge_hold("a.flac", Receipt(1, 1, 9, 0, hold_ms=6), 6)) == []


@pytest.mark.parametrize(
    ("wait_ms", "retries", "expected"),
    [
        (0.4, 0, []),
        (500.0, 0, []),
        (500.1, 0, [WARNING]),
        (1000.0, 3, [WARNING]),
        (1000.1, 0, [ERROR]),
        (20.0, 1, [NOTE]),  # another program held the lock for a short time
    ],
)
def test_half_a_second_of_waiting_is_a_warning_and_a_second_an_error(
    wait_ms: float, retries: int, expected: list[Severity]
) -> None:
    receipt = Receipt(1, 1, 9, 0, wait_ms=wait_ms, retries=retries)
    assert severities(judge_wait("a.flac", receipt, 500, 1_000)) == expected


def test_a_limit_below_the_budget_is_an_error_all_the_same() -> None:
    assert severities(judge_wait("a.flac", Receipt(1, 1, 9, 0, wait_ms=300), 500, 200)) == [ERROR]


def test_the_numbers_are_over_all_receipts() -> None:
    figures = ReceiptFigures()
    for number in range(1, 101):
        figures.add(Receipt(2 if number == 7 else 1, 1, 9, number % 2, hold_ms=float(number), conflicts=number == 7))
    assert figures.judged == 100
    assert figures.describe_locks() == {"locks_per_file": 1.01, "most_locks": 2, "conflicts": 1}
    assert figures.describe_reads() == {"reads": 50, "most_reads": 1}
    assert figures.describe_holds(80) == {"budget_ms": 80, "hold_ms_p50": 50, "hold_ms_p99": 99, "hold_ms_max": 100}


def test_without_receipts_there_are_no_numbers() -> None:
    figures = ReceiptFigures()
    assert (figures.judged, figures.describe_locks(), figures.describe_reads()) == (0, {}, {})
    assert figures.describe_holds(80) == {"budget_ms": 80}
    assert figures.describe_waits(500, 1_000) == {"budget_ms": 500, "limit_ms": 1_000}


def test_the_waits_are_over_all_receipts() -> None:
    figures = ReceiptFigures()
    for number in range(1, 101):
        figures.add(Receipt(1, 1, 9, 0, wait_ms=float(number), retries=number % 2))
    spread = {"wait_ms_p50": 50, "wait_ms_p99": 99, "wait_ms_max": 100, "retries": 50}
    assert figures.describe_waits(500, 1_000) == {"budget_ms": 500, "limit_ms": 1_000, **spread}


def test_of_many_findings_the_worst_are_kept_and_all_are_counted() -> None:
    findings = Findings()
    findings.add(Finding(NOTE, f"{number}", "odd") for number in range(MAX_FINDINGS * 3))
    assert (findings.passed, findings.worst, findings.offenders) == (True, NOTE, 0)
    findings.add(Finding(WARNING, f"{number}", "slow") for number in range(MAX_FINDINGS * 2))
    findings.add([Finding(ERROR, "last", "broken"), Finding(ERROR, "last", "broken"), Finding(ERROR, "last", "lost")])
    assert (findings.passed, findings.worst) == (False, ERROR)
    assert findings.offenders == MAX_FINDINGS * 2 + 1
    assert len(findings) == MAX_FINDINGS * 5 + 2
    kept = list(findings)
    assert [finding.text for finding in kept[:3]] == ["broken", "lost", "slow"]
    assert len(kept) == MAX_FINDINGS * 2 + 2


def test_nothing_found_is_a_pass() -> None:
    findings = Findings()
    assert findings.passed
    assert len(findings) == 0
    assert list(findings) == []
