"""How sure it is that a passage is a recording. Pure.

Weights, levels and neutral values are the replaced system's; what is compared is more: every candidate, artists as well
as titles, and the length.
"""

from collections.abc import Sequence

from rapidfuzz.distance import JaroWinkler

from wkmp_assets.identify.services.acoustid import FingerprintMatch
from wkmp_assets.identify.services.musicbrainz import Recording
from wkmp_assets.model.values import SCORE_TOLERANCE, Candidate, FileTags, PathNames

SINGLE_TRACK_WEIGHTS = (0.30, 0.60, 0.10)
"""Weights of metadata, fingerprint and duration in a file of one track."""
MULTI_TRACK_WEIGHTS = (0.35, 0.55, 0.10)
"""In a file of several."""


NEUTRAL_SCORE = 0.3
SAME_NAME_SCORE = 0.8
"""The replaced system's score for equal titles; for names of files and folders, which anybody may have given."""
UNKNOWN_LENGTH_SCORE = 0.5
MIN_TITLE_SIMILARITY = 0.85
"""Jaro-Winkler: the replaced system's level for accepting a text as the same."""


def confidence(
    metadata: float, fingerprint: float, duration: float, weights: tuple[float, float, float] = SINGLE_TRACK_WEIGHTS
) -> float:
    """Weigh the evidence.

    Parameters
    ----------
    metadata, fingerprint, duration : float
        Each 0..1.
    weights : tuple of float
        `SINGLE_TRACK_WEIGHTS` or `MULTI_TRACK_WEIGHTS`.

    Returns
    -------
    float
        0..1.

    Raises
    ------
    ValueError
        A score is outside 0..1.
    """
    scores = (metadata, fingerprint, duration)
    if not all(0 <= score <= 1 for score in scores):
        raise ValueError(f"scores must be from 0 to 1, not {scores}")
    return sum(weight * score for weight, score in zip(weights, scores, strict=True))


def similarity(one: str, other: str) -> float:
    """Compare two texts: Jaro-Winkler without regard to case and surrounding blanks, 0..1."""
    return JaroWinkler.normalized_similarity(one.strip().lower(), other.strip().lower())


def is_same_title(one: str, other: str) -> bool:
    """Tell whether two texts name the same thing."""
    return similarity(one, other) >= MIN_TITLE_SIMILARITY - SCORE_TOLERANCE


def metadata_score(tags: FileTags, title: str | None, artist: str | None, mbid: str, *, is_whole_file: bool) -> float:
    """Compare what the tags say with a recording, 0..1.

    Of a file of several tracks the tags name the artist, but none of the titles. Tags that say nothing that could be
    compared leave it to the names of file and folders, which can only speak for a recording, not against it.
    """
    if is_whole_file and tags.recording_mbid == mbid:
        return 1.0
    pairs = [(tags.artist, artist)]
    if is_whole_file:
        pairs.append((tags.title, title))
    similarities = [similarity(said, known) for said, known in pairs if said and known]
    if similarities:
        return sum(similarities) / len(similarities)
    return _names_score(tags.names, title if is_whole_file else None, artist)


def _names_score(names: PathNames, title: str | None, artist: str | None) -> float:
    """Score what a path says: half of it for a title in the file's name, half for an artist anywhere."""
    found = (_is_named(title, names.file), _is_named(artist, names.file + names.folders))
    return sum(SAME_NAME_SCORE if is_found else NEUTRAL_SCORE for is_found in found) / len(found)


def _is_named(known: str | None, texts: Sequence[str]) -> bool:
    return known is not None and any(is_same_title(text, known) for text in texts)


def duration_score(passage_s: float, recording_s: float | None) -> float:
    """Compare lengths: 1 within 5 %, 0.5 within 10 % or when the recording's is unknown, else 0."""
    if not recording_s:
        return UNKNOWN_LENGTH_SCORE
    difference = abs(passage_s - recording_s) / recording_s
    return 1.0 if difference <= 0.05 + SCORE_TOLERANCE else 0.5 if difference <= 0.10 + SCORE_TOLERANCE else 0.0


def rank(
    heard: Sequence[FingerprintMatch], tags: FileTags, passage_s: float, *, is_whole_file: bool
) -> list[Candidate]:
    """Score recordings that sound like a passage, best first.

    Ties are broken by AcoustID's score, then by the likeness of the titles, then by the id: the order never depends on
    the order of the answer.
    """
    return sorted(
        (_candidate(one, tags, passage_s, is_whole_file=is_whole_file) for one in heard),
        key=lambda one: (
            -round(one.confidence, 9),
            -one.fingerprint_score,
            -similarity(tags.title or "", one.song.title or ""),
            one.song.recording_mbid,
        ),
    )


def _candidate(heard: FingerprintMatch, tags: FileTags, passage_s: float, *, is_whole_file: bool) -> Candidate:
    song = heard.song
    metadata = metadata_score(tags, song.title, song.artist_name, song.recording_mbid, is_whole_file=is_whole_file)
    duration = duration_score(passage_s, heard.length_s)
    weights = SINGLE_TRACK_WEIGHTS if is_whole_file else MULTI_TRACK_WEIGHTS
    total = confidence(metadata, heard.score, duration, weights)
    return Candidate(song, heard.length_s, heard.acoustid, heard.score, metadata, duration, total)


def rank_by_text(found: Sequence[Recording], tags: FileTags, passage_s: float) -> list[Candidate]:
    """Score recordings that are named like a file, best first; those not similar in both title and artist are left out.

    Without a fingerprint the weights are 0.4 for the artist, 0.4 for the title and 0.2 for the length.
    """
    candidates = []
    for recording in found:
        artist = similarity(tags.artist or "", recording.song.artist_name or "")
        title = similarity(tags.title or "", recording.song.title or "")
        duration = duration_score(passage_s, recording.length_s)
        if min(artist, title) < MIN_TITLE_SIMILARITY - SCORE_TOLERANCE or duration == 0:
            continue
        total = 0.4 * artist + 0.4 * title + 0.2 * duration
        candidates.append(
            Candidate(recording.song, recording.length_s, None, 0.0, (artist + title) / 2, duration, total)
        )
    return sorted(candidates, key=lambda one: (-round(one.confidence, 9), one.song.recording_mbid))
