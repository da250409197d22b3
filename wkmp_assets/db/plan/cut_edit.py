"""Plan the passages of a file that a person splits or joins.

The longest part inherits the id of a passage, with its song, names, links and history. The other parts are new passages
without a song. All of the file's passages are a person's from then on, see `db/plan/cuts.py`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wkmp_assets.db.plan import ids
from wkmp_assets.db.plan.additional_metadata import add_measures
from wkmp_assets.db.plan.passage_rows import describe_import
from wkmp_assets.db.read.file_state import LibraryState, StoredPassage, expect_unchanged
from wkmp_assets.db.tables import BOUNDARIES_BY_PERSON, IMPORT_STRATEGY
from wkmp_assets.errors import EditRefusedError
from wkmp_assets.model.batch import WriteBatch
from wkmp_assets.model.file_entry import FileEntry, PassageEntry
from wkmp_assets.model.flavor import completeness, flavor_json, measured_of, parse_flavor, sources_of
from wkmp_assets.model.hand_edits import Cut, CutEdit
from wkmp_assets.model.rows import FileRows, PassageAlbumRow, PassageRow, PassageSongRow, ProvenanceRow
from wkmp_assets.model.statuses import PassageStatus
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import FileIdentity, FileState

_FINGERPRINT = "Chromaprint"


@dataclass(frozen=True)
class CutPlan:
    """What new boundaries change."""

    batch: WriteBatch
    after: tuple[PassageRow, ...]
    """The new passages, by start."""


def entry_without_passages(rows: FileRows) -> FileEntry:
    """Return an entry of the file without passages, to read what its rows depend on."""
    file = rows.file
    identity = FileIdentity(FileState.UNCHANGED, file.hash, file.file_size_bytes, file.modification_time)
    return FileEntry(file.path, identity)


def plan_cut_edit(edit: CutEdit, rows: FileRows, state: LibraryState, stamp: Stamp) -> CutPlan:
    """Return what new boundaries change.

    Raises
    ------
    EditRefusedError
        The file or its passages are no longer what was measured, fades do not fit, or a passage that would go is used.
    """
    bounds = tuple((passage.start_time_ticks, passage.end_time_ticks) for passage in rows.passages)
    if (rows.file.hash, bounds) != (edit.content_hash, edit.before):
        raise EditRefusedError(edit.path, "it was imported again meanwhile; nothing was written, try again")
    stored = {passage.guid: passage for passage in state.passages}
    taken = set(stored)
    planned = _Planned([], [], [], [], [])
    pieces = iter(edit.pieces)
    for cut in edit.cuts:
        old = [rows.passages[number - 1] for number in cut.numbers]
        parts = [next(pieces) for _ in cut.bounds]
        heir = _choose_heir(edit.path, cut, [stored[passage.guid] for passage in old])
        part = _longest_within(parts, old[heir])
        _check_fades(edit.path, stored[old[heir].guid], parts[part])
        planned.removed += [passage.guid for index, passage in enumerate(old) if index != heir]
        for index, one in enumerate(parts):
            if index == part:
                row = _inherit(old[heir], one, edit, stamp)
            else:
                guid = ids.passage_id(rows.file.guid, one.start_ticks, one.end_ticks, taken)
                row = _make(guid, one, rows, edit, stamp)
            taken.add(row.guid)
            planned.passages.append(row)
            planned.songs += _song_links(rows, old[heir], row, stamp)
            planned.albums += _album_links(rows, old[heir], row, stamp)
            planned.provenance += _provenance(rows, row, one, stamp)
    return CutPlan(
        WriteBatch(
            edit.path,
            file=replace(rows.file, updated_at=stamp.text),
            expected=expect_unchanged(state, rows.file),
            removed_passages=tuple(planned.removed),
            kept_passages=len(rows.passages) - len(planned.removed) - len(edit.cuts),
            passage_references=state.passage_references,
            keeps_failure=True,
            passages=tuple(planned.passages),
            passage_songs=tuple(planned.songs),
            passage_albums=tuple(planned.albums),
            provenance=tuple(planned.provenance),
            warnings=state.warnings,
        ),
        tuple(sorted(planned.passages, key=lambda row: (row.start_time_ticks, row.guid))),
    )


@dataclass
class _Planned:
    removed: list[str]
    passages: list[PassageRow]
    songs: list[PassageSongRow]
    albums: list[PassageAlbumRow]
    provenance: list[ProvenanceRow]


def _choose_heir(path: str, cut: Cut, old: Sequence[StoredPassage]) -> int:
    """Return which of the passages that go lives on: the one that somebody uses or edited, else the longest."""
    used = [index for index, passage in enumerate(old) if passage.is_kept]
    if len(used) > 1:
        numbers = " and ".join(str(cut.numbers[index]) for index in used)
        raise EditRefusedError(
            path,
            f"people edited passages {numbers}, or play history, queue or timeslots refer to them; only one can stay",
        )
    lengths = [passage.end_ticks - passage.start_ticks for passage in old]
    return used[0] if used else lengths.index(max(lengths))


def _longest_within(parts: Sequence[PassageEntry], old: PassageRow) -> int:
    shared = [min(one.end_ticks, old.end_time_ticks) - max(one.start_ticks, old.start_time_ticks) for one in parts]
    return shared.index(max(shared))


def _check_fades(path: str, old: StoredPassage, part: PassageEntry) -> None:
    fades = [point for point in (old.fade_in_ticks, old.fade_out_ticks) if point is not None]
    if not all(part.start_ticks <= point <= part.end_ticks for point in fades):
        raise EditRefusedError(
            path, "a fade point of the passage lies outside its longest part; change it in the player"
        )


def _inherit(old: PassageRow, part: PassageEntry, edit: CutEdit, stamp: Stamp) -> PassageRow:
    before = parse_flavor(old.musical_flavor_vector).flavor
    kept = {name: values for name, values in before.items() if name not in measured_of(before)}
    return replace(_measured(old, part, kept, edit, stamp), import_session_id=stamp.run_id)


def _measured(
    row: PassageRow, part: PassageEntry, kept: dict[str, dict[str, float]], edit: CutEdit, stamp: Stamp
) -> PassageRow:
    """Return a row with the boundaries of a part, and all that was measured of it."""
    flavor = {**kept, **part.flavor.measured} if part.flavor else kept
    measures = part.flavor.measures if part.flavor else None
    return replace(
        row,
        start_time_ticks=part.start_ticks,
        lead_in_start_ticks=part.lead_points.lead_in_ticks,
        lead_out_start_ticks=part.lead_points.lead_out_ticks,
        end_time_ticks=part.end_ticks,
        import_metadata=describe_import(part, edit.parameters, BOUNDARIES_BY_PERSON, stamp),
        musical_flavor_vector=flavor_json(flavor),
        flavor_source_blend=json.dumps(sources_of(flavor)),
        flavor_completeness=completeness(flavor),
        additional_metadata=add_measures(row.additional_metadata, measures) if measures else row.additional_metadata,
        import_timestamp=stamp.text,
        updated_at=stamp.text,
    )


def _make(guid: str, part: PassageEntry, rows: FileRows, edit: CutEdit, stamp: Stamp) -> PassageRow:
    empty = PassageRow(
        guid=guid,
        file_id=rows.file.guid,
        start_time_ticks=part.start_ticks,
        lead_in_start_ticks=None,
        lead_out_start_ticks=None,
        end_time_ticks=part.end_ticks,
        title=None,
        artist=None,
        album=None,
        recording_mbid=None,
        song_id=None,
        import_metadata="",
        musical_flavor_vector=None,
        flavor_source_blend=None,
        flavor_completeness=None,
        additional_metadata=None,
        decode_status="successful",
        title_source=None,
        title_confidence=None,
        artist_source=None,
        artist_confidence=None,
        album_source=None,
        album_confidence=None,
        mbid_source=None,
        mbid_confidence=None,
        identity_confidence=0.0,
        validation_status="Pending",
        import_session_id=stamp.run_id,
        import_timestamp=stamp.text,
        import_strategy=IMPORT_STRATEGY,
        status=PassageStatus.INGEST_COMPLETE,
        created_at=stamp.text,
        updated_at=stamp.text,
    )
    return _measured(empty, part, {}, edit, stamp)


def _song_links(rows: FileRows, old: PassageRow, row: PassageRow, stamp: Stamp) -> Iterator[PassageSongRow]:
    """Yield the links of the passage that lives on, fitted to its boundaries. The new ones have none."""
    if row.guid != old.guid:
        return
    length, shift = row.end_time_ticks - row.start_time_ticks, old.start_time_ticks - row.start_time_ticks
    for link in rows.passage_songs:
        if link.passage_id != old.guid:
            continue
        start, end = max(0, link.start_time_ticks + shift), min(length, link.end_time_ticks + shift)
        if link.start_time_ticks <= 0 and link.end_time_ticks >= old.end_time_ticks - old.start_time_ticks:
            start, end = 0, length
        if start < end:
            created_at = stamp.text if link.created_at == old.import_timestamp else link.created_at
            yield replace(link, start_time_ticks=start, end_time_ticks=end, created_at=created_at)


def _album_links(rows: FileRows, old: PassageRow, row: PassageRow, stamp: Stamp) -> Iterator[PassageAlbumRow]:
    """Yield the links to albums: all parts of a passage are on the same."""
    for link in rows.passage_albums:
        if link.passage_id == old.guid:
            created_at = stamp.text if link.created_at == old.import_timestamp else link.created_at
            yield PassageAlbumRow(row.guid, link.album_id, created_at)


def _provenance(rows: FileRows, row: PassageRow, part: PassageEntry, stamp: Stamp) -> Iterator[ProvenanceRow]:
    """Yield what sources said of the passage that lives on, and the new fingerprint."""
    for one in rows.provenance:
        if one.passage_id == row.guid and one.source_type != _FINGERPRINT:
            yield one
    if part.fingerprint is not None:
        heard = {"duration_s": part.fingerprint.duration_s, "fingerprint": part.fingerprint.fingerprint}
        guid = ids.provenance_id(row.guid, _FINGERPRINT)
        yield ProvenanceRow(guid, row.guid, _FINGERPRINT, json.dumps(heard), None, int(stamp.now.timestamp()))
