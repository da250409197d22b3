"""One import of the whole corpus: every file is imported or fails with a named cause, and none is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pytest

from wkmp_assets.model.file_key import decode_key, encode_key, storable_path
from wkmp_assets.model.outcomes import Result
from wkmp_assets.model.phases import SCAN, SEGMENTS, TAGS
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.integration.corpus import containers, cuts, meanings, names, sheets, sounds, tags
from wkmp_assets_tests.integration.corpus.case import DAMAGED, IMPORTED, SILENT, Case, End, undecodable
from wkmp_assets_tests.integration.corpus.sound_bytes import plain
from wkmp_assets_tests.support.builders import problems, rows
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.workplace import Workplace

IS_LONG = bool(os.environ.get("WKMP_TEST_LONG"))
"""Whether all files are included. Else none that takes minutes is, one of six that are simply imported, and one of two
that the decoder decides about."""
pytestmark = [pytest.mark.long] if IS_LONG else []
LONG = (
    Case("long/two hours of silence.flac", sounds.hours_of_silence(2, 44_100, 2), SILENT),
    Case("long/49 hours.flac", sounds.hours_of_silence(49), undecodable("more than 48 hours", "TOO_LONG")),
)
GROUPS = (
    sounds.damaged,
    sounds.unusual,
    sounds.lies,
    sounds.codecs,
    sounds.misnamed,
    tags.tags,
    meanings.meanings,
    sheets.sheets,
    names.names,
    names.no_files,
)
CASES = [case for group in GROUPS for case in group()]
CASES += [
    Case(f"{folder}/good.flac", plain("flac"), IMPORTED) for folder in sorted({c.path.split("/")[0] for c in CASES})
]
if IS_LONG:
    CASES += LONG
else:
    for becomes, step in ((IMPORTED, 6), (DAMAGED, 2)):
        alike = [case for case in CASES if case.becomes == becomes]
        CASES = [case for case in CASES if case.becomes != becomes or case in alike[::step]]
CASES += [*containers.containers(), *cuts.cuts()]
STATUSES = {End.IMPORTED: "INGEST COMPLETE", End.SILENT: "NO AUDIO"}
MAX_MEMORY_MB = 500
"""Memory limit of any process of an import, for any input (docs/explanation/decisions.md)."""
WORKER_MB = 384
WORKERS = "2" if IS_LONG else "1"
_MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
"""


