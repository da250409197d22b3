"""Replacements for measures that are taken away. Each function takes the original and returns its replacement."""

import fcntl
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import uuid4

Without = Callable[[Any], Any]


def returns(value: object) -> Without:
    """Replace a function by one that does nothing and returns a value."""
    return lambda _original: lambda *_arguments, **_options: value


does_nothing = returns(None)


def is_now(value: object) -> Without:
    """Replace a constant."""
    return lambda _original: value


def without_item(name: str) -> Without:
    """Replace a tuple of functions, or a mapping, by one that lacks an item."""

    def lacking(original: Any) -> Any:
        if isinstance(original, dict):
            return {key: value for key, value in original.items() if key != name}
        return tuple(item for item in original if item.__name__ != name)

    return lacking


def sql_changed(find: str, instead: str) -> Without:
    """Replace a statement, or a function that returns one, by the same with a part changed; `find` is a pattern."""

    def changed(original: Any) -> Any:
        if isinstance(original, str):
            return re.sub(find, instead, original)
        return lambda *arguments: re.sub(find, instead, original(*arguments))

    return changed


def first_argument(_original: object) -> Callable[..., Any]:
    """Replace a function by one that returns what it was given first."""
    return lambda first, *_others: first


def always_open_gate(original: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of the writer go through the gate without waiting for others."""

    class OpenGate:
        def hold(self, *, limit_ms: float) -> nullcontext[None]:
            del limit_ms
            return nullcontext()

    def method(self: Any, *arguments: Any) -> Any:
        gate, self._gate = self._gate, OpenGate()
        try:
            return original(self, *arguments)
        finally:
            self._gate = gate

    return method


def no_retry(_original: object) -> Callable[..., Any]:
    """Run the operation once."""
    return lambda _retry, _database, operation: (operation(), 0)


def judged_by_message(_original: object) -> Callable[[BaseException], bool]:
    """Recognise a lock by the error's text."""
    return lambda error: "locked" in str(error)


def forty_attempts(_original: object) -> Callable[..., bool]:
    """Give up after a number of attempts, whatever time they took."""
    attempts = count(1)
    return lambda _retry, _waited_ms: next(attempts) > 40


def uncounted(**counts: int) -> Without:
    """Let a log of statements forget one kind of them."""
    return lambda original: lambda log: replace(original(log), **counts)


def random_id(_original: object) -> Callable[..., str]:
    """Return another id each time."""
    return lambda _kind, _mbid: str(uuid4())


def random_ids(_original: object) -> Callable[..., Any]:
    """Yield other ids each time."""
    return lambda _name: (uuid4() for _ in count())


def the_file_itself(_original: object) -> Callable[..., Any]:
    """Write directly to the final path."""
    return lambda _store, path: path


def derived_id(_original: object) -> Callable[..., str]:
    """Take the derived id, also where the library has another."""
    return lambda _existing, _mbid, derived: derived


def unconditional(original: Callable[..., str]) -> Callable[..., str]:
    """Delete passages whatever refers to them."""
    return lambda how_many, _references: original(how_many, ())


def all_runs(_original: object) -> Callable[..., int]:
    """Always allow the same number of runs."""
    return lambda _breakdown, most, _now, **_options: most


def unlocked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Begin a run, and let go of its lock at once."""

    def begin(runs: Any, run_id: str) -> None:
        original(runs, run_id)
        fcntl.flock(runs._own[run_id], fcntl.LOCK_UN)

    return begin


def no_snapshot(_original: object) -> Callable[..., Any]:
    """Read without a transaction."""
    return lambda _connection: nullcontext()


def unescaped(_original: object) -> Callable[[str], str]:
    """Leave marks of Markdown as they are."""
    return lambda text: " ".join(text.split())


def breaks(_original: object) -> Callable[..., Any]:
    """Replace a function by one that does not work at all."""

    def broken(*_arguments: object) -> None:
        raise NameError("no such name")

    return broken


def unchanged(original: Any) -> Any:
    """Change nothing."""
    return original
