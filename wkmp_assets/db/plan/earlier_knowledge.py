"""Decide what stays of what the library knows of a passage: only an answer replaces it.

An answer is a recording that a service or the tags name, or a service's word that it knows none. A lookup that was
skipped, deferred or impossible is not an answer.

| this import has | song and its link | title, artist, album | album links |
|---|---|---|---|
| a recording, or a service's "no match" | replaced | replaced | replaced |
| the stored recording again | replaced by the same | new ones win, missing ones stay | stay without a release |
| the same from AcoustID alone, stored from MusicBrainz | stay | stay | stay without a release |
| anything, where a person named the song | stay | stay; the same recording's win | stay without a release |
| no answer | stay | stay; a tag of the whole file replaces a text not from a service | stay without a release |

Links that no import wrote are people's, and stay whatever the answer is. A link of an import has the time of the import
that last wrote the passage.

Stored and new passages belong together by equal fingerprints, or by an overlap of 90 % of both in the same bytes or
where no fingerprint is stored; else by an overlap of 90 % of the shorter, else by the longest overlap. When a file's
content has changed and the fingerprints differ too much, nothing stays.

A passage without a partner that stays, because somebody uses it, keeps what it has. If WKMP made it, it gets the link
to the song that WKMP found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wkmp_assets.db.plan.passage_pairing import PassagePlan, PlacedPassage, describe_place
from wkmp_assets.db.read.file_state import StoredKnowledge, StoredPassage, StoredSongLink
from wkmp_assets.model.file_entry import PassageEntry
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, warn_each
from wkmp_assets.model.fingerprints import is_same_sound
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.rows import PassageAlbumRow, PassageRow, PassageSongRow
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import ClassesOutcome, FileTags, PassageMatch, Song

MIN_OVERLAP = 0.9
"""Share of the shorter passage."""
_ANSWERS = frozenset({LookupOutcome.MATCH, LookupOutcome.NO_MATCH})
_ACOUSTID, _MUSICBRAINZ = "AcoustID", "MusicBrainz"
PERSONS_WORD = "a person said which song it is"
_TEXTS = ("title", "artist", "album")
_SONG_COLUMNS = ("song_id", "recording_mbid", "mbid_source", "mbid_confidence")


@dataclass(frozen=True)
class KeptKnowledge:
    """What stays of one stored passage's knowledge, and why."""

    stored: StoredPassage
    reason: str = ""
    keeps_texts: bool = False
    """False after an answer: then only links that people made stay."""
    keeps_song: bool = False
    """False also when the same recording is named again: then texts and albums may stay."""


def plan_knowledge(
    passages: Sequence[PassageEntry], plan: PassagePlan, stored: Sequence[StoredPassage], *, is_same_content: bool
) -> list[KeptKnowledge | None]:
    """Return what stays for each passage of the import, in order; None where the library knows nothing of it.

    Parameters
    ----------
    passages, plan
        The import's passages, and where they are stored.
    stored : sequence of StoredPassage
        What the library holds of the file.
    is_same_content : bool
        Whether they were made from the same bytes: then their fingerprints need not be compared.
    """
    going = {*plan.removed, *(placed.guid for placed in plan.placed)}
    sources = [passage for passage in stored if passage.guid in going and passage.knowledge.is_any]
    partners = _pair(passages, sources, is_same_content=is_same_content)
    return [_decide(passage.match, partners.get(number)) for number, passage in enumerate(passages)]


def warn_of_lost_songs(
    passages: Sequence[PassageEntry],
    plan: PassagePlan,
    stored: Sequence[StoredPassage],
    kept: Sequence[KeptKnowledge | None],
) -> tuple[FileWarning, ...]:
    """Return a warning for each song that no answer replaced, but that has lost its own passage."""
    going = {*plan.removed, *(placed.guid for placed in plan.placed)}
    unanswered = [
        (passage, one.stored.guid) for passage, one in zip(passages, kept, strict=True) if one and one.keeps_texts
    ]
    used = {guid for _, guid in unanswered}
    holders = [passage for passage, _ in unanswered]
    texts = [
        f"the song {old.knowledge.title or old.knowledge.recording_mbid} of the passage {describe_place(old)} has no "
        "passage of its own any more, because the boundaries changed; look the file up, or link the song in the player"
        for old in stored
        if old.guid in going and old.guid not in used and (old.knowledge.song_id or old.knowledge.songs)
        if any(min(new.end_ticks, old.end_ticks) > max(new.start_ticks, old.start_ticks) for new in holders)
    ]
    return warn_each(WarningKind.LOST_SONG, texts)


