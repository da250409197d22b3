"""Ask AcoustID and MusicBrainz which recordings a file's passages are.

Never fails a file: what cannot be asked now is deferred, passage by passage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.identify.scoring import duration_score, rank, rank_by_text
from wkmp_assets.identify.services.acoustid import AcoustIdClient, FingerprintMatch
from wkmp_assets.identify.services.musicbrainz import MusicBrainzClient
from wkmp_assets.model.values import (
    Candidate,
    FileTags,
    Fingerprints,
    LookupOutcome,
    MatchLevel,
    PassageFingerprint,
    PassageLookup,
    PassageSegments,
    RecordingLookups,
    Song,
    level_of,
)

MAX_CANDIDATES = 5


class RecordingLookup(Protocol):
    """Something that says which recordings a file's passages may be."""

    def look_up(self, tags: FileTags, segments: PassageSegments, fingerprints: Fingerprints, /) -> RecordingLookups:
        """Return an entry per passage, in order."""


@dataclass(frozen=True)
class NoRecordingLookup:
    """Asks nobody.

    Parameters
    ----------
    reason : str
        Told with every passage.
    outcome : LookupOutcome
        DEFERRED: to be asked at another time.
    """

    reason: str
    outcome: LookupOutcome = LookupOutcome.SKIPPED

    def look_up(self, _tags: FileTags, segments: PassageSegments, _fingerprints: Fingerprints) -> RecordingLookups:
        """Skip or defer every passage."""
        return RecordingLookups(
            tuple(PassageLookup(span, self.outcome, detail=self.reason) for span in segments.passages)
        )


@dataclass(frozen=True)
class ServiceRecordingLookup:
    """Asks AcoustID by the sound, then MusicBrainz by the id, or by what the tags say."""

    acoustid: AcoustIdClient
    musicbrainz: MusicBrainzClient

    def look_up(self, tags: FileTags, segments: PassageSegments, fingerprints: Fingerprints) -> RecordingLookups:
        """Ask for every passage of one file.

        A recording that the tags name is not asked for by its sound. AcoustID drops recordings whose length differs by
        more than a few seconds: a file of one track is asked for once more with its whole length, silence included. If
        that finds nothing, MusicBrainz is searched for the artist and title of its tags.
        """
        is_whole_file = len(segments.passages) == 1
        file_s = segments.audio.total_samples / segments.audio.sample_rate_hz
        asked, from_cache = self._requests()
        passages = tuple(
            self._passage(passage, tags, file_s, is_whole_file=is_whole_file) for passage in fingerprints.passages
        )
        asked_now, from_cache_now = self._requests()
        return RecordingLookups(passages, asked_now - asked, from_cache_now - from_cache)

    def _requests(self) -> tuple[int, int]:
        """Count what went over the wire so far, and what did not need to."""
        sessions = (self.acoustid.session, self.musicbrainz.session)
        return sum(session.calls for session in sessions), sum(session.cache_hits for session in sessions)

    def _passage(
        self, passage: PassageFingerprint, tags: FileTags, file_s: float, *, is_whole_file: bool
    ) -> PassageLookup:
        if is_whole_file and tags.recording_mbid is not None:
            named = Song(tags.recording_mbid, tags.title, tags.artist, tags.artists, tags.works)
            ranked = [Candidate(named, None, None, 0.0, 1.0, duration_score(passage.duration_s, None), 1.0)]
        elif passage.fingerprint is None:
            return PassageLookup(passage.span, LookupOutcome.TOO_SHORT)
        else:
            lengths = [passage.duration_s, file_s] if is_whole_file else [passage.duration_s]
            try:
                heard = self._heard(passage.fingerprint, lengths)
                ranked = rank(heard, tags, passage.duration_s, is_whole_file=is_whole_file)
                if not ranked and is_whole_file and tags.artist and tags.title:
                    ranked = rank_by_text(self.musicbrainz.search(tags.artist, tags.title), tags, passage.duration_s)
            except ServiceUnavailableError as error:
                return _deferred(passage, error)
        return self._with_details(passage, ranked[:MAX_CANDIDATES])

    def _heard(self, fingerprint: str, lengths: Sequence[float]) -> list[FingerprintMatch]:
        for length_s in dict.fromkeys(int(length) for length in lengths):
            heard = self.acoustid.lookup(fingerprint, length_s)
            if heard:
                return heard
        return []

    def _with_details(self, passage: PassageFingerprint, ranked: list[Candidate]) -> PassageLookup:
        """Ask MusicBrainz about the best candidate, if it is good enough to become the passage's song."""
        if not ranked:
            return PassageLookup(passage.span, LookupOutcome.NO_MATCH)
        best, others = ranked[0], tuple(ranked[1:])
        if level_of(best.confidence) is MatchLevel.NONE:
            return PassageLookup(passage.span, LookupOutcome.MATCH, (best, *others))
        try:
            known = self.musicbrainz.recording(best.song.recording_mbid)
        except ServiceUnavailableError as error:
            return _deferred(passage, error, (best, *others))
        if known is None:
            return PassageLookup(passage.span, LookupOutcome.MATCH, (best, *others))
        best = replace(best, song=known.song, length_s=known.length_s or best.length_s)
        return PassageLookup(passage.span, LookupOutcome.MATCH, (best, *others), known.releases)


def _deferred(
    passage: PassageFingerprint, error: ServiceUnavailableError, found: tuple[Candidate, ...] = ()
) -> PassageLookup:
    return PassageLookup(passage.span, LookupOutcome.DEFERRED, found, detail=f"{error.service}: {error.reason}")
