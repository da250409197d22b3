"""What a service's answer is made of, and the types of the fields that all services share."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import requests
from pydantic import BaseModel, StringConstraints, ValidationError

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.model.mbid import MBID_PATTERN
from wkmp_assets.model.timestamps import format_timestamp

ANSWER_CODES = frozenset({200, 400, 404})
"""HTTP status codes whose body is an answer to the question."""

Mbid = Annotated[str, StringConstraints(pattern=f"^{MBID_PATTERN}$", to_lower=True)]
"""A MusicBrainz identifier, in lower case."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


MAX_WARNINGS = 5
"""Of one answer; an answer whose every entry is odd says no more by saying it 500 times."""
_MAX_ROUNDS = 20
"""Answers are at most six levels deep, and each round leaves out one level of some entry."""

Model = TypeVar("Model", bound=BaseModel)
Value = TypeVar("Value", covariant=True)
Place = tuple[int | str, ...]
"""Keys and indices on the way from the top of an answer."""


JoinPhrase = Annotated[str, StringConstraints(max_length=2_000)] | None
"""Between an artist's name and the next; None when the service does not say, or says it in a way that is not read."""


@dataclass(frozen=True)
class Answer:
    """A well-formed answer."""

    status: int
    """HTTP status code, one of `ANSWER_CODES`."""
    value: Any
    """Parsed JSON, not validated."""
    at: str
    """When the service gave it: UTC, `YYYY-MM-DD HH:MM:SS`."""


Judge = Callable[[Answer], bool | None]
"""Returns True for an answer worth keeping, None for "nothing is known", False for one to be asked for again."""


@dataclass(frozen=True)
class Read(Generic[Value]):
    """What an answer says."""

    value: Value
    warnings: tuple[str, ...] = ()
    """What of it was left out, one sentence each."""


def read_entries(model: type[Model], value: Any, name: str) -> Read[Model | None]:
    """Read an answer as far as it can be read.

    A field that cannot be read is left out, and an entry that cannot do without the field as well. Lists and texts that
    are too long are cut. A null says that there is nothing, and needs no warning.

    Parameters
    ----------
    model : type of BaseModel
        What the service documents.
    value : Any
        Parsed JSON; not changed.
    name : str
        What the warnings call the answer.

    Returns
    -------
    Read
        None when the answer as a whole has another shape.
    """
    left_out: dict[Place, str] = {}
    for number in range(_MAX_ROUNDS):
        try:
            return Read(model.model_validate(value), _warnings(name, left_out))
        except ValidationError as error:
            refusal = error
        if not number:
            value = deepcopy(value)
        for place, what in _leave_out(value, refusal).items():
            left_out = {known: said for known, said in left_out.items() if known[: len(place)] != place}
            if not place:
                return Read(None)
            left_out[place] = what
    return Read(None)


def _leave_out(value: Any, refusal: ValidationError) -> dict[Place, str]:
    """Cut or remove the places with faults, and return what is said of each; an empty text is not worth saying.

    Entries of lists come last, when nothing else is left to do: the numbers of the entries after them change.
    """
    said: dict[Place, str] = {}
    entries: dict[Place, str] = {}
    for fault in refusal.errors(include_url=False):
        kind, place = fault["type"], fault["loc"]
        if kind in ("too_long", "string_too_long"):
            longest = fault["ctx"]["max_length"]
            _replace(value, place, fault["input"][:longest])
            said[place] = f"is cut after {longest} {'entries' if kind == 'too_long' else 'characters'}"
            continue
        # A field that is missing was left out a round before, or never there: its entry cannot do without it.
        place = place[:-1] if kind == "missing" else place
        is_null = kind != "missing" and fault["input"] is None
        in_list = bool(place) and isinstance(place[-1], int)
        (entries if in_list else said)[place] = "" if is_null else "cannot be read and is left out"
    removed = said or entries
    for place in sorted(removed, key=_in_order, reverse=True):
        if place and not removed[place].startswith("is cut"):
            _replace(value, place, None, remove=True)
    return removed


def _in_order(place: Place) -> tuple[tuple[bool, int, str], ...]:
    """Order places with numbers before names."""
    return tuple((isinstance(step, str), 0, step) if isinstance(step, str) else (False, step, "") for step in place)


def _replace(value: Any, place: Place, new: Any, *, remove: bool = False) -> None:
    for step in place[:-1]:
        value = value[step]
    if remove:
        del value[place[-1]]
    else:
        value[place[-1]] = new


def _warnings(name: str, left_out: dict[Place, str]) -> tuple[str, ...]:
    """Return a sentence for each place, at most `MAX_WARNINGS` and one for the rest."""
    said = [f"{name}: {_named(place)} {what}" for place, what in left_out.items() if what]
    more = len(said) - MAX_WARNINGS
    return (*said[:MAX_WARNINGS], f"{name}: {more} more like these") if more > 0 else tuple(said)


def _named(place: Place) -> str:
    """Return a place for people, who count from 1: `releases 2, date`."""
    text = ""
    for step in place:
        text += f" {step + 1}" if isinstance(step, int) else f", {step}" if text else step
    return text


def join_names(credited: Sequence[tuple[str, str | None]]) -> str | None:
    """Return the artist credit as one text, from names and join phrases; None without artists.

    An unknown join phrase between two names is taken to be a comma.
    """
    names = [name + (", " if phrase is None else phrase) for name, phrase in credited[:-1]]
    return "".join(names + [name + (phrase or "") for name, phrase in credited[-1:]]) or None


def parse_answer(response: requests.Response) -> Answer | None:
    """Parse a response; None when its status is no answer, or its body no JSON."""
    if response.status_code not in ANSWER_CODES:
        return None
    try:
        return Answer(response.status_code, response.json(), format_timestamp(_time_of(response)))
    except (requests.exceptions.JSONDecodeError, RecursionError):
        return None


def _time_of(response: requests.Response) -> datetime:
    """Return when a response was received; the cache notes it with the responses that it keeps."""
    received: datetime = getattr(response, "created_at", None) or datetime.now(tz=UTC)
    return received


def undocumented_answer(service: str) -> ServiceUnavailableError:
    """Return the error for an answer that does not follow the service's documentation."""
    return ServiceUnavailableError(service, "its answer has another shape than documented")
