"""What a service's answer is made of, and the types of the fields that all services share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import requests
from pydantic import StringConstraints

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.model.mbid import MBID_PATTERN

ANSWER_CODES = frozenset({200, 400, 404})
"""HTTP status codes whose body is an answer to the question."""

Mbid = Annotated[str, StringConstraints(pattern=f"^{MBID_PATTERN}$", to_lower=True)]
"""A MusicBrainz identifier, in lower case."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


@dataclass(frozen=True)
class Answer:
    """A well-formed answer."""

    status: int
    """HTTP status code, one of `ANSWER_CODES`."""
    value: Any
    """Parsed JSON, not validated."""


Judge = Callable[[Answer], bool | None]
"""Returns True for an answer worth keeping, None for "nothing is known", False for one to be asked for again."""


def parse_answer(response: requests.Response) -> Answer | None:
    """Parse a response; None when its status is no answer, or its body no JSON."""
    if response.status_code not in ANSWER_CODES:
        return None
    try:
        return Answer(response.status_code, response.json())
    except (requests.exceptions.JSONDecodeError, RecursionError):
        return None


def undocumented_answer(service: str) -> ServiceUnavailableError:
    """Return the error for an answer that does not follow the service's documentation."""
    return ServiceUnavailableError(service, "its answer has another shape than documented")
