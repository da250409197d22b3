"""Candidates for a passage, best first. `match.py` considers the first one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wkmp_assets.identify.scoring import (
    MIN_TITLE_SIMILARITY,
    MULTI_TRACK_WEIGHTS,
    SINGLE_TRACK_WEIGHTS,
    confidence,
    duration_score,
    is_same_title,
    metadata_score,
    similarity,
)
from wkmp_assets.model.match_levels import SCORE_TOLERANCE
from wkmp_assets.model.values import Candidate, FileTags

if TYPE_CHECKING:
    from wkmp_assets.identify.services.acoustid import FingerprintMatch
    from wkmp_assets.identify.services.musicbrainz import Recording

MIN_SHARE = 0.1
"""A recording with a smaller share of its fingerprint's submissions was probably submitted by mistake."""
STRAY_WEIGHT = 0.8
"""Factor for the fingerprint's score of such a recording. Wrong tags lower a confidence more, a wrong length less."""
SAME_EVIDENCE = 0.01
"""Two confidences that differ by no more count as equal."""
DECISIVE_SOURCES = 3
"""Of two recordings with equal evidence, one with this many times the submissions of the other is certain."""
DOUBTFUL_CONFIDENCE = 0.65
"""Highest confidence of a recording whose evidence fits another title equally well: Low."""


def rank(
    found: "Sequence[FingerprintMatch]", tags: FileTags, passage_s: float, *, is_whole_file: bool
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


def _candidate(match: "FingerprintMatch", tags: FileTags, passage_s: float, *, is_whole_file: bool) -> Candidate:
    song = match.song
    metadata = metadata_score(tags, song.title, song.artist_name, song.recording_mbid, is_whole_file=is_whole_file)
    duration = duration_score(passage_s, match.length_s)
    weights = SINGLE_TRACK_WEIGHTS if is_whole_file else MULTI_TRACK_WEIGHTS
    heard = match.score if match.share >= MIN_SHARE else match.score * STRAY_WEIGHT
    total = confidence(metadata, heard, duration, weights)
    return Candidate(song, match.length_s, match.acoustid, match.score, metadata, duration, total, match.sources)


def doubt_ties(ranked: Sequence[Candidate]) -> tuple[list[Candidate], str | None]:
    """Lower the confidence of candidates when the evidence for the best one fits another title equally well.

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


def rank_by_text(found: "Sequence[Recording]", tags: FileTags, passage_s: float) -> list[Candidate]:
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
