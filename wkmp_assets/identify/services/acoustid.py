"""AcoustID: from a fingerprint to recordings (https://acoustid.org/webservice)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from wkmp_assets.errors import RefusedKeyError, ServiceUnavailableError
from wkmp_assets.identify.services.answers import (
    Answer,
    JoinPhrase,
    Mbid,
    Read,
    Text,
    join_names,
    read_entries,
    undocumented_answer,
)
from wkmp_assets.identify.services.names import ACOUSTID
from wkmp_assets.identify.services.session import Service, ServiceSession
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.model.values import Artist, Song

NAME = ACOUSTID
KEEP_NO_MATCH = timedelta(days=30)
"""Fingerprints are still being submitted, so that a later lookup may match."""
INVALID_FINGERPRINT = 3
INVALID_KEY = 4
INVALID_DURATION = 8
"""Error codes in an answer."""
_REFUSED_QUESTIONS = frozenset({INVALID_FINGERPRINT, INVALID_DURATION})
"""AcoustID will never answer such a question, so that nothing is known."""
_META = "recordings releasegroups sources compress"
_META_WITHOUT_SOURCES = "recordings releasegroups compress"
"""What versions before this one asked for: their answers are in the cache."""


class _Artist(BaseModel):
    id: Mbid
    name: Text
    joinphrase: JoinPhrase = None


class _Recording(BaseModel):
    id: Mbid
    title: Text | None = None
    duration: float | None = Field(default=None, ge=0, le=1e6)
    artists: list[_Artist] = Field(default=[], max_length=200)
    sources: int | None = Field(default=None, ge=0)


class _Result(BaseModel):
    id: Mbid
    score: float = Field(ge=0, le=1)
    recordings: list[_Recording] = Field(default=[], max_length=2_000)


class _Found(BaseModel):
    results: Annotated[list[_Result], BeforeValidator(lambda value: [] if value is None else value)] = Field(
        max_length=200
    )


@dataclass(frozen=True)
class FingerprintMatch:
    """A recording that AcoustID knows for a fingerprint."""

    acoustid: str
    score: float
    """range 0..1: similarity of the fingerprints, by AcoustID."""
    song: Song
    length_s: float | None
    sources: int | None = None
    """How many submissions say that the fingerprint is this recording; None in answers that older versions got."""
    share: float = 1.0
    """Its submissions, as a share of those of the recording that has most for the same AcoustID. 1 if unknown."""


def describe_service(url: str, interval_ms: int) -> Service:
    """Return AcoustID, at this address and pace. A match is kept for ever."""
    return Service(NAME, url, interval_ms, keep_for=None, keep_none_for=KEEP_NO_MATCH)


def judge(answer: Answer) -> bool | None:
    """Tell whether an answer is kept: matches, and for a while "nothing is known"."""
    if _error_code(answer) in _REFUSED_QUESTIONS:
        return None
    found = read_entries(_Found, answer.value, NAME).value
    if found is None or answer.status != 200 or answer.value.get("status") != "ok":
        return False
    return True if any(result.recordings for result in found.results) else None


class AcoustIdClient:
    """Looks up fingerprints.

    Parameters
    ----------
    session : ServiceSession
        With the service.
    key : Secret
        The application's key.
    """

    def __init__(self, session: ServiceSession, key: Secret) -> None:
        self.session = session
        self._key = key

    def lookup(self, fingerprint: str, duration_s: float) -> Read[list[FingerprintMatch]]:
        """Return the recordings of a fingerprint, best first.

        Parameters
        ----------
        fingerprint : str
            Chromaprint, compressed and base64url-encoded.
        duration_s : float, unit=s
            Length of the passage; AcoustID compares it with the recording's.

        Returns
        -------
        Read of list of FingerprintMatch
            One per recording, with its best score. Empty when AcoustID knows none, or refuses the question.

        Raises
        ------
        RefusedKeyError
            The service does not know the key.
        ServiceUnavailableError
            No usable answer.
        """
        form = {
            "client": self._key.value,
            "format": "json",
            "meta": _META,
            "duration": str(int(duration_s)),
            "fingerprint": fingerprint,
        }
        answer = self._ask(form)
        status = answer.value.get("status") if isinstance(answer.value, dict) else None
        if status == "error":
            return self._refused(answer)
        found = read_entries(_Found, answer.value, NAME)
        if found.value is None:
            raise undocumented_answer(NAME)
        return Read(_best_matches(found.value, answer.at), found.warnings)

    def _ask(self, form: Mapping[str, str]) -> Answer:
        """Return an older version's answer if it names one recording at most, or if there is no other."""
        old = self.session.cached_post("lookup", {**form, "meta": _META_WITHOUT_SOURCES})
        if old is not None and _has_no_choice(old):
            return self._use(old)
        try:
            return self.session.post("lookup", form)
        except ServiceUnavailableError:
            if old is None:
                raise
            return self._use(old)

    def _use(self, old: Answer) -> Answer:
        self.session.cache_hits += 1
        return old

    def _refused(self, answer: Answer) -> Read[list[FingerprintMatch]]:
        code = _error_code(answer)
        if code == INVALID_KEY:
            refused = RefusedKeyError(NAME)
            self.session.give_up(refused.reason)
            raise refused
        if code in _REFUSED_QUESTIONS:
            return Read([])
        raise ServiceUnavailableError(NAME, f"it answered with error {code!r}"[:100])


def _error_code(answer: Answer) -> int | None:
    error = answer.value.get("error") if isinstance(answer.value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else None


def _has_no_choice(answer: Answer) -> bool:
    """Tell whether an answer names one recording at most, so that nothing is to be weighed."""
    found = read_entries(_Found, answer.value, NAME).value
    return found is None or len({recording.id for result in found.results for recording in result.recordings}) < 2


def _best_matches(found: _Found, answered_at: str) -> list[FingerprintMatch]:
    best: dict[str, FingerprintMatch] = {}
    for result in found.results:
        most = max((recording.sources or 0 for recording in result.recordings), default=0)
        for recording in result.recordings:
            share = 1.0 if recording.sources is None or not most else recording.sources / most
            song = _song(recording, answered_at)
            match = FingerprintMatch(result.id, result.score, song, recording.duration, recording.sources, share)
            known = best.get(recording.id)
            if known is None or _merits(match) < _merits(known):
                best[recording.id] = match
    return sorted(best.values(), key=lambda match: (-match.score, match.song.recording_mbid))


def _merits(match: FingerprintMatch) -> tuple[float, float, int, str, str]:
    """Return what decides between two entries of one recording, less for the better one."""
    return (-match.score, -match.share, -(match.sources or 0), match.acoustid, match.song.title or "")


def _song(recording: _Recording, answered_at: str) -> Song:
    text = join_names([(artist.name, artist.joinphrase) for artist in recording.artists])
    return Song(
        recording.id,
        recording.title or None,
        text,
        tuple(Artist(artist.id, artist.name, NameRank.ACOUSTID) for artist in recording.artists),
        rank=NameRank.ACOUSTID,
        answered_at=answered_at,
    )
