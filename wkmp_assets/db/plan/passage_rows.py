"""Plan the rows of one file's passages: the passages, their links, and the provenance of their texts."""

import json
from collections.abc import Iterable, Sequence

from wkmp_assets.db.plan import ids
from wkmp_assets.db.plan.additional_metadata import add_tags
from wkmp_assets.db.plan.earlier_knowledge import KeptKnowledge, keep_album_links, keep_columns, keep_song_links
from wkmp_assets.db.plan.entities import Entities
from wkmp_assets.db.plan.passage_pairing import PassagePlan
from wkmp_assets.db.read.file_state import StoredFlavor
from wkmp_assets.db.tables import CLASSES_SOURCE, IMPORT_STRATEGY, LOOKUP_SOURCE, PERSON_SOURCE
from wkmp_assets.model.file_entry import FileEntry, PassageEntry
from wkmp_assets.model.flavor import has_classes
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.rows import FileRow, PassageAlbumRow, PassageRow, PassageSongRow, ProvenanceRow
from wkmp_assets.model.statuses import PassageStatus
from wkmp_assets.model.ticks import to_seconds
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import ClassesOutcome, LeadPointParameters, PassageLookup, Song

_WAITING = frozenset({ClassesOutcome.DEFERRED, ClassesOutcome.GONE})


def make_passage_rows(
    entry: FileEntry,
    file: FileRow,
    plan: PassagePlan,
    entities: Entities,
    flavors: Sequence[StoredFlavor],
    knowledge: Sequence[KeptKnowledge | None],
    stamp: Stamp,
) -> Iterable[PassageRow]:
    """Yield a row for every passage of the import, new or updated in place."""
    for passage, placed, flavor, kept in zip(entry.passages, plan.placed, flavors, knowledge, strict=True):
        match = passage.match
        source = match.source
        row = PassageRow(
            guid=placed.guid,
            file_id=file.guid,
            start_time_ticks=placed.start_ticks,
            lead_in_start_ticks=placed.lead_in_ticks,
            lead_out_start_ticks=placed.lead_out_ticks,
            end_time_ticks=placed.end_ticks,
            title=match.title,
            artist=match.artist,
            album=match.album,
            recording_mbid=match.song.recording_mbid if match.song else None,
            song_id=entities.songs[match.song.recording_mbid].guid if match.song else None,
            import_metadata=describe_import(passage, entry.lead_point_parameters, entry.boundaries, stamp),
            musical_flavor_vector=flavor.vector,
            flavor_source_blend=flavor.blend,
            flavor_completeness=flavor.completeness,
            additional_metadata=add_tags(flavor.metadata, entry, passage),
            decode_status="successful",
            title_source=source if match.title else None,
            title_confidence=match.score if match.title else None,
            artist_source=source if match.artist else None,
            artist_confidence=match.score if match.artist else None,
            album_source=source if match.album else None,
            album_confidence=match.score if match.album else None,
            mbid_source=source if match.song else None,
            mbid_confidence=match.score if match.song else None,
            identity_confidence=match.score,
            validation_status="Pending",
            import_session_id=stamp.run_id,
            import_timestamp=stamp.text,
            import_strategy=IMPORT_STRATEGY,
            status=PassageStatus.INGEST_COMPLETE,
            created_at=stamp.text,
            updated_at=stamp.text,
        )
        yield keep_columns(row, match, kept)


def describe_import(
    passage: PassageEntry, used: LeadPointParameters | None, boundaries: str | None, stamp: Stamp
) -> str:
    """Return `import_metadata` of a passage: how its lead points were found, and what decided its boundaries."""
    points = passage.lead_points
    lead_in, lead_out = points.lead_in_ticks, points.lead_out_ticks
    analysis = {
        "peak_rms": round(points.peak_rms, 6),
        "lead_in_detected_s": None if lead_in is None else to_seconds(lead_in - passage.start_ticks),
        "lead_out_detected_s": None if lead_out is None else to_seconds(passage.end_ticks - lead_out),
        "quick_ramp_up": points.quick_ramp_up,
        "quick_ramp_down": points.quick_ramp_down,
        "parameters_used": None
        if used is None
        else {
            "rms_window_ms": used.rms_window_ms,
            "lead_in_threshold_dB": used.lead_in_threshold_db,
            "lead_out_threshold_dB": used.lead_out_threshold_db,
            "quick_ramp_threshold": used.quick_ramp_threshold,
            "quick_ramp_duration_s": used.quick_ramp_duration_s,
            "max_lead_in_duration_s": used.max_lead_in_duration_s,
            "max_lead_out_duration_s": used.max_lead_out_duration_s,
            "apply_a_weighting": False,
        },
        "analyzed_at": f"{stamp.text.replace(' ', 'T')}Z",
    }
    return json.dumps({"amplitude_analysis": analysis} | ({"boundaries": boundaries} if boundaries else {}))


