"""Answers about assets that are read once and hold until something about the asset is stored.

What this process stores gives new answers, which are not read.

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
        self._latest: dict[str, tuple[str, dict[str, tuple[int, Mapping[str, str]]]]] = {}
        self._events: dict[str, dict[int, Any]] = {}

    def see(self, state: State) -> None:
        """Forget everything if the database has another state than when it was last seen."""
        if state != self._state:
            self._known.clear()
            self._latest.clear()
            self._events.clear()
        self._state = state

    def move(self, assets: Iterable[str], state: State) -> None:
        """Forget the answers about some assets, because one's own writes brought the database into another state."""
        for asset in assets:
            self._known.pop(asset, None)
        self._state = state

    def note_latest(
        self, asset: str, run_id: str, partition: str, event_id: int, tags: Mapping[str, str], event: Any = None
    ) -> None:
        """Keep a materialization that was just stored: its id, its tags, and itself if it is given.

        Those of the latest run are kept.
        """
        if asset not in self._latest or self._latest[asset][0] != run_id:
            self._latest[asset] = run_id, {}
            self._events.pop(asset, None)
        self._latest[asset][1][partition] = event_id, tags
        if event is not None:
            self._events.setdefault(asset, {})[event_id] = event

    def find_events(self, asset: str, event_ids: Iterable[int]) -> dict[int, Any]:
        """Return the materializations with these ids that are kept."""
        kept = self._events.get(asset, {})
        return {one: kept[one] for one in event_ids if one in kept}

    def find_ids(self, asset: str, partitions: Collection[str]) -> dict[str, int] | None:
        """Return the last materialization of each partition; None when one was not materialized lately."""
        latest = self._find_latest(asset, partitions)
        return None if latest is None else {one: event_id for one, (event_id, _) in latest.items()}

    def find_tags(
        self, asset: str, names: Collection[str], partitions: Collection[str]
    ) -> dict[str, dict[str, str]] | None:
        """Return tags of the last materialization of partitions; None when one was not materialized lately.

        A partition without any of these tags is left out.
        """
        latest = self._find_latest(asset, partitions)
        if latest is None:
            return None
        found = {one: {name: tags[name] for name in names if name in tags} for one, (_, tags) in latest.items()}
        return {one: tags for one, tags in found.items() if tags}

    def _find_latest(self, asset: str, partitions: Collection[str]) -> dict[str, tuple[int, Mapping[str, str]]] | None:
        _, known = self._latest.get(asset, ("", {}))
        if not partitions or not all(one in known for one in partitions):
            return None
        return {one: known[one] for one in partitions}

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
