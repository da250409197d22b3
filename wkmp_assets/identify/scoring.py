"""Confidence that a passage is a recording, from metadata, fingerprint and duration.

Weights, levels and neutral scores are those of the WKMP specification. All scores lie in 0..1. Every candidate is
compared by title, artist and length.
"""

from collections.abc import Sequence

from rapidfuzz.distance import JaroWinkler

from wkmp_assets.model.match_levels import SCORE_TOLERANCE
from wkmp_assets.model.values import FileTags, PathNames

SINGLE_TRACK_WEIGHTS = (0.30, 0.60, 0.10)
"""Weights of metadata, fingerprint and duration in a file of one track."""
MULTI_TRACK_WEIGHTS = (0.35, 0.55, 0.10)
"""The same for a file of several tracks."""
NEUTRAL_SCORE = 0.3
"""Metadata score when there is nothing to compare."""
SAME_NAME_SCORE = 0.8
"""Metadata score of equal texts in the names of files and folders, which are less reliable than tags."""
UNKNOWN_LENGTH_SCORE = 0.5
"""Duration score when the recording's length is unknown."""
MIN_TITLE_SIMILARITY = 0.85
"""Jaro-Winkler similarity from which two texts name the same thing."""


def confidence(
    metadata: float, fingerprint: float, duration: float, weights: tuple[float, float, float] = SINGLE_TRACK_WEIGHTS
) -> float:
    """Return the weighted sum of three scores.

    Parameters
    ----------
    metadata, fingerprint, duration : float, range 0..1
        See `metadata_score` and `duration_score`; the fingerprint's is AcoustID's.
    weights : tuple of float
        `SINGLE_TRACK_WEIGHTS` or `MULTI_TRACK_WEIGHTS`, which sum to 1.

    Returns
    -------
    float, range 0..1

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
    """Return the Jaro-Winkler similarity of two texts, 0..1; case and surrounding blanks do not count."""
    return JaroWinkler.normalized_similarity(one.strip().lower(), other.strip().lower())


def is_same_title(one: str, other: str) -> bool:
    """Tell whether two texts are similar enough to name the same thing."""
    return similarity(one, other) >= MIN_TITLE_SIMILARITY - SCORE_TOLERANCE


def metadata_score(tags: FileTags, title: str | None, artist: str | None, mbid: str, *, is_whole_file: bool) -> float:
    """Compare a file's tags with a recording.

    In a file of several tracks the title tag names none of them, so only the artist is compared. Where the tags hold
    nothing to compare, the names of file and folders are compared instead; they can raise the score above
    `NEUTRAL_SCORE`, but not lower it.

    Parameters
    ----------
    tags : FileTags
        Of the file.
    title, artist : str or None
        Of the recording.
    mbid : str
        Of the recording.
    is_whole_file : bool
        Whether the passage is the only one of its file.

    Returns
    -------
    float, range 0..1
        1 when the tags name this very recording; else the mean similarity of artists and titles.
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
    """Score the texts in a path: half for the title in the file's name, half for the artist in any name."""
    found = (_is_named(title, names.file), _is_named(artist, names.file + names.folders))
    return sum(SAME_NAME_SCORE if is_found else NEUTRAL_SCORE for is_found in found) / len(found)


def _is_named(known: str | None, texts: Sequence[str]) -> bool:
    return known is not None and any(is_same_title(text, known) for text in texts)


def duration_score(passage_s: float, recording_s: float | None) -> float:
    """Compare the lengths of a passage and a recording, in seconds.

    Returns
    -------
    float, range 0..1
        1 within 5 % of the recording's length; 0.5 within 10 %, or when that is unknown; else 0.
    """
    if not recording_s:
        return UNKNOWN_LENGTH_SCORE
    difference = abs(passage_s - recording_s) / recording_s
    return 1.0 if difference <= 0.05 + SCORE_TOLERANCE else 0.5 if difference <= 0.10 + SCORE_TOLERANCE else 0.0
