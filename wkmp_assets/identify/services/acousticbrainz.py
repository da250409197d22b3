"""AcousticBrainz: what its classifiers said of a recording (https://acousticbrainz.readthedocs.io/api.html).

It takes no new data since 2022, so both an answer and "nothing known" are good for ever.
"""

from typing import Protocol

from wkmp_assets.errors import ServiceGoneError, ServiceUnavailableError
from wkmp_assets.identify.services.answers import Answer, undocumented_answer
from wkmp_assets.identify.services.outage import OutageFile
from wkmp_assets.identify.services.session import Service, ServiceSession
from wkmp_assets.model.flavor import ReadFlavor, read_flavor

NAME = "AcousticBrainz"
MAX_FAILURES_IN_A_ROW = 5
"""After so many answers that are none (a web page, say) it is left alone for the rest of the run."""


def service(url: str, interval_ms: int) -> Service:
    """Describe AcousticBrainz."""
    return Service(NAME, url, interval_ms, keep_for=None, keep_none_for=None)


def judge(answer: Answer) -> bool | None:
    """Keep classes, and that there are none."""
    if answer.status == 404:
        return None
    return answer.status == 200 and _classes(answer) is not None


class ClassLookup(Protocol):
    """Something that knows classes of recordings."""

    not_asked: str
    """Why it is not asked for anything; blank when it is."""

    def high_level(self, mbid: str, /) -> ReadFlavor | None:
        """Return the classes of a recording; None when there are none."""


class NoClassLookup:
    """Asks nobody.

    Parameters
    ----------
    reason : str
        Told with every recording.
    """

    def __init__(self, reason: str) -> None:
        self.not_asked = reason

    def high_level(self, _mbid: str) -> ReadFlavor | None:
        """Know nothing."""
        return None


class DeferringClassLookup:
    """Asks nobody now: every recording is to be asked for at another time.

    Parameters
    ----------
    reason : str
        Told with every recording.
    """

    not_asked = ""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def high_level(self, _mbid: str) -> ReadFlavor | None:
        """Give no answer."""
        raise ServiceUnavailableError(NAME, self._reason)


class AcousticBrainzClient:
    """Looks classes up. A service that is gone is tried once an hour, not by every run.

    Parameters
    ----------
    session : ServiceSession
        To the service; cached.
    outages : OutageFile
        What earlier runs, and other processes, know of its silence.
    is_probe : bool
        Ask although it was silent a moment ago.
    """

    not_asked = ""

    def __init__(self, session: ServiceSession, outages: OutageFile, *, is_probe: bool = False) -> None:
        self._session = session
        self._outages = outages
        self._outage = None if is_probe else outages.resting()
        self._useless = 0
        if self._outage is not None:
            session.give_up(str(self._outage))

    def high_level(self, mbid: str) -> ReadFlavor | None:
        """Return the classes of a recording that can be used; None when AcousticBrainz does not know it.

        Raises
        ------
        ServiceUnavailableError
            No usable answer.
        """
        sent = self._session.calls
        try:
            found = self._high_level(mbid)
        except ServiceUnavailableError as error:
            self._note(error)
            if self._outage is not None and self._outage.is_lasting:
                raise ServiceGoneError(NAME, str(self._outage)) from error
            raise
        if self._session.calls > sent:
            self._useless, self._outage = 0, None
            self._outages.end()
        return found

    def _note(self, error: ServiceUnavailableError) -> None:
        """Remember the first failure in a row, and give up after some more."""
        self._useless += 1
        if self._useless == MAX_FAILURES_IN_A_ROW:
            self._session.give_up(error.reason)
        if self._outage is None:
            self._outage = self._outages.note(error.reason)

    def _high_level(self, mbid: str) -> ReadFlavor | None:
        answer = self._session.get(f"api/v1/{mbid}/high-level", {})
        if answer.status == 404:
            return None
        classes = _classes(answer)
        if classes is None or answer.status != 200:
            raise undocumented_answer(NAME)
        return read_flavor({name: found.get("all") if isinstance(found, dict) else None for name, found in classes})


def _classes(answer: Answer) -> list[tuple[str, object]] | None:
    """Return the classifiers of an answer, ours-to-be excepted: a service does not speak for a person."""
    found = answer.value.get("highlevel") if isinstance(answer.value, dict) else None
    if not isinstance(found, dict):
        return None
    return [(name, value) for name, value in found.items() if not name.startswith("user.")]
