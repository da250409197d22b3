"""Confidence that a passage is a recording, from metadata, fingerprint and duration.

Weights, levels and neutral scores are those of the WKMP specification. All scores lie in 0..1. Every candidate is
compared by title, artist and length.
"""

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz.distance import JaroWinkler

from wkmp_assets.identify.services.acoustid import FingerprintMatch
from wkmp_assets.identify.services.musicbrainz import Recording
from wkmp_assets.model.match_levels import SCORE_TOLERANCE
from wkmp_assets.model.values import Candidate, FileTags, PathNames

SINGLE_TRACK_WEIGHTS = (0.30, 0.60, 0.10)
"""Weights of metadata, fingerprint and duration in a file of one track."""
MULTI_TRACK_WEIGHTS = (0.35, 0.55, 0.10)
"""The same for a file of several tracks."""
NEUTRAL_SCORE = 0.3
"""Metadata score when there is nothing to compare."""
SAME_NAME_SCORE = 0.8
"""Metadata score of equal texts in the names of files and folders, which anybody may have given."""
UNKNOWN_LENGTH_SCORE = 0.5
"""Duration score when the recording's length is unknown."""
MIN_SHARE = 0.1
"""A recording with a smaller share of its fingerprint's submissions is probably a mistake of who submitted it."""
STRAY_WEIGHT = 0.8
"""What is left of the fingerprint's score for such a recording: less than wrong tags cost, more than a length gives."""
SAME_EVIDENCE = 0.01
"""Two confidences that differ by no more say the same."""
DECISIVE_SOURCES = 3
"""So many times the submissions of another recording decide between two that nothing else tells apart."""
DOUBTFUL_CONFIDENCE = 0.65
"""Highest confidence of a recording whose evidence speaks as much for another title: Low."""
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


def rank(
    found: Sequence[FingerprintMatch], tags: FileTags, passage_s: float, *, is_whole_file: bool
) -> list[Candidate]:
    """Score the recordings of a fingerprint, best first.

    A recording with less than a tenth of its fingerprint's submissions counts as a stray one (`STRAY_WEIGHT`). Ties are
    broken by AcoustID's score, then by the number of submissions, then a recording with a title wins, then the more
    similar title, then the lower MBID. So the order never depends on the order of the answer.

    Parameters
    ----------
    found : sequence of FingerprintMatch
        AcoustID's answer.
    tags : FileTags
        Of the file.
    passage_s : float, unit=s
        Length of the passage.
    is_whole_file : bool
        Whether the passage is the only one of its file.

    Returns
    -------
    list of Candidate
        One per recording.
    """
    return sorted(
        (_candidate(one, tags, passage_s, is_whole_file=is_whole_file) for one in found),
        key=lambda one: (
            -round(one.confidence, 9),
            -one.fingerprint_score,
            -(one.sources or 0),
            not one.song.title,
            -similarity(tags.title or "", one.song.title or ""),
            one.song.recording_mbid,
        ),
    )


def _candidate(match: FingerprintMatch, tags: FileTags, passage_s: float, *, is_whole_file: bool) -> Candidate:
    song = match.song
    metadata = metadata_score(tags, song.title, song.artist_name, song.recording_mbid, is_whole_file=is_whole_file)
    duration = duration_score(passage_s, match.length_s)
    weights = SINGLE_TRACK_WEIGHTS if is_whole_file else MULTI_TRACK_WEIGHTS
    heard = match.score if match.share >= MIN_SHARE else match.score * STRAY_WEIGHT
    total = confidence(metadata, heard, duration, weights)
    return Candidate(song, match.length_s, match.acoustid, match.score, metadata, duration, total, match.sources)


def doubt_ties(ranked: Sequence[Candidate]) -> tuple[list[Candidate], str | None]:
    """Lower the confidence of candidates when the evidence for the best speaks as much for another title.

    Parameters
    ----------
    ranked : sequence of Candidate
        The result of `rank`.

    Returns
    -------
    tuple of list of Candidate and (str or None)
        The candidates in the same order, none above `DOUBTFUL_CONFIDENCE` if there is a doubt; and the other title.
    """
    other = next((one.song.title for one in ranked[1:] if _says_as_much(ranked[0], one)), None)
    if other is None:
        return list(ranked), None
    return [replace(one, confidence=min(one.confidence, DOUBTFUL_CONFIDENCE)) for one in ranked], other


def _says_as_much(best: Candidate, other: Candidate) -> bool:
    """Tell whether another candidate has another title and evidence as good as the best one's."""
    if best.confidence - other.confidence > SAME_EVIDENCE + SCORE_TOLERANCE:
        return False
    if not best.song.title or not other.song.title or is_same_title(best.song.title, other.song.title):
        return False
    if best.sources is None or other.sources is None:
        return True
    return not (best.sources > other.sources and best.sources >= DECISIVE_SOURCES * other.sources)


def rank_by_text(found: Sequence[Recording], tags: FileTags, passage_s: float) -> list[Candidate]:
    """Score the recordings that a search for artist and title found, best first.

    Without a fingerprint the weights are 0.4 for the artist, 0.4 for the title and 0.2 for the length.

    Parameters
    ----------
    found : sequence of Recording
        MusicBrainz' answer.
    tags : FileTags
        Of the file.
    passage_s : float, unit=s
        Length of the passage.

    Returns
    -------
    list of Candidate
        Without recordings whose artist or title is not similar, or whose length differs by more than 10 %.
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
