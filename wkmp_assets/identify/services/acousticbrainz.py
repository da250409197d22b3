"""AcousticBrainz: the classes of a recording, by its MBID (https://acousticbrainz.readthedocs.io/api.html).

Its data is frozen since 2022, so both an answer and "nothing is known" are kept for ever.
"""

from wkmp_assets.errors import ServiceGoneError, ServiceUnavailableError
from wkmp_assets.identify.services.answers import Answer, undocumented_answer
from wkmp_assets.identify.services.names import ACOUSTICBRAINZ
from wkmp_assets.identify.services.outage import OutageFile
from wkmp_assets.identify.services.session import Service, ServiceSession
from wkmp_assets.model.flavor import ReadFlavor, read_flavor

NAME = ACOUSTICBRAINZ
MAX_FAILURES_IN_A_ROW = 5
"""After so many unusable answers (web pages, say) it is not asked again in this run."""


def describe_service(url: str, interval_ms: int) -> Service:
    """Return AcousticBrainz, at this address and pace."""
    return Service(NAME, url, interval_ms, keep_for=None, keep_none_for=None)


def judge(answer: Answer) -> bool | None:
    """Tell whether an answer is kept: classes, and "nothing is known"."""
    if _is_unknown(answer):
        return None
    return answer.status == 200 and _classes(answer) is not None


class AcousticBrainzClient:
    """Looks up the classes of recordings. While the service is down, it is tried once an hour, not by every run.

    Parameters
    ----------
    session : ServiceSession
        With the service.
    outages : OutageFile
        Shared with all runs and processes.
    is_probe : bool
        Ask even if the service was down a moment ago.
    """

    def __init__(self, session: ServiceSession, outages: OutageFile, *, is_probe: bool = False) -> None:
        self._session = session
        self._outages = outages
        self._outage = None if is_probe else outages.resting()
        self._failures = 0
        if self._outage is not None:
            session.give_up(str(self._outage))

    def high_level(self, mbid: str) -> ReadFlavor | None:
        """Return the usable classes of a recording; None when AcousticBrainz does not know it.

        Raises
        ------
        ServiceUnavailableError
            No usable answer.
        ServiceGoneError
            The same, and there has been none for a week.
        """
        sent = self._session.calls
        try:
            found = self._high_level(mbid)
        except ServiceUnavailableError as error:
            self._note_failure(error)
            if self._outage is not None and self._outage.is_lasting:
                raise ServiceGoneError(NAME, str(self._outage)) from error
            raise
        if self._session.calls > sent:
            self._failures, self._outage = 0, None
            self._outages.end()
        return found

    def _note_failure(self, error: ServiceUnavailableError) -> None:
        """Record the first failure in a row, and give up after `MAX_FAILURES_IN_A_ROW`."""
        self._failures += 1
        if self._failures == MAX_FAILURES_IN_A_ROW:
            self._session.give_up(error.reason)
        if self._outage is None:
            self._outage = self._outages.note(error.reason)

    def _high_level(self, mbid: str) -> ReadFlavor | None:
        answer = self._session.get(f"api/v1/{mbid}/high-level", {})
        if _is_unknown(answer):
            return None
        classes = _classes(answer)
        if classes is None or answer.status != 200:
            raise undocumented_answer(NAME)
        return read_flavor({name: found.get("all") if isinstance(found, dict) else None for name, found in classes})


def _is_unknown(answer: Answer) -> bool:
    """Tell whether an answer says that nothing is known, by its status or by a null."""
    is_null = isinstance(answer.value, dict) and answer.value.get("highlevel", ()) is None
    return answer.status == 404 or (answer.status == 200 and is_null)


def _classes(answer: Answer) -> list[tuple[str, object]] | None:
    """Return the classifiers of an answer, except names that begin with `user.`: those belong to this package."""
    found = answer.value.get("highlevel") if isinstance(answer.value, dict) else None
    if not isinstance(found, dict):
        return None
    return [(name, value) for name, value in found.items() if not name.startswith("user.")]
