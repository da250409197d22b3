"""Answers about assets that are read once and hold until something about the asset is stored.

Every step of a run asks for the last materialization of each asset before it, and for the data versions of its
partitions. Every check asks again. That was a third of what a run costs whatever it holds.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any

MAX_QUESTIONS = 16
"""Of one asset; more come from a web server, which gains little."""

State = tuple[int, int]
"""What changes with every write to a database: by other connections, by one's own."""


class AssetAnswers:
    """The answers of one database."""

    def __init__(self) -> None:
        self._state: State | None = None
        self._known: dict[str, dict[Hashable, Any]] = {}

    def see(self, state: State) -> None:
        """Forget everything if the database has another state than when it was last seen."""
        if state != self._state:
            self._known.clear()
        self._state = state

    def move(self, assets: Iterable[str], state: State) -> None:
        """Forget the answers about some assets, because one's own writes brought the database into another state."""
        for asset in assets:
            self._known.pop(asset, None)
        self._state = state

    def find(self, assets: Collection[str], question: Hashable) -> dict[str, Any]:
        """Return the known answers to a question by asset. None may be an answer."""
        return {asset: known[question] for asset in assets if question in (known := self._known.get(asset, {}))}

    def keep(self, answers: Mapping[str, Any], question: Hashable) -> None:
        """Keep answers to a question by asset."""
        for asset, answer in answers.items():
            known = self._known.setdefault(asset, {})
            if len(known) >= MAX_QUESTIONS:
                known.pop(next(iter(known)))
            known[question] = answer
