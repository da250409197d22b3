"""Recordings that a file's passages may be, looked up at AcoustID and MusicBrainz.

A service that is down never fails a file: the lookups of its passages are deferred.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.identify.ranking import doubt_ties, rank, rank_by_text
from wkmp_assets.identify.release_sheet import advise_to_cut, choose_sheet, release_to_ask
from wkmp_assets.identify.scoring import duration_score
from wkmp_assets.identify.tag_matches import tags_of_passages
from wkmp_assets.model.boundary_evidence import TrackSheet
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, warn_each
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel, level_of
from wkmp_assets.model.values import (
    Candidate,
    FileTags,
    Fingerprints,
    PassageFingerprint,
    PassageLookup,
    PassageSegments,
    RecordingLookups,
    Song,
)

if TYPE_CHECKING:
    from wkmp_assets.identify.services.acoustid import AcoustIdClient, FingerprintMatch
    from wkmp_assets.identify.services.musicbrainz import MusicBrainzClient, Recording

MAX_CANDIDATES = 5


class RecordingLookup(Protocol):
    """Looks up the recordings that a file's passages may be."""

    def look_up(self, tags: FileTags, segments: PassageSegments, fingerprints: Fingerprints, /) -> RecordingLookups:
        """Return one entry per passage, in order."""