@dataclass(frozen=True)
class ImportedCorpus:
    """The music folder after its import, and the output of the command."""

    place: Workplace
    result: subprocess.CompletedProcess[str]
    peak_kb: int

    @cached_property
    def statuses(self) -> dict[str, str]:
        return {row["path"]: row["status"] for row in rows(self.place.database, "SELECT path, status FROM files")}

    @cached_property
    def failures(self) -> dict[str, tuple[str, str, str]]:
        stored = rows(self.place.database, "SELECT path, phase, code, message FROM import_failures")
        return {row["path"]: (row["phase"], row["code"], row["message"]) for row in stored}

    @cached_property
    def store(self) -> PhaseStore:
        settings = load_settings(library_root=self.place.music, state_dir=self.place.home / ".wkmp")
        return PhaseStore(settings.phase_dir)

    @cached_property
    def passed_over(self) -> dict[str, str]:
        scan = self.store.read_stored(SCAN, SCAN)
        assert isinstance(scan, Result)
        return dict(sentence.rsplit(": ", 1) for sentence in scan.value.passed_over)

    def warnings(self, path: str) -> str:
        values = [self.store.read_stored(phase, encode_key(path)) for phase in (TAGS, SEGMENTS)]
        assert all(isinstance(value, Result) for value in values)
        found, segments = values[0].value, values[1].value
        return "\n".join(map(str, (*found.warnings, *segments.audio.warnings, *segments.warnings)))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportedCorpus]:
    folder = tmp_path_factory.mktemp("corpus")
    extra = {"WKMP_WORKER_MEMORY_MB": str(WORKER_MB), "WKMP_WORKERS": WORKERS}
    place = Workplace(folder / "home", folder / "music", extra)
    place.home.mkdir()
    (place.home / "dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
    for seed, case in enumerate(CASES, 100):
        path = place.music / case.path
        path.parent.mkdir(parents=True, exist_ok=True)
        case.make(path, seed)
    peak = folder / "peak"
    command = [sys.executable, "-c", _MEASURED, str(peak), *_without_privileges()]
    result = place.run([*command, sys.executable, "-m", "wkmp_assets.cli.main", "import", str(place.music)])
    yield ImportedCorpus(place, result, int(peak.read_text()))
    (place.music / "locked/folder").chmod(0o700)


def _without_privileges() -> list[str]:
    """Root can read unreadable files; without these capabilities it cannot."""
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.mark.parametrize("case", CASES, ids=[encode_key(case.path)[:60] for case in CASES])
def test_every_file_ends_as_it_should(corpus: ImportedCorpus, case: Case) -> None:
    path, becomes = storable_path(encode_key(case.path)), case.becomes
    if becomes.end is End.PASSED_OVER:
        assert becomes.says in corpus.passed_over[case.path]
        return
    assert (path in corpus.statuses) != (path in corpus.failures), "exactly one of the two"
    if becomes.end in STATUSES:
        assert corpus.statuses.get(path) == STATUSES[becomes.end], corpus.failures.get(path)
        assert becomes.says in corpus.warnings(case.path)
    elif becomes.end is End.FAILED or path in corpus.failures:
        phase, code, message = corpus.failures[path]
        assert (phase, code) == (becomes.phase, becomes.code), message
        assert becomes.says in message


def test_nothing_else_is_in_the_library_and_what_is_there_is_whole(corpus: ImportedCorpus) -> None:
    here = {storable_path(encode_key(case.path)) for case in CASES if case.becomes.end is not End.PASSED_OVER}
    assert corpus.statuses.keys() | corpus.failures.keys() == here
    assert corpus.passed_over.keys() == {case.path for case in CASES if case.becomes.end is End.PASSED_OVER}
    assert problems(corpus.place.database) == []


def test_every_failure_names_the_file_and_the_next_step(corpus: ImportedCorpus) -> None:
    assert corpus.failures
    for path, (_, _, message) in corpus.failures.items():
        assert message.startswith(decode_key(path).encode("utf-8", "backslashreplace").decode()), message
        assert message.endswith(("then import again", "and import again")), message


def test_the_command_says_so_in_words_that_any_terminal_can_show(corpus: ImportedCorpus) -> None:
    said = corpus.result.stdout + corpus.result.stderr
    assert corpus.result.returncode == 1
    assert "Traceback" not in said
    assert f"{len(corpus.failures)} failed" in said
    assert f"{len(corpus.passed_over)} passed over" in said
    assert [character for character in said if not (character.isprintable() or character == "\n")] == []


def test_no_artist_is_called_by_a_piece_of_a_credit(corpus: ImportedCorpus) -> None:
    stored = rows(corpus.place.database, "SELECT artist_mbid, name FROM artists")
    named = {meanings.mbid(artist): name for names in meanings.CREDITS.values() for artist, name in names.items()}
    assert {row["artist_mbid"]: row["name"] for row in stored}.items() >= named.items()


def test_tags_mean_what_their_programs_meant(corpus: ImportedCorpus) -> None:
    query = """
        SELECT f.title, f.artist, f.track_number, f.year, p.additional_metadata
        FROM files AS f JOIN passages AS p ON p.file_id = f.guid WHERE f.path = ?"""
    (row,) = rows(corpus.place.database, query, meanings.RICH)
    assert json.loads(row.pop("additional_metadata"))["file_tags"] == meanings.DETAILS
    assert row == {"title": "x", "artist": "The Artist", "track_number": 3, "year": 1999}


def test_a_sheet_cuts_and_names_the_passages_of_its_file(corpus: ImportedCorpus) -> None:
    query = """
        SELECT p.title, p.artist, p.album, p.end_time_ticks / 28224000.0 AS end_s FROM files AS f
        JOIN passages AS p ON p.file_id = f.guid WHERE f.path = ? ORDER BY p.start_time_ticks"""
    assert rows(corpus.place.database, query, sheets.GOOD) == [
        {"title": title, "artist": "Band", "album": "Live", "end_s": end_s} for title, end_s in (("One", 1), ("Two", 2))
    ]


def test_tags_are_read_in_every_container(corpus: ImportedCorpus) -> None:
    query = """
        SELECT f.path, f.title, f.artist, f.album, f.track_number, f.year, p.recording_mbid
        FROM files AS f JOIN passages AS p ON p.file_id = f.guid WHERE f.path LIKE 'containers/%'"""
    assert {row.pop("path"): row for row in rows(corpus.place.database, query)} == containers.read_from()


def test_passages_are_cut_where_a_person_hears_it(corpus: ImportedCorpus) -> None:
    query = """
        SELECT p.start_time_ticks / 28224000.0 AS start_s, p.end_time_ticks / 28224000.0 AS end_s, p.title,
               p.recording_mbid FROM files AS f
        JOIN passages AS p ON p.file_id = f.guid WHERE f.path = ? ORDER BY p.start_time_ticks"""
    for path, passages in cuts.PASSAGES.items():
        assert rows(corpus.place.database, query, path) == [
            {
                "start_s": pytest.approx(start_s, abs=0.03),
                "end_s": pytest.approx(end_s, abs=0.03),
                "title": title,
                "recording_mbid": title and cuts.recording(path),
            }
            for start_s, end_s, title in passages
        ], path


def test_no_process_takes_more_memory_than_it_may(corpus: ImportedCorpus) -> None:
    assert 0 < corpus.peak_kb / 1024 < MAX_MEMORY_MB


def test_the_corpus_has_every_end(corpus: ImportedCorpus) -> None:
    """After a change of the decoders, a corpus might be harmless and prove nothing."""
    assert {case.becomes.end for case in CASES} == set(End)
    unsure = [storable_path(encode_key(case.path)) for case in CASES if case.becomes == DAMAGED]
    assert any(path in corpus.statuses for path in unsure)
    assert any(path in corpus.failures for path in unsure)