def _pair(
    passages: Sequence[PassageEntry], stored: Sequence[StoredPassage], *, is_same_content: bool
) -> dict[int, StoredPassage]:
    """Return index of new passage -> the stored passage whose knowledge it may keep; each is used once."""
    candidates = []
    for number, new in enumerate(passages):
        for old in stored:
            shared = min(new.end_ticks, old.end_ticks) - max(new.start_ticks, old.start_ticks)
            heard = new.fingerprint.fingerprint if new.fingerprint else None
            is_equal = heard is not None and heard == old.knowledge.fingerprint
            if not is_equal and (shared <= 0 or not (is_same_content or _may_be_same(heard, old))):
                continue
            shorter, longer = sorted((new.length_ticks, old.end_ticks - old.start_ticks))
            if is_same_content or old.knowledge.fingerprint is None:
                # A fingerprint covers the beginning only, so a piece may have that of the whole.
                is_equal = is_equal or shared >= MIN_OVERLAP * longer
            candidates.append((not is_equal, shared < MIN_OVERLAP * shorter, -shared, number, old.guid, old))
    partners: dict[int, StoredPassage] = {}
    used: set[str] = set()
    for *_, number, guid, old in sorted(candidates, key=lambda candidate: candidate[:5]):
        if number not in partners and guid not in used:
            partners[number] = old
            used.add(guid)
    return partners


def _may_be_same(heard: str | None, old: StoredPassage) -> bool:
    before = old.knowledge.fingerprint
    return heard is None or before is None or is_same_sound(heard, before) is not False


def _decide(match: PassageMatch, old: StoredPassage | None) -> KeptKnowledge | None:
    if old is None:
        return None
    if old.knowledge.is_persons:
        return KeptKnowledge(old, PERSONS_WORD, keeps_texts=True, keeps_song=True)
    is_same = match.song is not None and match.song.recording_mbid == old.knowledge.recording_mbid
    is_another = match.song is not None and not is_same
    if is_another or (match.lookup is not None and match.lookup.outcome in _ANSWERS):
        return KeptKnowledge(old)
    is_known_better = is_same and old.knowledge.song_id is not None and _is_weaker(match, old.knowledge.mbid_source)
    return KeptKnowledge(old, _reason(match), keeps_texts=True, keeps_song=match.song is None or is_known_better)


def _is_weaker(match: PassageMatch, stored_source: str | None) -> bool:
    """Tell whether AcoustID alone names what MusicBrainz has named: MusicBrainz could not be asked this time."""
    return match.source == _ACOUSTID and stored_source == _MUSICBRAINZ


def follow_persons(
    passages: Sequence[PassageEntry], knowledge: Sequence[KeptKnowledge | None]
) -> tuple[PassageEntry, ...]:
    """Return the passages without answers that contradict a person, who said that it is another song, or none."""
    return tuple(
        _without_answer(passage) if kept and _contradicts(passage.match, kept.stored.knowledge) else passage
        for passage, kept in zip(passages, knowledge, strict=True)
    )


def _contradicts(match: PassageMatch, known: StoredKnowledge) -> bool:
    return known.is_persons and match.song is not None and match.song.recording_mbid != known.recording_mbid


def _without_answer(passage: PassageEntry) -> PassageEntry:
    match = PassageMatch(passage.match.span, MatchLevel.NONE, 0.0, None, lookup=passage.match.lookup)
    flavor = passage.flavor and replace(passage.flavor, classes={}, detail="", outcome=ClassesOutcome.SKIPPED)
    return replace(passage, match=match, flavor=flavor)


def recall_song(
    passage: PassageEntry, kept: KeptKnowledge | None, tags: FileTags | None, *, is_whole_file: bool
) -> Song | None:
    """Return the song of a passage: the one that was found, or the one that WKMP found and did not finish.

    WKMP links no song, and writes neither its title nor its artists. Of a file with one passage, the tags know them.
    """
    if passage.match.song is not None or kept is None or not kept.keeps_song:
        return passage.match.song
    known = kept.stored.knowledge
    if known.import_timestamp is not None or known.song_mbid is None:
        return None
    return Song(
        known.song_mbid,
        known.title or passage.match.title,
        known.artist or passage.match.artist,
        tags.artists if tags and is_whole_file else (),
        rank=NameRank.GUESS,
    )


def recall_songs_of_kept(plan: PassagePlan, tags: FileTags | None) -> list[Song]:
    """Return the songs that WKMP found for passages that stay without a partner.

    Of a file whose sound lies in one such passage, the tags know the names.
    """
    songs = []
    for old in plan.kept:
        known = old.knowledge
        if known.import_timestamp is not None or known.song_mbid is None:
            continue
        is_whole_file = len(plan.kept) == 1 and all(
            old.start_ticks <= new.start_ticks and new.end_ticks <= old.end_ticks for new in plan.placed
        )
        named = tags if is_whole_file else None
        songs.append(
            Song(
                known.song_mbid,
                known.title or (named.title if named else None),
                known.artist or (named.artist if named else None),
                named.artists if named else (),
                rank=NameRank.GUESS,
            )
        )
    return songs