@dataclass(frozen=True)
class NoRecordingLookup:
    """Skips or defers every lookup.

    Parameters
    ----------
    reason : str
        Shown with every passage.
    outcome : LookupOutcome
        SKIPPED, or DEFERRED for passages to be looked up later.
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
    """Asks AcoustID for the recordings of a fingerprint, and MusicBrainz for everything about the best of them."""

    acoustid: "AcoustIdClient"
    musicbrainz: "MusicBrainzClient"

    def look_up(self, tags: FileTags, segments: PassageSegments, fingerprints: Fingerprints) -> RecordingLookups:
        """Look up every passage of one file.

        When the fingerprint fits two titles equally well, the confidence is Low at best.

        A passage whose recording the tags or a sheet name needs no fingerprint lookup. AcoustID drops recordings whose
        length differs by more than a few seconds, so a file of one passage is looked up a second time with the length
        of the file, silence included. If that finds nothing, MusicBrainz is searched for the artist and title in the
        tags or the sheet.

        Parameters
        ----------
        tags : FileTags
            Of the file.
        segments : PassageSegments
            Its passages.
        fingerprints : Fingerprints
            One per passage.

        Returns
        -------
        RecordingLookups
            One entry per passage, in order. A passage is deferred when a service gives no usable answer.
        """
        file_s = segments.audio.total_samples / segments.audio.sample_rate_hz if len(segments.passages) == 1 else None
        asked, from_cache = self._count_requests()
        passages = tuple(
            self._look_up_passage(passage, said.tags, file_s, is_named=said.is_named)
            for passage, said in zip(fingerprints.passages, tags_of_passages(tags, segments), strict=True)
        )
        sheet, warnings = self._look_up_sheet(tags, segments)
        asked_now, from_cache_now = self._count_requests()
        return RecordingLookups(passages, asked_now - asked, from_cache_now - from_cache, sheet, warnings)

    def _look_up_sheet(
        self, tags: FileTags, segments: PassageSegments
    ) -> tuple[TrackSheet | None, tuple[FileWarning, ...]]:
        """Ask for the track list of the release in the tags, of a file that may hold one of its discs."""
        release_mbid = release_to_ask(tags, segments)
        if release_mbid is None:
            return None, ()
        try:
            media = self.musicbrainz.media(release_mbid)
        except ServiceUnavailableError:
            return None, ()  # the passages of the file are deferred for the same reason
        odd = warn_each(WarningKind.ODD_ANSWER, media.warnings)
        sheet = choose_sheet(media.value, tags.details.disc_number, segments)
        return sheet, (*odd, *(advise_to_cut(sheet, segments) if sheet else ()))

    def _count_requests(self) -> tuple[int, int]:
        """Return how many requests were sent so far, and how many answers came from the cache."""
        sessions = (self.acoustid.session, self.musicbrainz.session)
        return sum(session.calls for session in sessions), sum(session.cache_hits for session in sessions)

    def _look_up_passage(
        self, passage: PassageFingerprint, tags: FileTags, file_s: float | None, *, is_named: bool
    ) -> PassageLookup:
        warnings: list[FileWarning] = []
        if is_named and tags.recording_mbid is not None:
            named = Song(tags.recording_mbid, tags.title, tags.artist, tags.artists, tags.works)
            ranked = [Candidate(named, None, None, 0.0, 1.0, duration_score(passage.duration_s, None), 1.0)]
        elif passage.fingerprint is None:
            return PassageLookup(passage.span, LookupOutcome.TOO_SHORT)
        else:
            lengths = [passage.duration_s] if file_s is None else [passage.duration_s, file_s]
            try:
                found = self._look_up_fingerprint(passage.fingerprint, lengths, warnings)
                ranked, other = doubt_ties(rank(found, tags, passage.duration_s, is_whole_file=is_named))
                warnings += _doubts(other)
                if not ranked and is_named and tags.artist and tags.title:
                    hits = self.musicbrainz.search(tags.artist, tags.title)
                    warnings += warn_each(WarningKind.ODD_ANSWER, hits.warnings)
                    ranked = rank_by_text(hits.value, tags, passage.duration_s)
            except ServiceUnavailableError as error:
                return replace(_deferred(passage, error), warnings=tuple(warnings))
        looked_up = self._with_details(passage, ranked[:MAX_CANDIDATES])
        return replace(looked_up, warnings=tuple(dict.fromkeys((*warnings, *looked_up.warnings))))

    def _look_up_fingerprint(
        self, fingerprint: str, lengths_s: Sequence[float], warnings: list[FileWarning]
    ) -> "list[FingerprintMatch]":
        """Return the matches with the first of the lengths that has any; `warnings` gets those of all answers."""
        for length_s in dict.fromkeys(int(length) for length in lengths_s):
            found = self.acoustid.lookup(fingerprint, length_s)
            warnings += warn_each(WarningKind.ODD_ANSWER, found.warnings)
            if found.value:
                return found.value
        return []

    def _with_details(self, passage: PassageFingerprint, ranked: list[Candidate]) -> PassageLookup:
        """Ask MusicBrainz about the best candidate, if its confidence is high enough for a song."""
        if not ranked:
            return PassageLookup(passage.span, LookupOutcome.NO_MATCH)
        best, others = ranked[0], tuple(ranked[1:])
        if level_of(best.confidence) is MatchLevel.NONE:
            return PassageLookup(passage.span, LookupOutcome.MATCH, (best, *others))
        try:
            known = self.musicbrainz.recording(best.song.recording_mbid)
        except ServiceUnavailableError as error:
            return _deferred(passage, error, (best, *others))
        if known.value is None:
            return PassageLookup(passage.span, LookupOutcome.MATCH, (best, *others))
        best = _with_recording(best, known.value)
        odd = warn_each(WarningKind.ODD_ANSWER, known.warnings)
        return PassageLookup(passage.span, LookupOutcome.MATCH, (best, *others), known.value.releases, warnings=odd)


def _doubts(other_title: str | None) -> tuple[FileWarning, ...]:
    text = f"the fingerprint fits another title equally well: {other_title}"
    return (FileWarning(WarningKind.TWO_TITLES, text),) if other_title else ()


def _with_recording(best: Candidate, known: "Recording") -> Candidate:
    """Return the candidate with what MusicBrainz knows of it; AcoustID's title stands where MusicBrainz' is missing."""
    song = known.song if known.song.title else replace(known.song, title=best.song.title)
    return replace(best, song=song, length_s=known.length_s or best.length_s)


def _deferred(
    passage: PassageFingerprint, error: ServiceUnavailableError, found: tuple[Candidate, ...] = ()
) -> PassageLookup:
    return PassageLookup(passage.span, LookupOutcome.DEFERRED, found, detail=f"{error.service}: {error.reason}")