def link_songs(
    songs: Sequence[Song | None],
    plan: PassagePlan,
    entities: Entities,
    knowledge: Sequence[KeptKnowledge | None],
    stamp: Stamp,
) -> Iterable[PassageSongRow]:
    """Yield the links that stay, and the link of every passage to its song, over its whole length."""
    for song, placed, kept in zip(songs, plan.placed, knowledge, strict=True):
        staying = keep_song_links(placed, kept, stamp)
        yield from staying
        guid = entities.songs[song.recording_mbid].guid if song else None
        if guid is not None and guid not in {link.song_id for link in staying}:
            yield PassageSongRow(placed.guid, guid, 0, placed.end_ticks - placed.start_ticks, stamp.text)


def link_albums(
    entry: FileEntry,
    plan: PassagePlan,
    entities: Entities,
    knowledge: Sequence[KeptKnowledge | None],
    stamp: Stamp,
) -> Iterable[PassageAlbumRow]:
    """Yield the links that stay, and the link of every passage to its album."""
    for passage, placed, kept in zip(entry.passages, plan.placed, knowledge, strict=True):
        release = passage.match.release
        staying = keep_album_links(placed, kept, stamp, has_release=release is not None)
        yield from staying
        album = entities.albums[release.mbid].guid if release else None
        if album is not None and album not in {link.album_id for link in staying}:
            yield PassageAlbumRow(placed.guid, album, stamp.text)


def make_provenance_rows(
    entry: FileEntry,
    plan: PassagePlan,
    flavors: Sequence[StoredFlavor],
    knowledge: Sequence[KeptKnowledge | None],
    stamp: Stamp,
) -> Iterable[ProvenanceRow]:
    """Yield one row per source that says something about a passage, or that the passage waits for."""
    seconds = int(stamp.now.timestamp())
    for passage, placed, flavor, kept in zip(entry.passages, plan.placed, flavors, knowledge, strict=True):
        match = passage.match
        if kept is not None and kept.stored.knowledge.persons_word is not None:
            word = kept.stored.knowledge.persons_word
            yield ProvenanceRow(
                ids.provenance_id(placed.guid, PERSON_SOURCE), placed.guid, PERSON_SOURCE, word, 1.0, seconds
            )
        if match.source is not None:
            said: dict[str, object] = {
                "title": match.title,
                "artist": match.artist,
                "album": match.album,
                "recording_mbid": match.song.recording_mbid if match.song else None,
                "release_mbid": match.release.mbid if match.release else None,
            }
            if match.track is not None:
                said |= {"track_number": match.track.number, "isrc": match.track.isrc}
            guid = ids.provenance_id(placed.guid, match.source)
            yield ProvenanceRow(guid, placed.guid, match.source, json.dumps(said), match.score, seconds)
        if match.lookup is not None:
            said_by_services = json.dumps(_lookup_json(match.lookup))
            best = match.lookup.candidates[0].confidence if match.lookup.candidates else None
            guid = ids.provenance_id(placed.guid, LOOKUP_SOURCE)
            yield ProvenanceRow(guid, placed.guid, LOOKUP_SOURCE, said_by_services, best, seconds)
        if passage.fingerprint is not None:
            heard = {
                "duration_s": passage.fingerprint.duration_s,
                "fingerprint": passage.fingerprint.fingerprint,
            }
            guid = ids.provenance_id(placed.guid, "Chromaprint")
            yield ProvenanceRow(guid, placed.guid, "Chromaprint", json.dumps(heard), None, seconds)
        if passage.flavor is not None and passage.flavor.outcome in _WAITING and not has_classes(flavor.blend):
            waits = {"outcome": LookupOutcome.DEFERRED, "detail": passage.flavor.detail}
            guid = ids.provenance_id(placed.guid, CLASSES_SOURCE)
            yield ProvenanceRow(guid, placed.guid, CLASSES_SOURCE, json.dumps(waits), None, seconds)


def _lookup_json(lookup: PassageLookup) -> dict[str, object]:
    candidates = [
        {
            "recording_mbid": one.song.recording_mbid,
            "title": one.song.title,
            "artist": one.song.artist_name,
            "acoustid": one.acoustid,
            "fingerprint": one.fingerprint_score,
            "metadata": one.metadata_score,
            "duration": one.duration_score,
            "confidence": one.confidence,
        }
        | ({} if one.sources is None else {"sources": one.sources})
        for one in lookup.candidates
    ]
    return {"outcome": lookup.outcome, "detail": lookup.detail, "candidates": candidates}
