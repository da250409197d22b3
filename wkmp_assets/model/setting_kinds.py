"""What a setting accepts: text of the environment, values of a config file, arguments. Pure.

Every command reads the settings first, so this is of Python's own library: pydantic takes longer to load than a library
to read. A kind returns the value that counts, or raises `ValueError` with what the value must be.
"""

import os
import re
from collections.abc import Callable
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

_KEY = "setting"
_WHOLE = re.compile(r"[+-]?[0-9]+(_[0-9]+)*(\.0+)?")
_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})


class WrongValueError(ValueError):
    """A setting does not accept its value.

    Parameters
    ----------
    name : str
        Of the setting.
    reason : str
        What the value must be.
    given : object
        The value.
    """

    def __init__(self, name: str, reason: str, given: object) -> None:
        super().__init__(reason)
        self.name = name
        self.reason = reason
        self.given = given


@dataclass(frozen=True, repr=False)
class Secret:
    """A text that is shown as asterisks."""

    value: str

    def __str__(self) -> str:
        return "**********" if self.value else ""

    def __repr__(self) -> str:
        return f"Secret('{self}')"


def hide_logins(text: str) -> str:
    """Return a text with asterisks in place of user names and passwords inside addresses.

    Examples
    --------
    >>> hide_logins("s3://me:secret@host/music")
    's3://**********@host/music'
    """
    return _LOGIN.sub("**********", text)


@dataclass(frozen=True)
class WholeNumber:
    """A number from `low` to `high`."""

    low: int
    high: int

    def __call__(self, value: object) -> int:
        """Return the number of an int, or of a text or float that is one. For Python, `true` of a file is an int."""
        number = None if isinstance(value, bool) else _to_whole(value)
        if number is None or not self.low <= number <= self.high:
            raise ValueError(f"must be a whole number from {self.low:,} to {self.high:,}")
        return number


def _to_whole(value: object) -> int | None:
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    if isinstance(value, str) and len(value) < 100 and _WHOLE.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    return None


@dataclass(frozen=True)
class Text:
    """A text, of a pattern if there is one."""

    pattern: str = ""
    reason: str = ""
    """What to say of a text that is not of the pattern."""
    check: Callable[[str], None] | None = None
    """Raises `ValueError` for a text that is not accepted."""

    def __call__(self, value: object) -> str:
        """Return the text."""
        if not isinstance(value, str):
            raise ValueError("must be a text")  # noqa: TRY004 - all refusals are of one class
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise ValueError(self.reason)
        if self.check is not None:
            self.check(value)
        return value


@dataclass(frozen=True)
class SecretText(Text):
    """A text without spaces that is never shown. Those around it, and a line break, come from copying: they go."""

    def __call__(self, value: object) -> Secret:  # type: ignore[override] # what is kept differs, not what is accepted
        """Return the text, hidden."""
        given = value.value if isinstance(value, Secret) else value
        text = super().__call__(given.strip() if isinstance(given, str) else given)
        if " " in text or not text.isprintable():  # other spaces are not printable
            raise ValueError("must have no spaces, line breaks or invisible characters inside")
        return Secret(text)


def yes_or_no(value: object) -> bool:
    """Return a bool, or what a text or number says."""
    text = value.lower() if isinstance(value, str) else str(int(value)) if value in (0, 1) else ""
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise ValueError("must be 1 or 0, or true or false")


def absolute_path(value: object) -> Path:
    """Return an absolute path that keeps symbolic links: the owner knows the library by that path."""
    if not isinstance(value, str | os.PathLike):
        raise ValueError("must be a path")  # noqa: TRY004 - all refusals are of one class
    if not os.fspath(value).strip() or "\0" in os.fspath(value):
        raise ValueError("must be a path")
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError("must be a path: there is no such home folder") from error
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps `..`


@dataclass(frozen=True)
class Setting:
    """One setting, as people are told of it and as it is read."""

    description: str
    kind: Callable[[object], object]
    may_be_none: bool


def setting(description: str, kind: Callable[[object], object], *, or_none: bool = False) -> dict[str, Setting]:
    """Return the metadata of a dataclass field that is a setting."""
    return {_KEY: Setting(description, kind, or_none)}


def setting_of(field: "Field[Any]") -> Setting:
    """Return the setting that a field is."""
    found: Setting = field.metadata[_KEY]
    return found


def accept_values(settings: Any) -> None:
    """Replace the values of a new dataclass by those that count.

    Raises
    ------
    WrongValueError
        A value is not accepted.
    """
    for field in fields(settings):
        of_field, given = setting_of(field), getattr(settings, field.name)
        if given is None and of_field.may_be_none:
            continue
        try:
            object.__setattr__(settings, field.name, of_field.kind(given))  # as dataclasses do it for frozen ones
        except ValueError as error:
            raise WrongValueError(field.name, str(error), given) from error