def link_songs_of_kept(plan: PassagePlan, stamp: Stamp) -> list[PassageSongRow]:
    """Return the links that WKMP did not make for passages that stay without a partner, over their whole length."""
    return [
        PassageSongRow(old.guid, old.knowledge.song_id, 0, old.end_ticks - old.start_ticks, stamp.text)
        for old in plan.kept
        if old.knowledge.import_timestamp is None and old.knowledge.song_id is not None and not old.knowledge.songs
    ]


def _reason(match: PassageMatch) -> str:
    if match.lookup is None:
        return "no service was asked"
    if match.lookup.outcome is LookupOutcome.TOO_SHORT:
        return "the passage is too short to be looked up"
    return match.lookup.detail or "no service answered"


def keep_columns(row: PassageRow, match: PassageMatch, kept: KeptKnowledge | None) -> PassageRow:
    """Return a passage's row with the columns that stay."""
    if kept is None or not kept.keeps_texts:
        return row
    known = kept.stored.knowledge
    stays = {name: getattr(known, name) for name in _SONG_COLUMNS} if kept.keeps_song else {}
    for name in _TEXTS:
        stored, source = getattr(known, name), getattr(known, f"{name}_source")
        if stored is not None and not _is_better(getattr(row, name), match, source):
            confidence = getattr(known, f"{name}_confidence")
            stays |= {name: stored, f"{name}_source": source, f"{name}_confidence": confidence}
    if kept.keeps_song and known.identity_confidence is not None:
        stays["identity_confidence"] = max(known.identity_confidence, row.identity_confidence)
    return replace(row, **stays)


def _is_better(text: str | None, match: PassageMatch, stored_source: str | None) -> bool:
    """Tell whether a new text replaces a stored one. Tags of a file do not tell which of its pieces they mean."""
    if text is None:
        return False
    if match.song is not None:
        return not _is_weaker(match, stored_source)
    return match.score > 0 and stored_source not in {_ACOUSTID, _MUSICBRAINZ}


def keep_song_links(placed: PlacedPassage, kept: KeptKnowledge | None, stamp: Stamp) -> list[PassageSongRow]:
    """Return the links to songs that stay, fitted to the passage's boundaries."""
    if kept is None:
        return []
    old, length = kept.stored, placed.end_ticks - placed.start_ticks
    rows = []
    for link in old.knowledge.songs:
        is_ours = _is_link_to_song_of_import(link, old.knowledge)
        if is_ours and not kept.keeps_song:
            continue
        shift = old.start_ticks - placed.start_ticks
        start, end = max(0, link.start_ticks + shift), min(length, link.end_ticks + shift)
        if link.start_ticks <= 0 and link.end_ticks >= old.end_ticks - old.start_ticks:
            start, end = 0, length
        if start < end:
            made_at = stamp.text if is_ours else link.created_at
            rows.append(PassageSongRow(placed.guid, link.song_id, start, end, made_at))
    return rows


def _is_link_to_song_of_import(link: StoredSongLink, known: StoredKnowledge) -> bool:
    """Tell whether an import made a link to a song. WKMP notes no time in passages, but the song that it found."""
    if known.import_timestamp is None:
        return link.song_id == known.song_id
    return link.created_at == known.import_timestamp


def keep_album_links(
    placed: PlacedPassage, kept: KeptKnowledge | None, stamp: Stamp, *, has_release: bool
) -> list[PassageAlbumRow]:
    """Return the links to albums that stay; those of earlier imports only without a new release."""
    rows = []
    for guid, created_at in kept.stored.knowledge.albums if kept else ():
        is_ours = created_at == kept.stored.knowledge.import_timestamp if kept else False
        if not is_ours:
            rows.append(PassageAlbumRow(placed.guid, guid, created_at))
        elif kept and kept.keeps_texts and not has_release:
            rows.append(PassageAlbumRow(placed.guid, guid, stamp.text))
    return rows


def describe_kept(match: PassageMatch, row: PassageRow, kept: KeptKnowledge | None) -> str | None:
    """Return why a passage's row holds what this import did not find; None when it holds nothing of the kind."""
    if kept is None or not kept.keeps_texts:
        return None
    has_song = kept.keeps_song and (row.song_id or row.recording_mbid or kept.stored.knowledge.songs)
    has_text = any(getattr(row, name) != getattr(match, name) for name in _TEXTS)
    return kept.reason if has_song or has_text else None
