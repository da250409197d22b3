"""What one visit of a worker found out about a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wkmp_assets.model.boundary_evidence import TrackSheet
from wkmp_assets.model.outcomes import Failed, Result


@dataclass(frozen=True)
class Findings:
    """What one visit found out about a file."""

    content_hash: str
    outcomes: Mapping[str, Result[Any] | Failed] = field(default_factory=dict)
    """Phase -> outcome. After a failure there are no later phases; without any, the visit ended after the hash."""
    track_list: TrackSheet | None = None
    """That of the visit."""
    token: str | None = None
    """Under which the outcomes are kept in the store of visits; None when they are not."""
    may_go_on: bool = True
    """Whether a second visit may find the rest; False after one that brought its worker down."""

    @property
    def values(self) -> dict[str, Any]:
        """The values that were found, by phase."""
        return {phase: outcome.value for phase, outcome in self.outcomes.items() if isinstance(outcome, Result)}
