"""Judge the cases of the segmentation report, each as the import's own phases would, and tabulate what came of them."""

import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby, pairwise
from multiprocessing import get_context
from pathlib import Path

from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.worker_tasks import segment_file, tag_file
from wkmp_assets.db.read.library_settings import MIN_PASSAGE, SILENCE_MIN, SILENCE_THRESHOLD
from wkmp_assets.files.identity import look_at
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.boundary_evidence import NO_EVIDENCE
from wkmp_assets.model.values import PassageSegments, SegmentationParameters
from wkmp_assets_tests.tools.benchmarks.intervals import wilson_interval
from wkmp_assets_tests.tools.benchmarks.markdown import Table
from wkmp_assets_tests.tools.benchmarks.segmentation_cases import TRACKS_PER_MIX, UNSEEN_PACKAGES, Case
from wkmp_assets_tests.tools.benchmarks.segmentation_files import Made, make_file

PARAMETERS = SegmentationParameters(
    float(SILENCE_THRESHOLD.default), int(SILENCE_MIN.default), int(MIN_PASSAGE.default)
)
MAX_CUT_FILES = 20


@dataclass(frozen=True)
class Outcome:
    """What came of one case."""

    case: Case
    tried: int
    """Things to find: gaps, tracks of a sheet, or the file itself that must stay whole."""
    right: int
    extra: int = 0
    """Cuts where nothing was to find."""
    passages: int = 0


def judge_all(cases: Sequence[Case], workers: int) -> list[Outcome]:
    """Make and judge every case, in worker processes; a file exists only while it is judged."""
    by_tracks = [list(group) for _, group in groupby(cases, lambda case: (case.tracks, case.voice))]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [outcome for outcomes in pool.map(_judge_group, by_tracks) for outcome in outcomes]


def _judge_group(cases: Sequence[Case]) -> list[Outcome]:
    """Judge cases of the same tracks in one process, which decodes them once."""
    return [judge(case) for case in cases]


def judge(case: Case) -> Outcome:
    """Make the file of a case, find its passages as the import does, and compare them with the truth."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = make_file(case, folder)
        segments = _segment(made, folder)
    return _compare(case, made, segments)


def _segment(made: Made, folder: Path) -> PassageSegments:
    path = made.path
    expected = ExpectedContent("0" * 64, look_at(path.parent, path.name))
    evidence = NO_EVIDENCE
    if not made.is_untagged:
        evidence = tag_file(path, path.name, expected, CoverStore(folder / "covers", folder / "notes")).evidence
    return segment_file(path, path.name, expected, PcmStore(folder / "pcm", 0), PARAMETERS, evidence)


def _compare(case: Case, made: Made, segments: PassageSegments) -> Outcome:
    passages = segments.passages
    rate = segments.audio.sample_rate_hz
    cuts = [(one.end_sample / rate, other.start_sample / rate) for one, other in pairwise(passages)]
    if made.starts:
        starts = {span.start_sample for span in passages}
        right = len(starts.intersection(made.starts))
        return Outcome(case, len(made.starts), right, len(starts) - right, len(passages))
    found = [gap for gap in made.gaps_s if any(start < gap[1] and end > gap[0] for start, end in cuts)]
    if case.kind == "tagged hidden track" and segments.main_passage != 0:
        found = []
    if made.gaps_s:
        extra = sum(all(start >= gap[1] or end <= gap[0] for gap in made.gaps_s) for start, end in cuts)
        return Outcome(case, len(made.gaps_s), len(found), extra, len(passages))
    return Outcome(case, 1, int(len(passages) == 1), 0, len(passages))


def introduce_report(tracks: int) -> list[str]:
    """Say what was measured, on what, and what cannot be found."""
    return [
        (
            "`make bench-segmentation` writes this page. Every figure comes from that one run. Do not edit the page: "
            "run the command again."
        ),
        (
            "Every file goes through the functions that the import uses, with the default settings. A silence is 64 dB "
            "below full scale for 1.8 s (`wkmp_assets/audio/silence.py`). Sheets, chapters and tags are stronger "
            "evidence (`wkmp_assets/audio/boundaries.py`). In long files without any, gaps full of noise separate "
            "passages as well (`wkmp_assets/audio/noise_gaps.py`)."
        ),
        (
            f"**Nothing was chosen on this music**: {tracks} whole tracks of the Debian packages "
            f"{', '.join(UNSEEN_PACKAGES)}. The [settings](silence_settings.md) and the rules were chosen on other "
            "packages (`wkmp_assets_tests/tools/datasets/catalogue.py`) and on four voices of espeak-ng and flite, "
            "which are in no row here."
        ),
        (
            f"Long files are {TRACKS_PER_MIX} whole tracks, joined with gaps of 2 to 5 s. Lengths and places are drawn "
            "by chance, so a gap may follow a fade or precede a quiet beginning. The noise is white in some of the "
            "files and dark in the others."
        ),
        (
            "**Not found, by their nature**: cross-fades, applause and talk between songs, and gaps as loud as the "
            "music. Cuts elsewhere lie inside tracks, where a quiet part is drowned in the noise."
        ),
    ]


def report_tables(outcomes: Sequence[Outcome]) -> list[Table]:
    """Tabulate the outcomes by kind, and name the tracks that were cut."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(_row_name(outcome.case), []).append(outcome)
    rows = [_row(name, group) for name, group in groups.items()]
    table = Table(
        "Music that nothing was chosen on",
        ("material", "files", "right", "of", "share", "95 % interval", "cuts elsewhere"),
        rows,
        "Right: a single track, a pause of one recording or spoken word stays one passage; a planted gap is cut; a "
        "track of a sheet begins at its exact sample. The interval is Wilson's. The gaps of one file are not "
        "independent of each other, so intervals of long files are somewhat too narrow.",
    )
    return [table, _cut_table(outcomes)]


def _row_name(case: Case) -> str:
    if case.kind in {"gaps in a long file", "gaps of a record with clicks"}:
        floor = "digital silence" if case.floor_db is None else f"noise of {case.floor_db:g} dBFS"
        return f"{case.kind}, {floor}"
    return case.kind


def _row(name: str, group: Iterable[Outcome]) -> tuple[str, ...]:
    outcomes = list(group)
    tried = sum(outcome.tried for outcome in outcomes)
    right = sum(outcome.right for outcome in outcomes)
    low, high = wilson_interval(right, tried)
    extra = sum(outcome.extra for outcome in outcomes)
    return (
        name,
        str(len(outcomes)),
        str(right),
        str(tried),
        f"{100 * right / tried:.1f} %",
        f"{100 * low:.1f} to {100 * high:.1f} %",
        str(extra),
    )


def _cut_table(outcomes: Sequence[Outcome]) -> Table:
    cut = [
        outcome
        for outcome in outcomes
        if outcome.case.kind in {"untagged single", "tagged single", "spoken word"} and outcome.right < outcome.tried
    ]
    rows = [
        (
            f"{outcome.case.tracks[0].name}" if outcome.case.kind != "spoken word" else outcome.case.voice,
            outcome.case.kind,
            str(outcome.passages),
        )
        for outcome in cut[:MAX_CUT_FILES]
    ]
    return Table(
        "Tracks and readings that do not stay whole",
        ("file", "material", "passages"),
        rows,
        f"{len(cut)} in all." + (f" The first {MAX_CUT_FILES} are shown." if len(cut) > MAX_CUT_FILES else ""),
    )
