"""Pair the passages of an import with the stored ones, so that people's edits are kept.

A new and a stored passage that overlap by more than half of both are the same passage. It keeps its guid, fades and
user title, and is updated in place. A stored passage without a partner is deleted only if no person edited it and no
row refers to it.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from wkmp_assets.db.read.file_state import StoredPassage
from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, warn_each
from wkmp_assets.model.ticks import to_seconds


@dataclass(frozen=True)
class PlacedPassage:
    """Guid and positions of one passage of the import, as they will be stored."""

    guid: str
    start_ticks: int
    end_ticks: int
    lead_in_ticks: int | None
    lead_out_ticks: int | None


@dataclass(frozen=True)
class PassagePlan:
    """What happens to a file's passages."""

    placed: tuple[PlacedPassage, ...]
    """One per passage of the import, in order."""
    removed: tuple[str, ...]
    kept: tuple[StoredPassage, ...]
    """Stored passages without a partner that stay, because somebody edited them or refers to them."""
    warnings: tuple[FileWarning, ...]


def _no_new_guid(_start: int, _end: int, _taken: Container[str]) -> str:
    raise AssertionError("there are no new passages")


def plan_passages(
    bounds: Sequence[tuple[int, int]],
    leads: Sequence[tuple[int | None, int | None]],
    stored: Sequence[StoredPassage],
    new_guid: Callable[[int, int, Container[str]], str] = _no_new_guid,
) -> PassagePlan:
    """Pair the passages of an import with the stored ones.

    Parameters
    ----------
    bounds : sequence of (start, end), unit=ticks
        The import's passages, ascending.
    leads : sequence of (lead-in, lead-out), unit=ticks
        Their lead points, None where there are none.
    stored : sequence of StoredPassage
        What the library holds.
    new_guid : callable
        Returns the id of a passage without a partner, from its bounds and the ids that are taken.
    """
    partners = _pair(bounds, stored)
    taken = {passage.guid for passage in stored}
    placed, warnings = [], []
    for number, ((start, end), (lead_in, lead_out)) in enumerate(zip(bounds, leads, strict=True)):
        old = partners.get(number)
        if old is None:
            guid = new_guid(start, end, taken)
            taken.add(guid)
            placed.append(PlacedPassage(guid, start, end, lead_in, lead_out))
        elif _fades_fit(old, start, end):
            placed.append(PlacedPassage(old.guid, start, end, lead_in, lead_out))
        else:
            placed.append(
                PlacedPassage(old.guid, old.start_ticks, old.end_ticks, old.lead_in_ticks, old.lead_out_ticks)
            )
            warnings.append(
                f"the passage {describe_place(old)} keeps its old boundaries, because its fade points lie outside "
                f"the new ones; change them in the player, then {IMPORT_WITH_FORCE}"
            )
    unpaired = [passage for passage in stored if passage not in partners.values()]
    removed = tuple(passage.guid for passage in unpaired if not (passage.is_kept or passage.is_cut))
    kept = tuple(passage for passage in unpaired if passage.is_kept or passage.is_cut)
    warnings += [
        f"the passage {describe_place(passage)} no longer matches the audio; it was kept, because a person edited it, "
        "or play history, queue or timeslots refer to it"
        for passage in kept
        if not passage.is_cut
    ]
    return PassagePlan(
        placed=tuple(placed),
        removed=removed,
        kept=kept,
        warnings=warn_each(WarningKind.KEPT_PASSAGE, warnings),
    )


def _pair(bounds: Sequence[tuple[int, int]], stored: Sequence[StoredPassage]) -> dict[int, StoredPassage]:
    """Return index of new passage -> stored passage.

    Partners overlap by more than half of both, so each has one only, unless stored passages overlap each other. Then
    the larger overlap wins.
    """
    candidates = sorted(
        (
            (-shared, number, passage.guid, passage)
            for number, (start, end) in enumerate(bounds)
            for passage in stored
            if (shared := min(end, passage.end_ticks) - max(start, passage.start_ticks)) * 2
            > max(end - start, passage.end_ticks - passage.start_ticks)
        ),
        key=lambda candidate: candidate[:3],
    )
    partners: dict[int, StoredPassage] = {}
    used: set[str] = set()
    for _, number, guid, passage in candidates:
        if number not in partners and guid not in used:
            partners[number] = passage
            used.add(guid)
    return dict(sorted(partners.items()))


def describe_place(stored: StoredPassage) -> str:
    """Return where a passage is, for messages."""
    return f"from {to_seconds(stored.start_ticks):.1f} s to {to_seconds(stored.end_ticks):.1f} s"


def _fades_fit(old: StoredPassage, start: int, end: int) -> bool:
    return all(point is None or start <= point <= end for point in (old.fade_in_ticks, old.fade_out_ticks))
