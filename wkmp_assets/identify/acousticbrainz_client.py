"""AcousticBrainz: what its classifiers said of a recording (https://acousticbrainz.readthedocs.io/api.html).

It takes no new data since 2022, so both an answer and "nothing known" are good for ever.
"""

from typing import Protocol

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.flavor.vector import ReadFlavor, read_flavor
from wkmp_assets.identify.session import Answer, Service, ServiceSession

NAME = "AcousticBrainz"


def service(url: str, interval_ms: int) -> Service:
    """Describe AcousticBrainz."""
    return Service(NAME, url, interval_ms, keep_for=None, keep_none_for=None)


def judge(answer: Answer) -> bool | None:
    """Keep classes, and that there are none."""
    if answer.status == 404:
        return None
    return answer.status == 200 and _classes(answer) is not None


class ClassSource(Protocol):
    """Something that knows classes of recordings."""

    def high_level(self, mbid: str, /) -> ReadFlavor | None:
        """Return the classes of a recording; None when there are none."""


class NoClassSource:
    """Asks nobody.

    Parameters
    ----------
    reason : str
        Told with every recording.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def high_level(self, _mbid: str) -> ReadFlavor | None:
        """Say that nothing was asked.

        Raises
        ------
        ServiceUnavailableError
            Always.
        """
        raise ServiceUnavailableError(NAME, self._reason)


class AcousticBrainzClient:
    """Looks classes up.

    Parameters
    ----------
    session : ServiceSession
        To the service; cached.
    """

    def __init__(self, session: ServiceSession) -> None:
        self._session = session

    def high_level(self, mbid: str) -> ReadFlavor | None:
        """Return the classes of a recording that can be used; None when AcousticBrainz does not know it.

        Raises
        ------
        ServiceUnavailableError
            No usable answer.
        """
        answer = self._session.get(f"api/v1/{mbid}/high-level", {})
        if answer.status == 404:
            return None
        classes = _classes(answer)
        if classes is None or answer.status != 200:
            raise ServiceUnavailableError(NAME, "its answer has another shape than documented")
        return read_flavor({name: found.get("all") if isinstance(found, dict) else None for name, found in classes})


def _classes(answer: Answer) -> list[tuple[str, object]] | None:
    """Return the classifiers of an answer, ours-to-be excepted: a service does not speak for a person."""
    found = answer.value.get("highlevel") if isinstance(answer.value, dict) else None
    if not isinstance(found, dict):
        return None
    return [(name, value) for name, value in found.items() if not name.startswith("user.")]
