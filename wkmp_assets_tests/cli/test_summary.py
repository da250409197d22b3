"""What a person reads after an import."""

import io
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from wkmp_assets.cli.failure_table import render_failures
from wkmp_assets.cli.summary import ImportSummary
from wkmp_assets.db.plan.file_plan import plan_file
from wkmp_assets.db.read.file_state import LibraryState
from wkmp_assets.model.batch import FileCommit, Receipt, WriteBatch
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.library_changes import LibraryChanges, PassedOver
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.outcomes import Failed, Skipped, SkipReason
from wkmp_assets.model.values import ClassesOutcome, FileState, PassageLookup, Span
from wkmp_assets.report.text import describe_passed_over, explain_ignored, explain_unreadable, percentile, printable
from wkmp_assets_tests.support.builders import NOW, Stamp, bare, commit, done, entry, flavor, in_a_row


def shown(renderable: RenderableType, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def written(one: FileEntry, hold_ms: float = 1.0) -> FileCommit:
    batch = plan_file(one, LibraryState(), Stamp(NOW, "run"))
    return FileCommit(encode_key(one.path), done(one), Receipt(1, 1, 9, 0, hold_ms=hold_ms, wait_ms=0.5), batch)


def summary_of(*commits: FileCommit) -> ImportSummary:
    summary = ImportSummary()
    for one in commits:
        summary.add(one)
    return summary


HOSTILE = {
    "markup": "[bold red]x[/] [/nothing].mp3",
    "escape sequence": "a\x1b[2J\x1b]0;owned\x07.mp3",
    "new line": "a\nb\r\tc.mp3",
    "undecodable": "caf\udce9.mp3",
    "right to left override": "a\u202egpj.mp3",
}


def test_files_are_counted_by_what_became_of_them() -> None:
    summary = summary_of(
        written(entry("a.mp3", bounds=in_a_row(3))),
        written(entry("silent.mp3", bounds=[])),
        FileCommit("c", Skipped(SkipReason.UNCHANGED)),
        FileCommit("d", Skipped(SkipReason.INTERRUPTED)),
        FileCommit("e", Failed("p", "C", "e: broken"), Receipt(1, 1, 1, 0), WriteBatch("e")),
        FileCommit("f", done(bare("f", state=FileState.TOUCHED)), Receipt(1, 1, 1, 0)),
    )
    summary.unchanged, summary.missing, summary.not_looked_at = 10, 2, 3
    text = shown(summary.render(elapsed_s=3))
    assert "1 imported, 1 no audio, 1 touched, 11 unchanged, 1 failed, 1 interrupted" in text
    assert "2 in the library but not on disk (kept; wkmp missing FOLDER lists them)" in text
    assert "3 in unreadable folders or behind links (kept)" in text
    assert (summary.passages, len(summary.songs), summary.has_failures) == (3, 3, True)
    assert "1.00 per file written, at most 1" in text
    assert "2.0 files/s" in text


def test_the_files_of_a_stopped_import_add_up() -> None:
    """Files that no run reached are counted too, and only the written ones are said to be safe."""
    summary = summary_of(
        written(entry("a.mp3")),
        FileCommit("b", Failed("p", "C", "b: broken"), Receipt(1, 1, 1, 0), WriteBatch("b")),
        FileCommit("c", Skipped(SkipReason.INTERRUPTED)),
        FileCommit("d", Skipped(SkipReason.ELSEWHERE)),
    )
    summary.not_begun = 6
    assert "1 imported, 1 failed, 7 interrupted, 1 being imported by another run" in shown(summary.render(1.0))
    assert summary.safe == 1


def test_a_song_on_two_files_is_one_song() -> None:
    one = entry("a.mp3")
    other = entry("b.mp3", content="b", songs=[one.passages[0].match.song])
    assert len(summary_of(written(one), written(other)).songs) == 1


def test_what_is_kept_is_said_with_the_reason(database: Path) -> None:
    """First a library with songs, then an import of changed files while nobody answers."""
    one = entry("a.mp3", bounds=in_a_row(2))
    commit(database, one)
    waiting = PassageLookup(Span(0, 1), LookupOutcome.DEFERRED, detail="AcoustID: HTTP 503")
    answered = PassageLookup(Span(0, 1), LookupOutcome.NO_MATCH, stands_because="AcoustID: HTTP 502")
    passages = [
        replace(passage, match=replace(passage.match, song=None, release=None, lookup=lookup))
        for passage, lookup in zip(one.passages, (waiting, answered), strict=True)
    ]
    summary = summary_of(*commit(database, replace(one, passages=tuple(passages))).values())
    text = shown(summary.render(1.0))
    assert len(summary.songs) == 2 - summary.without_song > 0, "songs that are kept count"
    assert "Kept " in text
    assert "1 passages keep what the library knew of them, because AcoustID: HTTP 503" in text
    assert "1 passages keep the song that an earlier import found (AcoustID: HTTP 502)" in text
    assert "Kept" not in shown(summary_of(*commit(database, one).values()).render(1.0))


def test_what_a_scan_passed_over_is_said_by_pattern_and_what_that_means_for_the_library() -> None:
    scan = LibraryChanges(
        (), (), (), ("#snapshot/a.mp3",),
        patterns=(
            PassedOver("@eaDir", "", 3), PassedOver("._*", "", 0, 12), PassedOver("*.wav", ".wkmpignore", 0, 3),
            PassedOver("Demos/", ".wkmpignore", 1), PassedOver("*.wma", "WKMP_IGNORE", 0, 2),
        ),
        ignored=("#snapshot/a.mp3",), unread_formats={".xm": 1, ".mod": 2},
    )  # fmt: skip
    said = "3 folders '@eaDir', 12 files '._*', 4 by .wkmpignore, 2 by WKMP_IGNORE, 2 .mod, 1 .xm"
    assert describe_passed_over(scan) == said
    text = shown(ImportSummary(passed_over_by_name=said, ignored=explain_ignored(scan)).render(1.0))
    assert f"Passed over  {said}" in text
    assert "1 file of the library matches a pattern by now, and counts as missing: #snapshot/a.mp3" in text
    nothing = LibraryChanges((), (), (), ())
    assert (describe_passed_over(nothing), explain_ignored(nothing)) == ("", "")


def test_a_folder_that_cannot_be_read_is_named_with_the_next_step_and_is_a_failure() -> None:
    def told(*folders: str) -> str:
        return explain_unreadable(LibraryChanges((), (), (), (), unreadable=folders))

    assert told() == ""
    assert told(*"abcd").startswith("4 folders cannot be read, so nothing new in them is in the library: a, b, c, ...")
    said = "1 folder cannot be read, so nothing new in it is in the library: [x]. Make it readable, then import again"
    assert told("[x]") == said
    summary = ImportSummary(unreadable=said)
    assert summary.has_failures
    assert f"Unreadable  {said}" in shown(summary.render(1.0))
    ignored = ImportSummary(passed_over=("a: a symbolic link",), passed_over_by_name="2 .mod", ignored="1 file")
    assert not ignored.has_failures


def test_an_import_of_nothing_says_so() -> None:
    assert "none found" in shown(ImportSummary().render(elapsed_s=0))


@pytest.mark.parametrize("path", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_shown_and_does_nothing(path: str) -> None:
    message = f"{path}: has the same content as {path}, which could not be imported"
    summary = summary_of(FileCommit(encode_key(path), Failed("library_entry", "ORIGINAL_FAILED", message)))
    summary.warnings.append((path, FileWarning(WarningKind.LOST_SONG, f"about {path}")))
    text = shown(summary.render(elapsed_s=1))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "ORIGINAL_FAILED: has the same content" in " ".join(text.split())
    assert printable(path) in text
    text.encode("utf-8")


def test_doubtful_files_are_counted_by_kind_and_changes_of_passages_listed() -> None:
    loud = FileWarning(WarningKind.CLIPPED, "loud")
    lost = FileWarning(WarningKind.LOST_SONG, "the song Song has no passage of its own any more")
    text = shown(
        summary_of(
            written(replace(entry("a.mp3", "a"), warnings=(loud, FileWarning(WarningKind.CLIPPED, "loud too")))),
            written(replace(entry("b.mp3", "b"), warnings=(loud, lost))),
            written(entry("c.mp3", "c")),
        ).render(1.0)
    )
    assert "2 files: 1 lost song, 2 clipped (wkmp warnings FOLDER lists them)" in text
    assert f"b.mp3: {lost}" in text
    assert "loud" not in text
    assert "Warnings" not in shown(summary_of(written(entry())).render(1.0))


def test_only_the_first_failures_are_listed() -> None:
    failures = [(f"{number}.mp3", Failed("p", "C", f"{number}.mp3: broken")) for number in range(25)]
    text = shown(render_failures(failures))
    assert text.count("broken") == 20
    assert "25 failed (the first 20; all of them: wkmp failures FOLDER)" in " ".join(text.split())
    assert shown(render_failures(failures, max_rows=25)).count("broken") == 25


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= math.floor(percent / 100 * len(values))
    assert sum(value < found for value in values) <= max(math.ceil(percent / 100 * len(values)) - 1, 0)


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 5), (51, 6), (99, 10), (100, 10)])
def test_percentiles_of_one_to_ten(percent: float, expected: float) -> None:
    assert percentile(list(range(10, 0, -1)), percent) == expected


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (ClassesOutcome.DEFERRED, "1 passages without classes yet (AcousticBrainz: HTTP 503): wkmp import"),
        (ClassesOutcome.GONE, "1 measured, 0 with AcousticBrainz' classes (AcousticBrainz: HTTP 503)"),
    ],
)
def test_a_recording_without_an_answer_is_said_and_one_whose_service_is_gone_by_the_way(
    outcome: ClassesOutcome, said: str
) -> None:
    one = entry()
    (passage,) = one.passages
    silent = replace(flavor(passage.match.span), outcome=outcome, detail="AcousticBrainz: HTTP 503")
    text = shown(summary_of(written(replace(one, passages=(replace(passage, flavor=silent),)))).render(1.0))
    assert said in text
    assert text.count("HTTP 503") == 1


def test_flavors_are_counted_and_left_out_where_there_are_none() -> None:
    one = entry(bounds=in_a_row(2))
    classes = ({"mood_happy": {"happy": 0.75, "not_happy": 0.25}}, {})
    flavored = tuple(
        replace(passage, flavor=flavor(passage.match.span, classes=said))
        for passage, said in zip(one.passages, classes, strict=True)
    )
    text = shown(summary_of(written(replace(one, passages=flavored))).render(1.0))
    assert "2 measured, 1 with AcousticBrainz' classes" in text
    assert "AcousticBrainz" not in shown(summary_of(written(one)).render(1.0))


def test_a_long_list_is_cut_short_and_what_was_not_asked_is_said() -> None:
    summary = ImportSummary()
    summary.not_asked = "2 files wait for a key"
    summary.passed_over = tuple(f"folder {number} cannot be read" for number in range(30))
    text = shown(summary.render(1.0))
    assert "2 files wait for a key" in text
    assert "and 10 more" in text
