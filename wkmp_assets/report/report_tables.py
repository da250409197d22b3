"""The report's figures as tables, for the web UI, from which no browser opens the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from wkmp_assets.report.commits import CommitFigures, Spread
from wkmp_assets.report.figures import ReportFigures
from wkmp_assets.report.passage_tables import PassageTable
from wkmp_assets.report.text import printable

MAX_LINES = 50
"""Of one table; the page and the commands have the rest."""


def tabulate_report(figures: ReportFigures) -> Mapping[str, Any]:
    """Return name -> number, text or table of everything that the report says in words. Empty tables are left out."""
    commits = figures.commits
    tables: dict[str, list[dict[str, Any]]] = {
        "files_by_status": [{"status": bar.label, "files": bar.count} for bar in figures.statuses],
        "failures": [
            {
                "phase": group.phase,
                "code": group.code,
                "file": one.path,
                "why, and what to do": one.message.removeprefix(f"{one.path}: "),
            }
            for group in figures.failures
            for one in group.examples
        ],
        "warnings": [
            {"kind": group.kind, "files": group.files, "for example": one.path, "what is doubtful": one.message}
            for group in figures.warnings
            for one in group.examples[:1]
        ],
        "passages_by_confidence": [{"level": bar.label, "passages": bar.count} for bar in figures.levels],
        "transactions": _transactions(commits) if commits else [],
        "imports": [
            {
                "began, UTC": session.first.strftime("%Y-%m-%d %H:%M"),
                "files": session.files,
                "passages": session.passages,
                "files/s": f"{session.files_per_s:.1f}",
            }
            for session in (commits.sessions if commits else ())
        ],
    }
    shown: dict[str, Any] = {"no_song": figures.no_song} if figures.no_song else {}
    return shown | {name: _table(lines) for name, lines in tables.items() if lines}


def number_report(figures: ReportFigures, medians: Mapping[str, float]) -> Mapping[str, float]:
    """Return the numbers that say how the library changes from report to report, so that they can be plotted.

    Parameters
    ----------
    figures : ReportFigures
        Of the report.
    medians : mapping of str to float
        Measures of the passages by name, such as `bpm`.

    Returns
    -------
    mapping
        `identified_share` is 0 to 1, `files_per_s` that of the latest import, and times are in ms. What is not known
        is absent.
    """
    numbers: dict[str, float] = {}
    passages = figures.counts.get("passages", 0)
    if passages:
        numbers["identified_share"] = round(figures.with_song / passages, 4)
    if figures.commits is not None:
        numbers["wait_p99_ms"] = round(figures.commits.wait.p99_ms, 3)
        numbers["hold_p99_ms"] = round(figures.commits.hold.p99_ms, 3)
        if figures.commits.sessions:
            numbers["files_per_s"] = round(figures.commits.sessions[0].files_per_s, 2)
    return numbers | {f"median_{name}": value for name, value in medians.items()}


def _transactions(commits: CommitFigures) -> list[dict[str, Any]]:
    return [
        {"what": "write locks per file", "value": f"{commits.mean_locks:.2f}"},
        {"what": "reads inside transactions", "value": str(commits.reads)},
        {"what": "retries", "value": str(commits.retries)},
        {"what": "conflicts", "value": str(commits.conflicts)},
        {"what": "write lock held", "value": _spread(commits.hold)},
        {"what": "waited for the write lock", "value": _spread(commits.wait)},
    ]


def _spread(spread: Spread) -> str:
    return f"p50 {spread.p50_ms:.1f} ms, p99 {spread.p99_ms:.1f} ms, max {spread.max_ms:.1f} ms"


def _table(lines: Sequence[Mapping[str, Any]]) -> PassageTable:
    texts = tuple({name: printable(str(value)) for name, value in line.items()} for line in lines[:MAX_LINES])
    return PassageTable(tuple(texts[0]), texts)
