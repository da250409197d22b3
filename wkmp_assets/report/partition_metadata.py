"""The metadata of a partition: facts of each phase, and the receipt of the commit, written and read back.

Dagster keeps the metadata of every phase of every file. An entry takes 100 bytes beside its text, so a phase says in
one line what it found. Tables are for files with several passages, and `library_entry` keeps all of its figures.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import singledispatch
from typing import Any
from urllib.parse import quote

from wkmp_assets.model.batch import FileCommit, Receipt, WriteBatch, WrittenRows
from wkmp_assets.model.field_values import fields_of
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.file_warnings import FileWarning
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped
from wkmp_assets.model.statuses import FileStatus
from wkmp_assets.model.ticks import to_seconds
from wkmp_assets.model.values import (
    FileIdentity,
    FileState,
    FileTags,
    Fingerprints,
    Flavors,
    LeadPoints,
    PassageSegments,
    RecordingLookups,
    SongMatches,
)
from wkmp_assets.report.passage_tables import (
    PassageTable,
    tabulate_entry,
    tabulate_flavors,
    tabulate_matches,
    tabulate_segments,
)
from wkmp_assets.report.text import clock, counted, describe_covers, name_status, printable

Metadata = dict[str, Any]
"""Name -> number, text, mapping, `PassageTable` or `Link`."""

FAILED = "failed"
RECORDING_PAGE = "https://musicbrainz.org/recording/"
MAX_SHOWN_KEY = 60
"""Characters of a partition key that the web UI shows whole; longer ones it shortens in the middle."""
MAX_LINKS = 24
"""Links to one service for one file."""


@dataclass(frozen=True)
class Link:
    """A page on the web."""

    url: str


def describe_outcome(outcome: Outcome[Any]) -> Metadata:
    """Return the metadata of one phase for one file."""
    if isinstance(outcome, Failed):
        return {
            "outcome": FAILED,
            "failed_in": outcome.phase,
            "code": outcome.code,
            "message": outcome.message,
        }
    if isinstance(outcome, Skipped):
        return {"outcome": f"skipped: {outcome.reason}"} | ({"detail": outcome.detail} if outcome.detail else {})
    return {name: _as_line(fact) for name, fact in describe_value(outcome.value).items()}


@singledispatch
def describe_value(_value: object) -> Metadata:
    """Return the facts that the web UI shows of a phase value."""
    return {}


@describe_value.register
def _(value: FileIdentity) -> Metadata:
    known = {"moved_from": value.moved_from, "duplicate_of": value.duplicate_of}
    found = {"found": f"{value.state}, {value.size_bytes} bytes", "sha256": value.content_hash}
    return found | {name: path for name, path in known.items() if path}


@describe_value.register
def _(value: FileTags) -> Metadata:
    named = {"title": value.title, "artist": value.artist, "album": value.album, "recording": value.recording_mbid}
    said = "\n".join(f"{name}: {text}" for name, text in named.items() if text)
    covers = {"covers": describe_covers(value.covers)} if value.covers else {}
    return {"found": said or "no title, artist or album", **covers} | _describe_warnings(value.warnings)


@describe_value.register
def _(value: PassageSegments) -> Metadata:
    audio = value.audio
    length = clock(audio.total_samples / audio.sample_rate_hz)
    found = (
        f"{counted(len(value.passages), 'passage')} by {value.decided_by}, in {length} of {audio.format}, "
        f"{audio.sample_rate_hz} Hz, {audio.channels} ch; silence is {value.parameters.silence_threshold_db:g} dB down"
    )
    return {"found": found, "where": tabulate_segments(value)} | _describe_warnings(audio.warnings + value.warnings)


@describe_value.register
def _(value: Fingerprints) -> Metadata:
    done, count = sum(passage.fingerprint is not None for passage in value.passages), len(value.passages)
    said = f"{done} of {counted(count, 'passage')} fingerprinted ({value.algorithm})"
    return {"found": said + (f"; {count - done} too short" if done < count else "")}


@describe_value.register
def _(value: RecordingLookups) -> Metadata:
    outcomes = Counter(str(lookup.outcome) for lookup in value.passages)
    details = tuple(dict.fromkeys(lookup.detail for lookup in value.passages if lookup.detail))
    standing = Counter(lookup.stands_because for lookup in value.passages if lookup.stands_because)
    details += tuple(f"{count} answers are of an earlier import ({reason})" for reason, count in standing.items())
    lookups = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    described = {"found": f"{lookups}; {counted(value.asked, 'request')} sent, {value.from_cache} answered from cache"}
    of_passages = (warning for lookup in value.passages for warning in lookup.warnings)
    warnings = tuple(dict.fromkeys((*value.warnings, *of_passages)))
    return described | ({"reason": "\n".join(details)} if details else {}) | _describe_warnings(warnings)


@describe_value.register
def _(value: SongMatches) -> Metadata:
    matches = value.passages
    songs = [match.song.recording_mbid for match in matches if match.song]
    found = f"{len(songs)} of {counted(len(matches), 'passage')} with a known song"
    heard = [match.lookup.candidates[0].acoustid for match in matches if match.lookup and match.lookup.candidates]
    return (
        {"found": found, "songs": tabulate_matches(value)}
        | _make_links("recording", RECORDING_PAGE, songs)
        | _make_links("acoustid", "https://acoustid.org/track/", [acoustid for acoustid in heard if acoustid])
    )


@describe_value.register
def _(value: LeadPoints) -> Metadata:
    unknown = sum(points.lead_in_sample is None for points in value.passages)
    warnings = tuple(warning for points in value.passages for warning in points.warnings)
    found = f"{counted(len(value.passages), 'passage')}, {unknown} without lead points"
    return {"found": found} | _describe_warnings(value.warnings + warnings)


@describe_value.register
def _(value: Flavors) -> Metadata:
    with_classes = sum(bool(one.classes) for one in value.passages)
    found = f"{counted(len(value.passages), 'passage')}, {with_classes} with classes of AcousticBrainz"
    described: Metadata = {"found": found, "sound": tabulate_flavors(value)}
    details = tuple(dict.fromkeys(one.detail for one in value.passages if one.detail))
    described |= {"reason": "\n".join(details)} if details else {}
    return described | _describe_warnings(tuple(warning for one in value.passages for warning in one.warnings))


def describe_commit(commit: FileCommit) -> Metadata:
    """Return the metadata of one file's commit: its result and its receipt."""
    receipt = commit.receipt
    described: Metadata = {"result": name_result(commit)}
    if isinstance(commit.outcome, Failed):
        described |= describe_outcome(commit.outcome)
    if isinstance(commit.outcome, Result):
        described |= _spell_out(commit.key) | _describe_entry(commit.outcome.value, commit.batch)
    if receipt is None:
        return described
    described |= {
        "write_locks": receipt.write_locks,
        "transactions": receipt.transactions,
        "statements": receipt.statements,
        "selects_in_transaction": receipt.selects_in_transaction,
        "rows": receipt.rows,
        "wait_ms": round(receipt.wait_ms, 3),
        "hold_ms": round(receipt.hold_ms, 3),
        "retries": receipt.retries,
        "conflicts": receipt.conflicts,
    }
    if receipt.written is not None:
        described["written"] = fields_of(receipt.written)
    if commit.batch and commit.batch.kept_because:
        described["kept"] = "\n".join(
            f"{counted(count, 'passage')} known before: kept because {reason}"
            for reason, count in Counter(commit.batch.kept_because).items()
        )
    return described | _describe_warnings(commit.batch.warnings if commit.batch else ())


