"""What a partition's metadata says: a few facts per phase, and the receipt of the commit, there and back. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import singledispatch
from typing import Any

from wkmp_assets.commit import FileCommit
from wkmp_assets.model.batch import Receipt, Written
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
from wkmp_assets.outcomes import Failed, Outcome, Result, Skipped

Facts = dict[str, Any]

FAILED = "failed"


def describe_outcome(outcome: Outcome[Any]) -> Facts:
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
    return {"outcome": "done"} | facts(outcome.value)


@singledispatch
def facts(_value: object) -> Facts:
    """Return what is worth knowing about a phase value."""
    return {}


@facts.register
def _(value: FileIdentity) -> Facts:
    known = {"moved_from": value.moved_from, "duplicate_of": value.duplicate_of}
    found = {"state": str(value.state), "sha256": value.content_hash, "size_bytes": value.size_bytes}
    return found | {name: path for name, path in known.items() if path}


@facts.register
def _(value: FileTags) -> Facts:
    named = {"title": value.title, "artist": value.artist, "album": value.album}
    if value.recording_mbid:
        named["recording"] = value.recording_mbid
    return {name: text for name, text in named.items() if text} | _warnings(value.warnings)


@facts.register
def _(value: PassageSegments) -> Facts:
    audio = value.audio
    return {
        "passages": len(value.passages),
        "duration_s": round(audio.total_samples / audio.sample_rate_hz, 3),
        "format": f"{audio.format}, {audio.sample_rate_hz} Hz, {audio.channels} ch",
        "silence_threshold_db": value.parameters.silence_threshold_db,
    } | _warnings(audio.warnings + value.warnings)


@facts.register
def _(value: Fingerprints) -> Facts:
    done = sum(passage.fingerprint is not None for passage in value.passages)
    return {"algorithm": value.algorithm, "fingerprinted": done, "too_short": len(value.passages) - done}


@facts.register
def _(value: RecordingLookups) -> Facts:
    outcomes = Counter(str(lookup.outcome) for lookup in value.passages)
    details = tuple(dict.fromkeys(lookup.detail for lookup in value.passages if lookup.detail))
    standing = Counter(lookup.stands_because for lookup in value.passages if lookup.stands_because)
    details += tuple(f"{count} answers are of an earlier import ({reason})" for reason, count in standing.items())
    counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    described = {"lookups": counted, "requests_sent": value.asked, "answers_from_cache": value.from_cache}
    return described | ({"reason": "\n".join(details)} if details else {})


@facts.register
def _(value: SongMatches) -> Facts:
    matches = value.passages
    songs = [match.song.recording_mbid for match in matches if match.song]
    described = {
        "identified": len(songs),
        "levels": ", ".join(str(match.level) for match in matches),
        "scores": ", ".join(f"{match.score:.2f}" for match in matches),
        "sources": ", ".join(dict.fromkeys(match.source or "none" for match in matches)),
    }
    heard = [match.lookup.candidates[0].acoustid for match in matches if match.lookup and match.lookup.candidates]
    pages = {
        "recordings": [f"https://musicbrainz.org/recording/{mbid}" for mbid in songs],
        "acoustids": [f"https://acoustid.org/track/{acoustid}" for acoustid in heard if acoustid],
    }
    return described | {name: "\n".join(links) for name, links in pages.items() if links}


@facts.register
def _(value: LeadPoints) -> Facts:
    unknown = sum(points.lead_in_sample is None for points in value.passages)
    warnings = tuple(warning for points in value.passages for warning in points.warnings)
    return {"passages": len(value.passages), "without_points": unknown} | _warnings(value.warnings + warnings)


@facts.register
def _(value: Flavors) -> Facts:
    sounds = [
        f"{one.measures.bpm:.0f} bpm, {one.measures.key} {one.measures.scale}, {one.measures.loudness_lufs:.1f} LUFS"
        for one in value.passages
    ]
    described: Facts = {"passages": len(sounds), "with_classes": sum(bool(one.classes) for one in value.passages)}
    details = tuple(dict.fromkeys(one.detail for one in value.passages if one.detail))
    described |= {"sound": "\n".join(sounds)} | ({"reason": "\n".join(details)} if details else {})
    return described | _warnings(tuple(warning for one in value.passages for warning in one.warnings))


def describe_commit(commit: FileCommit) -> Facts:
    """Return the metadata of one file's commit: what became of it, and the receipt."""
    receipt = commit.receipt
    described: Facts = {"result": result_word(commit)}
    if isinstance(commit.outcome, Failed):
        described |= describe_outcome(commit.outcome)
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
        described["written"] = asdict(receipt.written)
    return described | _warnings(commit.batch.warnings if commit.batch else ())


@dataclass(frozen=True)
class RecordedCommit:
    """A file's commit as its partition's metadata tells of it."""

    run_id: str
    result: str
    """What became of the file, in the words of the summary."""
    receipt: Receipt | None
    """None when nothing was written."""


def recorded_commit(metadata: Mapping[str, Any], run_id: str) -> RecordedCommit:
    """Read back what `describe_commit` wrote.

    Parameters
    ----------
    metadata : mapping of str to value
        Of one partition of `library_entry`. Receipts of older versions, which say less, are read too.
    run_id : str
        The run that recorded it.
    """
    result = str(metadata.get("result", ""))
    if "write_locks" not in metadata:
        return RecordedCommit(run_id, result, None)
    counted = {field.name: metadata[field.name] for field in fields(Receipt) if field.name in metadata}
    written = counted.pop("written", None)
    return RecordedCommit(run_id, result, Receipt(**counted, written=Written(**written) if written else None))


def result_word(commit: FileCommit) -> str:
    """Return what became of a file, in the words of the summary."""
    outcome = commit.outcome
    if isinstance(outcome, Failed):
        return FAILED
    if isinstance(outcome, Skipped):
        return str(outcome.reason)
    return _word_of_write(outcome, commit)


def _word_of_write(outcome: Result[Any], commit: FileCommit) -> str:
    state = outcome.value.identity.state
    if state in {FileState.MOVED, FileState.TOUCHED} and outcome.value.audio is None:
        return str(state)
    status = commit.batch.file.status if commit.batch and commit.batch.file else ""
    return {"DUPLICATE HASH": "duplicate", "NO AUDIO": "no audio"}.get(status, "imported")


def _warnings(warnings: tuple[str, ...]) -> Facts:
    return {"warnings": "\n".join(warnings)} if warnings else {}