def _spell_out(key: str) -> Metadata:
    """Return the path of a file whose partition key does not show it: it is shortened, or has percent-encoding."""
    path = printable(decode_key(key))
    return {"path": path} if path != key or len(key) > MAX_SHOWN_KEY else {}


def _describe_entry(entry: FileEntry, batch: WriteBatch | None) -> Metadata:
    """Return what the library now holds of a file."""
    if entry.audio is None:
        return _describe_skipped(entry.identity)
    songs = [passage.match.song.recording_mbid for passage in entry.passages if passage.match.song]
    length = clock(to_seconds(entry.duration_ticks or 0))
    if not entry.passages:
        return {"found": f"{length} of {entry.audio.format}: nothing but silence"}
    passages = counted(len(entry.passages), "passage")
    known = sum(row.song_id is not None for row in batch.passages) if batch else len(songs)
    found = f"{length} of {entry.audio.format}: {passages}, {known} of them with a known song"
    return {"found": found, "passages": tabulate_entry(entry)} | _make_links("recording", RECORDING_PAGE, songs)


def _describe_skipped(identity: FileIdentity) -> Metadata:
    """Return why a file was not decoded."""
    if identity.duplicate_of:
        return {"found": f"the same bytes as {identity.duplicate_of}, which stands for both"}
    return {"found": f"the file that was {identity.moved_from}"} if identity.moved_from else {}


@dataclass(frozen=True)
class RecordedCommit:
    """A file's commit, read back from the metadata of its partition."""

    run_id: str
    result: str
    """Result of the file, in the words of the summary."""
    receipt: Receipt | None
    """None when nothing was written."""


def parse_commit(metadata: Mapping[str, Any], run_id: str) -> RecordedCommit:
    """Read back what `describe_commit` wrote.

    Parameters
    ----------
    metadata : mapping of str to value
        Metadata of one partition of `library_entry`. Receipts of older versions, which say less, can be read.
    run_id : str
        The run that recorded it.
    """
    result = str(metadata.get("result", ""))
    if "write_locks" not in metadata:
        return RecordedCommit(run_id, result, None)
    figures = {field.name: metadata[field.name] for field in fields(Receipt) if field.name in metadata}
    written = figures.pop("written", None)
    return RecordedCommit(run_id, result, Receipt(**figures, written=WrittenRows(**written) if written else None))


def name_result(commit: FileCommit) -> str:
    """Return the result of a file, in the words of the summary."""
    outcome = commit.outcome
    if isinstance(outcome, Failed):
        return FAILED
    if isinstance(outcome, Skipped):
        return str(outcome.reason)
    return _name_written(outcome, commit)


def _name_written(outcome: Result[Any], commit: FileCommit) -> str:
    state = outcome.value.identity.state
    if state in {FileState.MOVED, FileState.TOUCHED} and outcome.value.audio is None:
        return str(state)
    written = commit.batch.file if commit.batch else None
    return name_status(written.status if written else FileStatus.INGEST_COMPLETE)


def _as_line(fact: Any) -> Any:
    """Return a table of one passage as a line of text, which takes a tenth of the room."""
    if not isinstance(fact, PassageTable) or len(fact.lines) != 1:
        return fact
    return ", ".join(f"{name}: {text}" for name, text in fact.lines[0].items() if name != "passage")


def _describe_warnings(warnings: tuple[FileWarning, ...]) -> Metadata:
    return {"warnings": "\n".join(warning.text for warning in warnings)} if warnings else {}


def _make_links(name: str, page: str, ids: Sequence[str]) -> Metadata:
    """Return one entry per page, because Dagster makes a link of a whole value only."""
    pages = [Link(page + quote(one, safe="")) for one in dict.fromkeys(ids)]
    if len(pages) == 1:
        return {name: pages[0]}
    return {f"{name}_{number}": link for number, link in enumerate(pages[:MAX_LINKS], start=1)}
